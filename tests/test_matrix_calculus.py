"""Strings of numbers, shapes, layouts, and Jacobians from differences: right to 13 digits, in few calls of f."""

import warnings

import mpmath
import numpy as np
import pytest
from elsewhere import Elsewhere
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from nnlib import matrix_calculus
from nnlib.activations import logistic
from nnlib.graph import trace
from nnlib.losses import softmax
from nnlib.matrix_calculus import (
    derivative_shape,
    numerical_jacobian,
    one_sided_derivatives,
    to_denominator_layout,
    unvec,
    vec,
)

BOUND = 5e-13  # the largest error of a numerical Jacobian, over its largest entry

numbers = st.floats(-1e6, 1e6)
tensors = arrays(float, array_shapes(min_dims=0, max_dims=4, max_side=4), elements=numbers)


def error(J, exact):
    """The largest difference over the largest entry."""
    exact = np.asarray(exact, float)
    assert J.shape == exact.shape and J.dtype == np.float64
    return np.max(np.abs(J - exact)) / np.max(np.abs(exact))


def refused(kind, call, *arguments):
    """The message of the error that a call raises."""
    with pytest.raises(kind) as caught:
        call(*arguments)
    return str(caught.value)


# ---- vec and unvec -------------------------------------------------------------------------------


def test_vec_goes_down_the_columns():
    assert vec([[1, 2, 3], [4, 5, 6]]).tolist() == [1, 4, 2, 5, 3, 6]
    assert vec(7.0).tolist() == [7.0]
    assert vec([3, 1, 2]).tolist() == [3, 1, 2]


@given(tensors)
def test_vec_is_fortran_order_and_unvec_its_inverse(X):
    v = vec(X)
    assert v.shape == (X.size,) and (v == X.ravel(order="F")).all()
    assert unvec(v, X.shape).shape == X.shape and (unvec(v, X.shape) == X).all()
    assert (unvec(v[:, None], X.shape) == X).all()  # a column, as the transpose of a gradient row is one


