"""nnlib.chain_rule and nnlib.local_derivatives: every row against differences, both ways, twice, in every precision."""

import gc
import operator
import weakref

import autograd
import autograd.numpy as autograd_numpy
import numpy as np
import pytest
from derivative_cases import AUTOGRAD, ROWS, combinations
from elsewhere import Elsewhere
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from programs import steps
from test_operations import assert_agree, module  # noqa: F401 (a page with the browser's operations)

from nnlib import local_derivatives, losses
from nnlib.activations import identity, logistic, maxout, relu, tanh
from nnlib.chain_rule import gradient, jacobian, jvp, value_and_gradient, vjp
from nnlib.formula import Formula
from nnlib.graph import Node, TracingError, trace
from nnlib.local_derivatives import COMPOSED, ELEMENTWISE, LINEAR, NONLINEAR, put
from nnlib.matrix_calculus import numerical_jacobian, vec

TABLES = {"ELEMENTWISE": ELEMENTWISE, "LINEAR": LINEAR, "NONLINEAR": NONLINEAR, "COMPOSED": COMPOSED}


def differences(f, *arguments):
    """∂f/∂x for each argument, (k, d)."""

    def by(i):
        return lambda x: f(*arguments[:i], x, *arguments[i + 1 :])

    return [numerical_jacobian(by(i), x) for i, x in enumerate(arguments)]


def assert_close(found, expected, tolerance):
    """Equal up to the tolerance, of the largest number."""
    assert np.shape(found) == np.shape(expected)
    scale = max(1.0, np.max(np.abs(expected), initial=0))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * scale)


def as_tuple(result):
    return result if isinstance(result, tuple) else (result,)


def random_like(x, seed):
    return np.random.default_rng(seed).normal(size=np.shape(x))


def assert_derivative(f, *arguments, tolerance=1e-12):
    """Rows, tangents and the Jacobian of f against differences, and against each other."""
    expected = differences(f, *arguments)
    value = f(*arguments)
    for found, truth in zip(as_tuple(jacobian(f)(*arguments)), expected, strict=True):
        assert_close(found, truth, tolerance)
    u, vs = random_like(value, 1), [random_like(x, 2 + i) for i, x in enumerate(arguments)]
    again, pullback = vjp(f, *arguments)
    np.testing.assert_array_equal(again, value)
    rows = as_tuple(pullback(u))
    for row, x, truth in zip(rows, arguments, expected, strict=True):
        assert np.shape(row) == np.shape(x)
        assert_close(vec(row), vec(u) @ truth, tolerance)
    again, tangent = jvp(f, tuple(arguments), tuple(vs))
    np.testing.assert_array_equal(again, value)
    assert np.shape(tangent) == np.shape(value)
    assert_close(vec(tangent), sum(J @ vec(v) for J, v in zip(expected, vs, strict=True)), tolerance)
    both_ways = np.sum(u * tangent), sum(np.sum(row * v) for row, v in zip(rows, vs, strict=True))
    assert abs(both_ways[0] - both_ways[1]) <= 1e-12 * max(1.0, np.sum(np.abs(u * tangent)))


def assert_second_derivative(f, *arguments, tolerance=1e-11):
    """Of the gradient of uᵀf(x): its change along a direction v, forwards and, by a row w, backwards."""
    u = random_like(f(*arguments), 5)
    vs = tuple(random_like(x, 6 + i) for i, x in enumerate(arguments))

    def row(*arguments):
        parts = as_tuple(gradient(lambda *inner: np.sum(u * f(*inner)))(*arguments))
        return np.concatenate([np.ravel(part) for part in parts])

    def along(t):
        return row(*(x + t * v for x, v in zip(arguments, vs, strict=True)))

    expected = vec(numerical_jacobian(along, 0.0))
    assert_close(jvp(row, tuple(arguments), vs)[1], expected, tolerance)
    w = random_like(expected, 9)
    back = as_tuple(vjp(row, *arguments)[1](w))
    assert_close(sum(np.sum(part * v) for part, v in zip(back, vs, strict=True)), w @ expected, tolerance)


def assert_precision_is_kept(f, *arguments):
    single = [np.asarray(x, np.float32) for x in arguments]
    u = np.ones(np.shape(f(*single)), np.float32)
    for row, exact in zip(as_tuple(vjp(f, *single)[1](u)), as_tuple(vjp(f, *arguments)[1](u)), strict=True):
        assert row.dtype == np.float32
        assert_close(row, exact, 2e-4)
    value, tangent = jvp(f, tuple(single), tuple(single))
    assert tangent.dtype == value.dtype


# ---- every row of the table ------------------------------------------------------------------------


def numbers(*shape, low=-2.0, high=2.0):
    """Numbers without ties, the same for the same arguments, none of them near 0 or another whole number."""
    x = np.random.default_rng([*shape, 7]).permutation(np.prod(shape, dtype=int)) + 0.37
    x = np.reshape(low + (high - low) * x / x.size, shape)
    return np.where(np.abs(x - np.rint(x)) < 0.02, x + 0.05, x)


def name(function):
    return getattr(function, "name", None) or function.__name__


def cases(rows):
    return [pytest.param(*case, id=name(row[0])) for row in rows for case in combinations(row)]


every_case = pytest.mark.parametrize(("f", "arguments"), cases(ROWS))


