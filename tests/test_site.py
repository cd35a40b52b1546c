"""The built site in a browser: every page, in every way it is read. `make book` builds it first."""

import functools
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from built import (
    CHAPTERS,
    DESK,
    FIGURES,
    FIRST,
    LAY_OUT,
    PAGES,
    PHONE,
    SITE,
    every_chapter,
    every_page,
    how_many,
    source,
    unfold,
    wait_until_started,
)
from conftest import ROOT
from PIL import Image
from playwright.sync_api import expect

WCAG = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "preload": False,
    "resultTypes": ["violations"],  # what passes need not be listed
}
in_both_themes = pytest.mark.parametrize("theme", ["light", "dark"])


def test_the_site_is_built_and_has_pages_and_figures():
    assert PAGES and FIGURES, "there is no site in _build/html: run `make book` first"
    assert {Path(page).stem for page in CHAPTERS} >= {path.stem for path in (ROOT / "chapters").glob("*.ipynb")}


# -- every page ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["server", "server, in a folder", "disk"])
@every_page
def test_a_page_loads_without_error_from_a_server_from_a_folder_of_it_and_from_disk(visit, serve, page, place):
    root = {"server": serve(SITE), "server, in a folder": serve(SITE, "/some/prefix/"), "disk": SITE.as_uri() + "/"}[
        place
    ]
    asked = []
    opened = visit("about:blank")  # what is logged, fails or goes to another host is noted by `visit`
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(root + page)
    opened.keyboard.press("End")
    opened.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith((root, "data:", "blob:"))] == []
    figures = opened.locator(".live:has(form)").all()
    assert len(figures) == sum(param.values[0] == page for param in FIGURES)
    unfold(opened)
    for figure in figures:
        figure.scroll_into_view_if_needed()
        wait_until_started(figure)


@pytest.mark.parametrize("javascript", [True, False])
def test_the_first_page_leads_to_the_first_chapter(visit, javascript):
    opened = visit((SITE / FIRST).as_uri(), java_script_enabled=javascript, watched=False)
    opened.wait_for_url("**/chapters/index.html")


