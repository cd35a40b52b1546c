"""The axes that a body draws on: ordinary matplotlib axes that also note what each artist's data depend on.

A body runs once for each combination of choices. What the first run draws, later runs recognise: the same call in the
same line of the body is the same artist, with other data. An artist that only some runs draw is hidden in the others.
"""

import linecache
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib
import numpy as np

from nnlib.drawing import diverging
from nnlib.graph import PLACEHOLDER, Node, TracingError

# The part of Python's format specifications that web/figure.mjs knows: sign, z (no negative zero), comma, digits, type.
FORMATS = re.compile(r"[+ ]?z?,?(\.\d+)?[fFeg%]")

# The methods of matplotlib's axes that draw nothing begin like this.
_SETTINGS = ("set", "get_", "tick_", "grid", "margins", "invert_", "locator_", "autoscale", "axis", "label_")
_PACKAGE = str(Path(__file__).parent.parent)


@dataclass
class Artist:
    """One thing drawn: its id in the SVG, its kind (how the browser moves it), its panel, and what matplotlib made."""

    id: str
    kind: str
    panel: int
    drawn: list
    style: dict = field(default_factory=dict)  # what the browser must know besides the data
    hidden: bool = False  # in the still: it begins where nothing can be drawn

    @property
    def parts(self):
        """The ids in the SVG: one, or for bars one each."""
        return [self.id] if len(self.drawn) == 1 else [f"{self.id}-{i}" for i in range(len(self.drawn))]

    def stretch(self, panels, data):
        """Let the limits of the artist's axes hold these data."""
        for x, y in _extent(self.kind, data):
            x, y = np.broadcast_arrays(x, y)
            finite = np.isfinite(x) & np.isfinite(y)
            panels[self.panel].update_datalim(
                np.column_stack([x[finite], y[finite]]), updatex=self.kind != "hline", updatey=self.kind != "vline"
            )


class Canvas:
    """All panels of one figure, and the artists drawn on them in all runs of the body."""

    def __init__(self, name, figures):
        self.name = name
        self.axes = [figure.axes[0] for figure in figures]
        self.artists = {}  # from what identifies a call to its Artist
        self.first_run = True
        self._settings = {}  # what each setting was called with: the line of the first run that called it
        self._channels = None
        self._calls = None

    def run(self, body, recording, arguments):
        """Run the body once; returns, for each artist it drew, its channels: {id: {"x": node or array, …}}."""
        self._channels, self._calls, self._recording = {}, {}, recording
        self._settings_left = dict(self._settings)
        body(*(LiveAxes(self, i) for i in range(len(self.axes))), **arguments)
        for (_, method, *_), where in self._settings_left.items():
            raise _setting_differs(method, where)
        self.first_run = False
        return self._channels

    def artist(self, panel, kind, draw, channels, identity, style=None):
        """Note an artist and its channels; draw it, with the values of this run, when no earlier run has."""
        frame = _body_frame()
        place = (panel, kind, frame.f_lineno, frame.f_code.co_name, identity)
        count = self._calls[place] = self._calls.get(place, -1) + 1
        key = (*place, count)
        if key not in self.artists:
            drawn = draw()
            identifier = f"{self.name}-{len(self.artists)}"
            self.artists[key] = Artist(identifier, kind, panel, drawn, style or {})
            for part, gid in zip(drawn, self.artists[key].parts, strict=True):
                part.set_gid(gid)
        artist = self.artists[key]
        self._channels[artist.id] = channels
        return artist.drawn

    def setting(self, panel, method, arguments, options):
        """Call a method that draws nothing (set_xlim, grid, …): once, since it cannot differ between runs."""
        key = (panel, method, repr(arguments), repr(options))
        if key in self._settings:
            self._settings_left.pop(key, None)
            return None
        if not self.first_run:
            raise _setting_differs(method, place())
        self._settings[key] = place()
        return getattr(self.axes[panel], method)(*arguments, **options)

    def text_parts(self, text):
        """Split a text at its moving numbers: ["slope: ", {"value": node, "format": ".2f"}, …]."""
        parts = []
        for i, part in enumerate(PLACEHOLDER.split(text)):
            if i % 3 == 0:
                parts.append(part)
            elif i % 3 == 1:
                index = int(part)
            elif not FORMATS.fullmatch(part):
                raise ValueError(
                    f"live: a moving number is formatted as .2f, +.1f, .3e, .4g, .0%, "
                    f"or with a z or a comma before the point, got {part!r}, {place()}"
                )
            else:
                parts.append({"value": self._recording.nodes[index], "format": part})
        return parts


