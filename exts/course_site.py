"""The few things that the site needs and Jupyter Book has no option for.

Files: KaTeX's style and fonts, the fonts of the figures, the style sheets, the page that leads to the first
chapter. Pages: the code of the live figures, displayed maths that scrolls, and no code that wants a server.
"""

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import time
from html import escape
from importlib.metadata import version
from pathlib import Path

import matplotlib
import sphinxcontrib.katex as katex
from fontTools import subset
from sphinx.errors import ExtensionError
from sphinx.util import logging

import nnlib

HERE = Path(__file__).parent
WEB = Path(nnlib.__file__).parent / "live" / "web"
CACHE = HERE.parent / "build"
LIVE_FIGURE = 'class="live-controls"'  # a figure without controls needs no code

# Family, style and file of each font that matplotlib measures text with (nnlib/course.mplstyle).
FIGURE_FONTS = [
    ("DejaVu Sans", "normal", "DejaVuSans.ttf"),
    ("DejaVu Sans", "italic", "DejaVuSans-Oblique.ttf"),
    ("STIXGeneral", "normal", "STIXGeneral.ttf"),
    ("STIXGeneral", "italic", "STIXGeneralItalic.ttf"),
]
# Latin, accents that stand over a letter, Greek, dashes and primes, super- and subscripts, letters such as ℝ
# and ℓ, arrows, operators, brackets.
FIGURE_CHARACTERS = (
    "U+20-7E,U+A0-17F,U+300-304,U+307,U+370-3FF,U+2010-2027,U+2030-2037,U+2070-209C,U+1D2C-1D6A,U+2C7C,"
    "U+2100-214F,U+2190-21FF,U+2200-22FF,U+2308-230B,U+25A0-25CF,U+27E8-27E9"
)

# The theme takes its own empty default mode for an error unless the reader has chosen light or dark before.
SET_MODE = 'document.documentElement.dataset.mode ||= "auto";'

# What sphinx-thebe writes into each page: settings of a server that nobody starts.
THEBE_SETTINGS = re.compile(r'<script type="text/x-thebe-config">.*?</script>\s*<script>kernelName.*?</script>', re.S)

FIRST_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="0; url={url}">
<link rel="icon" href="data:,">
<title>{title}</title>
</head>
<body><main><h1>{title}</h1><p><a href="{url}">Read the course</a></p></main></body>
</html>
"""

logger = logging.getLogger(__name__)


def command(name):
    """The path of a command: the environment's own, if it has one, before the system's."""
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None:
        raise ExtensionError(
            f"{name} was not found: Node 18 or newer typesets the formulas while the book is built. "
            "`make book` installs it by itself; elsewhere, run: pip install -e .[node]"
        )
    return found


def use_node():
    """Let sphinxcontrib-katex find Node, and give a slow machine more than its five seconds."""
    node = command("node")
    ask = [node, "-p", "process.versions.node + ' ' + process.execPath"]
    answer = subprocess.run(ask, capture_output=True, text=True).stdout.strip()
    number, _, path = answer.partition(" ")
    if not path or int(number.split(".")[0]) < 18:
        raise ExtensionError(f"Node 18 or newer is needed, {node} is {number or 'broken'}: pip install -e .[node]")
    katex.NODEJS_BINARY = path  # `node` may be a script that starts Node: when it is ended, Node would go on
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60.0
    katex.KaTeXServer.start_server_process = start_katex  # not used on Windows


def start_katex(folder, timeout):
    """Start KaTeX's server and connect to it: sphinxcontrib-katex's own way does not wait until it listens,
    and was refused in one of eight starts."""
    path, deadline = folder / "katex.sock", time.monotonic() + timeout
    server = subprocess.Popen(
        katex.KaTeXServer.build_command(socket=path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=folder,
    )
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(path))
            return server, connection
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            if server.poll() is not None or time.monotonic() > deadline:
                server.kill()
                raise katex.KaTeXServer.timeout_error(timeout) from None
            time.sleep(0.01)


def katex_files():
    """A folder with style sheet and fonts of the KaTeX that typesets the formulas, fetched once, by npm."""
    folder = CACHE / f"katex-{katex.katex_version}"
    if folder.exists():
        return folder
    CACHE.mkdir(exist_ok=True)
    logger.info("Fetching KaTeX %s (style sheet and fonts of the formulas) ...", katex.katex_version)
    pack = [command("npm"), "pack", "--json", f"katex@{katex.katex_version}"]
    result = subprocess.run(pack, cwd=CACHE, capture_output=True, text=True)
    if result.returncode:
        raise ExtensionError(f"npm could not fetch KaTeX {katex.katex_version}:\n{result.stderr.strip()}")
    archive = CACHE / json.loads(result.stdout)[0]["filename"]
    with tarfile.open(archive) as package:
        names = [name for name in package.getnames() if name.endswith(".woff2")]
        fonts = {Path(name).name: package.extractfile(name).read() for name in names}
        style = package.extractfile("package/dist/katex.min.css").read().decode()
        code = package.extractfile("package/dist/katex.min.js").read()
    archive.unlink()
    if code != (Path(katex.__file__).parent / "katex.min.js").read_bytes():
        raise ExtensionError(f"KaTeX {katex.katex_version} from npm is not the KaTeX of sphinxcontrib-katex")
    # Every browser that can show the site reads woff2: the two older formats are left out.
    style = re.sub(r',url\([^)]*\.(?:woff|ttf)\) format\("\w+"\)', "", style)
    unfinished = CACHE / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    (unfinished / "fonts").mkdir(parents=True)
    (unfinished / "katex.min.css").write_text(style, encoding="utf-8")
    for name, content in fonts.items():
        (unfinished / "fonts" / name).write_bytes(content)
    unfinished.rename(folder)
    return folder


def figure_fonts():
    """A folder with the figures' fonts, cut to FIGURE_CHARACTERS, and fonts.css, which declares them."""
    recipe = f"{matplotlib.__version__} {version('fonttools')} {FIGURE_FONTS} {FIGURE_CHARACTERS}"
    folder = CACHE / f"fonts-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    if folder.exists():
        return folder
    logger.info("Cutting the fonts of the figures to the characters that they use ...")
    unfinished = CACHE / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    rules = []
    for family, style, file in FIGURE_FONTS:
        source = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / file
        target = unfinished / Path(file).with_suffix(".woff2").name
        # glyf tables stay as they are: the browser must measure what matplotlib measured.
        options = [
            "--flavor=woff2",
            "--layout-features=kern,mark,mkmk",
            "--no-hinting",
            "--drop-tables+=FFTM",
            f"--output-file={target}",
        ]
        subset.main([str(source), f"--unicodes={FIGURE_CHARACTERS}", *options])
        rules.append(
            f'@font-face {{ font-family: "{family}"; font-style: {style}; font-display: swap; '
            f'src: url({target.name}) format("woff2"); }}\n'
        )
    (unfinished / "fonts.css").write_text("".join(rules), encoding="utf-8")
    unfinished.rename(folder)
    return folder