def test_every_row_of_the_table_is_compared_with_differences():
    covered = {row[0] for row in ROWS}
    for table, rows in TABLES.items():
        assert [name(function) for function in rows if function not in covered] == [], f"rows of {table} without a case"


@every_case
def test_derivative(f, arguments):
    assert_derivative(f, *arguments)


@every_case
def test_second_derivative(f, arguments):
    assert_second_derivative(f, *arguments)


@every_case
def test_precision_is_kept(f, arguments):
    assert_precision_is_kept(f, *arguments)


# ---- an outside yardstick: what autograd's own tests differentiate ---------------------------------


@pytest.mark.parametrize(("f", "arguments"), cases(AUTOGRAD))
def test_what_autograd_differentiates(f, arguments):
    assert_derivative(f, *arguments)
    assert_second_derivative(f, *arguments)


# ---- the test of the test --------------------------------------------------------------------------

WRONG_ROWS = {
    "a sign": (ELEMENTWISE, np.sin, (lambda z, x: -np.cos(x),)),
    "a factor": (ELEMENTWISE, np.square, (lambda z, x: x,)),
    "arguments swapped": (ELEMENTWISE, np.multiply, (lambda z, x, y: x, lambda z, x, y: y)),
    "a transpose": (LINEAR, np.transpose, (lambda u, z, x, axes=None: np.reshape(u, x.shape),)),
    "a term": (NONLINEAR, np.linalg.inv, (lambda u, z, A: -u @ np.swapaxes(z, -1, -2),)),
    "an axis": (LINEAR, np.cumsum, (lambda u, z, x, axis=None: np.reshape(np.cumsum(u, axis), x.shape),)),
    "what it is made of": (COMPOSED, np.outer, lambda a, b: np.reshape(b, (-1, 1)) * np.reshape(a, (1, -1))),
    "a kink": (NONLINEAR, np.max, local_derivatives.NONLINEAR[np.min]),
}


@pytest.mark.parametrize("mistake", WRONG_ROWS)
def test_a_wrong_row_is_caught(mistake, monkeypatch):
    table, function, row = WRONG_ROWS[mistake]
    monkeypatch.setitem(table, function, row)
    caught = 0
    for f, arguments in (case for row in ROWS if row[0] is function for case in combinations(row)):
        try:
            assert_derivative(f, *arguments)
        except (AssertionError, ValueError, TypeError):
            caught += 1
    assert caught


# ---- kinks and corners -----------------------------------------------------------------------------


def slope(f, x):
    return gradient(f)(x)


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (np.abs, 0.0, 0.0),
        (np.sign, 0.0, 0.0),
        (lambda x: np.maximum(0, x), 0.0, 0.0),
        (lambda x: np.maximum(x, 0), 0.0, 1.0),
        (lambda x: np.minimum(x, 0), 0.0, 1.0),
        (lambda x: np.minimum(0, x), 0.0, 0.0),
        (relu, 0.0, 0.0),
        (lambda x: np.clip(x, 0, 1), 0.0, 1.0),
        (lambda x: np.clip(x, 0, 1), 1.0, 1.0),
        (lambda x: np.where(x > 0, x, -x), 0.0, -1.0),
        (lambda x: x**0, 0.0, 0.0),
        (lambda x: x**1, 0.0, 1.0),
        (lambda x: x**2, 0.0, 0.0),
        (lambda x: 0.0**x, 2.0, 0.0),
        (lambda x: np.hypot(x, 0.0), 0.0, 0.0),
        (lambda x: relu(x) - relu(-x), 0.0, 0.0),  # equal to x, whose derivative is 1
        (lambda x: np.floor(x) * x, 2.5, 2.0),
    ],
)
def test_kinks_follow_the_conventions(f, x, expected):
    assert slope(f, x) == expected
    assert jvp(f, x, 1.0)[1] == expected


@pytest.mark.parametrize("axis", [None, 0, (0, 1)])
def test_of_equal_numbers_the_first_is_the_largest_and_the_smallest(axis):
    ones, first = np.ones((2, 3)), np.zeros((2, 3))
    first[(0, slice(None)) if axis == 0 else (0, 0)] = 1
    for f in (np.max, np.min):
        np.testing.assert_array_equal(gradient(lambda x, f=f: np.sum(f(x, axis=axis)))(ones), first)


def test_the_length_of_nothing_and_the_spread_of_equal_numbers_have_derivative_0():
    for f in (np.linalg.norm, np.std):
        np.testing.assert_array_equal(gradient(f)(np.zeros(3)), np.zeros(3))


def test_a_product_with_zeros():
    x = np.array([2.0, 0.0, 3.0])
    np.testing.assert_array_equal(gradient(np.prod)(x), [0, 6, 0])
    np.testing.assert_array_equal(jacobian(gradient(np.prod))(x), [[0, 3, 0], [3, 0, 2], [0, 2, 0]])
    np.testing.assert_array_equal(gradient(np.prod)(np.zeros(2)), [0, 0])


def test_what_was_not_chosen_may_be_infinite():
    with np.errstate(divide="ignore"):
        assert jvp(lambda x: np.where(x > 0, np.log(x), x), 0.0, 1.0)[1] == 1.0
        assert jvp(lambda x: np.maximum(1 / x, x), -0.0, 1.0)[1] == 1.0


# ---- forks, broadcasting, what does not depend -----------------------------------------------------


