"""The live figures of the built site: every one, with every control, in a browser. `make book` builds it first."""

import contextlib
import functools
import gzip
import io
import json
import re
import statistics
import symtable
from pathlib import Path

import matplotlib
import nbformat
import numpy as np
import pytest
from built import CHAPTERS, DESK, FIGURES, SITE, every_chapter, every_figure, source, unfold, wait_until_started
from conftest import DATA, ROOT, visits

from nnlib.live import LiveFigure

# The script that brings the figures of a page to life.
CODE = re.compile(r'<script src="../_static/live.js\?v=\w+"></script>')


# -- every figure answers to every control, with NumPy's numbers ------------------------------------------------------


@functools.cache
def figures(chapter):
    """The live figures that the cells of a chapter's notebook make, by id."""
    matplotlib.use("Agg")
    wanted = {function_of(name) for page, name in (param.values for param in FIGURES) if Path(page).stem == chapter}
    notebook = nbformat.read(ROOT / "chapters" / f"{chapter}.ipynb", as_version=4)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    namespace, found = {"__name__": "__main__"}, {}
    with contextlib.chdir(ROOT / "chapters"), contextlib.redirect_stdout(io.StringIO()):
        for cell in needed_for(wanted, cells):
            exec(compile(cell, f"{chapter}.ipynb", "exec"), namespace)
            made = (value for value in namespace.values() if isinstance(value, LiveFigure))
            found |= {f"live-{figure.name.replace('_', '-')}": figure for figure in made}
    return found


def function_of(name):
    return name.removeprefix("live-").replace("-", "_")


def needed_for(functions, cells):
    """The cells that define these functions, and those that bind what they read: the experiments, which take minutes,
    are in no figure. What is left out by mistake, as it only changes something, makes another program than the page's.
    """
    kept, missing = [], set()
    for cell in reversed(cells):
        table = symtable.symtable(cell, "cell", "exec")
        bound = {name.get_name() for name in table.get_symbols() if name.is_assigned() or name.is_imported()}
        if bound & (missing | functions):
            missing = (missing | globals_read(table)) - bound
            kept.append(cell)
    return reversed(kept)


def globals_read(table):
    """The names that a piece of a program, and the functions in it, read and do not have of their own."""
    read = {name.get_name() for name in table.get_symbols() if name.is_global() and name.is_referenced()}
    return read.union(*map(globals_read, table.get_children()))


@pytest.fixture(scope="module")
def open_chapter(browser, site):
    """open_chapter(page): the page, opened once for all its figures."""
    with visits(browser) as open_page:

        @functools.cache
        def open_unfolded(page):
            opened = open_page(site + page, viewport=DESK)
            unfold(opened)
            return opened

        yield open_unfolded


@pytest.fixture
def opened(open_chapter, page, name):
    """The page of a figure, with the figure in sight and as it was at first."""
    opened = open_chapter(page)
    opened.locator(f"#{name}").scroll_into_view_if_needed()
    wait_until_started(opened.locator(f"#{name}"))
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
                assert element.get_attribute("aria-valuetext") == number
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


# -- without eyes, without a mouse ------------------------------------------------------------------------------------


@every_figure
def test_tab_walks_through_every_control_with_the_focus_in_sight_and_out_again(opened, page, name):
    controls = figures(Path(page).stem)[name].program["controls"]
    expected = [f"{name}-{control['name']}" for control in controls] + ["reset", None]
    opened.locator(f"#{expected[0]}").focus()
    opened.keyboard.press("Shift+Tab")
    walked = []
    for _ in expected:
        opened.keyboard.press("Tab")
        walked.append(opened.evaluate(FOCUS, name))
    assert [place for place, *_ in walked] == expected
    for place, outline, (width, height) in walked[:-1]:
        assert outline >= 2, f"the focus on {place} is not to be seen"
        assert min(width, height) >= 24, f"{place} is {width} by {height} pixels"


# Which part of a figure has the focus, how thick the line around it is, and how large it is; null: none of the figure.
FOCUS = """(name) => {
  const element = document.activeElement;
  if (!element.closest(`#${name}`)) return [null, 0, [0, 0]];
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  const { width, height } = element.getBoundingClientRect();
  return [element.id || element.type, outlineStyle === "none" ? 0 : parseFloat(outlineWidth), [width, height]];
}"""


# From here on the figure's next words are waited for: the milliseconds from the last input to them, or null for none.
LISTEN = """(figure) => {
  let moved;
  figure.addEventListener("input", () => { moved = performance.now(); });
  const words = new Promise((resolve) => new MutationObserver((_, observer) => {
    observer.disconnect();
    resolve(performance.now() - moved);
  }).observe(figure.querySelector(".live-status"), { childList: true, characterData: true, subtree: true }));
  figure.words = Promise.race([words, new Promise((resolve) => setTimeout(resolve, 20_000, null))]);
}"""
PAUSE = 600  # milliseconds


@every_figure
def test_after_a_pause_the_figure_says_what_has_changed_and_its_alternative_too(opened, page, name):
    figure = figures(Path(page).stem)[name]
    place = opened.locator(f"#{name}")
    picture, status = (opened.locator(f"#{name} .live-{part}") for part in ("picture", "status"))
    opened.wait_for_timeout(1.5 * PAUSE)  # it may still speak of what another test did
    for control in figure.program["controls"]:
        before = picture.get_attribute("aria-label")
        place.evaluate(LISTEN)
        element = opened.locator(f"#{name}-{control['name']}")
        value = state(element)
        for key in KEYS[control["kind"]]:
            element.press(key)
            if state(element) != value:  # else it stood at its end
                break
        waited = place.evaluate("(figure) => figure.words")
        assert waited and waited > 0.9 * PAUSE  # not at once: the reader may go on
        assert f"{control['label']}: " in status.text_content()
        after = picture.get_attribute("aria-label")
        assert after != before and after.startswith(f"{figure.alt} Now ")
        assert all(statement in after for statement in status.text_content().rstrip(".").split("; "))


@pytest.mark.parametrize("page", [page for page in CHAPTERS if any(param.values[0] == page for param in FIGURES)])
def test_a_figure_out_of_sight_starts_only_when_it_comes_near_or_is_reached(visit, site, page):
    opened = visit(site + page, viewport={"width": 1280, "height": 600})
    opened.wait_for_timeout(500)
    states = """() => [...document.querySelectorAll(".live:has(> form)")].map((figure) =>
        [figure.id, Boolean(figure.live), figure.checkVisibility({ contentVisibilityAuto: true }) && near(figure)])"""
    near = "const near = (figure) => figure.getBoundingClientRect().top < 2 * innerHeight;"
    found = opened.evaluate(states.replace("() => ", f"() => {{ {near} return ", 1) + " }")
    assert [name for name, started, is_near in found if started != is_near] == []
    for name, started, _ in found[1:]:
        if not started and opened.locator(f"#{name}").is_visible():
            opened.locator(f"#{name} form :is(input, select)").first.focus()
            assert opened.evaluate("(name) => Boolean(document.getElementById(name).live)", name)


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
    has_figures = any(param.values[0] == page for param in FIGURES)
    assert bool(CODE.search(source(page))) == has_figures
    assert compressed("".join((SITE / "_static" / name).read_text() for name in ("live.js", "live.css"))) <= 15_000


@every_figure
def test_a_figure_with_its_still_is_small(page, name):
    begin = source(page).index(f'<div class="live" id="{name}"')
    end = source(page).index("</script></div>", begin)
    assert compressed(source(page)[begin:end]) <= 30_000