def live_code():
    """figure.mjs and page.mjs of nnlib.live as one module: a page opened from a disk can import nothing."""
    figure, page = ((WEB / name).read_text(encoding="utf-8") for name in ("figure.mjs", "page.mjs"))
    figure = re.sub(r"^export default .*\n", "", figure, flags=re.MULTILINE)
    figure = re.sub(r"^export (?=const|function|class)", "", figure, flags=re.MULTILINE)
    page, imports = re.subn(r'^import .* from "\./figure\.mjs";\n', "", page, flags=re.MULTILINE)
    code = figure + page
    left = re.search(r"^(?:import|export)\b.*|</script.*", code, flags=re.MULTILINE)
    if imports != 1 or left:
        raise ExtensionError(
            "figure.mjs and page.mjs cannot be joined: page.mjs must have one line that imports, from "
            "./figure.mjs, and figure.mjs may export declarations and one line of `export default`"
            + (f"; found: {left[0]}" if left else "")
        )
    return code


def prepare(app):
    """Gather the files of the site before anything is written."""
    if app.builder.format != "html":
        return
    missing = [name for name in ("figure.mjs", "page.mjs", "live.css") if not (WEB / name).exists()]
    if missing:
        raise ExtensionError(f"the live figures need {', '.join(missing)} in nnlib/live/web")
    use_node()
    static = CACHE / "static"  # html_static_path takes folders: one is put together anew for each build
    shutil.rmtree(static, ignore_errors=True)
    shutil.copytree(katex_files(), static / "katex")
    shutil.copytree(figure_fonts(), static / "fonts")
    shutil.copy(WEB / "live.css", static)
    shutil.copy(HERE / "course_site.css", static)
    app.config.html_static_path.append(str(static))
    for sheet in ("fonts/fonts.css", "live.css", "course_site.css"):
        app.add_css_file(sheet, priority=900)  # after the theme's, to have the last word
    app.add_js_file(None, body=SET_MODE)
    app.course_live_code = live_code()


def is_needed(script):
    """False for sphinx-thebe's scripts and the state of the widgets: they want a server; there is none."""
    body, attributes = script.attributes.get("body") or "", script.attributes
    return not (
        "sphinx-thebe" in str(script.filename)
        or "THEBE_JS_URL" in body
        or attributes.get("type") == "application/vnd.jupyter.widget-state+json"
    )


def finish_page(app, pagename, templatename, context, doctree):
    """Put on each page what it needs, and nothing else."""
    context["script_files"][:] = [script for script in context["script_files"] if is_needed(script)]
    body = context.get("body", "")
    if 'class="katex-error"' in body:
        title = re.search(r'class="katex-error" title="([^"]*)"', body)
        logger.warning("a formula cannot be typeset: %s", title[1] if title else "see the page", location=pagename)
    if LIVE_FIGURE in body:
        app.add_js_file(None, type="module", body=app.course_live_code)
    body = THEBE_SETTINGS.sub("", body)
    # docutils marks the items of a bibliography with a role that ARIA has given up, within a list.
    body = body.replace(' role="doc-biblioentry"', ' role="listitem"')
    # Long formulas scroll on a narrow screen: with the keyboard, too.
    context["body"] = body.replace('<span class="katex-display"', '<span tabindex="0" class="katex-display"')


def write_first_page(app, exception):
    """The site's own index.html leads to the first chapter, also from a folder and without a server."""
    if exception is None and app.builder.format == "html":
        url, title = app.builder.get_target_uri(app.config.root_doc), escape(app.config.html_title)
        (Path(app.outdir) / "index.html").write_text(FIRST_PAGE.format(url=url, title=title), encoding="utf-8")


def setup(app):
    app.connect("builder-inited", prepare, priority=400)  # before sphinxcontrib-katex starts
    app.connect("html-page-context", finish_page, priority=900)  # after the extensions that add scripts
    app.connect("build-finished", write_first_page, priority=100)  # before the toc writes a bare one
    return {"parallel_read_safe": True, "parallel_write_safe": True}