def test_where_paths_meet_they_add():
    assert gradient(lambda x: x * x)(3.0) == 6.0
    assert gradient(lambda x: x * x * x)(2.0) == 12.0
    assert gradient(lambda x: x + x + x)(2.0) == 3.0
    assert gradient(lambda x: np.sum(np.stack([x, x * x, x])))(2.0) == 6.0
    assert jvp(lambda x: np.sum(np.stack([x, x * x, x])), 2.0, 1.0)[1] == 6.0

    def many_paths(x):
        for _ in range(100):  # 2¹⁰⁰ of them
            x = x * 0.5 + x * 0.5
        return x

    assert gradient(many_paths)(1.0) == jvp(many_paths, 1.0, 1.0)[1] == 1.0


SHAPES = [(), (1,), (3,), (2, 1), (2, 3), (4, 1, 3), (4, 2, 3)]


@pytest.mark.parametrize("a", SHAPES, ids=str)
@pytest.mark.parametrize("b", SHAPES, ids=str)
def test_broadcasting_is_undone(a, b):
    x, y = numbers(*a), numbers(*b, low=0.5)
    for f in (operator.add, operator.mul, operator.truediv, lambda x, y: np.where(x < y, x * x, y)):
        assert_derivative(f, x, y)
    times = np.prod(np.broadcast_shapes(a, b)) / np.prod(a, initial=1)
    np.testing.assert_array_equal(gradient(lambda x: np.sum(x + y))(x), np.full(a, times))


def test_constants_in_a_list_take_their_part():
    for f in (
        lambda x, y: np.concatenate([x, np.ones(2), y * 2, x]),
        lambda x, y: np.stack([y, np.zeros(3), x], axis=1),
        lambda x, y: np.concatenate((x, np.array([1.0]))) * np.sum(y),
        lambda x, y: np.concatenate([[1.0, 2.0], x * y]),
        lambda x, y: np.stack([x[0], 1.0, y[2]]),
        lambda x, y: np.vstack([x, [1.0, 2.0, 3.0], y]),
        lambda x, y: np.hstack([[1.0], x]) * y[0] + np.column_stack([[1.0, 2.0, 3.0], x])[0, 1],
    ):
        assert_derivative(f, numbers(3), numbers(3, low=0))
        assert_second_derivative(f, numbers(3), numbers(3, low=0))


def test_what_the_result_does_not_depend_on_has_a_gradient_of_zeros():
    x, y = np.ones((2, 3)), np.ones(4, np.float32)
    gx, gy = gradient(lambda x, y: np.sum(x))(x, y)
    assert gy.shape == (4,) and gy.dtype == np.float32 and not gy.any()
    np.testing.assert_array_equal(gx, x)
    np.testing.assert_array_equal(gradient(lambda x: 7.0)(x), np.zeros((2, 3)))
    np.testing.assert_array_equal(gradient(lambda x: np.sum(np.floor(x) + (x > 0)))(x), np.zeros((2, 3)))
    np.testing.assert_array_equal(gradient(lambda x: np.sum(x > 0))(x), np.zeros((2, 3)))
    np.testing.assert_array_equal(jacobian(lambda x: np.ones(5))(x), np.zeros((5, 6)))
    value, tangent = jvp(lambda x: np.ones(5), x, x)
    np.testing.assert_array_equal(tangent, np.zeros(5))
    assert value_and_gradient(lambda x: 7)(1.0) == (7.0, 0.0)


def test_the_result_may_be_an_argument_itself():
    assert gradient(lambda x: x)(2.0) == 1.0
    np.testing.assert_array_equal(jacobian(lambda x: x)(np.ones((2, 2))), np.eye(4))


# ---- shapes and layouts ----------------------------------------------------------------------------


def test_both_sides_of_a_jacobian_are_strung_out_column_by_column():
    W, x = numbers(2, 3), numbers(3)
    np.testing.assert_allclose(jacobian(lambda W: W @ x)(W), np.kron(x[None], np.eye(2)))
    X = numbers(3, 4)
    np.testing.assert_allclose(jacobian(lambda W: W @ X)(W), np.kron(X.T, np.eye(2)))
    transposition = jacobian(np.transpose)(W)
    np.testing.assert_array_equal(transposition @ vec(W), vec(W.T))


def test_a_jacobian_of_a_number_is_a_row_and_by_a_number_a_column():
    x = numbers(4)
    np.testing.assert_array_equal(jacobian(lambda x: x @ x)(x), 2 * x[None])
    np.testing.assert_array_equal(jacobian(lambda t: t * x)(2.0), x[:, None])
    assert jacobian(np.square)(3.0).tolist() == [[6.0]]


def test_the_identity_goes_back_in_one_sweep():
    """One pass over the graph for all rows: no rule is asked more often than for one row."""
    asked = []

    def rule(u, z, x, axis=None, keepdims=False):
        asked.append(u.shape)
        return LINEAR[np.sum][0](u, z, x, axis, keepdims)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(LINEAR, np.mean, (local_derivatives.takes_stack(rule),))
        jacobian(lambda x: np.tanh(np.mean(x, axis=1)))(np.ones((5, 3)))
    assert asked == [(5, 5)]


def test_several_arguments_give_tuples():
    W, x = numbers(2, 3), numbers(3)

    def f(W, x):
        return np.tanh(W @ x)

    for parts in (gradient(lambda W, x: np.sum(f(W, x)))(W, x), vjp(f, W, x)[1](np.ones(2))):
        assert [part.shape for part in parts] == [(2, 3), (3,)]
    assert [J.shape for J in jacobian(f)(W, x)] == [(2, 6), (2, 3)]
    value, tangent = jvp(f, (W, x), (W, np.zeros(3)))
    np.testing.assert_array_equal(value, f(W, x))
    np.testing.assert_allclose(tangent, (W @ x) * (1 - value**2))


