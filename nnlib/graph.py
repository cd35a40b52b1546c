"""Record NumPy code as a computational graph.

    graph = trace(lambda w, x: np.tanh(w @ x), w, x)
    print(graph)         # one line a node
    graph(w, x)          # replay it, on these or on other numbers

NumPy asks the arguments of its functions whether they want to take over (``__array_ufunc__``, ``__array_function__``).
A `Node` says yes: it computes the value as NumPy would and writes down what was computed from what. The code that is
traced stays plain NumPy and knows nothing of it.

Drawing, differentiating and exporting are readings of this one record.
"""

import inspect
import itertools
import linecache
import operator
import re
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

# A trace inside a trace records into the one that began last: the inner one.
_order_of_recordings = itertools.count()

# What a formatted node leaves in a text, and how to find it there: position in the recording, format specification.
PLACEHOLDER = re.compile("\ue000([0-9]+):([^\ue001]*)\ue001")

# These ask about an array, not for one: they are answered, not recorded.
_QUESTIONS = {np.shape, np.ndim, np.size, np.result_type, np.iscomplexobj, np.isrealobj}

# Functions that give several arrays, of which each becomes a node.
_WITH_PARTS = {np.linalg.slogdet}


class TracingError(TypeError):
    """NumPy code did with a recorded value what a graph cannot hold; the message says what to write instead."""


class Recording:
    """The nodes of one trace, in the order in which they were computed: parents first."""

    def __init__(self, keep_places=False):
        self.order = next(_order_of_recordings)
        self.nodes = []
        self.places = [] if keep_places else None

    def add(self, function, arguments, options, values, value, name=None):
        node = Node(self, len(self.nodes), function, arguments, options, values, value, name)
        self.nodes.append(node)
        if self.places is not None:
            self.places.append(_place())
        return node

    def run(self, f, arguments):
        """Call `f` on parameters that stand for the arguments; returns the parameters and what `f` returned."""
        parameters = tuple(
            [
                self.add(None, (), {}, (), value if isinstance(value, Node) else _as_array(value, name), name)
                for name, value in zip(argument_names(f, len(arguments)), arguments, strict=True)
            ]
        )
        try:
            return parameters, f(*parameters)
        except ValueError as error:
            # `array[i] = w`: NumPy puts "setting an array element with a sequence" before our advice
            if isinstance(error.__cause__, TracingError):
                raise error.__cause__ from None
            raise


class Part:
    """One of the several arrays that a function gives, as a function that gives this one."""

    def __init__(self, function, position):
        self.function, self.position = function, position
        self.name = f"{function.__name__}[{position}]"

    def __call__(self, *arguments, **options):
        return self.function(*arguments, **options)[self.position]

    def __eq__(self, other):
        return isinstance(other, Part) and (self.function, self.position) == (other.function, other.position)

    def __hash__(self):
        return hash((self.function, self.position))


def _operators(ufunc):
    """The methods for `x ∘ y` and `y ∘ x`. Those of NDArrayOperatorsMixin take a detour through NumPy, and time."""

    def from_left(self, other):
        return self.record(ufunc, (self, other))

    def from_right(self, other):
        return self.record(ufunc, (other, self))

    return from_left, from_right


