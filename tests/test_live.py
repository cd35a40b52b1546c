"""nnlib.live: what an author may write, what the errors say, and what becomes of it on a page."""

import inspect
import io
import itertools
import json
import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from conftest import DATA
from PIL import Image

from nnlib.activations import logistic, relu, tanh
from nnlib.chain_rule import gradient
from nnlib.live import LiveFigure, checkbox, choice, live, slider

X = np.linspace(-2, 2, 41)


def figure(body, **options):
    return live(**{"alt": "A figure."} | options)(body)


def line_of(function, mark="# here"):
    """The number of the line of `function` that ends in the mark."""
    lines, first = inspect.getsourcelines(function)
    return first + next(i for i, line in enumerate(lines) if line.rstrip().endswith(mark))


def curve(ax, w):
    ax.plot(X, w * X)


def everything(w=1.0, k=0.5, f=tanh, more=True):
    """A figure with every artist that can move; the arguments say where its controls begin."""

    @live(
        alt="Every artist.",
        panels=4,
        size=(3, 2.4),
        w=slider(-2, 2, w),
        k=slider(0, 1, k, step=0.05, label="κ"),
        f=choice(logistic, tanh, value=f),
        more=checkbox(more, label="more"),
    )
    def panels(lines, field, bars, moved, w, k, f, more):
        lines.plot(X, f(w * X + k))
        lines.plot(X, w * X**2, "--", color="C1")
        lines.fill_between(X, k * np.sin(X), w + np.cos(X), color="C2", alpha=0.3)
        lines.scatter(np.stack([w, k]), np.stack([k, w]), color="C3")
        lines.set_title(f"w = {w:+.2f}, κ² = {k * k:.3f}")
        u = np.linspace(-1, 1, 21)
        field.imshow(f(w * u[:, None] + k * u), extent=(-1, 1, -1, 1), vmin=-1, vmax=1, cmap="viridis")
        field.quiver([0, 0.2], [0, 0.1], w / 4, k / 2, color="black")
        field.arrow(-0.5, -0.5, k / 4, w / 4, color="C1")
        bars.bar([0, 1, 2], np.stack([w, k, w * k]), color=["C0", "C1", "C2"])
        bars.axhline(k, color="C3")
        bars.axvline(1 + w / 2, linestyle=":", color="C4")
        bars.set_xlabel(f"f(w) = {f(w):.4f}")
        bars.set_ylabel("still")
        moved.text(w / 4, k, f"at {w:.1f}")
        moved.annotate(f"{k:.0%}", (k, w), (5, 5), color="C1")
        moved.semilogy(X, 10.0**X, color="C2")
        if more:
            moved.plot(X, 10.0 ** (w * X))
            lines.axhline(0, color="black", linewidth=0.6)
        else:
            moved.scatter(k, 3 + w, color="C4", s=80)

    return panels


# -- the decorator ---------------------------------------------------------------------------------------------------


def test_the_decorated_name_is_the_figure_and_the_body_gets_axes_numbers_and_options():
    seen = []

    @live(
        alt="A figure.",
        panels=2,
        w=slider(0, 1, 0.5),
        f=choice(tanh, relu),
        grid=checkbox(False),
        unit=choice("a", "b", value="b"),
    )
    def name(left, right, w, f, grid, unit):
        seen.append((f, grid, unit))
        left.plot(X, f(w * X))

    assert isinstance(name, LiveFigure)
    assert set(name.controls) == {"w", "f", "grid", "unit"}
    assert seen[0] == (tanh, False, "b")  # what shows first is drawn first
    assert sorted(seen, key=str) == sorted(
        [(f, g, u) for f in (tanh, relu) for g in (False, True) for u in "ab"], key=str
    )
    assert len(name.svgs) == 2


def test_a_figure_without_controls_is_a_still():
    still = figure(lambda ax: ax.plot(X, X**2))
    assert "<svg" in still.html and "<form" not in still.html and "<script" not in still.html
    assert 'aria-label="A figure."' in still.html