def test_value_and_gradient_gives_both_from_one_run():
    runs = []
    value, slope = value_and_gradient(lambda x: runs.append(1) or np.sum(x**3))([1.0, 2.0])
    assert (value, slope.tolist(), len(runs)) == (9.0, [3.0, 12.0], 1)


@pytest.mark.parametrize("x", [3, True, [1, 2], np.arange(3), np.array([True, False])])
def test_whole_numbers_count_as_float64(x):
    found = gradient(lambda x: np.sum(x * x))(x)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, 2.0 * np.asarray(x))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", np.longdouble])
def test_every_precision_is_kept(dtype):
    w, x = np.ones((2, 3), dtype), np.arange(3).astype(dtype)
    for f in (
        lambda w, x: np.sum(np.tanh(w @ x) ** 2 / 2 + 1),
        lambda w, x: np.mean(logistic(w) * x) + np.max(w),
        lambda w, x: np.sum(np.where(w > 0, w, 0.0) * np.maximum(x, 0)),
        lambda w, x: np.linalg.norm(w) + np.sum(losses.softmax_loss(w, np.array([0, 1, 1]))) + np.var(x),
    ):
        value, parts = value_and_gradient(f)(w, x)
        assert {value.dtype, *(part.dtype for part in parts)} == {np.dtype(dtype)}


def test_of_mixed_precisions_each_argument_keeps_its_own():
    w, x = np.ones(3, np.float32), np.ones(3)
    gw, gx = gradient(lambda w, x: np.sum(w * x))(w, x)
    assert (gw.dtype, gx.dtype) == (np.float32, np.float64)


# ---- what is returned belongs to the caller --------------------------------------------------------


def test_arguments_are_not_changed_and_results_are_independent():
    x, y, u = numbers(2, 3), numbers(2, 3), np.ones((2, 3))
    kept = [x.copy(), y.copy(), u.copy()]
    results = [
        *gradient(lambda x, y: np.sum(x + y))(x, y),
        *gradient(lambda x, y: np.sum(2.0 * (x + y)))(x, y),
        vjp(lambda x: x, x)[1](u),
        *vjp(lambda x, y: x + y.T.T, x, y)[1](u),
        vjp(lambda x: np.reshape(x, 6), x)[1](np.ravel(u)),
        jvp(lambda x: x, x, u)[1],
        jvp(np.transpose, x, u)[1],
        gradient(lambda x: 0.0)(x),
    ]
    for i, result in enumerate(results):
        others = [x, y, u, *results[:i]]
        assert result.flags.writeable
        assert not any(np.shares_memory(result, other) for other in others)
        result += 1e6
    for array, before in zip([x, y, u], kept, strict=True):
        np.testing.assert_array_equal(array, before)


def test_there_is_no_state():
    x = numbers(4)
    value, pullback = vjp(lambda x: np.exp(x) * x[0], x)
    first, second = pullback(np.ones(4)), pullback(np.ones(4))
    np.testing.assert_array_equal(first, second)
    slope = gradient(lambda x: np.sum(x * np.exp(x)))
    np.testing.assert_array_equal(slope(x), slope(x))


# ---- formulas --------------------------------------------------------------------------------------


def ulps(found, expected):
    return np.max(np.abs(found - expected) / np.spacing(np.abs(expected)))


EDGES = np.concatenate([np.linspace(-745, 750, 997), [0.0, -0.0, 1e-300, -36.7, 36.7, 0.5]])


@pytest.mark.parametrize("f", [identity, logistic, tanh, relu], ids=repr)
def test_a_response_brings_its_own_derivative(f):
    expected = f.derivative(EDGES)
    for found in (gradient(lambda a: np.sum(f(a)))(EDGES), jvp(f, EDGES, np.ones_like(EDGES))[1]):
        assert ulps(found, expected) <= 4
    np.testing.assert_array_equal(jacobian(f)(EDGES[:7]), np.diag(expected[:7]))
    assert gradient(f)(0.0) == f.derivative(0.0)


@pytest.mark.parametrize("y", [0, 1])
def test_log_loss_brings_its_own_derivative(y):
    expected = losses.logistic_loss.gradient(EDGES, y)
    for found in (
        gradient(lambda a: np.sum(losses.logistic_loss(a, y)))(EDGES),
        jvp(lambda a: losses.logistic_loss(a, y), EDGES, np.ones_like(EDGES))[1],
    ):
        assert ulps(found, expected) <= 4
    assert gradient(lambda a: losses.logistic_loss(a, y))(0.0) == 0.5 - y


CLASSES = np.array([2, 0, 1, 1, 0])
P, Q = (losses.softmax(numbers(3, 5, low=low)) for low in (-3, -1))
OF_SCORES = {
    losses.logistic_loss: (numbers(5), np.array([0, 1, 1, 0, 1])),
    losses.hinge_loss: (numbers(5), np.array([-1, 1, 1, -1, 1])),
    losses.squared_loss: (numbers(5), numbers(5, low=0)),
    losses.softmax_loss: (numbers(3, 5), CLASSES),
}


