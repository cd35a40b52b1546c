"""Shapes as rectangles: to one scale, side by side, with their sizes at their sides; the slopes of a chain."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from nnlib.drawing import draw_chain, draw_shapes
from nnlib.live import live, slider

PRODUCT = [("∂z/∂x", (2, 5), "kd"), "=", ("∂z/∂y", (2, 3), "km"), "·", ("∂y/∂x", (3, 5), "md")]


def drawn(formula, **options):
    axes = Figure(figsize=(4.4, 1.8)).add_subplot()
    draw_shapes(axes, formula, **options)
    return axes


def rectangles(axes):
    """Left, right, bottom and top of each."""
    corners = [line.get_xydata() for line in axes.lines]
    return [(*points[:, 0][[0, 2]], *points[:, 1][[0, 2]]) for points in corners]


def texts(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("unit", [0.22, 0.1])
def test_rectangles_have_one_scale(unit):
    axes = drawn(PRODUCT, unit=unit)
    sizes = [(top - bottom, right - left) for left, right, bottom, top in rectangles(axes)]
    np.testing.assert_allclose(sizes, unit * np.array([(2, 5), (2, 3), (3, 5)]))
    assert axes.get_aspect() == 1.0 and not axes.axison


def test_rectangles_stand_side_by_side_and_inside_the_frame():
    axes = drawn(PRODUCT)
    edges = [end for left, right, *_ in rectangles(axes) for end in (left, right)]
    assert edges == sorted(edges)
    (low, high), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert low < edges[0] and edges[-1] < high
    assert all(bottom < low_edge and high_edge < top for *_, low_edge, high_edge in rectangles(axes))


def test_the_filling_is_the_rectangle():
    axes = drawn(PRODUCT)
    for filling, (left, right, bottom, top) in zip(axes.collections, rectangles(axes), strict=True):
        (x0, y0), (x1, y1) = filling.get_paths()[0].get_extents().get_points()
        np.testing.assert_allclose((x0, x1, y0, y1), (left, right, bottom, top))


def test_each_has_its_rows_at_the_left_its_columns_below_and_its_name_above():
    axes = drawn(PRODUCT)
    places = {(text.get_text(), *text.get_position()) for text in axes.texts}
    for (left, right, bottom, top), (name, _, (rows, columns)) in zip(rectangles(axes), PRODUCT[::2], strict=True):
        (row,) = [(x, y) for text, x, y in places if text == rows and left - 0.3 < x < left]
        assert row[1] == 0
        (column,) = [(x, y) for text, x, y in places if text == columns and left < x < right]
        assert column[1] < bottom
        (above,) = [(x, y) for text, x, y in places if text == name]
        assert above[1] > top and left < above[0] < right


def test_without_labels_the_sizes_are_written():
    assert texts(drawn([("u", (1, 2)), "·", ("xᵀ ⊗ I", (2, 6))])) == ["1", "2", "u", "·", "2", "6", "xᵀ ⊗ I"]


def test_one_name_has_one_colour():
    colours = [line.get_color() for line in drawn([("A", (2, 3)), "·", ("x", (3, 1)), "+", ("A", (2, 3))]).lines]
    assert colours == ["C0", "C1", "C0"]


def test_what_has_no_two_sizes():
    with pytest.raises(ValueError, match=r"^draw_shapes: w must have two sizes, \(rows, columns\), got \(3,\)$"):
        drawn([("w", (3,))])


def test_shapes_of_controls_are_live():
    @live(alt="A rectangle, k rows and d columns.", k=slider(1, 8, 4, step=1), d=slider(1, 8, 3, step=1))
    def rectangle(ax, k, d):
        draw_shapes(ax, [("J", (k, d), (f"k = {k:.0f}", f"d = {d:.0f}")), "·", ("dx", (d, 1))])
        ax.set(xlim=(0, 4), ylim=(-2, 2))

    def outlines(**settings):
        return [
            (np.ptp(channels["y"]), np.ptp(channels["x"]), np.min(channels["x"]))
            for channels in rectangle.data(**settings).values()
            if np.size(channels.get("x", 0)) == 5
        ]

    J, dx = outlines(k=6, d=2)
    np.testing.assert_allclose([*J[:2], *dx[:2]], 0.22 * np.array([6, 2, 2, 1]))
    assert outlines(k=6, d=5)[1][2] - dx[2] == pytest.approx(0.22 * 3)  # what stands right of it moves


def test_slopes_of_a_chain_stand_on_the_arrows_back():
    axes = Figure(figsize=(4.4, 1.8)).add_subplot()
    draw_chain(axes, {"x": "1", "y": "2", "z": "4"}, {"dx": "8", "dy": "4", "dz": "1"}, slopes=("× 2", "× 4"))
    places = {
        text.get_text(): text.get_position() for text in axes.texts if text.get_text() in ("dy", "× 2", "× 4", "2")
    }
    assert places["× 2"][0] == 0.5 and places["× 4"][0] == 1.5
    assert places["dy"][1] < places["× 2"][1] == places["× 4"][1] < places["2"][1]


def test_one_size_for_all_texts():
    axes = Figure(figsize=(4.4, 1.8)).add_subplot()
    draw_chain(axes, {"$x$": "1", "y": "2"}, {"$dx$": "2", "dy": "1"}, [("f", 0, 1)], ["× 2"], fontsize=13)
    draw_shapes(axes, [("$A$", (2, 3)), "·", ("x", (3, 1))], fontsize=13)
    assert len(axes.texts) == 17 and {text.get_fontsize() for text in axes.texts} == {13}
