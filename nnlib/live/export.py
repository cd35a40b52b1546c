"""Turn recorded graphs into data that the browser can replay.

A program is a list of nodes, each computed from earlier ones:

    {"op": "slider",   "name": "w",    "shape": []}
    {"op": "constant", "shape": [241], "linspace": [-6, 6]}        or "values": […]
    {"op": "multiply", "inputs": [0, 1], "shape": [241]}
    {"op": "sum",      "inputs": [2], "axes": [0], "shape": []}

`OPERATIONS` below and `operations` in web/figure.mjs hold the same names. Two ideas keep both tables short:

* Whatever only moves numbers around (reshape, transpose, indexing, broadcast_to, flip, stack, …) is a *view*: the same
  numbers read from `offset` on, with a stride for each axis; or, where no strides fit, a *take* of listed positions.
* Whatever is made of other operations (mean, norm, clip, logistic, …) is exported as what it is made of.
"""

import inspect
import math
import operator

import numpy as np

from nnlib.formula import Formula
from nnlib.graph import Node, TracingError, trace

_ELEMENTWISE = [
    np.add, np.subtract, np.multiply, np.divide, np.floor_divide, np.remainder, np.power, np.arctan2, np.hypot,
    np.maximum, np.minimum, np.negative, np.absolute, np.sign, np.square, np.sqrt, np.cbrt, np.reciprocal,
    np.exp, np.exp2, np.expm1, np.log, np.log2, np.log10, np.log1p,
    np.sin, np.cos, np.tan, np.arcsin, np.arccos, np.arctan, np.sinh, np.cosh, np.tanh,
    np.arcsinh, np.arccosh, np.arctanh,
    np.floor, np.ceil, np.rint, np.trunc, np.isnan, np.isfinite,
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not, np.where,
]  # fmt: skip
_REDUCTIONS = [np.sum, np.prod, np.max, np.min, np.argmax, np.argmin]
_VIEWS = [
    operator.getitem, np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.expand_dims, np.squeeze,
    np.flip, np.roll, np.broadcast_to, np.atleast_1d, np.atleast_2d, np.repeat, np.tile, np.diagonal,
    np.stack, np.concatenate, np.vstack, np.hstack, np.column_stack,
]  # fmt: skip

_NAMED = [*_ELEMENTWISE, *_REDUCTIONS, np.cumsum, np.matmul, np.interp, np.linspace]

OPERATIONS = {
    **{function: function.__name__ for function in _NAMED},
    **dict.fromkeys(_VIEWS, "view"),
}
# What the program holds beside NumPy functions: its inputs, and the two other ways to move numbers around.
PRIMITIVES = ("slider", "constant", "join", "view", "take")

_BETWEEN_COMPARISONS = {  # `&`, `|`, `^`, `~`
    np.bitwise_and: np.logical_and,
    np.bitwise_or: np.logical_or,
    np.bitwise_xor: np.logical_xor,
    np.invert: np.logical_not,
}
COMPOSED = {
    np.positive: lambda a: a + 0,
    np.fabs: np.abs,
    np.degrees: lambda a: a * (180 / math.pi),
    np.radians: lambda a: a * (math.pi / 180),
    np.logaddexp: lambda a, b: np.maximum(a, b) + np.log1p(np.exp(-np.abs(a - b))),
    np.heaviside: lambda a, at_zero: np.where(a < 0, 0.0, np.where(a > 0, 1.0, at_zero)),
    np.clip: lambda a, a_min=None, a_max=None: _clipped(a, a_min, a_max),
    **_BETWEEN_COMPARISONS,
    np.round: lambda a, decimals=0: _rounded(a, decimals),
    np.any: lambda a, axis=None, keepdims=False: np.max(a != 0, axis=axis, keepdims=keepdims),
    np.all: lambda a, axis=None, keepdims=False: np.min(a != 0, axis=axis, keepdims=keepdims),
    np.count_nonzero: lambda a, axis=None, keepdims=False: np.sum(a != 0, axis=axis, keepdims=keepdims),
    np.mean: lambda a, axis=None, keepdims=False: np.sum(a, axis=axis, keepdims=keepdims) / _reduced_size(a, axis),
    np.var: lambda a, axis=None, keepdims=False: np.mean(
        (a - np.mean(a, axis=axis, keepdims=True)) ** 2, axis=axis, keepdims=keepdims
    ),
    np.std: lambda a, axis=None, keepdims=False: np.sqrt(np.var(a, axis=axis, keepdims=keepdims)),
    np.linalg.norm: lambda x, axis=None, keepdims=False: np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims)),
    np.diff: lambda a, axis=-1: np.moveaxis(np.moveaxis(a, axis, 0)[1:] - np.moveaxis(a, axis, 0)[:-1], 0, axis),
    np.outer: lambda a, b: np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1)),
    np.dot: lambda a, b: a @ b if np.ndim(a) and np.ndim(b) else a * b,
    np.zeros_like: lambda a, shape=None: np.zeros(np.shape(a) if shape is None else shape),
    np.ones_like: lambda a, shape=None: np.ones(np.shape(a) if shape is None else shape),
    np.full_like: lambda a, fill_value: np.broadcast_to(fill_value, np.shape(a)),
}