class Links(HTMLParser):
    """The ids of a page and what it refers to: (tag, address)."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids += [attributes["id"]] if attributes.get("id") else []
        self.ids += [attributes["name"]] if tag == "a" and attributes.get("name") else []
        self.links += [
            (tag, attributes[name]) for name in ("href", "src", "poster", "data", "action") if attributes.get(name)
        ]


@functools.cache
def links(page):
    return Links(source(page))


@pytest.mark.parametrize("page", [FIRST, *PAGES])
def test_what_a_page_refers_to_is_there(page):
    broken = []
    for tag, address in links(page).links:
        target, fragment = urldefrag(urljoin(f"http://site/{page}", address))
        scheme, host, path, *_ = urlsplit(target)
        if host != "site":
            if tag != "a" and scheme not in ("data", "blob"):
                broken.append(f"<{tag}> loads from elsewhere: {address}")
            continue
        path = unquote(path).lstrip("/")
        file = SITE / path
        if not file.is_file():
            broken.append(f"<{tag}> no such file: {address}")
        elif fragment and tag == "a" and file.suffix == ".html" and unquote(fragment) not in links(path).ids:
            broken.append(f"<a> no such place: {address}")
    assert broken == []


@every_page
def test_ids_occur_once_on_a_page(page):
    ids = links(page).ids
    assert sorted(ids) == sorted(set(ids))


# Unfold everything, and wait until what fades in is there. Then take out what would keep axe busy for a minute: what
# stands for the eye beside MathML and alternatives, the single signs of MathML, and of the words of programs all but a
# few of each colour.
PREPARE = """async () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
  const code = [...document.querySelectorAll("article.bd-article pre")];
  const laidOut = () => code.every((pre) => pre.style.contentVisibility);
  do await new Promise((resolve) => setTimeout(resolve, 600)); while (!laidOut());
  const all = Promise.all(document.getAnimations().map((animation) => animation.finished));
  await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 3000))]);
  for (const part of document.querySelectorAll(".katex-html, .live svg")) part.remove();
  for (const math of document.querySelectorAll("math")) math.replaceChildren(math.textContent);
  const seen = {};
  for (const word of document.querySelectorAll(".highlight :is(span, a)")) {
    seen[word.className] = (seen[word.className] ?? 0) + 1;
    if (seen[word.className] > 3) word.replaceWith(...word.childNodes);
  }
}"""


READING = {
    "light": {"color_scheme": "light", "viewport": DESK},
    "dark": {"color_scheme": "dark", "viewport": DESK},
    "phone": {"color_scheme": "dark", "viewport": PHONE, "has_touch": True, "is_mobile": True},
}


@pytest.mark.parametrize("reading", READING)
@every_page
def test_axe_finds_nothing(visit, site, page, reading):
    opened = visit(site + page, **READING[reading])
    opened.evaluate(LAY_OUT)
    opened.evaluate(PREPARE)
    found = Axe().run(opened, options=WCAG).response["violations"]
    assert [(v["id"], v["help"], [node["html"][:200] for node in v["nodes"][:3]]) for v in found] == []


@every_page
def test_nothing_is_wider_than_a_phone(visit, site, page):
    opened = visit(site + page, viewport=PHONE, has_touch=True, is_mobile=True)
    unfold(opened)
    assert opened.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    wide = opened.evaluate("""[...document.querySelectorAll(".live svg, .live-control, .live button, .prev-next-info")]
        .map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect()])
        .filter(([, { left, right }]) => left < 0 || right > innerWidth).map(([text]) => text)""")
    assert wide == []


# -- every figure, without script, in print, in the dark -------------------------------------------------------------


@pytest.fixture(scope="module")
def without_script(launch):
    return launch("--blink-settings=scriptEnabled=false")


@every_chapter
def test_without_javascript_the_stills_show_and_no_dead_controls(visit, site, without_script, page):
    opened = visit(site + page, browser=without_script, watched=False, viewport=DESK)  # it complains of unused scripts
    unfold(opened)
    assert_only_stills(opened, page)


def test_code_has_its_colours_also_without_javascript(visit, site, without_script):
    opened = visit(site + CHAPTERS[0], browser=without_script, watched=False)
    keyword, code = (opened.locator(f".highlight {part}").first for part in (".k, .kn", "pre"))
    colour = "(element) => getComputedStyle(element).color"
    assert keyword.evaluate(colour) != code.evaluate(colour)


def test_without_javascript_no_button_is_dead_and_the_source_can_be_had(visit, site, without_script):
    opened = visit(site + CHAPTERS[0], browser=without_script, watched=False, viewport=DESK)
    buttons = opened.locator("button:visible").all()
    assert [button.get_attribute("aria-label") for button in buttons] == ["Download this page"]
    buttons[0].focus()
    assert opened.locator(".dropdown-menu a").first.is_visible()


def test_without_javascript_a_phone_has_the_list_of_pages_at_the_end(visit, site, without_script):
    opened = visit(site + CHAPTERS[0], browser=without_script, watched=False, viewport=PHONE)
    link, buttons = (opened.locator(part).bounding_box() for part in (".to-contents", ".article-header-buttons"))
    assert link["y"] < buttons["y"] + buttons["height"] / 2 < link["y"] + link["height"], "they are not in one line"
    opened.locator(".to-contents").click()
    pages = opened.locator("#pst-primary-sidebar nav a")
    expect(pages.first).to_be_in_viewport()
    assert pages.count() == len(CHAPTERS)
    pages.last.click()
    assert opened.url == site + "chapters/references.html"


@every_chapter
def test_in_print_the_pictures_show_without_their_controls(visit, site, page):
    opened = visit(site + page, viewport=DESK)
    opened.emulate_media(media="print")
    assert_only_stills(opened, page)


@in_both_themes
def test_paper_is_white_whatever_the_theme_which_comes_back(visit, site, theme):
    opened = visit(site + CHAPTERS[0], viewport=DESK, color_scheme=theme)
    opened.evaluate(
        "addEventListener('beforeprint', () => { window.printed = document.documentElement.dataset.theme; })"
    )
    opened.pdf()
    assert opened.evaluate("[window.printed, document.documentElement.dataset.theme]") == ["light", theme]


@every_chapter
def test_what_a_first_reading_can_skip_is_folded(page):
    assert how_many(page, '<details class="beyond"><summary>') == len(re.findall(r"<h2>Beyond\b", source(page)))


def assert_only_stills(opened, page):
    stills = opened.locator(".live svg").all()
    assert len(stills) == how_many(page, 'class="live-panel"')
    for still in stills:
        if still.locator("xpath=ancestor::details[not(@open) and not(@class = 'beyond')]").count():
            continue  # the answer to a guess stays folded
        assert still.bounding_box()["height"] > 80
        assert still.locator("image").count() or still.locator("path, text").count() > 3
    assert opened.locator(".live form:visible").count() == 0


@every_chapter
def test_every_figure_says_what_it_shows(page):
    pictures = re.findall(r'<div\b[^>]*\bclass="live-picture"[^>]*>', source(page))
    alternatives = [text for picture in pictures for text in re.findall(r'\baria-label="([^"]+)"', picture)]
    assert len(alternatives) == how_many(page, 'class="live-picture"')
    assert all(len(alternative.split()) >= 5 for alternative in alternatives)


CONTRASTS = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const luminance = (colour) => {
    const [red, green, blue] = channels(colour).map((c) => linear(c / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  let ground = document.querySelector(".live");
  while (ground && (channels(getComputedStyle(ground).backgroundColor)[3] ?? 1) === 0) ground = ground.parentElement;
  const paper = luminance(ground ? getComputedStyle(ground).backgroundColor : "rgb(255, 255, 255)");
  const words = [...document.querySelectorAll(".live svg text")].filter((text) => text.textContent.trim());
  return words.map((text) => {
    const ink = luminance(getComputedStyle(text).fill);
    return [text.textContent, (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05)];
  });
}"""