def test_values_are_read_and_set_from_python():
    controls = everything().controls
    assert (controls["w"].value, controls["f"].value, controls["more"].value) == (1.0, tanh, True)
    controls["w"].value = -0.5
    controls["f"].value = logistic
    controls["more"].value = False
    assert (controls["w"].value, controls["f"].value, controls["more"].value) == (-0.5, logistic, False)


def test_a_control_may_be_used_in_two_figures():
    shared = slider(0, 1, 0.5)

    def other(ax, v):
        ax.plot(X, v * X)

    first, second = figure(curve, w=shared), figure(other, v=shared)
    assert first.controls["w"].label == "w" and second.controls["v"].label == "v"
    first.controls["w"].value = 0.9
    assert second.controls["v"].value == 0.5


def test_data_holds_what_the_artists_show_anywhere():
    shown = everything().data(w=-1.5, k=0.25, f=0, more=0)
    line = next(iter(shown.values()))
    np.testing.assert_allclose(line["y"], logistic(-1.5 * X + 0.25), rtol=1e-15)
    texts = [channels["text"] for channels in shown.values() if "text" in channels]
    assert any(part == {"value": -1.5, "format": "+.2f"} for text in texts for part in text if isinstance(part, dict))


# -- errors ----------------------------------------------------------------------------------------------------------

WRONG_FIGURES = [
    ({"w": slider(0, 1, 0.5), "alt": None}, TypeError, "add alt="),
    ({"w": slider(0, 1, 0.5), "alt": "  "}, TypeError, "add alt="),
    (
        {"w": slider(0, 1, 0.5), "v": slider(0, 1, 0.5)},
        TypeError,
        "no parameter for the control v; its parameters are ax, w",
    ),
    ({}, TypeError, "no control for the parameter w"),
    ({"w": 3.0}, TypeError, "w must be a slider, choice or checkbox, got 3.0"),
    ({"ax": slider(0, 1, 0.5), "w": slider(0, 1, 0.5)}, TypeError, "no parameter for the control ax"),
    ({"panels": 3}, TypeError, "too few parameters for 3 axes"),
]


@pytest.mark.parametrize(("options", "kind", "message"), WRONG_FIGURES)
def test_a_wrong_declaration_is_an_error_that_names_the_line_of_the_figure(options, kind, message):
    with pytest.raises(kind, match=re.escape(message)) as error:
        figure(curve, **options)
    line = inspect.getsourcelines(curve)[1]
    assert f"curve, line {line} of test_live.py" in str(error.value)


def branches(ax, w, f):
    if w > 0:  # here
        ax.plot(X, X)


def cannot_move(ax, w, f):
    ax.hist(w * X)  # here


def cannot_move_a_limit(ax, w, f):
    ax.set_xlim(-w, w)  # here


def cannot_move_a_style(ax, w, f):
    ax.plot(X, X, alpha=w)  # here


def cannot_move_a_size(ax, w, f):
    ax.scatter(X, X, s=w)  # here


def colours_of_points(ax, w, f):
    ax.scatter(X, w * X, c=X)  # here


def setting_differs(ax, w, f):
    ax.plot(X, f(w * X))
    ax.set_ylim(0, 1 if f is logistic else 2)  # here


def setting_for_the_first_only(ax, w, f):
    ax.plot(X, f(w * X))
    if f is logistic:
        ax.set_ylim(0, 1)  # here


def setting_for_the_second_only(ax, w, f):
    ax.plot(X, f(w * X))
    if f is tanh:
        ax.set_ylim(0, 1)  # here


def moving_mathtext(ax, w, f):
    ax.set_title(f"$w = {w:.1f}$")  # here


def mathtext_that_moves_about(ax, w, f):
    ax.text(w, 0, "$w$")  # here


def moving_text_in_two_lines(ax, w, f):
    ax.set_title(f"w\n{w:.1f}")  # here


def number_without_format(ax, w, f):
    ax.set_title(f"w = {w}")  # here


def number_with_width(ax, w, f):
    ax.set_title(f"w = {w:6.2f}")  # here


def two_lines_at_once(ax, w, f):
    ax.plot(X, w * X, X, X)  # here


def two_lines_in_an_array(ax, w, f):
    ax.plot(X, np.stack([w * X, X], axis=1))  # here