class Node(NDArrayOperatorsMixin):
    """One recorded value: `function(*arguments, **options)`, where some of the arguments are nodes again.

    A parameter of the traced function has `function` None. `value` is what the function gave for the example arguments,
    `values` are those arguments; in a trace within a trace they are themselves nodes, of the outer one. Nodes are never
    changed after they are made.
    """

    __slots__ = ("arguments", "function", "index", "name", "options", "recording", "value", "values")
    __hash__ = object.__hash__

    def __init__(self, recording, index, function, arguments, options, values, value, name=None):
        self.recording = recording
        self.index = index
        self.function = function
        self.arguments = arguments
        self.options = options
        self.values = values
        self.value = value
        self.name = name

    # -- what the graph is read for ---------------------------------------------------------------------------------

    @property
    def parents(self):
        """The nodes this one was computed from, in the order of the arguments: `x * x` has two parents."""
        recorded = []
        substitute((self.arguments, self.options), self.recording, recorded.append)
        return tuple(recorded)

    @property
    def place(self):
        """The line of the traced code that made this node, as words for a message, if the trace keeps them."""
        return self.recording.places[self.index] if self.recording.places else "in the traced code"

    @property
    def operation(self):
        """The name of the function: "multiply", "sum", "logistic"; "parameter" for a parameter."""
        if self.function is None:
            return "parameter"
        return getattr(self.function, "name", None) or self.function.__name__

    def __repr__(self):
        return f"<{self.name or self.operation} {self.shape}>"

    # -- recording --------------------------------------------------------------------------------------------------

    def record(self, function, arguments, options=None):
        """Compute `function(*arguments, **options)` and write it down as a node of the innermost trace involved."""
        options = options or {}
        recording = _innermost(options.values(), self.recording) if options else self.recording
        values = []
        for argument in arguments:
            if isinstance(argument, Node) and argument.recording is recording:
                values.append(argument.value)
            elif isinstance(argument, _LOOKED_INTO):  # a node of another trace, or nodes in a list
                recording = _innermost(arguments, recording)
                values = [substitute(argument, recording, _value) for argument in arguments]
                break
            else:
                values.append(argument)
        value = function(*values, **(substitute(options, recording, _value) if options else options))
        if hasattr(value, "shape"):
            return recording.add(function, arguments, options, values, value)
        if function in _WITH_PARTS:
            parts = [(Part(function, i), part) for i, part in enumerate(value)]
            return type(value)(*(recording.add(part, arguments, options, values, v) for part, v in parts))
        if isinstance(value, _SEVERAL):
            raise TracingError(
                f"{_name(function)} gives several arrays and cannot be one node of a graph: "
                f"compute each array by itself, {_place()}"
            )
        return recording.add(function, arguments, options, values, np.asarray(value)[()])

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        if method != "__call__":
            raise TracingError(
                f"np.{ufunc.__name__}.{method} cannot be recorded: "
                f"write np.sum, np.prod, np.max, … with an axis, {_place()}"
            )
        if options.get("out") is not None:
            raise TracingError(
                f"an in-place operation (`+=`, `out=`) cannot be recorded: "
                f"write `w = w + …` instead of `w += …`, {_place()}"
            )
        return self.record(ufunc, inputs, options)

    __add__, __radd__ = _operators(np.add)
    __sub__, __rsub__ = _operators(np.subtract)
    __mul__, __rmul__ = _operators(np.multiply)
    __truediv__, __rtruediv__ = _operators(np.divide)
    __pow__, __rpow__ = _operators(np.power)
    __matmul__, __rmatmul__ = _operators(np.matmul)

    def __neg__(self):
        return self.record(np.negative, (self,))

    def __array_function__(self, function, types, arguments, options):
        if function in _QUESTIONS:
            recording = _innermost([arguments, options], self.recording)
            return function(*substitute(arguments, recording, _value), **substitute(options, recording, _value))
        if options.get("out") is not None:
            raise TracingError(f"{_name(function)} with `out=` cannot be recorded: use its result, {_place()}")
        return self.record(function, tuple(arguments), options)

    # -- the parts of ndarray that code needs -----------------------------------------------------------------------

    @property
    def shape(self):
        return self.value.shape

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        return self.value.size

    @property
    def dtype(self):
        return self.value.dtype

    def __len__(self):
        if not self.shape:
            raise TypeError("a recorded number has no len()")
        return self.shape[0]

    def __getitem__(self, key):
        if any(isinstance(part, Node) and part.dtype == bool for part in (key if isinstance(key, tuple) else (key,))):
            raise TracingError(
                f"a choice of entries by a recorded value (`x[x > 0]`) cannot be recorded, since the number "
                f"of entries could change: write np.where(condition, x, 0), {_place()}"
            )
        return self.record(operator.getitem, (self, key))

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    @property
    def T(self):
        return np.transpose(self)

    def transpose(self, *axes):
        return np.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def reshape(self, *shape, order="C"):
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, order=order)

    def ravel(self, order="C"):
        return np.ravel(self, order=order)

    def flatten(self, order="C"):
        return np.ravel(self, order=order)

    def swapaxes(self, axis1, axis2):
        return np.swapaxes(self, axis1, axis2)

    def squeeze(self, axis=None):
        return np.squeeze(self, axis=axis)

    def clip(self, low=None, high=None):
        return np.clip(self, low, high)

    def dot(self, other):
        return np.dot(self, other)

    def sum(self, axis=None, keepdims=False):
        return np.sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis=None, keepdims=False):
        return np.mean(self, axis=axis, keepdims=keepdims)

    def var(self, axis=None, keepdims=False):
        return np.var(self, axis=axis, keepdims=keepdims)

    def std(self, axis=None, keepdims=False):
        return np.std(self, axis=axis, keepdims=keepdims)

    def max(self, axis=None, keepdims=False):
        return np.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis=None, keepdims=False):
        return np.min(self, axis=axis, keepdims=keepdims)

    def prod(self, axis=None, keepdims=False):
        return np.prod(self, axis=axis, keepdims=keepdims)

    def __format__(self, specification):
        """A placeholder: whoever draws the text puts the number there, formatted as `specification` says."""
        return f"\ue000{self.index}:{specification}\ue001"

    # -- what a graph cannot hold -----------------------------------------------------------------------------------

    def __bool__(self):
        raise TracingError(
            f"`if`, `and`, `or` and `not` cannot branch on a recorded value: write np.where(condition, a, b), "
            f"np.maximum, np.logical_and, …, {_place()}"
        )

    def _no_number(self, *_, **__):
        raise TracingError(
            f"a recorded value cannot become a Python number or a plain array (float, int, range, np.asarray, "
            f"`array[i] = …`): stay with NumPy functions, np.stack instead of filling an array, {_place()}"
        )

    __float__ = __int__ = __index__ = __complex__ = __array__ = item = tolist = _no_number

    def __setitem__(self, key, value):
        raise TracingError(
            f"writing into a recorded array cannot be recorded: "
            f"build it with np.where, np.stack or np.concatenate, {_place()}"
        )