def program(artists, graphs):
    """The nodes, the artists that move, and for each graph what they show: {id: {"x": position of a node, …}}.

    An artist moves when its data depend on a slider, differ between the graphs, or when a graph lacks it.
    """
    nodes = Nodes()
    moving = {artist.id: artist for artist in artists if _moves([graph.output.get(artist.id) for graph in graphs])}
    variants = []
    for graph in graphs:
        position = nodes.add(graph)
        variants.append({i: _positions(graph.output[i], position) for i in moving if i in graph.output})
    described = {i: {"kind": a.kind, "panel": a.panel, "parts": len(a.drawn), **a.style} for i, a in moving.items()}
    return nodes.written, described, variants


def _moves(appearances):
    if any(channels is None for channels in appearances):
        return True
    leaves = [list(_leaves(channels)) for channels in appearances]
    if any(isinstance(leaf, Node) for channels in leaves for leaf in channels):
        return True
    return any(len(c) != len(leaves[0]) or not all(map(np.array_equal, c, leaves[0])) for c in leaves)


def _leaves(tree):
    if isinstance(tree, dict | list | tuple):
        for part in tree.values() if isinstance(tree, dict) else tree:
            yield from _leaves(part)
    else:
        yield tree


def _positions(tree, position):
    """The tree with nodes and numbers replaced by their positions in the program; texts stay."""
    if isinstance(tree, dict):
        return {name: _positions(part, position) for name, part in tree.items()}
    if isinstance(tree, list):
        return [_positions(part, position) for part in tree]
    return tree if isinstance(tree, str) else position(tree)


