"""The pages: what is put right in them, what is folded, and the two that Jupyter Book does not write."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.util import logging

from .weight import use_palettes

# What sphinx-thebe writes into each page: settings of a server that nobody starts.
THEBE_SETTINGS = re.compile(r'<script type="text/x-thebe-config">.*?</script>\s*<script>kernelName.*?</script>', re.S)
# How myst-nb names a fold of code: by paragraphs, which may not stand there, and for the ear by the same words for all.
FOLDED_CODE = re.compile(
    r'<summary aria-label="Toggle hidden content">\s*<p class="(collapsed [^"]*)">(.*?)</p>\s*'
    r'<p class="(expanded [^"]*)">(.*?)</p>\s*</summary>'
)
# A script waits for the style sheet, and what comes after it waits for the script: so a browser lays out and shows what
# stands before the first section without the thousands of elements that follow.
PAUSE = "<script>0</script>"
FOLD = '<details class="beyond"><summary>A first reading can skip this part</summary>'
FIRST, NOT_FOUND = "index.html", "404.html"  # by these names the servers ask for them

logger = logging.getLogger(__name__)


def fold_beyond(app, doctree, docname):
    """Fold the sections called "Beyond …": a first reading can skip them."""
    if app.builder.format != "html":
        return
    for section in doctree.findall(nodes.section):
        title = section.next_node(nodes.title)
        if title.astext().startswith("Beyond"):
            section.insert(section.index(title) + 1, nodes.raw("", FOLD, format="html"))
            section.append(nodes.raw("", "</details>", format="html"))


def fill_folds(app, doctree):
    """Put each cell with the tag `in-fold` into the dropdown before it: one fold has words, numbers and pictures."""
    for cell in list(doctree.findall(nodes.container)):
        if "tag_in-fold" in cell["classes"]:
            fold = cell.parent[cell.parent.index(cell) - 1]
            if fold.get("design_component") != "dropdown":
                logger.warning("a cell with the tag in-fold must follow a dropdown", location=cell)
                continue
            cell.parent.remove(cell)
            fold.append(cell)


def put_right(context):
    """Mend the text of a page; a formula that cannot be typeset is a warning."""
    body = context.get("body", "")
    if 'class="katex-error"' in body:
        title = re.search(r'class="katex-error" title="([^"]*)"', body)
        place = context["pagename"]
        logger.warning("a formula cannot be typeset: %s", title[1] if title else "see the page", location=place)
    body = THEBE_SETTINGS.sub("", body)
    body = FOLDED_CODE.sub(r'<summary><span class="\1">\2</span><span class="\3">\4</span></summary>', body)
    # docutils marks the items of a bibliography with a role that ARIA has given up, within a list.
    body = use_palettes(body.replace(' role="doc-biblioentry"', ' role="listitem"'))
    body = re.sub(r"(<section.*?)(?=<section)", rf"\1{PAUSE}", body, count=1, flags=re.S)
    # Long formulas scroll on a narrow screen: with the keyboard, too.
    context["body"] = body.replace('<span class="katex-display"', '<span tabindex="0" class="katex-display"')


def write_pages(app):
    """Write the site's own index.html, which leads to the first chapter, also from a folder and without a server, and
    the page that a server shows at an address where there is none, from any folder."""
    values = {
        "title": app.config.html_title,
        "url": app.builder.get_target_uri(app.config.root_doc),
        "root": urlsplit(app.config.html_baseurl).path,
        "language": app.config.language,
    }
    for name, template in ((FIRST, "first.html"), (NOT_FOUND, "not_found.html")):
        page = app.builder.templates.render(template, values)
        (Path(app.outdir) / name).write_text(page, encoding="utf-8")
