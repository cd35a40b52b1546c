"""The built site in a browser: every page, every figure, every control. `make book` builds it first."""

import contextlib
import functools
import gzip
import io
import json
import re
import statistics
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import matplotlib
import nbformat
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import DATA, ROOT, visits
from PIL import Image

from nnlib.live import LiveFigure

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
WCAG = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "preload": False,
}
CONTRAST = {
    "runOnly": {"type": "rule", "values": ["color-contrast"]},
    "preload": False,
}  # all that the dark theme changes
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
# The inline module that brings the figures of a page to life.
CODE = re.compile(r'<script type="module">(.*?)</script>', re.DOTALL)

every_page = pytest.mark.parametrize("page", PAGES)
every_chapter = pytest.mark.parametrize("page", CHAPTERS)
every_figure = pytest.mark.parametrize(("page", "name"), FIGURES)
in_both_themes = pytest.mark.parametrize("theme", ["light", "dark"])


def test_the_site_is_built_and_has_pages_and_figures():
    assert PAGES and FIGURES, "there is no site in _build/html: run `make book` first"
    assert {Path(page).stem for page in CHAPTERS} >= {path.stem for path in (ROOT / "chapters").glob("*.ipynb")}


@functools.cache
def source(page):
    return (SITE / page).read_text(encoding="utf-8")


@functools.cache
def how_many(page, text):
    """How often a text stands on a page, outside of scripts."""
    return re.sub(r"<script.*?</script>", "", source(page), flags=re.DOTALL).count(text)


@pytest.fixture(scope="module")
def site(serve):
    return serve(SITE)


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
    figures = opened.locator(".live:has(form)")
    assert figures.count() == sum(param.values[0] == page for param in FIGURES)
    assert opened.evaluate("[...document.querySelectorAll('.live:has(form)')].every((figure) => figure.live)")


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
# stands for the eye beside MathML and alternatives, and of the words of programs all but a few of each colour.
PREPARE = """async () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
  const all = Promise.all(document.getAnimations().map((animation) => animation.finished));
  await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 3000))]);
  for (const part of document.querySelectorAll(".katex-html, .live svg")) part.remove();
  const seen = {};
  for (const word of document.querySelectorAll(".highlight span")) {
    seen[word.className] = (seen[word.className] ?? 0) + 1;
    if (seen[word.className] > 3) word.replaceWith(...word.childNodes);
  }
}"""


@in_both_themes
@every_page
def test_axe_finds_nothing(visit, site, page, theme):
    opened = visit(site + page, color_scheme=theme, viewport=DESK)
    opened.evaluate(PREPARE)
    found = Axe().run(opened, options=WCAG if theme == "light" else CONTRAST).response["violations"]
    assert [(v["id"], v["help"], [node["html"][:200] for node in v["nodes"][:3]]) for v in found] == []