@given(arrays(float, (4, 3), elements=st.floats(-9, 9)), st.integers(0, 2**32 - 1))
def test_vec_of_a_product_is_a_kronecker_product(X, seed):
    draw = np.random.default_rng(seed).normal
    A, B = draw(size=(2, 4)), draw(size=(3, 5))
    np.testing.assert_allclose(vec(A @ X @ B), np.kron(B.T, A) @ vec(X), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", ["?", "i4", "f4", "f8", "c16"])
def test_strings_keep_the_precision(dtype):
    X = np.ones((2, 3), dtype)
    assert vec(X).dtype == unvec(vec(X), (3, 2)).dtype == to_denominator_layout(X).dtype == dtype


@pytest.mark.parametrize("there", [Elsewhere, lambda X: X], ids=["elsewhere", "here"])
def test_strings_and_layouts_of_arrays_elsewhere_and_in_a_graph(there):
    X = np.arange(24.0).reshape(2, 3, 4)
    assert (getattr(vec(there(X)), "value", vec(X)) == X.ravel(order="F")).all()
    back = unvec(there(vec(X)), X.shape)
    assert (getattr(back, "value", back) == X).all()
    turned = to_denominator_layout(there(X[0]))
    assert (getattr(turned, "value", turned) == X[0].T).all()
    graph = trace(lambda X: unvec(2 * vec(X), (4, 3, 2)), X)
    assert (graph(X) == (2 * vec(X)).reshape(4, 3, 2, order="F")).all()
    assert [node.operation for node in graph.nodes][1:] == ["transpose", "reshape", "multiply", "reshape", "transpose"]


def test_what_is_no_string_and_no_array():
    expected = "vec: X must be an array, got a list of unequal rows"
    assert refused(ValueError, vec, [[1, 2], [3]]) == expected
    expected = "unvec: v must be (6,) or a column (6, 1) to fill the shape (2, 3), got {}"
    for v in (np.ones(5), np.ones((1, 6)), np.ones((2, 3)), 1.0):
        assert refused(ValueError, unvec, v, (2, 3)) == expected.format(np.shape(v))


# ---- shapes and layouts --------------------------------------------------------------------------

TABLE = {
    ((), ()): (),
    ((), (2,)): (1, 2),
    ((), (3, 4)): (1, 12),
    ((), (3, 4, 5)): (1, 60),
    ((6,), ()): (6, 1),
    ((6,), (2,)): (6, 2),
    ((6,), (3, 4)): (6, 3, 4),
    ((7, 8), ()): (7, 8),
    ((7, 8), (2,)): (7, 8, 2),
    ((7, 8), (3, 4)): (7, 8, 3, 4),
    ((7, 8, 9), ()): (7, 8, 9),
    ((7, 8, 9), (3, 4)): (7, 8, 9, 3, 4),
    ((1,), (1,)): (1, 1),
}


@pytest.mark.parametrize("shapes", TABLE, ids=str)
def test_the_table_of_shapes(shapes):
    assert derivative_shape(*shapes) == TABLE[shapes]
    assert derivative_shape(*map(list, shapes)) == derivative_shape(*(np.array(s, int) for s in shapes))


@pytest.mark.parametrize("shapes", TABLE, ids=str)
def test_strung_out_every_derivative_is_a_matrix(shapes):
    """A tensor has the entries of the Jacobian, and reshaped as the table says they stand at their places."""
    y, x = shapes
    weights = np.random.default_rng(1).normal(size=y + x)
    at = np.ones(x)
    J = numerical_jacobian(lambda x: np.tensordot(weights, x, len(at.shape)), at)
    assert J.shape == (int(np.prod(y)), int(np.prod(x)))
    assert np.prod(derivative_shape(y, x), dtype=int) == J.size
    exact = weights.reshape(y + x, order="F").reshape(J.shape, order="F")
    assert error(J, exact) <= BOUND


def test_bad_shapes():
    expected = "derivative_shape: {} must be a shape, as () or (3,) or (3, 2), got {}"
    assert refused(TypeError, derivative_shape, 3, (4,)) == expected.format("numerator", 3)
    assert refused(TypeError, derivative_shape, (3,), 4.5) == expected.format("denominator", 4.5)
    assert refused(TypeError, derivative_shape, (), (2.0,)) == expected.format("denominator", "(2.0,)")
    expected = "derivative_shape: {} must hold sizes of at least 1, got {}"
    assert refused(ValueError, derivative_shape, (3, 0), ()) == expected.format("numerator", "(3, 0)")
    assert refused(ValueError, derivative_shape, (), (-1,)) == expected.format("denominator", "(-1,)")
    assert refused(TypeError, unvec, [1], 1) == "unvec: shape must be a shape, as () or (3,) or (3, 2), got 1"
    assert refused(ValueError, unvec, [1], (-1,)) == "unvec: shape must hold sizes of at least 1, got (-1,)"


def test_denominator_layout():
    J = np.arange(6.0).reshape(2, 3)
    assert (to_denominator_layout(J) == J.T).all() and to_denominator_layout(J.tolist()).shape == (3, 2)
    assert to_denominator_layout(J[:1]).shape == (3, 1)
    assert to_denominator_layout(5.0) == 5.0 and np.shape(to_denominator_layout(5.0)) == ()
    for wrong in (np.ones(3), np.ones((2, 3, 4))):
        expected = f"to_denominator_layout: J must have the shape (k, d), got {wrong.shape}"
        assert refused(ValueError, to_denominator_layout, wrong) == expected


# ---- numerical Jacobians: accuracy ---------------------------------------------------------------

rng = np.random.default_rng(7)
K, D = 3, 5
W, B = rng.normal(size=(K, D)), rng.normal(size=(D, D))
P, Q = rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
SCALES = [1e-6, 1e-3, 1.0, 1e3, 1e6]


def sphere(x):
    return x / np.sqrt(np.sum(x * x, axis=0))


# Name: the function and its Jacobian.
SMOOTH = {
    "Wx": (lambda x: W @ x, lambda x: W),
    "x³ − x": (lambda x: x**3 - x, lambda x: np.diag(3 * x**2 - 1)),
    "xᵀBx": (lambda x: x @ B @ x, lambda x: (x @ (B + B.T))[None]),
    "x xᵀ": (lambda x: np.outer(x, x), lambda x: np.kron(x[:, None], np.eye(D)) + np.kron(np.eye(D), x[:, None])),
    "sin": (np.sin, lambda x: np.diag(np.cos(x))),
    "log": (lambda x: np.log(np.abs(x)), lambda x: np.diag(1 / x)),
    "1/x": (lambda x: 1 / x, lambda x: np.diag(-1 / x**2)),
    "x/(1 + x²)": (lambda x: x / (1 + x**2), lambda x: np.diag((1 - x**2) / (1 + x**2) ** 2)),
    "‖x‖": (lambda x: np.sqrt(np.sum(x * x, axis=0)), lambda x: sphere(x)[None]),
    "x/‖x‖": (sphere, lambda x: (np.eye(D) - np.outer(sphere(x), sphere(x))) / np.sqrt(x @ x)),
}


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", SMOOTH)
def test_accuracy_on_smooth_functions_of_arguments_of_every_size(name, scale):
    f, exact = SMOOTH[name]
    for x in scale * np.array([[0.3, -0.9, 1.2, -0.45, 2.0], [1.0, -0.011, 0.7, 3.0, 0.2]]):
        assert error(numerical_jacobian(f, x), exact(x)) <= BOUND


@pytest.mark.parametrize("scale", SCALES)
def test_accuracy_where_a_function_changes_on_another_scale_than_its_argument(scale):
    """At 1e-6 the values are nearly those at 0, and their last digits do not show what a short step changes."""
    x, c = scale * np.array([0.3, -0.9, 1.2, -0.45, 2.0]), 1 / max(1.0, scale)
    z = c * x
    for f, exact in [
        (lambda x: np.exp(c * x), np.diag(c * np.exp(z))),
        (lambda x: np.tanh(c * x), np.diag(c / np.cosh(z) ** 2)),
        (lambda x: logistic(c * x), np.diag(c * logistic.derivative(z))),
        (lambda x: softmax(c * x), c * (np.diag(softmax(z)) - np.outer(softmax(z), softmax(z)))),
        (lambda x: np.tanh(W / scale @ x), W / scale / np.cosh(W / scale @ x)[:, None] ** 2),
    ]:
        assert error(numerical_jacobian(f, x), exact) <= BOUND


@pytest.mark.parametrize("scale", SCALES)
def test_accuracy_on_functions_of_matrices(scale):
    X = scale * (rng.normal(size=(3, 3)) + 3 * np.eye(3))
    inverse = np.linalg.inv(X)
    assert error(numerical_jacobian(np.linalg.inv, X), -np.kron(inverse.T, inverse)) <= BOUND
    assert error(numerical_jacobian(lambda X: P @ X @ Q, X), np.kron(Q.T, P)) <= BOUND
    assert error(numerical_jacobian(np.trace, X), vec(np.eye(3))[None]) <= BOUND
    assert error(numerical_jacobian(lambda X: np.log(np.linalg.det(X)), X), vec(inverse.T)[None]) <= BOUND


def test_accuracy_at_zero():
    zero = np.zeros(4)
    for f, slope in ((np.exp, 1), (np.tanh, 1), (lambda x: np.sin(100 * x), 100), (np.log1p, 1)):
        assert error(numerical_jacobian(f, zero), slope * np.eye(4)) <= BOUND
    assert np.max(np.abs(numerical_jacobian(np.cos, zero))) <= 1e-14


def test_accuracy_against_mpmath():
    """Functions whose derivatives have no short formula here."""
    with mpmath.workprec(200):
        for f, exact, x in [
            (lambda x: np.log(np.cosh(x) + np.exp(np.sin(3 * x))),
             lambda t: mpmath.log(mpmath.cosh(t) + mpmath.exp(mpmath.sin(3 * t))), 0.7),
            (lambda x: np.sqrt(1 + x**4) / (2 + np.cos(x)),
             lambda t: mpmath.sqrt(1 + t**4) / (2 + mpmath.cos(t)), -1.9),
        ]:  # fmt: skip
            assert error(numerical_jacobian(f, x), [[float(mpmath.diff(exact, x))]]) <= BOUND


def test_entries_of_very_different_size():
    x = np.array([1e-6, 1.0, 1e6, -1e3])
    assert error(numerical_jacobian(lambda x: 1 / x, x), np.diag(-1 / x**2)) <= BOUND
    assert error(numerical_jacobian(np.sin, x), np.diag(np.cos(x))) <= BOUND
    J = numerical_jacobian(lambda x: np.stack([1e6 + 0 * x[0], np.tanh(x[1])]), [0.3, 0.4])
    assert abs(J[1, 1] * np.cosh(0.4) ** 2 - 1) <= BOUND and not J[0].any()


def test_what_looks_flat_or_slow_from_afar():
    """A bump that a long step does not see, and waves that are as long as steps are."""
    centre = np.array([1000.0, 3.0])
    x = centre + [0.5, 0.1]
    bump = np.diag(-2 * (x - centre) * np.exp(-((x - centre) ** 2)))
    assert error(numerical_jacobian(lambda x: np.exp(-((x - centre) ** 2)), x), bump) <= 1e-11
    assert error(numerical_jacobian(lambda x: np.exp(-((x[0] - 1000) ** 2)), x), [[-np.exp(-0.25), 0]]) <= 1e-11
    for wave in (np.pi, 2 * np.pi, 16 * np.pi, 100.0):
        for x in (1000.3, 33.7, 0.1):
            J = numerical_jacobian(lambda x, wave=wave: np.sin(wave * x), x)
            assert abs(J[0, 0] - wave * np.cos(wave * x)) <= 1e-9 * wave


def test_near_a_pole_and_near_a_kink():
    x = np.array([1e-3, 1.0, 0.02])
    assert error(numerical_jacobian(np.log, x), np.diag(1 / x)) <= BOUND
    assert error(numerical_jacobian(np.sqrt, x), np.diag(0.5 / np.sqrt(x))) <= BOUND
    assert error(numerical_jacobian(np.abs, np.array([0.001, -0.5, 3.0])), np.diag([1, -1, 1])) <= 1e-12


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 6))
def test_the_jacobian_of_a_linear_function_is_its_matrix(seed, k, d):
    draw = np.random.default_rng(seed).normal
    A, x = draw(size=(k, d)), draw(size=d)
    assert error(numerical_jacobian(lambda x: A @ x, x), A) <= BOUND


