"""The still picture of a live figure: matplotlib's SVG, in the colours and the font of the page."""

import io
import re

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox, IdentityTransform

STYLE = "nnlib.course"


def style(**settings):
    """The course's style, as a context in which figures are made, drawn on and written."""
    return matplotlib.style.context([STYLE, settings])


# What matplotlib writes, and the colour of the page it stands for (web/live.css has both themes).
PAGE_COLOURS = {
    "#000000": "currentColor",
    "#ffffff": "var(--live-paper)",
    "#0b5cad": "var(--live-blue)",
    "#c25700": "var(--live-orange)",
    "#007a5e": "var(--live-green)",
    "#b0307a": "var(--live-pink)",
    "#6b5bb5": "var(--live-violet)",
}


def new_panels(count, size):
    """Empty matplotlib figures with one axes each, in the course's style."""
    with style():
        figures = [Figure(figsize=size, dpi=72, layout="constrained") for _ in range(count)]
        for figure in figures:
            figure.add_subplot()
    return figures


def scales(axes):
    """How data become SVG coordinates: for x and y an offset, a factor, and whether the logarithm is taken first."""
    height = axes.figure.bbox.height
    described = {}
    for name, axis, limits in (("x", axes.xaxis, axes.get_xlim()), ("y", axes.yaxis, axes.get_ylim())):
        if axis.get_scale() not in ("linear", "log"):
            raise ValueError(f"live: a {axis.get_scale()} scale cannot be live, only linear and log")
        data = np.array([limits, limits]).T if name == "x" else np.array([[np.mean(axes.get_xlim())] * 2, limits]).T
        if name == "x":
            data[:, 1] = axes.get_ylim()[0]
        first, last = axes.transData.transform(data)[:, "xy".index(name)]
        if name == "y":
            first, last = height - first, height - last
        low, high = np.log10(limits) if axis.get_scale() == "log" else limits
        factor = (last - first) / (high - low)
        described[name] = {
            "offset": round(float(first - factor * low), 6),
            "factor": round(float(factor), 9),
            "log": axis.get_scale() == "log",
            "ends": [round(float(first), 3), round(float(last), 3)],
        }
    return described


def settle(figures):
    """Lay the panels out, and leave it at that, so that `scales` and `set_arrows` hold for what is written."""
    with style():
        for figure in figures:
            figure.savefig(io.StringIO(), format="svg")  # only SVG measures text as SVG does
            figure.set_layout_engine("none")


def set_arrows(line, x, y, u, v):
    """Give a line the shape of arrows from (x, y) to (x + u, y + v); shaft and head as web/figure.mjs draws them."""
    transform = line.axes.transData.transform
    tails = transform(np.column_stack([np.ravel(x), np.ravel(y)]))
    tips = transform(np.column_stack([np.ravel(x + u), np.ravel(y + v)]))
    points = []
    for tail, tip in zip(tails, tips, strict=True):
        length = np.hypot(*(tip - tail))
        along = (tip - tail) / length if length > 0 else np.zeros(2)
        across = np.array([-along[1], along[0]])
        head = min(8.0, length / 2)
        left, right = (tip - head * along + side * 0.45 * head * across for side in (1, -1))
        points += [tail, tip, (np.nan, np.nan), left, tip, right, (np.nan, np.nan)]
    line.set_data(*np.array(points).T)
    line.set_transform(IdentityTransform())


def set_aside(drawn):
    """Put a text or marks that begin where nothing can be drawn into the middle of the axes: the SVG must have them.

    Returns where they are now, in data coordinates; None if they could stay.
    """
    axes, is_line = drawn.axes, isinstance(drawn, Line2D)
    if is_line and drawn.get_linestyle() not in ("None", "none"):
        return None  # matplotlib leaves out marks, but never a line
    box = (
        axes.figure.bbox if is_line else Bbox([(-1e4, -1e4), (1e4, 1e4)])
    )  # matplotlib leaves out marks beyond the figure
    place = drawn.get_xydata() if is_line else [drawn.xy if isinstance(drawn, Annotation) else drawn.get_position()]
    transform = axes.transData if is_line or isinstance(drawn, Annotation) else drawn.get_transform()
    with np.errstate(invalid="ignore"):
        if any(box.contains(x, y) for x, y in transform.transform(place)):
            return None
    middle = axes.bbox.min + axes.bbox.size / 2
    x, y = (float(number) for number in transform.inverted().transform(middle))
    if is_line:
        drawn.set_data([x], [y])
    elif isinstance(drawn, Annotation):
        drawn.xy = (x, y)
    else:
        drawn.set_position((x, y))
    return dict(zip("xy", map(float, axes.transData.inverted().transform(middle)), strict=True))


def svg(figure, name, panel):
    """The figure as an SVG element for an HTML page: no fixed colours, no fixed size, ids that no other figure has."""
    with style(**{"svg.hashsalt": f"{name}-{panel}"}):
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata=dict.fromkeys(["Date", "Creator", "Format", "Type"]))
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(
        r"<metadata>.*?</metadata>|<defs>\s*<style.*?</style>\s*</defs>|<!--.*?-->", "", text, flags=re.DOTALL
    )
    width, height = (72 * inches for inches in figure.get_size_inches())
    text = re.sub(
        r"<svg[^>]*>",
        f'<svg viewBox="0 0 {width:g} {height:g}" style="--width:{width:g}" aria-hidden="true">',
        text,
        count=1,
    )
    text = re.sub(
        r' id="(?!p[0-9a-f]{10}|m[0-9a-f]{10}|C[0-9a-f]+_|h[0-9a-f]{10}|image[0-9a-f]+|%s-)[^"]*"' % re.escape(name),
        "",
        text,
    )
    text = text.replace("xlink:href", "href")
    text = re.sub(r"image-rendering:\s*[a-z-]+;?", "", text)  # a heat map is smooth, as web/figure.mjs redraws it
    text = re.sub(r"<[^>]+>", _shorten, text)
    text = re.sub("|".join(PAGE_COLOURS), lambda m: PAGE_COLOURS[m[0]], text)
    return re.sub(r"\s*\n\s*", "\n", text).strip()


def _shorten(tag):
    """The tag with its coordinates to a hundredth of a point."""
    return re.sub(r"(?<![#\w])-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), tag[0])