@pytest.mark.parametrize("loss", OF_SCORES, ids=repr)
def test_losses_of_scores(loss):
    scores, y = OF_SCORES[loss]
    assert_derivative(lambda a: loss(a, y), scores)
    if loss is not losses.hinge_loss:
        assert_second_derivative(lambda a: loss(a, y), scores)
    assert_precision_is_kept(lambda a: loss(a, y), scores)
    np.testing.assert_array_equal(gradient(lambda a: np.sum(loss(a, y)))(scores), loss.gradient(scores, y))


@pytest.mark.parametrize("f", [losses.softmax, losses.log_softmax], ids=repr)
def test_softmax(f):
    for scores in (numbers(3, 5), numbers(4), 300 * numbers(3, 2)):
        p = losses.softmax(scores)
        u = random_like(p, 3)
        expected = p * (u - np.sum(u * p, axis=0)) if f is losses.softmax else u - p * np.sum(u, axis=0)
        assert_close(vjp(f, scores)[1](u), expected, 1e-15)
    assert_derivative(f, numbers(3, 5))
    assert_second_derivative(f, numbers(3, 2))


def test_softmax_of_equal_scores():
    """Rearranged for accuracy, log_softmax looks as if it did not depend on the second of two equal scores."""
    np.testing.assert_array_equal(jacobian(losses.log_softmax)(np.zeros(2)), [[0.5, -0.5], [-0.5, 0.5]])
    np.testing.assert_array_equal(jacobian(losses.softmax)(np.zeros(2)), [[0.25, -0.25], [-0.25, 0.25]])
    assert_derivative(losses.log_softmax, np.round(numbers(4, 3)))


def test_the_entropy_of_certainty_has_an_infinite_slope():
    assert gradient(losses.entropy)(np.array([0.0, 1.0])).tolist() == [np.inf, -1.0]
    assert_close(gradient(losses.entropy)(P[:, 0]), -1 - np.log(P[:, 0]), 1e-15)


def test_losses_of_distributions_by_way_of_scores():
    """Differences leave the simplex; scores do not."""
    p, scores = P, numbers(3, 5, low=-1)
    for f in (
        lambda a: losses.cross_entropy(p, losses.softmax(a)),
        lambda a: losses.kl_divergence(p, losses.softmax(a)),
        lambda a: losses.cross_entropy(losses.softmax(a), Q),
        lambda a: losses.kl_divergence(losses.softmax(a), Q),
        lambda a: losses.entropy(losses.softmax(a)),
        lambda a: losses.negative_log_likelihood(losses.softmax(a), CLASSES),
    ):
        assert_derivative(f, scores)
        assert_second_derivative(f, scores)


def test_maxout_goes_to_the_first_piece_that_wins():
    pieces = numbers(3, 2, 4)
    assert_derivative(maxout, pieces)
    pieces[1] = pieces[2] = 5.0
    np.testing.assert_array_equal(gradient(lambda a: np.sum(maxout(a)))(pieces), maxout.derivative(pieces))
    assert maxout.derivative(pieces)[1].all()


def test_a_loss_may_be_differentiated_by_all_its_arguments():
    a, y = numbers(5), numbers(5, low=0)
    assert_derivative(losses.squared_loss, a, y)
    A = numbers(3, 5)
    gA, gy = gradient(lambda A, y: np.sum(losses.softmax_loss(A, y)))(A, CLASSES)
    np.testing.assert_array_equal(gA, losses.softmax_loss.gradient(A, CLASSES))
    np.testing.assert_array_equal(gy, np.zeros(5))


class Normalised(Formula):
    """x/‖x‖, with its own pullback, and a count of its uses."""

    name = "normalised"
    used = 0

    def formula(self, x):
        return x / np.sqrt(np.sum(x * x))

    def pullback(self, u, x):
        self.used += 1
        z = self.formula(x)
        return (u - z * np.sum(u * z)) / np.sqrt(np.sum(x * x))


def test_a_formula_may_say_how_a_row_goes_back():
    normalised = Normalised()
    assert_derivative(normalised, numbers(4))
    assert_second_derivative(normalised, numbers(4))
    assert normalised.used
    normalised.pullback = lambda u, x: u
    with pytest.raises(AssertionError):
        assert_derivative(normalised, numbers(4))


# ---- derivatives of derivatives --------------------------------------------------------------------


def test_perturbations_are_not_confused():
    assert gradient(lambda x: x * gradient(lambda y: x + y)(1.0))(1.0) == 1.0
    assert gradient(lambda x: x * gradient(lambda y: x * y)(1.0))(3.0) == 6.0
    assert jvp(lambda x: x * jvp(lambda y: x + y, 1.0, 1.0)[1], 1.0, 1.0)[1] == 1.0
    assert gradient(lambda x: jvp(lambda y: x * y, 2.0, x)[1])(3.0) == 6.0
    assert jvp(lambda x: x * gradient(lambda y: x * y * y)(1.0), 3.0, 1.0)[1] == 12.0


def test_higher_derivatives_of_a_number():
    f, x = np.sin, 0.7
    for expected in (np.cos(x), -np.sin(x), -np.cos(x), np.sin(x)):
        f = gradient(f)
        assert f(x) == pytest.approx(expected, rel=1e-14)
    third = gradient(gradient(gradient(lambda x: x**3)))
    assert third(2.0) == 6.0