# ---- shapes and types ----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (1,), (4,), (1, 4), (4, 1), (2, 3), (2, 3, 4)], ids=str)
def test_every_shape_is_strung_out(shape):
    x = np.random.default_rng(2).normal(size=shape)
    assert error(numerical_jacobian(np.sin, x), np.diag(vec(np.cos(x)))) <= BOUND
    assert error(numerical_jacobian(lambda x: np.sum(x**2), x), 2 * vec(x)[None]) <= BOUND
    turned = np.diag(2 * vec(x))[vec(np.arange(x.size).reshape(x.shape, order="F").T)]
    assert error(numerical_jacobian(lambda x: np.transpose(x**2), x), turned) <= BOUND
    for J in one_sided_derivatives(np.sin, x):
        assert error(J, np.diag(vec(np.cos(x)))) <= 1e-8


@pytest.mark.parametrize("dtype", ["?", "i4", "u1", "f2", "f4", "f8", np.longdouble])
def test_computed_in_double_precision_whatever_comes_in(dtype):
    x = np.array([1, 0, 1, 1], dtype)
    assert error(numerical_jacobian(lambda x: x**3, x), np.diag(3.0 * x**2)) <= BOUND
    assert error(numerical_jacobian(lambda x: x**3, x.tolist()), np.diag(3.0 * x**2)) <= BOUND
    seen = set()
    numerical_jacobian(lambda x: [seen.add(x.dtype), x][1], x)
    assert seen == {np.dtype(float)}