@in_both_themes
@every_chapter
def test_the_words_of_the_figures_stand_out_from_the_page(visit, site, page, theme):
    contrasts = visit(site + page, color_scheme=theme).evaluate(CONTRASTS)
    assert bool(contrasts) == bool(how_many(page, 'class="live-panel"'))
    assert [(text, round(contrast, 2)) for text, contrast in contrasts if contrast < 4.5] == []


@every_chapter
def test_the_theme_button_takes_every_figure_along(visit, site, page):
    opened = visit(site + page, viewport=DESK, color_scheme="light")
    unfold(opened)
    pictures = [opened.locator("article h1").first, *opened.locator(".live-picture").all()]
    assert len(pictures) == 1 + how_many(page, 'class="live-picture"')
    before = [brightness(picture) for picture in pictures]
    for _ in range(3):
        opened.locator(".theme-switch-button:visible").first.click()
        if opened.locator("html").get_attribute("data-theme") == "dark":
            break
    after = [brightness(picture) for picture in pictures]
    assert min(before) > 0.8 and max(after) < 0.3  # also no white box anywhere behind


def brightness(locator):
    """The middle brightness of a part of a page, 0 to 1."""
    return np.median(np.asarray(Image.open(io.BytesIO(locator.screenshot())).convert("L"))) / 255


# -- the layout switch -----------------------------------------------------------------------------------------------

LAYOUTS = [page for page in CHAPTERS if 'data-sync-group="layout"' in (SITE / page).read_text(encoding="utf-8")]
each_with_layouts = pytest.mark.parametrize("page", LAYOUTS)
# The names of the tabs that are chosen, and what is seen below them.
CHOSEN = """() => [...document.querySelectorAll('.sd-tab-label[data-sync-group="layout"]')]
    .filter((label) => label.previousElementSibling.checked)
    .map((label) => [label.dataset.syncId, label.nextElementSibling.checkVisibility()])"""
# The formulas of a tab as they are read aloud, by layout and set of tabs.
WRITTEN = """(layout) => [...document.querySelectorAll(`.sd-tab-label[data-sync-id="${layout}"]`)]
    .map((label) => [...label.nextElementSibling.querySelectorAll("math")].map((math) => math.textContent))"""


def sets_of_tabs(page):
    return how_many(page, 'data-sync-id="numerator"')


def test_the_pages_that_state_derivatives_have_the_switch():
    assert {Path(page).stem for page in LAYOUTS} >= {"neuron", "losses", "matrix_calculus", "notation"}


@each_with_layouts
def test_numerator_layout_comes_first_also_without_javascript(visit, site, without_script, page):
    opened = visit(site + page, browser=without_script, watched=False)
    unfold(opened)
    assert opened.evaluate(CHOSEN) == [["numerator", True]] * sets_of_tabs(page)


@each_with_layouts
def test_all_tabs_follow_the_one_that_is_switched_on_the_next_page_too_and_back(visit, site, page):
    opened = visit(site + page, viewport=DESK)
    unfold(opened)
    assert opened.evaluate(CHOSEN) == [["numerator", True]] * sets_of_tabs(page)
    following = LAYOUTS[(LAYOUTS.index(page) + 1) % len(LAYOUTS)]  # so each page follows another
    for key, layout in (("ArrowRight", "denominator"), ("ArrowLeft", "numerator")):
        opened.locator(".sd-tab-set > input:checked").last.press(key)
        assert opened.evaluate(CHOSEN) == [[layout, True]] * sets_of_tabs(page)
        for other in (following, page):
            opened.goto(site + other)
            unfold(opened)
            assert opened.evaluate(CHOSEN) == [[layout, True]] * sets_of_tabs(other)


@each_with_layouts
def test_a_shape_in_one_layout_is_that_in_the_other_transposed(visit, site, page):
    opened = visit(site + page)
    numerator, denominator = (opened.evaluate(WRITTEN, layout) for layout in ("numerator", "denominator"))
    assert len(numerator) == len(denominator) == sets_of_tabs(page)
    for here, there in zip(numerator, denominator, strict=True):
        shapes = [shapes_in(formulas) for formulas in (here, there)]
        assert shapes[0] and sorted(shapes[1]) == sorted(shape[::-1] for shape in shapes[0])  # factors change places


def shapes_in(formulas):
    """The formulas that are a shape, such as k × d, as pairs."""
    return [formula.split("×") for formula in formulas if formula.count("×") == 1]
