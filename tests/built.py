"""The built site: its pages, their figures, and what several tests of it do. `make book` builds it."""

import functools
import re
from pathlib import Path

import pytest
from conftest import ROOT

SITE = ROOT / "_build" / "html"
FIRST = "index.html"  # leads to the first chapter
PAGES = sorted(
    {path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if "_static" not in path.parts} - {FIRST}
)
CHAPTERS = [page for page in PAGES if page.startswith("chapters/")]
FIGURES = [
    pytest.param(page, name, id=f"{Path(page).stem}-{name.removeprefix('live-')}")
    for page in CHAPTERS
    for name in re.findall(r'<div class="live" id="([^"]+)"', (SITE / page).read_text(encoding="utf-8"))
]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
# Lay out also what is out of sight, which a browser leaves for later. (Where scripts are off, Playwright's own
# `add_style_tag` would wait for ever.)
LAY_OUT = """document.head.append(Object.assign(document.createElement("style"),
    { textContent: "* { content-visibility: visible !important }" }))"""

every_page = pytest.mark.parametrize("page", PAGES)
every_chapter = pytest.mark.parametrize("page", CHAPTERS)
every_figure = pytest.mark.parametrize(("page", "name"), FIGURES)


@functools.cache
def source(page):
    return (SITE / page).read_text(encoding="utf-8")


@functools.cache
def how_many(page, text):
    """How often a text stands on a page, outside of scripts."""
    return re.sub(r"<script.*?</script>", "", source(page), flags=re.DOTALL).count(text)


def unfold(opened):
    """Open the parts that a first reading can skip, as a reader does with the keyboard, and have all laid out."""
    opened.evaluate(LAY_OUT)
    for summary in opened.locator("details.beyond > summary").all():
        summary.press("Enter")
    folds = "details.hide, details.sd-dropdown:has(.cell)"  # guesses, code
    opened.evaluate(f"for (const fold of document.querySelectorAll('{folds}')) fold.open = true")


def wait_until_started(figure):
    """A figure starts when it comes near: wait until it has."""
    figure.page.wait_for_function("(figure) => figure.live", arg=figure.element_handle())
