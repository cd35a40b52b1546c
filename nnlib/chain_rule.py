"""The chain rule, along a recorded graph: derivatives by multiplying the local derivatives of what was computed.

    >>> gradient(lambda w: np.sum(w**2))(np.array([1.0, 2.0]))
    array([2., 4.])
    >>> jacobian(lambda x: np.stack([x[0] * x[1], x[0] + x[1]]))(np.array([3.0, 5.0]))
    array([[5., 3.],
           [1., 1.]])

`gradient`, `jacobian` and `vjp` carry rows u = ∂L/∂z back from the result to the arguments; `jvp` carries tangents,
changes of the arguments, on to the result. What each function on the way contributes stands in `local_derivatives`; a
`Formula` brings it along: its `derivative`, its `gradient` or, where these will not do, `pullback(u, *arguments)`.
All of it is written in NumPy functions, so that derivatives can be recorded in their turn: differentiated, or exported.

Arguments hold real numbers, and a gradient has the precision of its argument; whole numbers count as float64.
"""

import inspect
import math

import numpy as np

from nnlib.arguments import as_real
from nnlib.formula import Formula
from nnlib.graph import Node, Recording, substitute
from nnlib.local_derivatives import (
    CHOICES,
    COMPOSED,
    ELEMENTWISE,
    FLAT,
    LINEAR,
    NONLINEAR,
    stack_of,
    summed_to,
    takes_stack,
)

# ---- what one calls ------------------------------------------------------------------------------


def value_and_gradient(f):
    """The function that gives f(x) and the gradient of f there, for an f that gives one number.

    One argument → its gradient, in its shape; several → a tuple of gradients. Raises ValueError if f gives an array.

    Source: notes, section 5.
    """

    def value_and_gradient_of_f(*arguments):
        run = _Run(f, _as_arguments(arguments, "gradient"), "gradient")
        if run.shape != ():
            raise ValueError(
                f"gradient: f must give one number, got an array of shape {run.shape}: "
                "sum it up, or use jacobian(f) or vjp(f, x)"
            )
        return run.value, _one_or_all(run.rows(run.dtype.type(1.0), again=False))

    return value_and_gradient_of_f


def gradient(f):
    """The function that gives ∇f, the row ∂f/∂x in the shape of x, for an f that gives one number.

    One argument → an array; several → a tuple of arrays. Raises ValueError if f gives an array.

    Source: notes, section 5.
    """
    both = value_and_gradient(f)

    def gradient_of_f(*arguments):
        return both(*arguments)[1]

    return gradient_of_f


def jacobian(f):
    """The function that gives the Jacobian ∂f/∂x, (k, d) for k numbers of d, both strung out by vec.

    The k rows of the identity go back together, in one sweep. One argument → a matrix; several → a tuple of them.

    Source: notes, sections 4 and 5.
    """

    def jacobian_of_f(*arguments):
        run = _Run(f, _as_arguments(arguments, "jacobian"), "jacobian")
        k = math.prod(run.shape)
        identity = _rows_unvec(np.eye(k, dtype=run.dtype), run.shape)
        return _one_or_all([_rows_vec(rows) for rows in run.rows(identity, (k,), again=False)])

    return jacobian_of_f


def vjp(f, *arguments):
    """f(x) and its pullback, u ↦ u ∂f/∂x: u has the shape of f(x), the result that of x (for several, a tuple).

    Strung out, vec(pullback(u))ᵀ = vec(u)ᵀ J. Raises ValueError for a u of another shape.

    Source: notes, section 5.
    """
    run = _Run(f, _as_arguments(arguments, "vjp"), "vjp")

    def pullback(u):
        u = as_real(u, "pullback", "u")
        if u.shape != run.shape:
            raise ValueError(f"pullback: u must have the shape of f(x), {run.shape}, got {u.shape}")
        return _one_or_all(run.rows(u))

    return run.value, pullback