@dataclass(frozen=True)
class Graph:
    """What `trace` recorded: `parameters`, the `output` they lead to, and all `nodes` between, parents first."""

    parameters: tuple[Node, ...]
    output: Any
    nodes: tuple[Node, ...]

    def __call__(self, *arguments):
        """Replay the graph on other arguments of the same shapes."""
        if len(arguments) != len(self.parameters):
            raise TypeError(f"graph: takes {len(self.parameters)} arguments, got {len(arguments)}")
        if not self.parameters:
            return self.output
        values = {}
        for parameter, argument in zip(self.parameters, arguments, strict=True):
            if np.shape(argument) != parameter.shape:
                raise ValueError(
                    f"graph: {parameter.name} was recorded with shape {parameter.shape}, got {np.shape(argument)}"
                )
            values[parameter] = argument
        recording = self.parameters[0].recording
        for node in self.nodes:
            if node.function is not None:
                new = substitute((node.arguments, node.options), recording, values.__getitem__)
                values[node] = node.function(*new[0], **new[1])
        return substitute(self.output, recording, values.__getitem__)

    def __repr__(self):
        names = {node: node.name or f"v{position}" for position, node in enumerate(self.nodes)}
        recording = self.parameters[0].recording
        lines = []
        for node in self.nodes:
            arguments, options = substitute((node.arguments, node.options), recording, lambda n: _Name(names[n]))
            inputs = [_brief(argument) for argument in arguments] + [f"{k}={v!r}" for k, v in options.items()]
            formula = f"{node.operation}({', '.join(inputs)})" if node.function else "parameter"
            lines.append(f"{names[node]:>4} = {formula:<40} {node.shape}")
        return "\n".join(lines)