def test_f_may_return_numbers_and_lists_and_work_in_place():
    assert error(numerical_jacobian(lambda x: [x[0] * x[1], 3], [2.0, 5.0]), [[5, 2], [0, 0]]) <= BOUND
    assert error(numerical_jacobian(lambda x: float(x[0]) ** 2, [3.0]), [[6.0]]) <= BOUND

    def square(x):
        x *= x
        return x

    x = np.array([1.0, 2.0, 3.0])
    assert error(numerical_jacobian(square, x), np.diag(2 * x)) <= BOUND
    assert x.tolist() == [1, 2, 3]
    assert error(numerical_jacobian(square, np.ones(2)), np.diag([2, 2])) <= BOUND  # squared again, 1 would stay 1
    buffer = np.empty(3)
    assert error(numerical_jacobian(lambda x: np.square(x, out=buffer), x), np.diag(2 * x)) <= BOUND


def test_no_negative_zero():
    for J in one_sided_derivatives(np.abs, [0.0, 1.0, -2.0]):
        assert not np.signbit(J[J == 0]).any()


# ---- one batch of points, where f allows it ------------------------------------------------------


def counted(f):
    def counting(x):
        counting.calls += 1
        return f(x)

    counting.calls = 0
    return counting


TOGETHER = {
    "W @ x": (lambda x: W @ x, (D,)),
    "x @ B": (lambda x: x @ B, (D,)),
    "softmax": (softmax, (D,)),
    "norm": (lambda x: np.sqrt(np.sum(x * x, axis=0)), (D,)),
    "elementwise": (np.tanh, (2, 3, 4)),
    "number": (lambda t: np.stack([np.cos(t), np.sin(t)]), ()),
    "inv": (np.linalg.inv, (3, 3)),
    "P @ X @ Q": (lambda X: P @ X @ Q, (3, 3)),
    "trace": (np.trace, (3, 3)),
    "first row": (lambda X: X[0] ** 2, (2, 3)),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_all_points_in_one_call(name):
    """One call at x, one for all points, and two at points of the batch, to see whether f takes it.

    There is one more in vain, and one more at x, where f takes the other batch; and one for each further step.
    """
    f, shape = TOGETHER[name]
    f = counted(f)
    numerical_jacobian(f, np.random.default_rng(3).uniform(0.5, 1.5, size=shape))
    assert f.calls <= 8


ALONE = {
    "x @ x": (lambda x: x @ x, lambda x: 2 * x[None]),
    "sum": (lambda x: x.sum() ** 2, lambda x: np.full((1, x.size), 2 * x.sum())),
    "mean": (lambda x: x - x.mean(), lambda x: np.eye(x.size) - 1 / x.size),
    "mean of rows": (lambda x: x - x.mean(axis=-1), lambda x: np.eye(x.size) - 1 / x.size),
    "norm": (lambda x: x / np.linalg.norm(x), lambda x: (np.eye(x.size) - np.outer(x, x) / (x @ x)) / np.sqrt(x @ x)),
    "max": (lambda x: x / x.max(), None),
    "std": (lambda x: x / x.std(), None),
    "sort": (np.sort, lambda x: np.eye(x.size)[np.argsort(x)]),
    "cumsum": (lambda x: np.cumsum(x, axis=-1), lambda x: np.tri(x.size)),
    "flip": (np.flip, lambda x: np.eye(x.size)[::-1]),
    "roll": (lambda x: np.roll(x, 1), lambda x: np.roll(np.eye(x.size), 1, axis=0)),
    "roll of rows": (lambda x: np.roll(x, 1, axis=-1), lambda x: np.roll(np.eye(x.size), 1, axis=0)),
    "data": (lambda x: x * np.arange(x.shape[-1]), lambda x: np.diag(np.arange(x.size))),
    "fft": (lambda x: np.fft.fft(x).real, lambda x: np.fft.fft(np.eye(x.size)).real),
    "diff": (lambda x: np.diff(x, prepend=0.0), lambda x: np.eye(x.size) - np.eye(x.size, k=-1)),
    "gradient": (lambda x: np.gradient(x)[0] * x, None),
    "constant": (lambda x: np.ones(3), None),
    "matrix of columns": (lambda x: np.outer(x, x)[0], None),
    "branch": (lambda x: x if x[0] > 0 else -x, lambda x: np.sign(x[0]) * np.eye(x.size)),
    "average with the next": (lambda x: (x + np.roll(x, 1, axis=-1)) / 2, None),
    "running maximum": (lambda x: np.maximum.accumulate(x, axis=-1), None),
    "bias": (lambda x: np.tanh(B[: x.shape[0], : x.shape[0]] @ x + B[0, : x.shape[0]]), None),
}


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("at", ["somewhere", "equal", "zero"])
@pytest.mark.parametrize("name", ALONE)
def test_no_batch_where_f_mixes_its_points(name, at, d):
    """The result is, to the last digits, that of a function which takes one point at a time."""
    f, exact = ALONE[name]
    x = {"somewhere": np.array([0.7, -0.4, 1.1, 0.2, -2.0])[:d], "equal": np.ones(d), "zero": np.zeros(d)}[at]
    kinks = name in ("sort", "max", "std", "branch", "running maximum")
    if (at != "somewhere" and kinks) or (at == "zero" and name == "norm") or (d == 1 and name in ("std", "gradient")):
        return  # no derivative there

    def one_point(x):
        assert x.shape == (d,)
        return f(x)

    J = numerical_jacobian(f, x)
    np.testing.assert_allclose(J, numerical_jacobian(one_point, x), rtol=0, atol=1e-12)
    if exact:
        np.testing.assert_allclose(J, exact(x), rtol=0, atol=1e-12)


def test_no_batch_of_matrices_where_f_mixes_them():
    X = np.random.default_rng(4).normal(size=(3, 3))
    for f in (lambda X: X.T @ X, lambda X: X.T, lambda X: X / X.max(), lambda X: X.sum(axis=0), np.linalg.norm):

        def one_point(X, f=f):
            assert X.shape == (3, 3)
            return f(X)

        np.testing.assert_allclose(numerical_jacobian(f, X), numerical_jacobian(one_point, X), rtol=0, atol=1e-12)


def test_large_batches_come_in_parts(monkeypatch):
    x = np.random.default_rng(5).normal(size=12)
    whole = numerical_jacobian(np.sin, x)
    sizes = []
    monkeypatch.setattr(matrix_calculus, "BATCH", 400)
    parts = numerical_jacobian(lambda x: [sizes.append(x.size), np.sin(x)][1], x)
    assert np.abs(parts - whole).max() <= 1e-14 and max(sizes) <= 400 + 3 * 12
    assert len(sizes) >= 3 + 5


# ---- from one side -------------------------------------------------------------------------------


def test_one_sided_derivatives_at_kinks():
    x = np.array([0.0, 2.0, -1.0])
    left, right = one_sided_derivatives(np.abs, x)
    assert np.abs(left - np.diag([-1, 1, -1])).max() <= 1e-8 and np.abs(right - np.diag([1, 1, -1])).max() <= 1e-8
    left, right = one_sided_derivatives(lambda x: np.maximum(0, 1 - x) * np.exp(x), 1.0)
    assert abs(left[0, 0] + np.e) <= 1e-7 and abs(right[0, 0]) <= 1e-8
    assert abs(numerical_jacobian(np.abs, 0.0)[0, 0]) <= 1e-12
    assert abs(numerical_jacobian(lambda x: np.maximum(0, x), 0.0)[0, 0] - 0.5) <= 1e-12


@pytest.mark.parametrize("scale", SCALES)
def test_one_sided_derivatives_of_smooth_functions_are_those_of_both_sides(scale):
    x = scale * np.array([0.3, -0.9, 1.2, -0.45, 2.0])
    for f, exact in SMOOTH.values():
        for J in one_sided_derivatives(f, x):
            assert error(J, exact(x)) <= 1e-7


# ---- bad input -----------------------------------------------------------------------------------

both = pytest.mark.parametrize("function", [numerical_jacobian, one_sided_derivatives], ids=lambda f: f.__name__)


@both
def test_bad_arguments(function):
    name = function.__name__
    for f, x, kind, message in [
        (np.ones(3), 1.0, TypeError, "f must be a function, got ndarray"),
        (np.sin, [1j], TypeError, "x must hold real numbers, got dtype complex128"),
        (np.sin, "one", TypeError, "x must hold real numbers, got dtype <U3"),
        (np.sin, [[1, 2], [3]], ValueError, "x must be an array, got a list of unequal rows"),
        (np.sin, [], ValueError, "x must hold at least one number, got the shape (0,)"),
        (np.sin, [1, np.nan], ValueError, "x must hold finite numbers, got nan at position 1"),
        (lambda x: x + 1j, [1.0], TypeError, "f(x) must hold real numbers, got dtype complex128"),
        (lambda x: None, [1.0], TypeError, "f(x) must hold real numbers, got dtype object"),
        (lambda x: x[:0], [1.0], ValueError, "f(x) must hold at least one number, got the shape (0,)"),
        (np.log, [1.0, -1.0], ValueError, "f(x) must be finite, got nan at position 1"),
        (lambda x: 1 / x, [[0.0, 1.0]], ValueError, "f(x) must be finite, got inf in row 0, column 0"),
    ]:
        with np.errstate(all="ignore"):
            assert refused(kind, function, f, x) == f"{name}: {message}"


@both
def test_f_that_is_no_function_of_its_argument(function):
    draw = np.random.default_rng(6).normal
    expected = f"{function.__name__}: f is not a function of its argument: two calls at x differ"
    assert refused(ValueError, function, lambda x: x + draw(size=x.shape), np.ones(3)) == expected
    assert refused(ValueError, function, lambda x: x @ x + 1e-9 * draw(), np.ones(3)) == expected
    calls = []
    assert refused(ValueError, function, lambda x: [calls.append(1), x * len(calls)][1], np.ones(3)) == expected


@both
def test_f_that_changes_its_shape(function):
    expected = f"{function.__name__}: f(x) has the shape (3,) at x, but (2,) near it"
    assert refused(ValueError, function, lambda x: x[x <= 2] if x.ndim == 1 else 1, np.array([0.0, 1, 2])) == expected
    expected = f"{function.__name__}: f(x) has the shape (2,) at x, but () near it"
    assert refused(ValueError, function, lambda x: x if x[0] == 1 else x[0], np.ones(2)) == expected


def test_f_that_is_not_finite_around_x():
    expected = "{}: f must be finite around x, but is not where {} is moved"
    assert refused(ValueError, numerical_jacobian, np.sqrt, [1.0, 0.0]) == expected.format("numerical_jacobian", "x[1]")
    X = np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    assert refused(ValueError, numerical_jacobian, np.sqrt, X) == expected.format("numerical_jacobian", "x[0, 1]")
    assert refused(ValueError, numerical_jacobian, np.sqrt, 0.0) == expected.format("numerical_jacobian", "x")
    assert refused(ValueError, one_sided_derivatives, np.sqrt, 0.0) == expected.format("one_sided_derivatives", "x")


def test_f_that_raises_away_from_x():
    def checked_log(x):
        if np.min(x) <= 0:
            raise ValueError("only positive numbers")
        return np.log(x)

    x = np.array([0.01, 1.0, 3.0])
    assert error(numerical_jacobian(checked_log, x), np.diag(1 / x)) <= BOUND
    assert refused(ValueError, numerical_jacobian, checked_log, -x) == "only positive numbers"


def test_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        J = numerical_jacobian(np.log, np.array([0.01, 1.0]))
    assert error(J, np.diag([100.0, 1.0])) <= BOUND