def jvp(f, x, v):
    """f(x) and its tangent (∂f/∂x) v, in the shape of f(x); v has that of x. Of several arguments, x and v are tuples.

    Strung out, vec(tangent) = J vec(v). Raises ValueError for a v of another shape.

    Source: notes, section 5.
    """
    arguments, changes = (x, v) if isinstance(x, tuple) else ((x,), (v,))
    run = _Run(f, _as_arguments(arguments, "jvp"), "jvp")
    changes = [as_real(change, "jvp", "v") for change in changes]
    expected, got = ([array.shape for array in arrays] for arrays in (run.parameters, changes))
    if got != expected:
        raise ValueError(f"jvp: v must have the shape of x, {_one_or_all(expected)}, got {_one_or_all(got)}")
    tangent = run.push(changes)
    return run.value, _owned(tangent, run.value, run.dtype, (), {id(change) for change in changes})


# ---- the chain rule ------------------------------------------------------------------------------


class _Run:
    """One run of a function, written down: its value, and its derivative in both directions."""

    def __init__(self, f, arguments, caller):
        recording = Recording()
        self.parameters, self.output = recording.run(f, arguments)
        self.nodes, recording.nodes = recording.nodes, []  # no circle: arrays are freed with the run
        depends = _is_of(self.output, recording)
        self.value = self.output.value if depends else _as_result(self.output, caller)
        self.shape, self.dtype = self.value.shape, self.value.dtype
        if self.dtype.kind != "f":
            if self.dtype.kind not in "iub":
                raise TypeError(f"{caller}: f must give real numbers, got dtype {self.dtype}")
            self.dtype = np.dtype(float)
        if not depends:
            self.output, self.nodes = None, list(self.parameters)

    def pull(self, u, stack=(), again=True):
        """Carry the row u of the result back to the parameters; with `stack` (k,), k rows at a time.

        Where this is not to happen `again` the nodes are used up, and an array is freed as soon as nothing needs it.
        """
        rows, nodes = {self.output: u}, list(self.nodes) if again else self.nodes
        if not again:
            self.output = None
        while len(nodes) > len(self.parameters):
            node = nodes.pop()
            u = rows.pop(node, None)
            if u is not None:
                for argument, row in _pulled_back(node, u, stack):
                    rows[argument] = rows.pop(argument) + row if argument in rows else row  # where paths meet, rows add
        return [rows.get(parameter) for parameter in self.parameters]

    def push(self, changes):
        """Carry changes of the parameters on to the result."""
        tangents = dict(zip(self.parameters, changes, strict=True))
        for node in self.nodes[len(self.parameters) :]:
            parts = _pushed_on(node, tangents)
            if parts:
                tangents[node] = _whole(sum(parts[1:], start=parts[0]), node)  # where paths meet, tangents add
        return tangents.get(self.output)

    def rows(self, u, stack=(), again=True):
        """The rows of the parameters, as arrays that belong to the caller."""
        taken = {id(u)}
        rows = zip(self.pull(u, stack, again), self.parameters, strict=True)
        return [_owned(row, parameter, parameter.dtype, stack, taken) for row, parameter in rows]


def _pulled_back(node, u, stack):
    """The row u of z, a node, times ∂z/∂x for each of its arguments x: pairs (x, u ∂z/∂x)."""
    function, recording, z = node.function, node.recording, node.value
    if function in ELEMENTWISE:
        pairs = []
        for x, derivative in zip(node.arguments, ELEMENTWISE[function], strict=True):
            if isinstance(x, Node) and x.recording is recording:
                row = _times(u, derivative, node)
                if x.value.shape != z.shape:
                    row = summed_to(x.shape, _whole(row, node, stack), len(stack))
                pairs.append((x, row))
        return pairs
    if function in FLAT:
        return []
    u = _whole(u, node, stack)
    if function in COMPOSED:
        run, parents = _taken_apart(node, node.parents)
        pairs = zip(parents, run.pull(u, stack), strict=True)
    else:
        pairs = []
        for i, rule in _rules(node).items():
            x, rows = node.arguments[i], _apply(rule, u, node, stack)
            pairs += zip(x, rows, strict=True) if isinstance(x, tuple | list) else [(x, rows)]
    return [(x, row) for x, row in pairs if row is not None and _is_of(x, recording)]


