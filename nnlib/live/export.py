"""Turn recorded graphs into data that the browser can replay.

A program is a list of nodes, each computed from earlier ones:

    {"op": "slider",   "name": "w",    "shape": []}
    {"op": "constant", "shape": [241], "linspace": [-6, 6]}        or "values": […]
    {"op": "multiply", "inputs": [0, 1], "shape": [241]}
    {"op": "sum",      "inputs": [2], "axes": [0], "shape": []}

`OPERATIONS` below and `operations` in web/figure.mjs hold the same names. Two ideas keep both tables short:

* Whatever only moves numbers around (reshape, transpose, indexing, broadcast_to, flip, stack, …) is a *view*: the same
  numbers read from `offset` on, with a stride for each axis; or, where no strides fit, a *take* of listed positions,
  or of positions that are computed.
* Whatever is made of other operations (mean, norm, einsum, logistic, …) is exported as what it is made of. Much of that
  is written down already, for the chain rule, in nnlib/local_derivatives.py; the rest is in compositions.py.

Every function that has a local derivative has its place in these tables, or in `WITHOUT_COUNTERPART` with the reason.
"""

import inspect
import math
import operator

import numpy as np

from nnlib import local_derivatives
from nnlib.formula import Formula
from nnlib.graph import Node, Part, TracingError, substitute, trace
from nnlib.live.compositions import BETWEEN_COMPARISONS, COMPOSITIONS, MOVING_VIEWS, leaves

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
    operator.getitem, np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.expand_dims,
    np.squeeze, np.flip, np.fliplr, np.flipud, np.rot90, np.roll, np.broadcast_to,
    np.atleast_1d, np.atleast_2d, np.atleast_3d, np.repeat, np.tile, np.take, np.take_along_axis, np.delete,
    np.diagonal, np.diag, np.diagflat, np.tril, np.triu, np.pad,
    np.stack, np.concatenate, np.vstack, np.hstack, np.column_stack,
]  # fmt: skip
_PADDED_BY_MOVING = ("constant", "edge", "reflect", "symmetric", "wrap")

_NAMED = [*_ELEMENTWISE, *_REDUCTIONS, np.cumsum, np.argsort, np.matmul, np.linalg.solve, np.interp, np.linspace]
_LOG_DETERMINANT = [Part(np.linalg.slogdet, 0), Part(np.linalg.slogdet, 1)]

OPERATIONS = {
    **{function: function.__name__ for function in _NAMED},
    **dict.fromkeys(_LOG_DETERMINANT, "slogdet"),
    **dict.fromkeys(_VIEWS, "view"),
}
# What the program holds beside NumPy functions: its inputs, and the two other ways to move numbers around.
PRIMITIVES = ("slider", "constant", "join", "view", "take")

