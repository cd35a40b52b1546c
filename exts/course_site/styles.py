"""One style sheet: all that the theme and the extensions bring, joined, without the rules that no page uses."""

import base64
import hashlib
import posixpath
import re
import subprocess
from pathlib import Path

from sphinx.errors import ExtensionError

from .fonts import cut_fonts
from .node import find_node, module
from .weight import lighten

SHEET = "course.css"
LINK = re.compile(rf'_static/{re.escape(SHEET)}(?:\?v=\w+)?"')
THEME = ["styles/theme.css", "styles/pydata-sphinx-theme.css"]  # the theme's template loads these before all others
IMPORT = re.compile(r'@import\s+"([^"]+)"\s*;')
ADDRESS = re.compile(r"""url\((?!["']?(?:data:|#|%23))["']?([^"')]+)["']?\)""")
# These scripts name all icons and all parts of Bootstrap; what the site has of them stands in purgecss.config.cjs.
MANY_NAMES = {"fontawesome.js", "bootstrap.js"}
SMALL = 700  # bytes: as much as is said to ask for a file and to announce it
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def take_styles(app, context):
    """Note the sheets of a page: it gets the one that holds them all (templates/layout.html)."""
    for sheet in context["css_files"]:
        if set(sheet.attributes) - {"rel", "type"}:
            raise ExtensionError(f"{sheet.filename} has attributes, and cannot be joined with other sheets")
        app.course_sheets.setdefault(str(sheet.filename).removeprefix("_static/"))


def write_styles(app):
    """Write the one sheet, once all pages are there, and tell them its version; finished, the pages are made light."""
    static = Path(app.outdir) / "_static"
    pages = sorted(Path(app.outdir).rglob("*.html"))
    if app.course_sheets:  # else no page was written, and the sheet of the build before stands
        write_sheet(app, static, pages)
    style = (static / SHEET).read_text(encoding="utf-8")
    texts = [lighten(page.read_text(encoding="utf-8"), static) for page in pages]
    cut_fonts(static, style, texts)
    style = with_small_fonts(style, static)
    (static / SHEET).write_text(style, encoding="utf-8")
    digest = hashlib.sha256(style.encode()).hexdigest()[:8]
    for page, text in zip(pages, texts, strict=True):
        page.write_text(LINK.sub(f'_static/{SHEET}?v={digest}"', text), encoding="utf-8")


def with_small_fonts(style, static):
    """The sheet with the fonts in it that are smaller than what a browser and a server say about one."""

    def in_sheet(found):
        font = static / found[1]
        if font.suffix != ".woff2" or font.stat().st_size >= SMALL:
            return found[0]
        return f"url(data:font/woff2;base64,{base64.b64encode(font.read_bytes()).decode()})"

    return ADDRESS.sub(in_sheet, style)


def write_sheet(app, static, pages):
    whole = Path(app.doctreedir) / SHEET
    whole.write_text(join(static, [*THEME, *app.course_sheets]), encoding="utf-8")
    content = [*pages, *sorted(static.rglob("*.js"))]
    style = purge(whole, [file for file in content if file.name not in MANY_NAMES])
    (static / SHEET).write_text(COMMENT.sub("", style), encoding="utf-8")


def join(static, names):
    """The sheets one after the other, each after what it imports, with addresses as seen from their folder."""
    return "\n".join(inline(static, name) for name in names)


def inline(static, name):
    folder, text = posixpath.dirname(name), (static / name).read_text(encoding="utf-8")
    text = ADDRESS.sub(lambda found: f"url({posixpath.normpath(posixpath.join(folder, found[1]))})", text)
    return IMPORT.sub(lambda found: inline(static, posixpath.normpath(posixpath.join(folder, found[1]))), text)


def purge(sheet, content):
    """The rules of a sheet that the content may use, by PurgeCSS."""
    program, config = module("purgecss") / "bin" / "purgecss.js", Path(__file__).parent / "purgecss.config.cjs"
    target = sheet.parent / "purged"
    target.mkdir(exist_ok=True)
    arguments = [find_node(), program, "--config", config, "--css", sheet, "--content", *content, "--output", target]
    result = subprocess.run(arguments, capture_output=True, text=True)
    if result.returncode or not (target / sheet.name).exists():
        raise ExtensionError(f"PurgeCSS could not cut {sheet}:\n{result.stderr.strip()}")
    return (target / sheet.name).read_text(encoding="utf-8")