def image_with_one_axis(ax, w, f):
    ax.imshow(w * X, extent=(0, 1, 0, 1), vmin=0, vmax=1)  # here


def in_place(ax, w, f):
    y = X.copy()
    y += w  # here


def fills_an_array(ax, w, f):
    y = np.zeros(2)
    y[0] = w  # here


def arrow_with_props(ax, w, f):
    ax.annotate("here", (w, 0), (1, 1), arrowprops={"arrowstyle": "->"})  # here


def lengths_differ(ax, w, f):
    ax.plot(X, w * X[1:])  # here


def unknown_to_the_browser(ax, w, f):
    ax.plot(X, w * X + np.median(w * X))  # here


WRONG_BODIES = [
    (branches, "np.where"),
    (cannot_move, "hist cannot move"),
    (cannot_move_a_limit, "set_xlim cannot move"),
    (cannot_move_a_style, "plot cannot move: its style"),
    (cannot_move_a_size, "scatter cannot move: its s, c and style"),
    (colours_of_points, "one colour and one size"),
    (setting_differs, "set_ylim differs between choices"),
    (setting_for_the_first_only, "set_ylim differs between choices"),
    (setting_for_the_second_only, "set_ylim differs between choices"),
    (moving_mathtext, "one line without"),
    (mathtext_that_moves_about, "one line without"),
    (moving_text_in_two_lines, "one line without"),
    (number_without_format, r"a moving number is formatted as .*, got ''"),
    (number_with_width, "a moving number is formatted as"),
    (two_lines_at_once, "one line at a time"),
    (two_lines_in_an_array, "plot draws one line"),
    (image_with_one_axis, "imshow needs an array of two axes"),
    (in_place, "write `w = w"),
    (fills_an_array, "np.stack instead of filling"),
    (arrow_with_props, "annotate cannot move"),
    (lengths_differ, r"\(40,\)"),
    (unknown_to_the_browser, "median has no counterpart in the browser: write it with functions that have one"),
]


@pytest.mark.parametrize(("body", "message"), WRONG_BODIES, ids=lambda part: getattr(part, "__name__", ""))
def test_a_body_that_cannot_live_is_an_error_that_names_the_line_to_change(body, message):
    with pytest.raises((TypeError, ValueError), match=message) as error:
        figure(body, w=slider(-1, 1, 0.5), f=choice(logistic, tanh))
    assert f"line {line_of(body)} of {body.__name__}" in str(error.value)


def test_moving_data_given_to_an_artist_past_the_axes_are_an_error():
    def body(ax, w):
        (line,) = ax.plot(X, X)
        line.set_data(X, w * X)

    with pytest.raises(TypeError, match="stay with NumPy functions"):
        figure(body, w=slider(-1, 1, 0.5))


WRONG_CONTROLS = [
    (lambda: slider(0, 1, 2), ValueError, "slider: value must lie between 0 and 1, got 2"),
    (lambda: slider(1, 0, 0.5), ValueError, "slider: low must be below high, got low=1, high=0"),
    (lambda: slider(0, 1, 0.5, step=0), ValueError, "slider: step must be positive"),
    (lambda: slider(0, 1, 0.5, step=2), ValueError, "slider: step must be positive and at most 1, got 2"),
    (lambda: slider(0, 1, 0.55), ValueError, "slider: value must be low plus a whole number of steps of 0.1, got 0.55"),
    (lambda: slider(0, 1, "0"), TypeError, "slider: value must be a number, got '0'"),
    (lambda: slider(0, math.inf, 1), ValueError, "slider: high must be"),
    (lambda: slider(math.nan, 1, 1), ValueError, "slider: low must be"),
    (lambda: slider(0, 1, True), TypeError, "slider: value must be a number, got True"),
    (lambda: choice(tanh), ValueError, "choice: give at least two options, got 1"),
    (
        lambda: choice(tanh, relu, value=logistic),
        ValueError,
        r"choice: value must be one of \[tanh, relu\], got logistic",
    ),
    (lambda: choice("a", "b", "a"), ValueError, "choice: options must have different names"),
    (lambda: choice(lambda x: x, lambda x: 2 * x), ValueError, "choice: options must have different names"),
    (lambda: checkbox(1), TypeError, "checkbox: value must be True or False, got 1"),
]