COMPOSED = {f: formula for f, formula in local_derivatives.COMPOSED.items() if f not in OPERATIONS} | COMPOSITIONS
WITHOUT_COUNTERPART = {
    np.empty_like: "what is in an empty array differs from run to run; write np.zeros_like",
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
    parts = [list(leaves(channels)) for channels in appearances]
    if any(isinstance(leaf, Node) for channels in parts for leaf in channels):
        return True
    return any(len(c) != len(parts[0]) or not all(map(np.array_equal, c, parts[0])) for c in parts)


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
        if function in BETWEEN_COMPARISONS and node.dtype != bool:
            raise TracingError(f"live: {node.operation} of whole numbers cannot be exported, only of comparisons")
        formula = COMPOSED.get(function) or (function.formula if isinstance(function, Formula) else None)
        if formula is not None:
            return self._add_composed(node, formula, position)
        if function not in OPERATIONS:
            advice = WITHOUT_COUNTERPART.get(
                function,
                "write it with functions that have one; nnlib/live/export.py and compositions.py list them",
            )
            raise TracingError(f"live: {node.operation} has no counterpart in the browser: {advice}")
        if function is np.add and node.dtype == bool:  # of truth values NumPy's sum is "or"
            function = np.logical_or
        name = OPERATIONS[function]
        if name == "view":
            return self._add_view(node, position)
        if function in _REDUCTIONS or function is np.cumsum:
            return self._add_along_axes(
                name, node, position, *_arguments(node, lambda a, axis=None, keepdims=False: ())
            )
        if function is np.argsort:
            return self._add_argsort(node, position, *_arguments(node, lambda a, axis=-1, kind=None: ()))
        if function is np.linspace:
            return self._add_linspace(position, node, *_arguments(node, lambda start, stop, num=50: ()))
        if function is np.interp:
            arguments = _arguments(node, lambda x, xp, fp: ())
        elif options:
            raise TracingError(f"live: {node.operation} cannot be exported with the options {sorted(options)}")
        part = {"part": function.position} if isinstance(function, Part) else {}
        return self.write(name, [position(a) for a in arguments], node.shape, **part)

    def _add_composed(self, node, formula, position):
        """Write what a function is made of: trace its formula and join the trace to what is already here."""
        _arguments(node, formula)
        parents = list(dict.fromkeys(node.parents))

        def of_parents(*values):
            new = dict(zip(parents, values, strict=True))
            arguments, options = substitute((node.arguments, node.options), node.recording, new.__getitem__)
            return formula(*arguments, **options)

        try:
            with np.errstate(all="ignore"):  # what there is to warn of, the traced code has
                graph = trace(of_parents, *(parent.value for parent in parents))
        except TracingError:
            raise
        except (NotImplementedError, TypeError) as error:
            raise TracingError(f"live: {node.operation} cannot be exported with these arguments: {error}") from None
        positions = dict(zip(graph.parameters, map(position, parents), strict=True))
        for inner in graph.nodes:
            if inner.function is not None:
                positions[inner] = self._add_node(inner, positions)
        return positions[graph.output] if isinstance(graph.output, Node) else self.constant(graph.output)

    def _add_view(self, node, position):
        """Write a function that only moves numbers: let NumPy move the positions 1, 2, 3, … and see where they went."""
        function, arguments, options = node.function, node.arguments, node.options
        if not arguments:
            raise TracingError(f"live: {node.operation} can be exported with its first argument given by position")
        source, *rest = arguments
        if any(isinstance(part, Node) for part in leaves([*rest, options])):
            return self._add_moving_view(node, position)
        if function is np.pad:
            _, _, mode = _arguments(node, lambda array, pad_width, mode="constant": ())
            if mode not in _PADDED_BY_MOVING:
                raise TracingError(f"live: pad can be exported with the modes {_PADDED_BY_MOVING}, got {mode!r}")
        if isinstance(source, list | tuple):  # stack, concatenate: number the parts through
            starts = np.cumsum([1, *(np.size(part) for part in source)])
            numbered = [
                np.arange(np.size(p)).reshape(np.shape(p)) + start for p, start in zip(source, starts, strict=False)
            ]
            source = self.write("join", [position(part) for part in source], (int(starts[-1]) - 1,))
            moved = function(numbered, *rest, **options)
        else:
            moved = function(np.arange(1, np.size(source) + 1).reshape(np.shape(source)), *rest, **options)
            source = position(source)
        moved = np.asarray(moved)
        if np.any(moved == 0):  # diag, tril, pad: zeros came in
            count = math.prod(self.written[source]["shape"])
            source = self.write("join", [self.constant(0.0), source], (count + 1,))
        else:
            moved = moved - 1
        offset = int(moved.flat[0]) if moved.size else 0
        several = [moved.size > 0 and n > 1 for n in moved.shape]
        strides = [int(np.take(moved, 1, axis).flat[0]) - offset if more else 0 for axis, more in enumerate(several)]
        steps = np.indices(moved.shape)
        if np.array_equal(moved, offset + sum(s * i for s, i in zip(strides, steps, strict=True))):
            return self.write("view", [source], moved.shape, offset=offset, strides=strides)
        return self.write("take", [source], moved.shape, indices=moved.ravel().tolist())

    def _add_moving_view(self, node, position):
        """Write a function that only moves numbers, where to depends on recorded numbers too."""
        function, arguments = node.function, node.arguments
        if function is np.take_along_axis and np.ndim(arguments[0]) == 1:
            return self.write("take", [position(part) for part in arguments[:2]], node.shape)
        if function in MOVING_VIEWS:
            return self._add_composed(node, MOVING_VIEWS[function], position)
        raise TracingError(f"live: {node.operation} cannot be exported when what is not its first argument moves")

    def _add_along_axes(self, name, node, position, a, axis=None, keepdims=False):
        axes = range(np.ndim(a)) if axis is None else np.atleast_1d(axis) % np.ndim(a)
        return self.write(name, [position(a)], node.shape, axes=[int(i) for i in axes])

    def _add_argsort(self, node, position, a, axis=-1, kind=None):
        if axis is None or not np.ndim(a):
            return self._add_composed(node, lambda a, *_, **__: np.argsort(np.ravel(a)), position)
        return self._add_along_axes("argsort", node, position, a, axis)

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


def _json_number(value):
    """A float as JSON can hold it: whole numbers short, NaN and infinities as words."""
    value = float(value)
    if not math.isfinite(value):
        return {"inf": "Infinity", "-inf": "-Infinity"}.get(repr(value), "NaN")
    return int(value) if value.is_integer() and abs(value) < 2**53 and str(value) != "-0.0" else value