class LiveAxes:
    """matplotlib axes as a body sees them: the methods below may get recorded numbers, all others only plain ones."""

    def __init__(self, canvas, panel):
        self._canvas = canvas
        self._panel = panel
        self._axes = canvas.axes[panel]

    # -- artists that can move --------------------------------------------------------------------------------------

    def plot(self, *data, **style):
        if data and isinstance(data[-1], str):
            *data, form = data
        else:
            form = ""
        if len(data) not in (1, 2):
            raise TypeError(f"live: plot takes y, or x and y, for one line at a time, {place()}")
        x, y = data if len(data) == 2 else (np.arange(np.size(data[0]), dtype=float), data[0])
        if np.ndim(x) > 1 or np.ndim(y) > 1:
            raise TypeError(f"live: plot draws one line, got shapes {np.shape(x)} and {np.shape(y)}, {place()}")
        x, y = _same_length(x, y)

        def draw():
            return self._axes.plot(_value(x), _value(y), form, **style)

        return self._add("plot", "line", draw, {"x": x, "y": y}, (form, style))

    def scatter(
        self, x, y, s=30, c=None, *, color=None, marker="o", facecolors=None, edgecolors=None, linewidths=None, **style
    ):
        color = color if c is None else c
        colours = (color, facecolors, edgecolors)
        self._still("scatter", "s, c and style", s, *colours, linewidths, style)
        if not all(isinstance(colour, str | None) for colour in colours) or np.ndim(s):
            raise TypeError(f"live: scatter takes one colour and one size; call it once for each colour, {place()}")
        x, y = _same_length(x, y)
        edge = (1 if edgecolors else 0) if linewidths is None else linewidths
        names = ("color", "markerfacecolor", "markeredgecolor")  # a line of markers can move, a collection cannot
        style |= {name: colour for name, colour in zip(names, colours, strict=True) if colour is not None}
        style |= {"markersize": s**0.5, "markeredgewidth": edge}

        def draw():
            return self._axes.plot(_value(x), _value(y), marker, linestyle="none", **style)

        return self._add("scatter", "line", draw, {"x": x, "y": y}, (marker, style))

    def bar(self, x, height, width=0.8, bottom=0, **style):
        x = np.arange(len(x)) if not isinstance(x, Node) and np.asarray(x).dtype.kind == "U" else x
        data = {"x": x, "height": height, "width": width, "bottom": bottom}
        count = np.size(height)

        def draw():
            return list(self._axes.bar(*(np.broadcast_to(_value(v), count) for v in data.values()), **style))

        return self._add("bar", "bars", draw, data, style)

    def imshow(self, z, *, extent, vmin, vmax, cmap=diverging, **style):
        if np.ndim(z) != 2:
            raise ValueError(f"live: imshow needs an array of two axes, got shape {np.shape(z)}, {place()}")
        cmap = matplotlib.colormaps.get_cmap(cmap)
        options = {"extent": extent, "vmin": vmin, "vmax": vmax, "origin": "lower", **style}

        def draw():
            aspect = self._axes.get_aspect()  # a picture does not change it, as matplotlib's would
            return [self._axes.imshow(_value(z), cmap=cmap, interpolation="none", aspect=aspect, **options)]

        style = {
            "low": vmin,
            "high": vmax,
            "extent": list(extent),
            "upward": options["origin"] == "lower",
            "colours": colours(cmap),
        }
        return self._add("imshow", "image", draw, {"z": z}, (cmap.name, options), style)[0]

    def fill_between(self, x, y1, y2=0, **style):
        x, y1 = _same_length(x, y1)
        y2 = y2 if np.ndim(y2) else y2 * np.ones(np.shape(x))
        style = {"linewidth": 0, **style}

        def draw():
            around = (np.concatenate([_value(x), _value(x)[::-1]]), np.concatenate([_value(y1), _value(y2)[::-1]]))
            return self._axes.fill(*around, **style)

        return self._add("fill_between", "area", draw, {"x": x, "y1": y1, "y2": y2}, style)[0]

    def arrow(self, x, y, dx, dy, **style):
        return self._arrows(x, y, dx, dy, style)

    def quiver(self, x, y, u, v, **style):
        return self._arrows(x, y, u, v, style)

    def _arrows(self, x, y, u, v, style):
        """Arrows from (x, y) to (x + u, y + v), in data units; their heads are drawn once the axis limits are known."""
        shape = np.broadcast_shapes(*(np.shape(part) for part in (x, y, u, v)))
        data = {name: part * np.ones(shape) for name, part in zip("xyuv", (x, y, u, v), strict=True)}
        return self._add("arrow", "arrows", lambda: self._axes.plot([], [], **style), data, style)[0]

    def axvline(self, x=0, **style):
        return self._add("axvline", "vline", lambda: [self._axes.axvline(_value(x), **style)], {"x": x}, style)[0]

    def axhline(self, y=0, **style):
        return self._add("axhline", "hline", lambda: [self._axes.axhline(_value(y), **style)], {"y": y}, style)[0]

    def text(self, x, y, s, **style):
        """A text; matplotlib's `label` names a number that stands alone, for readers who do not see where it stands."""
        return self._text(s, lambda s: self._axes.text(_value(x), _value(y), s, **style), style, {"x": x, "y": y})

    def annotate(self, text, xy, xytext=None, **style):
        """A text at `xytext` points from the moving point `xy`, or, with an arrow, a still annotation."""
        if "arrowprops" in style or any(not isinstance(part, Node) for part in xy) and xytext is None:
            return self._still_artist("annotate", (text, xy, *([] if xytext is None else [xytext])), style)
        options = {"textcoords": "offset points", "xytext": xytext or (0, 0), "annotation_clip": False, **style}
        at = [_value(part) for part in xy]
        return self._text(text, lambda s: self._axes.annotate(s, at, **options), options, {"x": xy[0], "y": xy[1]})

    def set_title(self, label, **style):
        return self._text(label, lambda s: self._axes.set_title(s, **style), style)

    def set_xlabel(self, label, **style):
        return self._text(label, lambda s: self._axes.set_xlabel(s, **style), style)

    def set_ylabel(self, label, **style):
        return self._text(label, lambda s: self._axes.set_ylabel(s, **style), style)

    def _text(self, text, draw, style, at=None):
        parts = self._canvas.text_parts(str(text))
        moving = len(parts) > 1 or any(isinstance(where, Node) for where in (at or {}).values())
        if moving and ("$" in text or "\n" in text):
            raise ValueError(
                "live: a text that moves, or has a moving number, is one line without $…$: write σ, w₁, ŷ as they are, "
                f"{place()}"
            )
        identity = style if "$" not in text else (text, style)
        written = "".join(
            part if isinstance(part, str) else format_number(part["value"].value, part["format"]) for part in parts
        )

        def draw_text():
            drawn = draw(written or "\N{NO-BREAK SPACE}")
            drawn.set_in_layout(at is None)  # a text that moves must not press on the axes where it begins
            return [drawn]

        label = {"label": style["label"]} if "label" in style else None
        return self._add("text", "text", draw_text, {"text": parts, **(at or {})}, identity, label)[0]

    def _add(self, method, kind, draw, channels, identity, style=None):
        """Data may depend on the controls, style may not."""
        self._still(method, "style", identity)
        channels = {
            name: value if name == "text" or isinstance(value, Node) else np.asarray(value, dtype=float)
            for name, value in channels.items()
        }
        return self._canvas.artist(self._panel, kind, draw, channels, repr(identity), style)

    # -- everything else is still -----------------------------------------------------------------------------------

    def __getattr__(self, method):
        if not callable(getattr(self._axes, method)):
            return getattr(self._axes, method)

        def call(*arguments, **options):
            self._still(method, "arguments", arguments, options)
            if method.startswith(_SETTINGS):
                return self._canvas.setting(self._panel, method, arguments, options)
            return self._still_artist(method, arguments, options)

        return call

    def _still_artist(self, method, arguments, options):
        self._still(method, "arguments", arguments, options)

        def draw():
            before = list(self._axes.get_children())
            getattr(self._axes, method)(*arguments, **options)
            return [child for child in self._axes.get_children() if child not in before]

        identity = repr((method, _identity(arguments), _identity(options)))
        return self._canvas.artist(self._panel, "still", draw, {}, identity)

    def _still(self, method, what, *values):
        if any(_depends(value) for value in values):
            raise TracingError(
                f"live: {method} cannot move: its {what} depend on a control. What can move: the data of plot, "
                f"scatter, bar, imshow, fill_between, arrow, quiver, axvline, axhline, and texts, {place()}"
            )