@pytest.mark.parametrize(("make", "kind", "message"), WRONG_CONTROLS)
def test_a_wrong_control_is_an_error(make, kind, message):
    with pytest.raises(kind, match=message):
        make()


def test_a_slider_takes_the_numbers_of_numpy():
    w = figure(curve, w=slider(np.float64(-1), np.int64(1), np.float64(0.5), step=np.float64(0.25))).program[
        "controls"
    ][0]
    assert json.loads(json.dumps(w)) == {
        "name": "w",
        "kind": "slider",
        "label": "w",
        "low": -1,
        "high": 1,
        "step": 0.25,
        "decimals": 2,
        "value": 0.5,
    }


@pytest.mark.parametrize(
    ("step", "low", "decimals"),
    [(1, 0, 0), (0.1, -1, 1), (0.25, 0, 2), (0.5, 0.125, 3), (1e-3, 0, 3), (10, 0, 0), (1e-5, 0, 5)],
)
def test_a_slider_shows_as_many_digits_as_it_needs(step, low, decimals):
    description = figure(curve, w=slider(low, low + 10 * step, low, step=step)).program["controls"][0]
    assert description["decimals"] == decimals


def test_the_positions_of_a_slider_are_within_its_range_and_without_noise():
    positions = slider(-1, 1, -1, step=0.15).positions()
    assert positions[:4] == [-1, -0.85, -0.7, -0.55]
    assert positions[-1] == 0.95
    assert slider(0, 0.3, 0, step=0.1).positions() == [0, 0.1, 0.2, 0.3]


def test_a_setting_of_the_figure_that_no_control_has_is_an_error():
    with pytest.raises((TypeError, ValueError), match="v"):
        figure(curve, w=slider(0, 1, 0.5)).data(v=1)


# -- axis limits -----------------------------------------------------------------------------------------------------


def peak(ax, w):
    ax.plot(X, 5 * np.exp(-(((w - 0.3) / 0.05) ** 2)) * np.cos(X))


def two_peaks(ax, w, v):
    ax.plot(X, 5 * np.exp(-(((w - 0.3) / 0.05) ** 2) - ((v - 0.3) / 0.05) ** 2) * np.cos(X))


def dot(ax, w, v):
    ax.scatter(w * v, w**2 - v)


def columns(ax, w):
    ax.bar([0, 1], np.stack([w, -3 * w]), bottom=w)


def band(ax, w):
    ax.fill_between(X, w * X, w * X + 2 * w**2)


def pointers(ax, w):
    ax.quiver(0, 0, 4 * w, -w)


def for_one_choice(ax, w, big):
    ax.plot(X, (100 if big else 1) * w * X)


def rulers(ax, w):
    ax.plot(X, X)
    ax.axvline(5 * w)
    ax.axhline(-7 * w)


RANGES = [
    (curve, {"w": slider(-3, 3, 0)}),
    (peak, {"w": slider(-1, 1, -1, step=0.02)}),
    (two_peaks, {"w": slider(-1, 1, -1, step=0.02), "v": slider(-1, 1, 0.3, step=0.02)}),
    (dot, {"w": slider(-2, 2, 0), "v": slider(-2, 2, 0)}),
    (columns, {"w": slider(-1, 1, 0.5)}),
    (band, {"w": slider(-1, 1, 0)}),
    (pointers, {"w": slider(-1, 1, 0)}),
    (for_one_choice, {"w": slider(-1, 1, 0), "big": checkbox(False)}),
    (rulers, {"w": slider(-1, 1, 0)}),
]