def test_a_hessian_is_symmetric_and_right():
    A = numbers(4, 4)
    hessian = jacobian(gradient(lambda w: w @ A @ w))
    np.testing.assert_allclose(hessian(numbers(4)), A + A.T, atol=1e-15)
    X, y = numbers(3, 6), np.array([0, 1, 1, 0, 1, 0])

    def loss(w):
        return np.sum(losses.logistic_loss(w @ X, y))

    w = numbers(3)
    p = logistic(w @ X)
    np.testing.assert_allclose(jacobian(gradient(loss))(w), (X * (p * (1 - p))) @ X.T, rtol=1e-13)
    v = numbers(3, low=0)
    np.testing.assert_allclose(jvp(gradient(loss), w, v)[1], jacobian(gradient(loss))(w) @ v, rtol=1e-13)


def test_a_gradient_can_be_recorded_and_replayed():
    """So it can be drawn and exported: the replay at other arguments is the gradient there."""
    X, y = numbers(3, 6), np.array([0, 1, 1, 0, 1, 0])
    slope = gradient(lambda w: np.sum(losses.logistic_loss(np.tanh(w @ X) * w[0], y)) + np.linalg.norm(w[1:]))
    graph = trace(slope, numbers(3))
    for w in (numbers(3), numbers(3, low=0.2)):
        np.testing.assert_allclose(graph(w), slope(w), rtol=1e-14)
    both = trace(value_and_gradient(lambda w: np.sum(w * w)), numbers(3))
    value, row = both(np.array([1.0, 2.0, 3.0]))
    assert (value, row.tolist()) == (14.0, [2.0, 4.0, 6.0])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x),
        lambda x: np.sum(np.tanh(x) * x / (2 + x * x)),
        lambda x: np.max(x) + np.prod(x[1:]) + np.linalg.norm(x),
        lambda x: np.sum(np.concatenate([x[::-1], x[[0, 0, 2]]]) ** 2),
        lambda x: np.mean(np.outer(x, x) @ x) + np.std(x),
        lambda x: np.sum(losses.logistic_loss(x, np.array([0, 1, 1]))) + logistic(x[0]) * relu(x[1]),
        lambda x: np.sum(maxout(np.stack([x, 1 - x, 0 * x]))),
        lambda x: 7.0,
    ],
)
def test_the_browser_computes_the_same_gradient(module, f):  # noqa: F811
    assert_agree(module, lambda a: (gradient(f)(a), jvp(f, a, np.ones(3))[1]), numbers(3))


@pytest.mark.parametrize(
    "key",
    [slice(None, None, -2), [0, 2, 2], np.array([[2, 2], [2, 0]]), (slice(None), [1, 1]), (..., 0), np.ones(3, bool)],
)
def test_what_indexing_does_backwards_can_be_exported(key):
    """In the browser nothing is written into arrays: the sum of what goes to each place gives the same."""
    u = random_like(np.ones((3, 2))[key], 0)
    graph = trace(lambda u: put.formula(u, key, (3, 2)), u)
    np.testing.assert_allclose(graph(u), put(u, key, (3, 2)), rtol=1e-15)
    assert "put" not in {node.operation for node in graph.nodes}


# ---- long graphs -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "derive",
    [
        lambda f, x: gradient(f)(x),
        lambda f, x: jacobian(f)(x),
        lambda f, x: vjp(f, x)[1](1.0),
        lambda f, x: jvp(f, x, x),
    ],
)
def test_nothing_is_kept_once_the_derivative_is_there(derive):
    """Not until Python looks for circles, either: a training would hold the weights of many steps meanwhile."""
    x = np.arange(3.0)
    kept = weakref.ref(x)
    gc.disable()
    try:
        derive(lambda w: np.sum(np.tanh(w) ** 2), x)
        del x
        assert kept() is None
    finally:
        gc.enable()


def test_a_chain_of_twenty_thousand_nodes():
    def f(x):
        for _ in range(10_000):
            x = np.sin(x) + 0.5 * x
        return x

    x, expected = 1.0, 1.0
    for _ in range(10_000):
        x, expected = np.sin(x) + 0.5 * x, expected * (np.cos(x) + 0.5)
    assert gradient(f)(1.0) == pytest.approx(expected, rel=1e-9, abs=1e-300)
    assert jvp(f, 1.0, 1.0)[1] == pytest.approx(expected, rel=1e-9, abs=1e-300)

    def slow(x):
        for _ in range(10_000):
            x = x + np.sin(x) * 1e-4
        return x

    h = 1e-5
    assert gradient(slow)(1.0) == pytest.approx((slow(1 + h) - slow(1 - h)) / (2 * h), rel=1e-8)


# ---- programs at random ----------------------------------------------------------------------------


