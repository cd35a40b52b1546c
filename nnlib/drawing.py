"""Pictures that chapters share: the neuron, a recorded graph, shapes, and the course's colour maps.

Every function draws on the axes it is given, which it turns into a blank sheet. Use it in a figure of nnlib.live, which
gives the picture the colours of the page.
"""

from collections import defaultdict

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from nnlib.graph import PLACEHOLDER

# From blue through nothing to orange: the middle is the page itself, whatever its colour.
diverging = LinearSegmentedColormap.from_list(
    "course_diverging", [(0.16, 0.44, 0.78, 0.95), (0.5, 0.5, 0.5, 0.0), (0.88, 0.47, 0.10, 0.95)]
)

# From nothing to blue: for what has a least value and no middle.
sequential = LinearSegmentedColormap.from_list("course_sequential", [(0.5, 0.5, 0.5, 0.0), (0.1, 0.45, 0.82, 0.95)])

# How an operation is written in a node of a graph; others go by their name.
SYMBOLS = {
    "add": "+", "subtract": "−", "multiply": "×", "divide": "÷", "matmul": "@", "negative": "−", "power": "xʸ",
    "square": "x²", "sqrt": "√", "sum": "Σ", "prod": "Π", "maximum": "max", "minimum": "min", "absolute": "|x|",
    "less": "<", "greater": ">", "getitem": "[ ]", "transpose": "ᵀ", "logistic": "σ",
}  # fmt: skip
_CENTRED = {"ha": "center", "va": "center"}
_SMALL = 10


def draw_neuron(
    ax,
    inputs=("$x_0 = 1$", "$x_1$", "⋮", "$x_d$"),
    weights=("$w_0$", "$w_1$", "", "$w_d$"),
    activation="$a$",
    response="$f$",
    output="$\\hat{y}$",
):
    """A neuron: inputs, one line for each weight, the activation, the response, the prediction, from left to right.

    An input "⋮" stands for those left out; its weight is not drawn. Raises ValueError when there are not as many
    weights as inputs.
    """
    if len(inputs) != len(weights):
        raise ValueError(f"draw_neuron: got {len(inputs)} inputs but {len(weights)} weights")
    cell, box, end = 2.2, 3.45, 4.7  # where the activation, the response and the prediction stand
    for name, weight, y in zip(inputs, weights, np.linspace(1.15, -1.15, len(inputs)), strict=True):
        if name == "⋮":
            ax.text(0, y, name, fontsize=14, **_CENTRED)
            continue
        _draw_node(ax, 0, y, name)
        ax.plot([0.3, cell - 0.34], [y, 0.16 * y], color="C0", linewidth=1.6)
        above = y > 0  # the label stands on the outer side of its line
        beside = {"y": 0.76 * y + (0.07 if above else -0.07), "va": "bottom" if above else "top"}
        ax.text(0.86, s=weight, color="C0", ha="center", **beside)
    _draw_node(ax, cell, 0, activation, radius=0.34)
    ax.plot([cell + 0.34, box - 0.28], [0, 0], color="black", linewidth=1.2)
    corners = 0.28 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]).T
    ax.plot(box + corners[0], corners[1], color="C1", linewidth=1.6)
    ax.text(box, 0, response, color="C1", fontsize=14, **_CENTRED)
    ax.arrow(box + 0.28, 0, end - box - 0.55, 0, color="black", linewidth=1.2)
    ax.text(end, 0, output, fontsize=14, **_CENTRED)
    captions = {0: "inputs", 1.05: "weights", cell: "activation", box: "response", end: "prediction"}
    for x, caption in captions.items():
        colour = {"weights": "C0", "response": "C1"}.get(caption, "black")
        ax.text(x, -1.72, caption, fontsize=_SMALL, color=colour, **_CENTRED)
    _make_blank(ax, (-0.45, 5.25), (-1.9, 1.5))
    ax.set_aspect("equal")