@pytest.mark.parametrize(("body", "controls"), RANGES)
def test_limits_hold_what_is_drawn_at_every_position_of_the_controls(body, controls):
    shown = figure(body, **controls)
    (panel,) = shown.program["panels"]
    rng = np.random.default_rng(0)
    for position in range(400):
        places = {name: control.positions() for name, control in shown.controls.items()}
        settings = {name: rng.choice(p) if len(places) > 1 else p[position % len(p)] for name, p in places.items()}
        for channels in shown.data(**settings).values():
            x, y = channels.get("x", 0.0), channels.get("y", 0.0)
            points = {
                "x": [x, x + channels.get("u", 0.0)],
                "y": [
                    y,
                    y + channels.get("v", 0.0),
                    *(channels[name] for name in ("y1", "y2", "bottom") if name in channels),
                ],
            }
            if "height" in channels:
                points["y"].append(channels["bottom"] + channels["height"])
            for axis, values in points.items():
                if axis not in channels and not {"u", "height", "y1"} & set(channels):
                    continue
                for value in values:
                    inside = panel[axis]["offset"] + panel[axis]["factor"] * np.asarray(value)
                    low, high = sorted(panel[axis]["ends"])
                    assert low - 0.01 <= np.min(inside) and np.max(inside) <= high + 0.01, (settings, axis, value)


def test_limits_that_the_body_sets_are_kept():
    def body(ax, w):
        ax.plot(X, 100 * w * X)
        ax.set_ylim(-1, 3)

    (panel,) = figure(body, w=slider(-1, 1, 0.5)).program["panels"]
    top, bottom = sorted(panel["y"]["ends"])
    scale = panel["y"]
    assert scale["offset"] + 3 * scale["factor"] == pytest.approx(top, abs=0.01)
    assert scale["offset"] - scale["factor"] == pytest.approx(bottom, abs=0.01)


# -- the program and the HTML ----------------------------------------------------------------------------------------