def _setting_differs(method, where):
    return TracingError(f"live: {method} differs between choices; a setting must be the same for all of them, {where}")


def _extent(kind, data):
    """The points that must be within the axis limits: x and y, or pairs of them."""
    if kind == "line":
        return [(data["x"], data["y"])]
    if kind == "area":
        return [(data["x"], data["y1"]), (data["x"], data["y2"])]
    if kind == "bars":
        x, bottom = np.asarray(data["x"]), np.asarray(data["bottom"])
        half = np.asarray(data["width"]) / 2
        return [(x - half, bottom), (x + half, bottom + data["height"])]
    if kind == "arrows":
        return [(data["x"], data["y"]), (data["x"] + data["u"], data["y"] + data["v"])]
    return {"vline": [(data.get("x"), 0.0)], "hline": [(0.0, data.get("y"))]}.get(kind, [])


def format_number(value, specification):
    """Format as Python does, with the minus sign of typography."""
    return format(np.asarray(value).item(), specification).replace("-", "\N{MINUS SIGN}")


def colours(cmap, stops=33):
    """Colours along a colour map, red, green, blue and opacity from 0 to 255; the browser mixes neighbours."""
    return np.round(255 * cmap(np.linspace(0, 1, stops))).astype(int).tolist()


def place():
    """The line of the body that is running, as words for a message."""
    frame = _body_frame()
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    return f"in line {frame.f_lineno} of {frame.f_code.co_name}" + (f": {line}" if line else "")


def _body_frame():
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(_PACKAGE) and "/drawing" not in frame.f_code.co_filename:
        frame = frame.f_back
    return frame


def _value(data):
    return data.value if isinstance(data, Node) else data


def _depends(value):
    if isinstance(value, str):
        return PLACEHOLDER.search(value) is not None
    if isinstance(value, dict):
        value = list(value.values())
    return isinstance(value, Node) or (isinstance(value, list | tuple) and any(map(_depends, value)))


def _identity(value):
    """What tells still data apart: all numbers of an array, not the few that its repr shows."""
    if isinstance(value, dict):
        return {name: _identity(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_identity(part) for part in value]
    return value.tobytes() if isinstance(value, np.ndarray) else repr(value)


def _same_length(x, y):
    """Both as arrays of one axis; a number is repeated."""
    shape = (max(np.size(x), np.size(y)),)
    for part in (x, y):
        if np.shape(part) not in ((), (1,), shape):
            raise ValueError(
                f"live: x and y must be equally long, got shapes {np.shape(x)} and {np.shape(y)}, {place()}"
            )
    return tuple(part if np.shape(part) == shape else np.broadcast_to(part, shape) for part in (x, y))
