"""The scripts of a page: those that it uses, once it is there."""

import re
from pathlib import Path

from sphinx.errors import ExtensionError

import nnlib

from .weight import move_data

HERE = Path(__file__).parent
WEB = Path(nnlib.__file__).parent / "live" / "web"
LIVE = "live.js"
# The theme's template loads these at the end of the page, and before them 1.5 MB of icons that its fonts have, too.
THEME = ["scripts/bootstrap.js", "scripts/pydata-sphinx-theme.js"]
# This one waits for the page's "DOMContentLoaded", which comes only once.
AT_ONCE = "design-tabs.js"
COMMENT = re.compile(r"^ *//.*\n| *// .*$", re.MULTILINE)
# Paper is white: the dark theme is put aside while a page is printed.
PRINT_IN_LIGHT = """{
  const { dataset } = document.documentElement;
  let theme;
  addEventListener("beforeprint", () => { theme = dataset.theme; dataset.theme = "light"; });
  addEventListener("afterprint", () => { dataset.theme = theme; });
}"""


def add_scripts(app):
    for name in THEME:
        app.add_js_file(name, priority=900)
    app.add_js_file(None, body=PRINT_IN_LIGHT)
    app.add_js_file(None, body=COMMENT.sub("", (HERE / "rendering.js").read_text(encoding="utf-8")))


def live_code():
    """figure.mjs and page.mjs of nnlib.live as one script: a page opened from a disk can import nothing."""
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
    return f'"use strict";\n{{\n{code}}}\n'


def choose_scripts(app, context):
    """Keep the scripts that a page needs, each once; they come when the page is there (templates/layout.html)."""
    context["body"], data = move_data(app, context["pagename"], context.get("body", ""))
    if data:
        app.add_js_file(data)
        app.add_js_file(LIVE)
    wanted = {}
    for script in context["script_files"]:
        if is_needed(script):
            wanted.setdefault(str(script.filename or script.attributes["body"]), script)
    late = [script for script in wanted.values() if may_come_late(script, context)]
    context["script_files"][:] = [script for script in wanted.values() if script not in late]
    for script in context["script_files"]:
        if script.filename:
            script.attributes["defer"] = "defer"
    context["late_scripts"] = late


def may_come_late(script, context):
    """False for what is within the page, or begins with it; the search has scripts that follow these."""
    return script.filename and AT_ONCE not in script.filename and context["pagename"] != "search"


def is_needed(script):
    """False for what wants a server that nobody starts (sphinx-thebe, the state of the widgets), and for what tells
    the theme where a page is (a menu of versions and a search while one types, which this book does not have)."""
    body, attributes = script.attributes.get("body") or "", script.attributes
    return not (
        "sphinx-thebe" in str(script.filename)
        or "THEBE_JS_URL" in body
        or body.startswith("DOCUMENTATION_OPTIONS.")
        or attributes.get("type") == "application/vnd.jupyter.widget-state+json"
    )