def _pushed_on(node, tangents):
    """For each argument x of z, a node, whose tangent is known: ∂z/∂x times that."""
    function = node.function
    if function in ELEMENTWISE:
        pairs = zip(node.arguments, ELEMENTWISE[function], strict=True)
        return [_times(tangents[x], derivative, node) for x, derivative in pairs if _known(x, tangents)]
    if function in FLAT:
        return []
    if function in COMPOSED:
        run, parents = _taken_apart(node, [parent for parent in node.parents if parent in tangents])
        tangent = run.push([tangents[parent] for parent in parents]) if parents else None
        return [] if tangent is None else [tangent]
    parts = []
    for i, rule in _rules(node).items():
        x = node.arguments[i]
        if _known(x, tangents):
            if function in LINEAR:
                values = [*node.values[:i], _tangent(x, node.values[i], tangents), *node.values[i + 1 :]]
                parts.append(function(*values, **node.options))
            elif hasattr(rule, "slope"):
                change = rule.slope(*node.values) * tangents[x]
                parts.append(change if change.ndim == node.ndim else np.sum(change, axis=0))
            else:
                backward = _Run(lambda u, rule=rule: _apply(rule, u, node), [np.zeros(node.shape, node.dtype)], "")
                parts.append(backward.pull(tangents[x])[0])
    return [part for part in parts if part is not None]


# ---- how a row of the table is used --------------------------------------------------------------


def _is_of(x, recording):
    return isinstance(x, Node) and x.recording is recording


def _depends(x, recording):
    """Whether the argument x of a node is, or holds, real numbers that depend on the parameters."""
    if isinstance(x, tuple | list):
        return any(_depends(part, recording) for part in x)
    return _is_of(x, recording) and x.dtype.kind == "f"


def _known(x, tangents):
    """Whether there is a tangent for this argument of a node, or for one in it."""
    if isinstance(x, tuple | list):
        return any(_known(part, tangents) for part in x)
    return isinstance(x, Node) and x in tangents


def _tangent(x, value, tangents):
    if isinstance(x, tuple | list):
        return [_tangent(part, v, tangents) for part, v in zip(x, value, strict=True)]
    return tangents[x] if _known(x, tangents) else np.zeros_like(value)


def _times(v, derivative, node):
    """A row or a tangent times what ELEMENTWISE has for an argument of the node."""
    if node.options:
        _check_options(node)
    if not callable(derivative):
        return v if derivative == 1 else derivative * v
    if node.function in CHOICES:  # what was not chosen may be infinite, and 0 · ∞ would be NaN
        return np.where(derivative(node.value, *node.values), v, 0)
    return v * derivative(node.value, *node.values)


def _check_options(node):
    if not node.options.keys() <= {"dtype", "casting"}:
        raise TypeError(f"np.{node.operation} cannot be differentiated with the options {sorted(node.options)}")


def _rules(node):
    """How a row goes back to those arguments of a node that depend on the parameters: {position: rule}."""
    function = node.function
    rules = LINEAR.get(function) or NONLINEAR.get(function)
    if rules is None and isinstance(function, Formula):
        rules = [_rule_of_formula(function, i) for i in range(len(node.arguments))]
    if rules is None:
        raise NotImplementedError(
            f"{node.operation} has no row in the table of local derivatives: write it with functions that have one, "
            "or add a row to ELEMENTWISE, LINEAR, NONLINEAR or COMPOSED in nnlib/local_derivatives.py"
        )
    found = {}
    for i, x in enumerate([*node.arguments, *node.options.values()]):
        if _depends(x, node.recording):
            if i >= min(len(rules), len(node.arguments)) or rules[i] is None:
                raise TypeError(
                    f"{node.operation} has no derivative with respect to its argument {i + 1}: give by position, and "
                    "first, what it is to be differentiated by"
                )
            found[i] = rules[i]
    return found