@every_chapter
def test_nothing_is_wider_than_a_phone(visit, site, page):
    opened = visit(site + page, viewport=PHONE, has_touch=True, is_mobile=True)
    assert opened.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    wide = opened.evaluate("""[...document.querySelectorAll(".live svg, .live-control, .live button")]
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
    assert_only_stills(opened, page)


@every_chapter
def test_in_print_the_pictures_show_without_their_controls(visit, site, page):
    opened = visit(site + page, viewport=DESK)
    opened.emulate_media(media="print")
    assert_only_stills(opened, page)


def assert_only_stills(opened, page):
    stills = opened.locator(".live svg").all()
    assert len(stills) == how_many(page, 'class="live-panel"')
    for still in stills:
        assert still.bounding_box()["height"] > 100
        assert still.locator("path, text").count() > 3
    assert opened.locator(".live form:visible").count() == 0


@every_chapter
def test_every_figure_says_what_it_shows(page):
    alternatives = re.findall(r'<div class="live-picture" role="img" aria-label="([^"]+)"', source(page))
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
  return [...document.querySelectorAll(".live svg text")].map((text) => {
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


# -- every figure answers to every control, with NumPy's numbers ------------------------------------------------------


@functools.cache
def figures(chapter):
    """The live figures that the cells of a chapter's notebook make, by id."""
    matplotlib.use("Agg")
    notebook = nbformat.read(ROOT / "chapters" / f"{chapter}.ipynb", as_version=4)
    namespace, found = {"__name__": "__main__"}, {}
    with contextlib.chdir(ROOT / "chapters"), contextlib.redirect_stdout(io.StringIO()):
        for cell in notebook.cells:
            if cell.cell_type == "code":
                may_fail = "raises-exception" in cell.metadata.get("tags", [])
                with contextlib.suppress(Exception) if may_fail else contextlib.nullcontext():
                    exec(compile(cell.source, f"{chapter}.ipynb", "exec"), namespace)
                made = (value for value in namespace.values() if isinstance(value, LiveFigure))
                found |= {f"live-{figure.name.replace('_', '-')}": figure for figure in made}
    return found


@pytest.fixture(scope="module")
def open_chapter(browser, site):
    """open_chapter(page): the page, opened once for all its figures."""
    with visits(browser) as open_page:
        yield functools.cache(lambda page: open_page(site + page, viewport=DESK))


@pytest.fixture
def opened(open_chapter, page, name):
    """The page of a figure, with the figure in sight and as it was at first."""
    opened = open_chapter(page)
    opened.locator(f"#{name}").scroll_into_view_if_needed()
    opened.evaluate(
        "async (name) => { document.querySelector(`#${name} form`).reset(); await new Promise(setTimeout); }", name
    )
    return opened


@every_figure
def test_the_page_holds_the_program_that_the_notebook_makes(opened, page, name):
    assert name in figures(Path(page).stem), f"the notebook of {page} makes no figure {name}"
    program = json.loads(json.dumps(figures(Path(page).stem)[name].program))
    assert json.loads(opened.locator(f"#{name} script").text_content()) == program


KEYS = {
    "slider": ["ArrowRight", "ArrowLeft", "Home", "End", "PageDown"],
    "choice": ["ArrowDown", "ArrowUp", "End"],
    "checkbox": ["Space", "Space"],
}


@every_figure
def test_every_control_answers_to_the_keyboard(opened, page, name):
    for control in figures(Path(page).stem)[name].program["controls"]:
        element = opened.locator(f"#{name}-{control['name']}")
        element.focus()
        values, pictures = [state(element)], [shown(opened, name)]
        for key in KEYS[control["kind"]]:
            opened.keyboard.press(key)
            values.append(state(element))
            pictures.append(shown(opened, name))
            if control["kind"] == "slider":
                number = written(float(values[-1]), f".{control['decimals']}f")
                assert opened.locator(f"#{name}-{control['name']} + output").inner_text() == number
        assert len(set(values)) > 1, f"{control['name']} does not move"
        assert len(set(pictures)) > 1, f"{control['name']} moves and the picture does not"
        assert opened.evaluate("document.activeElement.id") == f"{name}-{control['name']}"  # the focus stays


def state(element):
    return str(element.is_checked()) if element.get_attribute("type") == "checkbox" else element.input_value()


def shown(opened, name):
    """What there is to see: every shape and word of the picture, and the numbers of its images."""
    shapes = re.sub(r'href="data:[^"]*"', "", opened.locator(f"#{name} .live-picture").inner_html())
    return shapes + json.dumps(opened.evaluate(f"({DATA})(document.getElementById('{name}').live)"))


SET = """([name, settings]) => {
  for (const [control, value] of Object.entries(settings)) {
    const input = document.getElementById(`${name}-${control}`);
    if (input.type === "checkbox") input.checked = Boolean(value);
    else input.value = value;
  }
  document.getElementById(name).querySelector("form").dispatchEvent(new Event("input", { bubbles: true }));
  return Object.fromEntries(Object.keys(settings).map((control) => {
    const input = document.getElementById(`${name}-${control}`);
    return [control, Number(input.type === "checkbox" ? input.checked : input.value)];
  }));
}"""
# What lies outside the SVG that it belongs to, unless the panel clips it: [id, text].
OUTSIDE = """(name) => [...document.querySelectorAll(`#${name} svg`)].flatMap((svg) => {
  const frame = svg.getBoundingClientRect();
  const corners = (part) => {
    const last = part.tagName === "text" ? part.getNumberOfChars() - 1 : -1;
    if (last < 0) {
      const { left, right, top, bottom } = part.getBoundingClientRect();
      return [{ x: left, y: top }, { x: right, y: bottom }];
    }
    const size = parseFloat(getComputedStyle(part.querySelector("tspan") ?? part).fontSize);
    const height = 0.7 * size; // of a capital letter
    return [part.getStartPositionOfChar(0), part.getEndPositionOfChar(last)]
      .flatMap(({ x, y }) => [new DOMPoint(x, y), new DOMPoint(x, y - height)])
      .map((point) => point.matrixTransform(part.getScreenCTM()));
  };
  return [...svg.querySelectorAll("path, use, text, image")].filter((part) => {
    const { width, height } = part.getBoundingClientRect();
    if (part.closest("defs, clipPath, [clip-path]") || getComputedStyle(part).visibility === "hidden") return false;
    return (width || height) && !corners(part).every(
      ({ x, y }) => x > frame.left - 1 && x < frame.right + 1 && y > frame.top - 1 && y < frame.bottom + 1);
  }).map((part) => [part.closest("[id]").id, part.textContent.trim()]);
})"""


def positions(figure, count=16):
    """Positions of all controls: the lowest, the highest, and random ones in between."""
    rng = np.random.default_rng(0)
    places = {name: control.positions() for name, control in figure.controls.items()}
    yield {name: place[0] for name, place in places.items()}
    yield {name: place[-1] for name, place in places.items()}
    for _ in range(count):
        yield {name: place[rng.integers(len(place))] for name, place in places.items()}


@every_figure
def test_everywhere_the_browser_holds_and_shows_the_numbers_of_numpy(opened, page, name):
    figure = figures(Path(page).stem)[name]
    for wanted in positions(figure):
        settings = opened.evaluate(SET, [name, wanted])
        assert settings == pytest.approx(wanted, abs=1e-9)
        expected = {i: c for i, c in figure.data(**settings).items() if i in figure.program["artists"]}
        found = opened.evaluate(f"({DATA})(document.getElementById('{name}').live)")
        assert set(found) == set(expected)
        for identifier, channels in expected.items():
            for channel, value in channels.items():
                if channel == "text":
                    words = "".join(part if isinstance(part, str) else written(**part) for part in value)
                    assert opened.locator(f"[id='{identifier}'] text").text_content() == words
                else:
                    there = np.array(found[identifier][channel]["data"], float).reshape(
                        found[identifier][channel]["shape"]
                    )
                    assert_equal_numbers(there, np.asarray(value, float), (settings, identifier, channel))
        assert opened.evaluate(OUTSIDE, name) == [], f"leaves the frame at {settings}"


def written(value, format):
    return f"{float(value):{format}}".replace("-", "\N{MINUS SIGN}")


def assert_equal_numbers(there, here, what):
    """Equal to 1e-12 of the largest absolute value."""
    assert there.shape == here.shape, what
    finite = np.isfinite(here)
    np.testing.assert_array_equal(there[~finite], here[~finite], err_msg=str(what))
    largest = np.max(np.abs(here[finite]), initial=0.0)
    np.testing.assert_allclose(there[finite], here[finite], rtol=0, atol=1e-12 * largest, err_msg=str(what))


@every_figure
def test_reset_brings_every_control_and_the_picture_back(opened, page, name):
    figure = figures(Path(page).stem)[name]
    before = shown(opened, name)
    opened.evaluate(SET, [name, list(positions(figure))[1]])
    assert shown(opened, name) != before
    opened.locator(f"#{name} button[type=reset]").press("Enter")
    opened.evaluate("new Promise(setTimeout)")
    assert shown(opened, name) == before
    for control in figure.program["controls"]:
        value = state(opened.locator(f"#{name}-{control['name']}"))
        assert (
            value == str(bool(control["value"])) if control["kind"] == "checkbox" else float(value) == control["value"]
        )


# -- time and size ---------------------------------------------------------------------------------------------------

TIMES = """([name, control, values]) => values.map((value) => {
  const input = document.getElementById(`${name}-${control}`);
  input.value = value;
  const begin = performance.now();
  input.dispatchEvent(new Event("input", { bubbles: true }));
  return performance.now() - begin;
})"""


@every_figure
def test_a_step_of_a_slider_takes_no_longer_than_the_eye_can_see(opened, page, name):
    """A loose bound, on a machine that does other things, too; `make bench` measures in earnest."""
    figure = figures(Path(page).stem)[name]
    for control in figure.program["controls"]:
        if control["kind"] == "slider":
            values = figure.controls[control["name"]].positions()
            times = opened.evaluate(TIMES, [name, control["name"], (values * 40)[:40]])
            assert statistics.median(times) <= 20, f"{control['name']}: {statistics.median(times):.1f} ms"


def compressed(text):
    return len(gzip.compress(text.encode(), 9))


@every_chapter
def test_the_code_of_the_figures_is_small_and_only_where_there_are_figures(page):
    code = "".join(CODE.findall(source(page)))
    has_figures = any(param.values[0] == page for param in FIGURES)
    assert bool(code) == has_figures
    assert compressed(code + (SITE / "_static" / "live.css").read_text() * has_figures) <= 15_000


@every_figure
def test_a_figure_with_its_still_is_small(page, name):
    begin = source(page).index(f'<div class="live" id="{name}"')
    end = source(page).index("</script></div>", begin)
    assert compressed(source(page)[begin:end]) <= 30_000