class Nodes:
    """Collects nodes; equal nodes are written once, however many graphs they come from."""

    def __init__(self):
        self.written = []
        self._position = {}

    def write(self, op, inputs=(), shape=(), **options):
        """The position of this node in the program, written if it is not there yet."""
        node = {"op": op, **({"inputs": list(inputs)} if inputs else {}), **options, "shape": list(shape)}
        key = repr(node)
        if key not in self._position:
            self._position[key] = len(self.written)
            self.written.append(node)
        return self._position[key]

    def constant(self, value):
        array = np.asarray(value, dtype=float)
        same = tuple(axis for axis, n in enumerate(array.shape) if n > 1 and np.all(np.diff(array, axis=axis) == 0))
        if same:  # written once along the axes where nothing changes, as in a meshgrid
            once = array[tuple(slice(1) if axis in same else slice(None) for axis in range(array.ndim))]
            strides = [
                0 if axis in same else s // once.itemsize for axis, s in enumerate(np.ascontiguousarray(once).strides)
            ]
            return self.write("view", [self.constant(once.ravel())], array.shape, offset=0, strides=strides)
        if array.ndim == 1 and array.size > 2:
            ends = [_json_number(array[0]), _json_number(array[-1])]
            if np.isfinite(array).all() and np.array_equal(array, np.linspace(*array[[0, -1]], array.size)):
                return self.write("constant", shape=array.shape, linspace=ends)
        return self.write("constant", shape=array.shape, values=[_json_number(v) for v in array.ravel()])

    def add(self, graph):
        """Write a graph; returns a function from its nodes (or constants) to positions."""
        positions = {parameter: self.write("slider", name=parameter.name) for parameter in graph.parameters}
        for node in graph.nodes:
            if node.function is not None:
                try:
                    positions[node] = self._add_node(node, positions)
                except TracingError as error:
                    raise TracingError(f"{error}, {node.place}") from None
        return lambda value: positions[value] if isinstance(value, Node) else self.constant(value)

    def _add_node(self, node, positions):
        def position(value):
            return positions[value] if isinstance(value, Node) else self.constant(value)

        function, arguments, options = node.function, node.arguments, node.options
        if function in _BETWEEN_COMPARISONS and node.dtype != bool:
            raise TracingError(f"live: {node.operation} of whole numbers cannot be exported, only of comparisons")
        formula = function.formula if isinstance(function, Formula) else COMPOSED.get(function)
        if formula is not None:
            return self._add_composed(formula, _arguments(node, formula), position)
        if function not in OPERATIONS:
            known = ", ".join(sorted({f.__name__ for f in OPERATIONS} | {f.__name__ for f in COMPOSED}))
            raise TracingError(f"live: {node.operation} has no counterpart in the browser; known are {known}")
        if function is np.add and node.dtype == bool:  # of truth values NumPy's sum is "or"
            function = np.logical_or
        name = OPERATIONS[function]
        if name == "view":
            return self._add_view(function, arguments, options, position)
        if function in _REDUCTIONS or function is np.cumsum:
            return self._add_along_axes(
                name, node, position, *_arguments(node, lambda a, axis=None, keepdims=False: ())
            )
        if function is np.linspace:
            return self._add_linspace(position, node, *_arguments(node, lambda start, stop, num=50: ()))
        if function is np.interp:
            arguments = _arguments(node, lambda x, xp, fp: ())
        elif options:
            raise TracingError(f"live: {node.operation} cannot be exported with the options {sorted(options)}")
        return self.write(name, [position(a) for a in arguments], node.shape)

    def _add_composed(self, formula, arguments, position):
        """Write what a function is made of: trace its formula and join the trace to what is already here."""
        recorded = [a for a in arguments if isinstance(a, Node)]

        def with_nodes(*inner):
            inner = iter(inner)
            return formula(*(next(inner) if isinstance(a, Node) else a for a in arguments))

        graph = trace(with_nodes, *(node.value for node in recorded))
        positions = dict(zip(graph.parameters, map(position, recorded), strict=True))
        for node in graph.nodes:
            if node.function is not None:
                positions[node] = self._add_node(node, positions)
        return positions[graph.output] if isinstance(graph.output, Node) else self.constant(graph.output)

    def _add_view(self, function, arguments, options, position):
        """Write a function that only moves numbers: let NumPy move the positions 0, 1, 2, … and see where they went."""
        rest = arguments[1:]
        if any(isinstance(part, Node) for part in _leaves([*rest, options])):
            raise TracingError(
                f"live: {function.__name__} cannot be exported when the index or the shape moves: write np.where"
            )
        if isinstance(arguments[0], list | tuple):  # stack, concatenate: number the parts through
            parts = arguments[0]
            starts = np.cumsum([0, *(np.size(part) for part in parts)])
            numbered = [
                np.arange(np.size(p)).reshape(np.shape(p)) + start for p, start in zip(parts, starts, strict=False)
            ]
            source = self.write("join", [position(part) for part in parts], (int(starts[-1]),))
            moved = function(numbered, *rest, **options)
        else:
            source = position(arguments[0])
            moved = function(np.arange(np.size(arguments[0])).reshape(np.shape(arguments[0])), *rest, **options)
        moved = np.asarray(moved)
        offset = int(moved.flat[0]) if moved.size else 0
        several = [moved.size > 0 and n > 1 for n in moved.shape]
        strides = [int(np.take(moved, 1, axis).flat[0]) - offset if more else 0 for axis, more in enumerate(several)]
        steps = np.indices(moved.shape)
        if np.array_equal(moved, offset + sum(s * i for s, i in zip(strides, steps, strict=True))):
            return self.write("view", [source], moved.shape, offset=offset, strides=strides)
        return self.write("take", [source], moved.shape, indices=moved.ravel().tolist())

    def _add_along_axes(self, name, node, position, a, axis=None, keepdims=False):
        axes = range(np.ndim(a)) if axis is None else np.atleast_1d(axis) % np.ndim(a)
        return self.write(name, [position(a)], node.shape, axes=[int(i) for i in axes])

    def _add_linspace(self, position, node, start, stop, num=50):
        if node.ndim != 1:
            raise TracingError("live: np.linspace can be exported between two numbers, not between arrays")
        return self.write("linspace", [position(start), position(stop)], node.shape)


def _arguments(node, signature):
    """The node's arguments in the order of a function that has all the parameters the browser knows of."""
    try:
        bound = inspect.signature(signature).bind(*node.arguments, **node.options)
    except TypeError as error:
        known = str(inspect.signature(signature))
        raise TracingError(f"live: {node.operation} can be exported with the arguments {known}, but: {error}") from None
    bound.apply_defaults()
    return bound.args


def _clipped(a, low, high):
    a = a if low is None else np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


def _rounded(a, decimals):
    return (
        np.rint(a * 10.0**decimals) / 10.0**decimals
        if decimals >= 0
        else np.rint(a / 10.0**-decimals) * 10.0**-decimals
    )


def _reduced_size(a, axis):
    shape = np.shape(a)
    return math.prod(shape if axis is None else [shape[i] for i in np.atleast_1d(axis)])


def _json_number(value):
    """A float as JSON can hold it: whole numbers short, NaN and infinities as words."""
    value = float(value)
    if not math.isfinite(value):
        return {"inf": "Infinity", "-inf": "-Infinity"}.get(repr(value), "NaN")
    return int(value) if value.is_integer() and abs(value) < 2**53 and str(value) != "-0.0" else value