def _rule_of_formula(function, i):
    """A formula's own derivative for its prediction; otherwise the formula is taken apart."""
    own = getattr(function, "derivative", None) or getattr(function, "gradient", None)

    @takes_stack
    def times_own(u, z, *values):
        slope = own(*values)
        stack = stack_of(u, z)
        return np.reshape(u, (*stack, *[1] * (slope.ndim - z.ndim), *z.shape)) * slope

    times_own.slope = own

    @takes_stack
    def taken_apart(u, z, *values):
        run = _Run(lambda x: function.formula(*values[:i], x, *values[i + 1 :]), [values[i]], repr(function))
        return run.pull(u, stack_of(u, z))[0]

    if hasattr(function, "pullback"):
        return lambda u, z, *values: function.pullback(u, *values)
    return times_own if own and i == getattr(function, "prediction", 0) else taken_apart


def _apply(rule, u, node, stack=()):
    """What a rule makes of the row u of a node, or of a stack of rows."""
    if stack and not hasattr(rule, "takes_stack"):
        parts = [_apply(rule, row, node) for row in u]
        return [np.stack(part) for part in zip(*parts, strict=True)] if isinstance(parts[0], list) else np.stack(parts)
    arguments = u, node.value, *node.values
    try:
        return rule(*arguments, **node.options)
    except TypeError:
        try:
            inspect.signature(rule).bind(*arguments, **node.options)
        except TypeError as error:
            raise TypeError(f"{node.operation} cannot be differentiated with these arguments: {error}") from None
        raise


def _taken_apart(node, parents):
    """What a node of COMPOSED is made of, recorded, and which nodes its parameters stand for."""
    parents = [parent for parent in dict.fromkeys(parents) if parent.dtype.kind == "f"]

    def formula(*values):
        new = dict(zip(parents, values, strict=True))
        arguments, options = substitute((node.arguments, node.options), node.recording, lambda n: new.get(n, n.value))
        return COMPOSED[node.function](*arguments, **options)

    return _Run(formula, [parent.value for parent in parents], node.operation), parents


# ---- shapes --------------------------------------------------------------------------------------


def _whole(u, node, stack=()):
    """u in the shape of its node: where it is the same along an axis, it may come with less numbers."""
    return u if u.shape == (*stack, *node.shape) else u * np.ones_like(node.value)


def _rows_vec(rows):
    """k arrays, (k, …), each strung out column by column: (k, d)."""
    return np.reshape(np.transpose(rows, (0, *range(1, rows.ndim)[::-1])), (rows.shape[0], -1))


def _rows_unvec(rows, shape):
    """The inverse: (k, d) → (k, *shape)."""
    k = rows.shape[0]
    return np.transpose(np.reshape(rows, (k, *shape[::-1])), (0, *range(1, len(shape) + 1)[::-1]))


# ---- arguments and results -----------------------------------------------------------------------


def _as_arguments(arguments, caller):
    if not arguments:
        raise TypeError(f"{caller}: f must have at least one argument")
    return [as_real(x, caller, f"argument {i}") for i, x in enumerate(arguments, 1)]


def _as_result(output, caller):
    if isinstance(output, tuple | list | dict) or output is None:
        kind = type(output).__name__
        raise TypeError(f"{caller}: f must give one array, got a {kind}: np.stack or np.concatenate makes one")
    return as_real(output, caller, "f(x)")[()]


def _one_or_all(results):
    return results[0] if len(results) == 1 else tuple(results)


def _owned(row, like, dtype, stack, taken):
    """The row, or zeros if there is none, in this precision and shape, as an array that nothing else refers to."""
    shape, like = (*stack, *like.shape), like.value if isinstance(like, Node) else like
    if row is None:
        return np.zeros(shape, dtype)[()] if isinstance(like, Node) else np.zeros_like(like, dtype, shape=shape)[()]
    if row.dtype != dtype:
        row = np.positive(row, dtype=dtype, casting="same_kind")
    if row.shape != shape:
        row = row * np.ones_like(like)
    if isinstance(row, np.ndarray):
        if row.base is not None or id(row) in taken:
            row = row.copy()
        taken.add(id(row))
    return row