# Left to the other tests, since autograd has no answer there: a[..., None] of a number, and a product with a factor 0.
UNARY = [
    lambda np, a: np.sin(a),
    lambda np, a: np.cos(a),
    lambda np, a: np.tanh(a),
    lambda np, a: np.negative(a),
    lambda np, a: np.transpose(a),
    lambda np, a: np.ravel(a),
    lambda np, a: np.exp(np.tanh(a)),
    lambda np, a: np.log(2 + np.tanh(a)),
    lambda np, a: np.sqrt(2 + np.sin(a)),
    lambda np, a: a * a,
    lambda np, a: 1 / (3 + np.sin(a)),
    lambda np, a: (2 + np.sin(a)) ** 1.5,
    lambda np, a: a[..., None] if np.ndim(a) else a,
    lambda np, a: a[..., ::-1] if np.ndim(a) else a,
    lambda np, a: a[-1] if np.ndim(a) else a,
    lambda np, a: np.sum(a),
    lambda np, a: np.mean(a),
    lambda np, a: np.var(a),
    lambda np, a: np.sum(a, axis=-1) if np.ndim(a) else a,
    lambda np, a: np.mean(a, axis=0, keepdims=True) if np.ndim(a) else a,
    lambda np, a: np.prod(2 + np.sin(a), axis=0) if np.ndim(a) else a,
    lambda np, a: np.cumsum(a, axis=0) if np.ndim(a) else a,
    lambda np, a: np.expand_dims(a, 0),
    lambda np, a: np.reshape(a, (-1, 1)),
    lambda np, a: np.stack([a, np.sin(a)], 0),
    lambda np, a: np.concatenate([np.ravel(a), np.ravel(a * a)]),
]
BINARY = [
    lambda np, a, b: a + b,
    lambda np, a, b: a - b,
    lambda np, a, b: a * b,
    lambda np, a, b: a / (3 + np.cos(b)),
    lambda np, a, b: (2 + np.sin(a)) ** b,
    lambda np, a, b: np.dot(a, b),
    lambda np, a, b: np.matmul(a, b),
    lambda np, a, b: np.outer(np.ravel(a), np.ravel(b)),
    lambda np, a, b: np.where(np.sin(a) < 2, a + 0 * b, b + 0 * a),
    lambda np, a, b: np.logaddexp(a, b),
]