def trace(f, *example_arguments, keep_places=False):
    """Run `f` once on the example arguments and record, as a `Graph`, every NumPy operation that depends on them.

    `f` returns an array, or tuples, lists and dictionaries of arrays. Shapes are those of the examples. With
    `keep_places` each node knows the line that made it, which takes time. Raises `TracingError` where `f` does what no
    graph can hold: branching on a value, writing in place.
    """
    if not example_arguments:
        raise TypeError("trace: give at least one example argument: there is nothing to record without")
    parameters, output = Recording(keep_places).run(f, example_arguments)
    return Graph(parameters, output, _ancestors(output, parameters))


def _ancestors(output, parameters):
    """The parameters and every node that `output` depends on, in the order of recording."""
    recording = parameters[0].recording
    needed = set(parameters)
    waiting = []
    substitute(output, recording, waiting.append)
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed.add(node)
            waiting.extend(node.parents)
    return tuple(sorted(needed, key=operator.attrgetter("index")))


_value = operator.attrgetter("value")
_SEVERAL = (tuple, list)
_TREES = (tuple, list, dict)
_LOOKED_INTO = (Node, *_TREES)


def _innermost(arguments, recording):
    """Of this recording and those of the nodes among the arguments, the one that began last."""
    for argument in arguments:
        if isinstance(argument, Node):
            if argument.recording.order > recording.order:
                recording = argument.recording
        elif isinstance(argument, _TREES):
            recording = _innermost(argument.values() if isinstance(argument, dict) else argument, recording)
    return recording


def substitute(tree, recording, replacement):
    """The tree of tuples, lists and dictionaries, with each node of `recording` in it replaced."""
    if isinstance(tree, Node):
        return replacement(tree) if tree.recording is recording else tree
    if isinstance(tree, _SEVERAL):
        parts = [substitute(part, recording, replacement) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)  # a named tuple wants them singly
    if isinstance(tree, dict):
        return {key: substitute(part, recording, replacement) for key, part in tree.items()}
    return tree


def _as_array(value, name):
    array = value if hasattr(value, "__array_function__") else np.asarray(value)  # also arrays that live elsewhere
    if array.dtype.kind not in "biufc":
        raise TypeError(f"trace: argument {name} must hold numbers, got {type(value).__name__} of {array.dtype}")
    return array


def argument_names(f, count):
    """What f calls its first `count` arguments; one without a name is called x0, x1, … by its place."""
    if type(f) is types.FunctionType and not f.__dict__:  # the same in less time
        names = f.__code__.co_varnames[: f.__code__.co_argcount]
        return [names[i] if i < len(names) else f"x{i}" for i in range(count)]
    try:
        names = [
            p.name
            for p in inspect.signature(f).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):  # some built-in functions have no signature
        names = []
    return [names[i] if i < len(names) else f"x{i}" for i in range(count)]


class _Name(str):
    """A name that is printed without quotes."""

    __repr__ = str.__str__


def _brief(argument):
    """An argument as `repr` shows it, or only its shape when it is an array."""
    return f"array{argument.shape}" if isinstance(argument, np.ndarray) and argument.ndim else repr(argument)


def _name(function):
    return f"np.{function.__name__}" if hasattr(function, "__name__") else repr(function)


def _place():
    """Where the traced code is running: the innermost line outside of packages, as words for a message."""
    ours = (str(Path(__file__).parent), str(Path(np.__file__).parent.parent))
    frame = sys._getframe(1)
    while frame and frame.f_code.co_filename.startswith(ours):
        frame = frame.f_back
    if frame is None:
        return "somewhere in the traced code"
    lines = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    return f"in line {frame.f_lineno} of {frame.f_code.co_name}" + (f": {lines}" if lines else "")