class Page(HTMLParser):
    """The tags of a piece of HTML with their attributes, the text of its scripts, and whether every tag is closed."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.scripts, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("input", "br"):
            self.open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if self.open[-1:] == ["script"]:
            self.scripts[-1] += text


def difficult():
    """A figure whose words and numbers are such as HTML and JSON trip over."""

    @live(
        alt='"Quotes" & <angles>',
        w=slider(-1, 1, 0, label='<b>"w"</b>'),
        c=choice("</script>", "<!--<script>", label="&amp;"),
    )
    def words(ax, w, c):
        ax.plot([0.0, 1.0, np.nan, np.inf, -np.inf], np.stack([w, w, w, np.nan, np.inf]))
        ax.set_title(f"</script><!--<script> & {w:.1f} {c}")
        ax.text(0, 0, "<i>&</i>")

    return words


def test_the_html_is_closed_and_words_are_escaped():
    page = Page(difficult().html)
    assert page.open == []
    tags = dict(page.tags)
    assert {"i", "b"}.isdisjoint(tags) and len(page.scripts) == 1
    assert any(attributes.get("aria-label") == '"Quotes" & <angles>' for _, attributes in page.tags)
    assert "<" not in page.scripts[0]  # nothing there ends the script or hides its end
    assert [option.get("value") for tag, option in page.tags if tag == "option"] == ["0", "1"]


@pytest.mark.parametrize("make", [everything, difficult])
def test_the_program_on_the_page_is_json_and_holds_no_raw_nan_or_infinity(make):
    shown = make()
    (script,) = Page(shown.html).scripts

    def refuse(word):
        raise AssertionError(word)

    assert json.loads(script, parse_constant=refuse) == json.loads(json.dumps(shown.program))


@pytest.mark.parametrize("make", [everything, difficult])
def test_a_figure_made_twice_is_the_same_to_the_letter(make):
    assert make().html == make().html


def twins(left, right, w):
    for ax in (left, right):
        ax.plot(X, w * X)
        ax.plot(X, X**2)


def test_ids_occur_once_and_begin_with_the_name_of_the_figure_or_are_made_of_it():
    tags = Page(everything().html + difficult().html + figure(twins, panels=2, w=slider(0, 1, 0.5)).html).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert sorted(ids) == sorted(set(ids))
    assert all(re.match("live-(panels|words|twins)|[a-zA-Z]+[0-9a-f]{10}", i) for i in ids)
    used = {
        use
        for _, a in tags
        for value in a.values()
        for use in re.findall(r"url\(#([^)]+)\)|^#(.+)$", value or "")
        for use in use
        if use
    }
    assert used <= set(ids)
    labels = {attributes["for"] for tag, attributes in tags if tag == "label"}
    assert labels == {attributes["id"] for tag, attributes in tags if tag in ("input", "select")}


def test_the_still_has_the_colours_of_the_page_and_no_size_of_its_own():
    for svg in everything().svgs:
        assert "currentColor" in svg
        fixed = re.findall(r"(?:[:\"] *)(#[0-9a-f]{3,6}|black|white|rgb\(.*?\))", svg)
        assert set(fixed) <= {"#808080"}  # the grid, between light and dark
        root = svg[: svg.index(">")]
        assert 'viewBox="0 0 216 172.8"' in root
        assert not re.search(r"\b(width|height)=", root)
        assert "var(--live-orange)" in svg


def test_a_scatter_has_the_face_and_the_edge_it_is_given():
    def rings(ax, w):
        ax.scatter(w * X, X, s=49, facecolors="white", edgecolors="C1", linewidths=2.5)

    (svg,) = figure(rings, w=slider(-1, 1, 0.5)).svgs
    markers = re.findall(r'<use [^>]* style="([^"]*)"/>', svg)
    assert markers == ["fill: var(--live-paper); stroke: var(--live-orange); stroke-width: 2.5"] * len(X)


def test_the_still_shows_what_the_first_combination_draws_and_nothing_else():
    hidden = re.findall(r'id="(live-panels-\d+)" display="none"', "".join(everything(more=True).svgs))
    other = re.findall(r'id="(live-panels-\d+)" display="none"', "".join(everything(more=False).svgs))
    assert (len(hidden), len(other)) == (1, 2)


def test_in_jupyter_the_widget_wins_and_elsewhere_the_html():
    bundle = everything()._repr_mimebundle_()
    assert {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"} <= set(bundle)
    assert bundle["text/plain"] == "<live figure panels: w, k, f, more>"


# -- in a browser ----------------------------------------------------------------------------------------------------

SETTINGS = [
    {"w": 1.0, "k": 0.5, "f": 1, "more": 1},
    {"w": -2.0, "k": 1.0, "f": 0, "more": 1},
    {"w": 1.7, "k": 0.0, "f": 1, "more": 0},
    {"w": 0.0, "k": 0.35, "f": 0, "more": 0},
]
SET = """([id, settings]) => {
  for (const [name, value] of Object.entries(settings)) {
    const input = document.getElementById(`${id}-${name}`);
    if (input.type === "checkbox") input.checked = Boolean(value);
    else input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
}"""


def picture(page):
    return np.asarray(Image.open(io.BytesIO(page.locator(".live-picture").screenshot())).convert("RGB"), int)


def assert_moves(show, begin, settings, there):
    """Moved to `settings`, the figure `begin` looks like the still of the figure that begins `there`."""
    page = show(begin, viewport={"width": 900, "height": 900})
    page.evaluate(SET, [f"live-{begin.name}", settings])
    moved = picture(page)
    still = picture(show(there, viewport={"width": 900, "height": 900}))
    assert moved.shape == still.shape
    differs = np.abs(moved - still).max(axis=2) > 60
    assert differs.mean() < 1e-4, f"{differs.sum()} pixels of {differs.size} differ"


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_figure_that_was_moved_looks_like_the_still_drawn_there(show, settings):
    there = everything(settings["w"], settings["k"], (logistic, tanh)[settings["f"]], bool(settings["more"]))
    assert_moves(show, everything(), settings, there)


def appears(w):
    """A figure whose artists begin at no number, or outside the picture, while w is negative."""

    @live(alt="What comes into the picture.", panels=2, size=(3, 2.4), w=slider(-1, 1, w))
    def late(ax, logarithmic, w):
        known = np.where(w > 0, w, np.nan)
        ax.set(xlim=(-1, 1), ylim=(0, 1))
        ax.plot(X / 2, known + 0 * X)
        ax.plot(X / 2, known * X**2, "o", color="C1")
        ax.scatter(5 * w - 2.5, 0.5, color="C2")
        ax.text(known, 0.2, f"{w:.1f}")
        ax.annotate(f"at {w:.1f}", (known, 0.8), (4, 4))
        ax.fill_between(X / 2, known + 0 * X, color="C3", alpha=0.3)
        ax.bar([-0.5, 0.5], np.stack([known, w]), width=0.2)
        ax.axhline(known / 2)
        ax.quiver(0, 0, known, known)
        logarithmic.set_yscale("log")
        logarithmic.set(xlim=(-1, 1), ylim=(0.01, 10))
        logarithmic.plot(X / 2, np.exp(X))
        logarithmic.scatter(0, w, color="C1")
        logarithmic.text(-0.5, w, f"{w:.1f}")

    return late


@pytest.mark.parametrize(("begin", "end"), [(-1.0, 0.6), (0.6, -1.0), (-0.5, 0.5)])
def test_what_begins_nowhere_appears_when_it_is_moved_into_the_picture(show, begin, end):
    assert_moves(show, appears(begin), {"w": end}, appears(end))


def assert_numbers_of_numpy(page, name, shown, settings):
    """That a figure on a page, moved to these settings, holds what NumPy computes for them."""
    found = page.evaluate(f"({DATA})(document.getElementById('{name}').live)")
    expected = shown.data(**settings)
    moving = [i for i in expected if i in shown.program["artists"]]
    assert set(found) == set(moving)
    for identifier in moving:
        for channel, value in expected[identifier].items():
            if channel != "text":
                there = np.array(found[identifier][channel]["data"], float).reshape(np.shape(value))
                np.testing.assert_allclose(there, value, rtol=0, atol=1e-12 * np.max(np.abs(value)))


def test_the_browser_holds_the_numbers_of_numpy(show):
    shown = everything()
    page = show(shown)
    for settings in SETTINGS:
        page.evaluate(SET, ["live-panels", settings])
        assert_numbers_of_numpy(page, "live-panels", shown, settings)


def test_a_gradient_moves_as_what_it_is_the_gradient_of(show):
    """A valley, the descent along its gradient from where the reader puts the start, and a tangent."""
    A, b = np.array([[3.0, 1.0], [1.0, 2.0]]), np.array([1.0, -1.0])

    def loss(p):
        return (
            np.einsum("i,ij,j->", p, A, p) / 2 + np.sum(np.sort(np.tanh(p)) * b) + np.log(np.linalg.det(A + p[0] ** 2))
        )

    def descent(ax, slopes, x, y, rate):
        p = np.stack([x, y])
        steps = [p]
        for _ in range(4):
            steps.append(steps[-1] - rate * gradient(loss)(steps[-1]))
        path = np.stack(steps)
        ax.plot(path[:, 0], path[:, 1], "o-")
        ax.quiver(x, y, *(-0.2 * gradient(loss)(p)))
        slope = gradient(np.tanh)(x)
        slopes.plot(X, np.tanh(x) + slope * (X - x))
        slopes.set_title(f"slope: {slope:.3f}, length of the gradient: {np.linalg.norm(gradient(loss)(p)):.3f}")

    shown = figure(descent, panels=2, x=slider(-2, 2, 1.5), y=slider(-2, 2, -0.5), rate=slider(0, 0.3, 0.1, step=0.01))
    page = show(shown)
    for settings in [{"x": 1.5, "y": -0.5}, {"x": -2.0, "y": 1.3}, {"x": 0.0, "y": 0.4, "rate": 0.27}]:
        page.evaluate(SET, ["live-descent", settings])
        assert_numbers_of_numpy(page, "live-descent", shown, settings)


def test_keyboard_moves_a_slider_shows_its_value_and_reset_brings_it_back(show):
    page = show(everything())
    output = page.locator("#live-panels-w + output")
    assert output.inner_text() == "1.0"
    page.locator("#live-panels-w").focus()
    pictures = []
    for key, value in [("ArrowRight", "1.1"), ("ArrowLeft", "1.0"), ("Home", "\N{MINUS SIGN}2.0"), ("End", "2.0")]:
        page.keyboard.press(key)
        assert output.inner_text() == value
        pictures.append(picture(page))
    assert all((a != b).any() for a, b in itertools.combinations(pictures, 2))
    page.get_by_role("button", name="Reset").press("Enter")
    page.wait_for_function("document.querySelector('#live-panels-w + output').textContent === '1.0'")
    assert (picture(page) == pictures[1]).all()


def test_a_slider_answers_to_touch(show):
    page = show(everything(), has_touch=True, viewport={"width": 390, "height": 900})
    page.locator("#live-panels-w").scroll_into_view_if_needed()
    box = page.locator("#live-panels-w").bounding_box()
    page.touchscreen.tap(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    assert float(page.locator("#live-panels-w").input_value()) > 1.4
    assert box["height"] >= 24  # a target that a finger hits (WCAG 2.2, 2.5.8)


def test_words_arrive_in_the_browser_as_they_were_written(show):
    page = show(difficult())
    page.evaluate(SET, ["live-words", {"w": 0.5, "c": 1}])
    assert "</script><!--<script> & 0.5 <!--<script>" in page.locator(".live-picture").text_content()


def test_two_figures_on_a_page_move_apart(show):
    page = show(everything(), difficult())
    pictures = [page.locator(f"#{name} .live-picture") for name in ("live-panels", "live-words")]
    first, second = (picture.inner_html() for picture in pictures)
    page.evaluate(SET, ["live-words", {"w": 1.0}])
    assert pictures[0].inner_html() == first
    assert pictures[1].inner_html() != second


# -- in words --------------------------------------------------------------------------------------------------------


def spoken():
    """A figure with texts of every kind: with words, alone with a label and without, still, moving, of one choice."""

    @live(alt="A figure that speaks.", w=slider(-1, 1, 0.5), f=choice(tanh, relu), more=checkbox(False))
    def words(ax, w, f, more):
        ax.set_title(f"slope: {w:.2f}")
        ax.text(0, 0, f"{w:.1f}")
        ax.text(0, 1, f"{2 * w:.1f}", label="twice w")
        ax.text(0, w, "a moving word")
        ax.text(1, 1, "a still word")
        ax.set_xlabel(f"the response is {f}")
        if more:
            ax.text(0, 0.5, f"more: {-w:.0f}")

    return words


@pytest.fixture
def heard(show):
    """The page of `spoken`, its picture and its status."""
    page = show(spoken())
    return page, page.locator(".live-picture"), page.locator(".live-status")


def test_the_alternative_of_a_picture_goes_on_with_its_state_and_changes_with_it(heard):
    page, picture, status = heard
    begin = "A figure that speaks. Now w: 0.5; f: tanh; more: off; slope: 0.50; twice w: 1.0; the response is tanh."
    assert picture.get_attribute("aria-label") == begin
    page.evaluate(SET, ["live-words", {"w": -0.2, "f": 1, "more": 1}])
    page.wait_for_timeout(900)
    end = "Now w: −0.2; f: relu; more: on; slope: −0.20; twice w: −0.4; the response is relu; more: 0."
    assert picture.get_attribute("aria-label") == f"A figure that speaks. {end}"


def test_the_status_says_what_changed_once_and_only_after_a_pause(heard):
    page, picture, status = heard
    said = page.evaluate_handle("""() => {
        const said = [], status = document.querySelector(".live-status");
        new MutationObserver(() => said.push(status.textContent)).observe(status, { childList: true });
        return said;
    }""")
    page.wait_for_timeout(900)
    for _ in range(5):
        page.locator("#live-words-w").press("ArrowLeft")
        page.wait_for_timeout(50)
    assert said.json_value() == []
    page.wait_for_timeout(900)
    assert said.json_value() == ["w: 0.0; slope: 0.00; twice w: 0.0."]
    page.get_by_role("button", name="Reset").press("Enter")
    page.wait_for_timeout(900)
    assert said.json_value()[1:] == ["w: 0.5; slope: 0.50; twice w: 1.0."]


def test_only_the_status_speaks_and_no_number_beside_a_slider(heard):
    page, picture, status = heard
    assert status.get_attribute("role") == "status"
    assert page.locator("output").get_attribute("aria-live") == "off"
    assert page.locator("#live-words-w").get_attribute("aria-valuetext") == "0.5"