def draw_chain(ax, values, derivatives, parts=(), slopes=(), fontsize=None):
    """A chain of functions: quantities with their values, arrows to the right; below, derivatives, arrows to the left.

    `values` and `derivatives` map names to texts; `parts` are (name, first, last): what the stretch between two
    quantities is called, written above it. `slopes` are the texts of the local derivatives, one for each step: each
    stands on its arrow to the left, as what the derivative is multiplied by there. `fontsize` is that of all texts.
    """
    last, low = len(values) - 1, -0.6 if slopes else -0.32
    for x, (name, value) in enumerate(values.items()):
        ax.text(x, 0.44, name, fontsize=_name_size(name, fontsize), **_CENTRED)
        ax.text(x, 0.12, value, color="C0", label=name, fontsize=fontsize, **_CENTRED)
        if x < last:
            ax.arrow(x + 0.37, 0.12, 0.26, 0, color="C0", linewidth=1.4)
    for x, (name, value) in enumerate(derivatives.items()):
        ax.text(x, low, value, color="C1", label=name, fontsize=fontsize, **_CENTRED)
        ax.text(x, low - 0.34, name, fontsize=_name_size(name, fontsize), **_CENTRED)
        if x < last:
            ax.arrow(x + 0.63, low, -0.26, 0, color="C1", linewidth=1.4)
    for x, slope in enumerate(slopes):
        ax.text(x + 0.5, low + 0.15, slope, color="C1", ha="center", va="bottom", fontsize=fontsize or _SMALL)
    for name, first, end in parts:
        left, right = first + 0.06, end - 0.06
        ax.plot([left, left, right, right], [0.72, 0.8, 0.8, 0.72], color="black", linewidth=0.8)
        ax.text((first + end) / 2, 0.88, name, ha="center", va="bottom", fontsize=fontsize or _SMALL)
    _make_blank(ax, (-0.5, last + 0.5), (low - 0.63, 1.15 if parts else 0.7))


def draw_graph(ax, graph, numbers=(), slopes=()):
    """A recorded graph, values flowing right: a node is a circle with its operation, below it its shape, if it has one.

    `numbers` maps what is written in a node to (value, derivative): the value is then written above it, the derivative
    below. `slopes` maps pairs of what is written in two nodes to the local derivative, which stands on the edge between
    them. The column of a node is its distance from the parameters; the same graph gives the same picture every time.
    """
    columns = _columns(graph)
    places = _places(graph, columns, (1.4, 1.7) if numbers or slopes else (1.0, 1.1))
    labels = {node: node.name or SYMBOLS.get(node.operation, node.operation) for node in graph.nodes}
    for node in graph.nodes:
        x, y = places[node]
        for i, parent in enumerate(node.parents):
            twins = sum(other is parent for other in node.parents[:i])  # x * x has two edges, and both show
            _draw_edge(ax, places[parent], places[node], beside=0.12 * twins)
            if (labels[parent], labels[node]) in slopes:
                at = (places[parent][0] + x) / 2, (places[parent][1] + y) / 2
                ax.scatter(*at, s=640, color="white", zorder=2.5)  # the edge must not cross its number
                ax.text(*at, _signed(slopes[labels[parent], labels[node]]), color="C1", fontsize=_SMALL, **_CENTRED)
        _draw_node(ax, x, y, labels[node], colour="C0" if node.name else "black")
        shape = " × ".join(map(str, node.shape))
        ax.text(x, y - 0.42, shape, ha="center", va="top", fontsize=_SMALL, alpha=0.8)
        if labels[node] in numbers:
            value, derivative = map(_signed, numbers[labels[node]])
            ax.text(x, y + 0.36, value, color="C0", ha="center", va="bottom", fontsize=_SMALL)
            ax.text(x, y - 0.36, derivative, color="C1", ha="center", va="top", fontsize=_SMALL)
    right, tallest = np.max(list(places.values()), axis=0)
    _make_blank(ax, (-0.5, right + 0.5), (-tallest - 0.8, tallest + (0.7 if numbers else 0.5)))
    ax.set_aspect("equal")


def _signed(number):
    return f"{number:.2f}".replace("-", "−")