@st.composite
def programs(draw):
    """A program on two arrays, for NumPy and for what is written like it: each step takes values already there."""
    program = draw(steps(UNARY, BINARY, 8))
    shapes = draw(st.tuples(*[st.sampled_from([(), (1,), (3,), (2, 3), (3, 1)])] * 2))
    arguments = [np.random.default_rng(draw(st.integers(0, 1000))).normal(size=shape) for shape in shapes]
    plan, sizes = [], list(arguments)
    with np.errstate(all="ignore"):
        for function, *places in program:  # leave out what does not fit, or grows
            chosen = [place % len(sizes) for place in places]
            try:
                value = np.tanh(function(np, *(sizes[place] for place in chosen)))
            except ValueError:
                continue
            if value.size <= 24 and value.ndim <= 4:
                plan.append((function, chosen))
                sizes.append(value)
    assume(plan)

    def run(np, *arguments):
        values = list(arguments)
        for function, places in plan:
            values.append(np.tanh(function(np, *(values[place] for place in places))))
        return np.sum(values[-1]) + np.sum(np.sin(values[len(values) // 2]))

    return run, arguments


@settings(max_examples=100)
@given(programs())
def test_the_gradient_of_a_program_equals_differences_and_autograd(program):
    run, arguments = program

    def f(*arguments):
        return run(np, *arguments)

    found = gradient(f)(*arguments)
    for row, truth, x in zip(found, differences(f, *arguments), arguments, strict=True):
        assert_close(vec(row)[None], truth, 1e-9)
        assert row.shape == x.shape
    vs = tuple(random_like(x, 1) for x in arguments)
    along = sum(np.sum(row * v) for row, v in zip(found, vs, strict=True))
    assert jvp(f, tuple(arguments), vs)[1] == pytest.approx(along, rel=1e-11, abs=1e-11)
    peers = autograd.grad(lambda *x: run(autograd_numpy, *x), (0, 1))(*arguments)
    for row, peer in zip(found, peers, strict=True):
        assert_close(row, peer, 1e-12)


@settings(max_examples=25)
@given(programs())
def test_the_hessian_of_a_program_equals_differences_of_its_gradient(program):
    run, (x, y) = program

    def slope(x):
        return gradient(lambda x: run(np, x, y))(x)

    (truth,) = differences(slope, x)
    found = jacobian(slope)(x)
    assert_close(found, truth, 1e-9)
    assert_close(found, found.T, 1e-11)


# ---- arrays that live elsewhere --------------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        np.sum,
        lambda x: np.sum(np.tanh(x) * x / (1 + x * x)),
        lambda x: np.mean(np.maximum(x, 0.0) + np.abs(x)),
        lambda x: np.sum(logistic(x.T @ x)),
        lambda x: np.sum(np.exp(-np.sum(x * x, axis=0)) + np.sum(x)),
        lambda x: np.sum(np.reshape(np.where(x > 0, x, 2 * x), (-1, 1)) ** 2),
    ],
)
def test_arrays_elsewhere_stay_there(f):
    x = numbers(2, 3)
    found = gradient(f)(Elsewhere(x))
    assert isinstance(found, Elsewhere) and found.dtype == x.dtype
    np.testing.assert_allclose(found.value, gradient(f)(x), rtol=1e-15)


def test_dask_arrays():
    array = pytest.importorskip("dask.array", reason="NOT TESTED with Dask: pip install -e '.[dask]'")
    X, w, y = numbers(3, 8), numbers(3), np.arange(8) % 2
    parts = array.from_array(X, chunks=(3, 2))

    def loss(w):
        return np.sum(losses.logistic_loss(w @ parts, array.from_array(y, chunks=2)))

    found = gradient(loss)(array.from_array(w))
    expected = gradient(lambda w: np.sum(losses.logistic_loss(w @ X, y)))(w)
    np.testing.assert_allclose(found.compute(), expected, rtol=1e-14)


# ---- what is refused -------------------------------------------------------------------------------


def unknown(x):
    return np.sum(np.fft.fft(x).real) if not isinstance(x, Node) else np.sum(np.interp(x, [0.0, 1.0], [0.0, 1.0]))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: gradient(unknown)(x), NotImplementedError,
            "interp has no row in the table .* add a row to ELEMENTWISE, LIN"),
        (lambda x: jvp(unknown, x, x), NotImplementedError, "interp has no row in the table"),
        (lambda x: gradient(np.tanh)(x), ValueError,
            r"f must give one number, got an array of shape \(3,\): sum it up, or use jac"),
        (lambda x: gradient(lambda x: x[:1])(x), ValueError, r"got an array of shape \(1,\)"),
        (lambda x: gradient(lambda x: (np.sum(x), 1))(x), TypeError,
            "gradient: f must give one array, got a tuple: np.stack"),
        (lambda x: jacobian(lambda x: [x[0], x[1]])(x), TypeError, "jacobian: f must give one array, got a list"),
        (lambda x: vjp(lambda x: {"x": x}, x), TypeError, "vjp: f must give one array, got a dict"),
        (lambda x: jvp(lambda x: None, x, x), TypeError, "jvp: f must give one array, got a NoneType"),
        (lambda x: gradient(np.sum)(x + 1j), TypeError,
            "gradient: argument 1 must hold real numbers, got dtype complex128"),
        (lambda x: gradient(lambda x: np.sum(x * 1j))(x), TypeError,
            "gradient: f must give real numbers, got dtype complex128"),
        (lambda x: gradient(np.sum)("x"), TypeError, "argument 1 must hold real numbers, got dtype <U1"),
        (lambda x: gradient(np.sum)(), TypeError, "gradient: f must have at least one argument"),
        (lambda x: vjp(np.sin, x)[1](np.ones(4)), ValueError,
            r"pullback: u must have the shape of f\(x\), \(3,\), got \(4,\)"),
        (lambda x: vjp(np.sin, x)[1](1j * x), TypeError, "pullback: u must hold real numbers"),
        (lambda x: jvp(np.sin, x, np.ones(4)), ValueError, r"jvp: v must have the shape of x, \(3,\), got \(4,\)"),
        (lambda x: jvp(np.multiply, (x, x), (x,)), ValueError,
            r"jvp: v must have the shape of x, \(\(3,\), \(3,\)\), got \(3,\)"),
        (lambda x: gradient(lambda x: np.sum(x, where=[True, False, True]))(x), TypeError,
            "sum cannot be differentiated with these arguments: .*where"),
        (lambda x: gradient(lambda x: np.sum(np.exp(x, where=[True, False, True])))(x), TypeError,
            r"np.exp cannot be differentiated with the options \['where'\]"),
        (lambda x: gradient(lambda x: np.sum(a=x))(x), TypeError,
            "sum has no derivative with respect to its argument 1: give by position"),
        (lambda x: gradient(lambda x: np.sum(np.einsum(x, [0], x, [0])))(x), TypeError,
            "einsum has no derivative with respect to its argument 1"),
        (lambda x: gradient(lambda x: np.linalg.norm(np.outer(x, x), "nuc"))(x), NotImplementedError,
            "np.linalg.norm: no derivative for ord='nuc'"),
        (lambda x: gradient(lambda x: np.sum(np.pad(x, 1, "edge")))(x), NotImplementedError,
            "np.pad: no derivative for mode='edge'"),
        (lambda x: gradient(lambda x: np.sum(np.cross(x[:2], x)))(x), NotImplementedError,
            "np.cross: no derivative for vectors of other than three"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Arrays of 2-dimensional vectors", "ignore:'where' used without 'out'")
def test_errors_say_what_came_and_what_to_do(call, error, message):
    with pytest.raises(error, match=message):
        call(np.array([0.2, 0.4, 0.7]))


def in_place(w):
    w += 1
    return np.sum(w)


def fill(w):
    filled = np.zeros(3)
    filled[0] = w[0]
    return np.sum(filled)


@pytest.mark.parametrize(
    ("f", "advice"),
    [
        (in_place, r"write `w = w \+ …` instead of `w \+= …`"),
        (fill, "np.stack instead of filling an array"),
        (lambda w: w[0] if w[0] > 0 else w[1], "write np.where"),
        (lambda w: float(w[0]) ** 2, "stay with NumPy functions"),
        (lambda w: np.sum(w[w > 0]), r"write np.where\(condition, x, 0\)"),
    ],
)
@pytest.mark.parametrize(
    "derivative", [gradient, jacobian, lambda f: lambda x: vjp(f, x), lambda f: lambda x: jvp(f, x, x)]
)
def test_what_a_graph_cannot_hold_is_refused_with_advice(f, advice, derivative):
    with pytest.raises(TracingError, match=advice):
        derivative(f)(np.array([1.0, 2.0, 3.0]))


def test_a_new_row_is_one_line(monkeypatch):
    with pytest.raises(NotImplementedError, match="sinc has no row"):
        gradient(np.sinc)(0.3)
    row = (lambda z, x: (np.cos(np.pi * x) - z) / x,)
    monkeypatch.setitem(ELEMENTWISE, np.sinc, row)
    assert_derivative(np.sinc, numbers(4))
    assert_second_derivative(np.sinc, numbers(4))