def draw_shapes(ax, formula, unit=0.22, colour=None, fontsize=None):
    """A formula of arrays to one scale: each is a rectangle as high as it has rows and as wide as it has columns.

    `formula` lists texts, as "=" or "·", and arrays: (name, (rows, columns)), or (name, (rows, columns), labels) where
    the two sides have other labels than their numbers; a vector is (k, 1), a number (1, 1). Arrays of one name have one
    colour, or the one that is given, for all or as {name: colour}. A row or column is `unit` long; text is right where
    the axes are as many inches wide as the picture. `fontsize` is that of all texts.

    Sizes and labels may come from the controls of a live figure; its limits are then the body's to set. Raises
    ValueError for an array without two sizes.
    """
    colours = dict(colour) if isinstance(colour, dict) else {}
    right, tops = 0.0, []
    for part in formula:
        if isinstance(part, str):
            ax.text(right + 0.16, 0, part, fontsize=fontsize or 14, **_CENTRED)
            right = right + 0.32
            continue
        name, shape, *labels = part
        if len(shape) != 2:
            raise ValueError(f"draw_shapes: {name} must have two sizes, (rows, columns), got {shape}")
        rows, columns = labels[0] if labels else [f"{size:.0f}" for size in shape]
        own = colour if isinstance(colour, str) else colours.setdefault(name, f"C{len(colours)}")
        left, top = right + 0.13 + 0.09 * _width(rows), shape[0] * unit / 2
        right = left + shape[1] * unit
        ends = left + np.array([0.0, 1.0]) * (right - left)
        ax.fill_between(ends, -top, top, color=own, alpha=0.15, linewidth=0)
        around = np.array([0.0, 1.0, 1.0, 0.0, 0.0]), np.array([-1.0, -1.0, 1.0, 1.0, -1.0])
        ax.plot(left + around[0] * (right - left), around[1] * top, color=own, linewidth=1.6)
        middle, size = (left + right) / 2, _name_size(name, fontsize)
        ax.text(left - 0.05, 0, rows, ha="right", va="center", fontsize=fontsize)
        ax.text(middle, -top - 0.06, columns, ha="center", va="top", fontsize=fontsize)
        ax.text(middle, top + 0.08, name, ha="center", va="bottom", color=own, fontsize=size)
        tops.append(top)
    ax.set_axis_off()
    ax.set_aspect("equal")
    if not any(hasattr(end, "record") for end in [right, *tops]):
        _make_blank(ax, (0, right + 0.05), (-max(tops) - 0.3, max(tops) + 0.4))


def _name_size(name, fontsize):
    """The size that is asked for. Else: a formula's letters are smaller than a word's, and it is written larger."""
    return fontsize or (12 if "$" in name else None)


def _width(text):
    """How many letters a text is wide, a recorded number in it counted as two."""
    return len(PLACEHOLDER.sub("00", text).replace("$", ""))


def _columns(graph):
    """The column of each node: right of its rightmost parent; parameters stand just before their first use."""
    columns = {}
    for node in graph.nodes:
        columns[node] = max((columns[parent] + 1 for parent in node.parents), default=0)
    for parameter in graph.parameters:
        uses = [columns[node] for node in graph.nodes if any(parent is parameter for parent in node.parents)]
        columns[parameter] = min(uses, default=1) - 1
    return columns


def _places(graph, columns, apart):
    """Where each node stands, columns and rows `apart`; a column is sorted by the parents' mean height, then by age.

    An edge takes a place in each column that it passes, as a node would: there is room for it beside the nodes.
    """
    members = defaultdict(list)
    for node in graph.nodes:
        members[columns[node]].append((node, node.parents))
        for parent in dict.fromkeys(node.parents):
            for column in range(columns[parent] + 1, columns[node]):
                members[column].append((node, (parent,)))
    places = {}

    def order(member):
        node, parents = member
        heights = [places[parent][1] for parent in parents]
        return (-np.mean(heights) if heights else 0.0, node.index)

    for column in sorted(members):
        for i, (node, _) in enumerate(sorted(members[column], key=order)):
            if columns[node] == column:
                places[node] = (apart[0] * column, apart[1] * ((len(members[column]) - 1) / 2 - i))
    return places


def _draw_node(ax, x, y, text, radius=0.3, colour="black"):
    around = np.linspace(0, 2 * np.pi, 49)
    ax.plot(x + radius * np.cos(around), y + radius * np.sin(around), color=colour, linewidth=1.2)
    ax.text(x, y, text, color=colour, fontsize=11 if len(text) < 4 or "$" in text else 8, **_CENTRED)


def _draw_edge(ax, start, end, beside, radius=0.3):
    """An arrow from the rim of one node to the rim of another, moved a little to the side."""
    start, end = np.array(start), np.array(end)
    along = (end - start) / np.linalg.norm(end - start)
    start = start + radius * along + beside * np.array([-along[1], along[0]])
    end = end - radius * along + beside * np.array([-along[1], along[0]])
    ax.arrow(*start, *(end - start), color="black", linewidth=1.0)


def _make_blank(ax, x_limits, y_limits):
    ax.set_axis_off()
    ax.set_xlim(*x_limits)
    ax.set_ylim(*y_limits)
