"""nnlib.checks: every planted mistake is named, what is right is never accused, and the words are these."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlib import checks
from nnlib.activations import logistic, maxout, relu
from nnlib.checks import check_derivative
from nnlib.formula import Formula
from nnlib.losses import hinge_loss, logistic_loss, softmax, softmax_loss
from nnlib.matrix_calculus import numerical_jacobian, unvec, vec


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


A, B, W = numbers(4, 4, seed=1), numbers(3, 4, seed=2), numbers(4, 4, seed=3)
X, LABELS, CLASSES = numbers(4, 6, seed=4), np.array([0, 1, 1, 0, 1, 0]), np.array([0, 2, 1, 1, 0, 2])
P, Q = numbers(2, 3, seed=5), numbers(4, 5, seed=6)
w, V = numbers(4, seed=7), numbers(3, 4, seed=8)


def slope(a):
    return 1 - np.tanh(a) ** 2


def error(w):
    return logistic(w @ X) - LABELS


# Functions with their derivatives, k×d, and the shape of x; d, k and all other sizes are different, A is not symmetric.
CASES = {
    "wᵀx": (lambda x: w @ x, lambda x: w[None], (4,)),
    "wᵀAw": (lambda w: w @ A @ w, lambda w: (w @ (A + A.T))[None], (4,)),
    "Ax": (lambda x: B @ x, lambda x: B, (4,)),
    "tanh(Wx)": (lambda x: np.tanh(B @ x), lambda x: slope(B @ x)[:, None] * B, (4,)),
    "log-loss": (lambda w: np.sum(logistic_loss(w @ X, LABELS)), lambda w: (error(w) @ X.T)[None], (4,)),
    "mean log-loss": (lambda w: np.mean(logistic_loss(w @ X, LABELS)), lambda w: (error(w) @ X.T)[None] / 6, (4,)),
    "softmax": (softmax, lambda a: np.diag(softmax(a)) - np.outer(softmax(a), softmax(a)), (5,)),
    "x·x": (lambda x: np.sum(x * x), lambda x: 2 * x[None], (5,)),
    "xᵀx": (lambda x: x.T @ x, lambda x: 2 * x.T, (5, 1)),
    "AXB": (lambda X: P @ X @ Q, lambda X: np.kron(Q.T, P), (3, 4)),
    "trace": (lambda X: np.trace(X.T @ A @ X), lambda X: vec((A + A.T) @ X)[None], (4, 3)),
    "log det": (lambda X: np.linalg.slogdet(X)[1], lambda X: vec(np.linalg.inv(X).T)[None], (3, 3)),
    "scores": (
        lambda V: np.sum(softmax_loss(V @ X, CLASSES)),
        lambda V: vec(softmax_loss.gradient(V @ X, CLASSES) @ X.T)[None],
        (3, 4),
    ),
    "elementwise": (np.exp, lambda x: np.diag(np.exp(x)), (4,)),
    "of a number": (lambda t: np.stack([np.sin(t), t**2, 3 * t]), lambda t: np.stack([[np.cos(t)], [2 * t], [3]]), ()),
    "number of a number": (lambda t: np.sin(t**2), lambda t: np.reshape(2 * t * np.cos(t**2), (1, 1)), ()),
    "matrix of a number": (lambda t: t**2 * P, lambda t: 2 * t * vec(P)[:, None], ()),
    "constant": (lambda x: np.ones(3), lambda x: np.zeros((3, 4)), (4,)),
    "recorded nowhere": (
        lambda x: np.sum(x**2) if x[0] > -1e9 else 0.0,
        lambda x: 2 * x[None],
        (4,),
    ),
}
each_case = pytest.mark.parametrize("case", CASES)


def point(case, seed=10, scale=1.0):
    f, derivative, shape = CASES[case]
    x = scale * np.random.default_rng(seed).normal(size=shape)
    return f, x, np.array(derivative(x), float)


def forms(f, x, J):
    """All that one may write for a Jacobian: layout, array."""
    value = np.asarray(f(x))
    yield "numerator", J
    yield "denominator", J.T
    for layout in ("numerator", "denominator"):
        if value.size == 1:
            yield layout, unvec(J[0], x.shape)
        if x.size == 1:
            yield layout, unvec(J[:, 0], value.shape)
        if value.shape == x.shape and np.array_equal(J, np.diag(np.diag(J))):
            yield layout, unvec(np.diag(J), x.shape)
    if value.ndim + x.ndim > 2 and 1 not in (value.size, x.size):
        yield "numerator", J.reshape(value.shape + x.shape, order="F")
        yield "denominator", J.T.reshape(x.shape + value.shape, order="F")


# ---- what is right -------------------------------------------------------------------------------


@each_case
def test_what_is_right_is_right_in_every_form(case):
    f, x, J = point(case)
    for layout, claim in forms(f, x, J):
        for claimed in (claim, lambda x, claim=claim: claim, claim.tolist()):
            report = check_derivative(f, claimed, at=x, layout=layout)
            assert report and report.right is True, report
            assert report.diagnoses == ("right",)
            assert report.difference <= 1e-11 * max(1, np.max(np.abs(J)))
            np.testing.assert_array_equal(report.claimed, claim)
            np.testing.assert_allclose(report.truth, J if layout == "numerator" else J.T, rtol=1e-10, atol=1e-10)


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(CASES)),
    st.integers(0, 10**6),
    st.sampled_from([1e-6, 1e-2, 1.0, 10.0]),
    st.sampled_from(["f4", "f8", np.longdouble]),
    st.sampled_from([1e-9, 1.0, 1e9]),
    st.data(),
)
def test_what_is_right_is_never_accused(case, seed, scale, dtype, unit, data):
    f, x, J = point(case, seed, scale)
    layout, claim = data.draw(st.sampled_from(list(forms(f, x, J))))
    report = check_derivative(lambda x: unit * f(x), (unit * claim).astype(dtype), at=x, layout=layout)
    assert report.right, report
    assert set(report.diagnoses) <= {"right", "approximate"}


@each_case
def test_a_derivative_in_half_precision_is_right(case):
    f, x, J = point(case)
    assert check_derivative(f, J.astype("f2"), at=x).diagnoses == ("right",)


@each_case
def test_differences_are_right_but_approximate(case):
    f, x, J = point(case)
    step = 1e-4
    steps = [unvec(step * e, x.shape) for e in np.eye(x.size)]
    J = np.stack([vec(np.asarray(f(x + h)) - f(x - h)) / (2 * step) for h in steps], axis=1)
    report = check_derivative(f, J, at=x)
    assert report.right
    assert set(report.diagnoses) <= {"right", "approximate"}


def test_digits_are_counted():
    for digits in (5, 6, 7, 8):
        report = check_derivative(np.exp, np.exp(1.0) * (1 + 0.5 * 10.0**-digits), at=1.0)
        assert report.right
        assert said(report) == f"Right, but approximate: it agrees to {digits} digits."
    assert not check_derivative(np.exp, np.exp(1.0) * (1 + 1e-4), at=1.0)


def test_a_function_of_float32_is_only_known_to_few_digits():
    x = numbers(4, seed=3).astype("f4")
    report = check_derivative(lambda x: np.sum(np.exp(x.astype("f4"))), np.exp(x), at=x)
    assert report.right and report.diagnoses == ("right",)


def test_integers_count_as_floats():
    report = check_derivative(lambda x: x @ x, [2, 4, -6], at=[1, 2, -3])
    assert report.diagnoses == ("right",)
    assert report.claimed.dtype == report.truth.dtype == np.float64


def test_a_small_derivative_of_a_large_value_is_not_accused():
    report = check_derivative(lambda x: 1e6 + 1e-9 * np.sum(x), np.full(3, 1e-9), at=[1.0, 2.0, 3.0])
    assert report.right


def test_rows_are_measured_by_themselves():
    f, J = (lambda x: np.stack([1e3 * x[0], 1e-3 * x[1]])), np.diag([1e3, 1e-3])
    assert check_derivative(f, J, at=[1.0, 1.0])
    report = check_derivative(f, J * [[1], [2]], at=[1.0, 1.0])
    assert report.diagnoses == ("some rows",)
    assert check_derivative(lambda x: np.stack([np.sum(x), 0 * x[0]]), [[1, 1], [1e-14, 0]], at=[1.0, 1.0])


def test_a_right_claim_asks_nothing_expensive(monkeypatch):
    monkeypatch.setattr(checks, "trace", lambda *_: pytest.fail("f was recorded"))
    assert check_derivative(*CASES["tanh(Wx)"][:2], at=w)


# ---- planted mistakes ----------------------------------------------------------------------------


def diagnoses(f, claim, x, layout="numerator"):
    report = check_derivative(f, claim, at=x, layout=layout)
    assert not report.right
    return report.diagnoses


CHANGING = [case for case in CASES if case != "constant"]
seeds = st.integers(0, 10**6)


@settings(max_examples=60)
@given(st.sampled_from(CHANGING), seeds, st.data())
def test_a_wrong_sign_is_named(case, seed, data):
    f, x, J = point(case, seed)
    layout, claim = data.draw(st.sampled_from(list(forms(f, x, J))))
    assert diagnoses(f, -claim, x, layout)[0] == "wrong sign"


@settings(max_examples=60)
@given(st.sampled_from(CHANGING), seeds, st.sampled_from([2.0, 3.0, 0.5, 0.25, 7.0]), st.data())
def test_a_factor_is_named(case, seed, factor, data):
    f, x, J = point(case, seed)
    layout, claim = data.draw(st.sampled_from(list(forms(f, x, J))))
    report = check_derivative(f, factor * claim, at=x, layout=layout)
    assert report.diagnoses[0] == "factor"
    words = f"large by the factor {factor:g}" if factor > 1 else f"small by the factor {1 / factor:g}"
    assert words in said(report)


@settings(max_examples=60)
@given(st.sampled_from([case for case in CHANGING if "number" not in case]), seeds)
def test_the_other_layout_is_named(case, seed):
    f, x, J = point(case, seed)
    if np.array_equal(J, J.T) or x.shape == (5, 1):
        return  # a symmetric matrix is its own transpose, and the gradient of a column has the shape of x
    assert "transposed" in diagnoses(f, J.T, x)
    assert "transposed" in diagnoses(f, J, x, "denominator")
    assert {"transposed", "wrong sign"} <= {*diagnoses(f, -J.T, x)}
    assert {"transposed", "factor"} <= {*diagnoses(f, 3 * J.T, x)}


def test_the_other_layout_is_named_where_shapes_cannot_tell():
    assert "transposed" in diagnoses(lambda x: W @ x, W.T, w)
    assert diagnoses(lambda x: np.tanh(W @ x), (slope(W @ w)[:, None] * W).T, w) == ("transposed",)
    assert diagnoses(lambda x: W @ x, W, w, "denominator")[0] == "transposed"
    assert diagnoses(lambda X: np.sum(B.T @ B * X**2), (2 * B.T @ B * A).T, A) == ("transposed",)


@pytest.mark.parametrize("case", ["trace", "scores"])
def test_the_transposed_gradient_of_a_matrix_is_named(case):
    f, x, J = point(case)
    assert diagnoses(f, unvec(J[0], x.shape).T, x) == ("transposed",)
    assert diagnoses(f, unvec(J[0], x.shape).T, x, "denominator") == ("transposed",)


def row_major(J, rows, columns):
    """The Jacobian of strings that go row by row."""
    i, j = (np.arange(np.prod(s, dtype=int)).reshape(s, order="F").ravel() for s in (rows, columns))
    return J[i][:, j]


@settings(max_examples=30)
@given(seeds)
def test_row_major_strings_are_named(seed):
    f, x, J = point("AXB", seed)
    for rows, columns, words in (
        ((2, 5), (12,), "f(X) strung out"),
        ((10,), (3, 4), "X strung out"),
        ((2, 5), (3, 4), "X and f(X) strung out"),
    ):
        wrong = row_major(J, rows, columns)
        report = check_derivative(f, wrong, at=x)
        assert report.diagnoses == ("row-major",)
        assert words in said(report)
        assert diagnoses(f, -wrong, x) == ("row-major", "wrong sign")
        assert {"row-major", "transposed"} == {*diagnoses(f, wrong.T, x)}
        assert diagnoses(f, wrong.T, x, "denominator") == ("row-major",)
    np.testing.assert_allclose(row_major(J, (2, 5), (3, 4)), np.kron(P, Q.T))


@pytest.mark.parametrize("case", ["trace", "scores"])
def test_row_major_gradients_are_named(case):
    f, x, J = point(case)
    assert diagnoses(f, unvec(J[0], x.shape).reshape(1, -1), x) == ("row-major",)
    assert diagnoses(f, J.reshape(x.shape), x) == ("row-major",)


N = 6
GRAPHS = {
    # name: f, what is claimed, at, diagnoses, the line of the graph that is quoted
    "product rule, first": (lambda w: w @ A @ w, lambda w: A @ w, w, "missing path", "v2 = matmul(v1, w)"),
    "product rule, second": (lambda w: w @ A @ w, lambda w: w @ A, w, "missing path", "v1 = matmul(w, array(4, 4))"),
    "x·x": (lambda x: x @ x, lambda x: x, w, "factor, missing path", "v1 = matmul(x, x)"),
    "softmax without the sum": (
        lambda a: np.exp(a) / np.sum(np.exp(a)),
        lambda a: np.diag(softmax(a)),
        w,
        "missing path",
        "v2 = exp(a)",
    ),
    "log-loss without the label": (
        lambda w: np.sum(np.logaddexp(0, w @ X) - LABELS * (w @ X)),
        lambda w: logistic(w @ X) @ X.T,
        w,
        "missing path",
        "v3 = matmul(w, array(4, 6))",
    ),
    "skip connection": (
        lambda x: x + np.tanh(W @ x),
        lambda x: slope(W @ x)[:, None] * W,
        w,
        "missing path",
        "v3 = add(x, v2)",
    ),
    "tanh′ forgotten": (lambda x: np.tanh(B @ x), lambda x: B, w, "missing factor", "v2 = tanh(v1)"),
    "σ′ forgotten": (lambda x: logistic(B @ x), lambda x: B, w, "missing factor", "v2 = logistic(v1)"),
    "exp forgotten": (lambda x: np.sum(np.exp(x) ** 2), lambda x: 2 * np.exp(x), w, "missing factor", "v1 = exp(x)"),
    "inner square": (lambda x: np.sin(x**2), lambda x: np.cos(x**2), 1.3, "missing factor", "v1 = power(x, 2)"),
    "W forgotten": (
        lambda x: np.tanh(W @ x),
        lambda x: np.diag(slope(W @ x)),
        w,
        "missing factor",
        "v1 = matmul(array(4, 4), x)",
    ),
    "mean forgotten": (
        lambda w: np.sum(logistic_loss(w @ X, LABELS)) / 6,
        lambda w: error(w) @ X.T,
        w,
        "factor, missing factor",
        "divide(v3, 6)",
    ),
    "stops at Bx": (
        lambda x: np.tanh(B @ x),
        lambda x: np.diag(slope(B @ x)),
        w,
        "impossible shape, missing factor",
        "v1 = matmul(array(3, 4), x)",
    ),
    "stops at Bx, by entry": (
        lambda x: np.tanh(B @ x),
        lambda x: slope(B @ x),
        w,
        "impossible shape, missing factor",
        "v1 = matmul(array(3, 4), x)",
    ),
    "stops at the score": (
        lambda w: logistic_loss(w @ X[:, 0], 1),
        lambda w: logistic(w @ X[:, 0]) - 1,
        w,
        "impossible shape, missing factor",
        "v1 = matmul(w, array(4,))",
    ),
    "the minus of −log": (
        lambda w: -np.log(logistic(w @ X[:, 0])),
        lambda w: (1 - logistic(w @ X[:, 0])) * X[:, 0],
        w,
        "wrong sign",
        "",
    ),
    "starts at the score": (
        lambda w: logistic_loss(w @ X[:, 0], 1),
        lambda w: X[:, 0],
        w,
        "missing factor",
        "v2 = logistic_loss(v1, array(1.))",
    ),
    "f′(x)": (
        lambda x: np.tanh(W @ x),
        lambda x: slope(x)[:, None] * W,
        w,
        "wrong place",
        "v2 = tanh(v1)",
    ),
    "f′(f(u))": (
        lambda x: np.tanh(W @ x),
        lambda x: slope(np.tanh(W @ x))[:, None] * W,
        w,
        "wrong place",
        "v2 = tanh(v1)",
    ),
    "sin′ at x": (lambda x: np.sin(x**2), lambda x: 2 * x * np.cos(x), 1.3, "wrong place", "v2 = sin(v1)"),
    "2wᵀA": (lambda w: w @ A @ w, lambda w: 2 * w @ A, w, "symmetric only", "v1 = matmul(w, array(4, 4))"),
    "2Aw": (lambda w: w @ A @ w, lambda w: 2 * A @ w, w, "symmetric only", "v1 = matmul(w, array(4, 4))"),
    "2wᵀA of wᵀ(Aw)": (lambda w: w @ (A @ w), lambda w: 2 * w @ A, w, "symmetric only", "matmul(array(4, 4), w)"),
    "2Aw of wᵀ(Aw)": (lambda w: w @ (A @ w), lambda w: 2 * A @ w, w, "symmetric only", "matmul(array(4, 4), w)"),
    "2Aw of einsum": (
        lambda w: np.einsum("i,ij,j", w, A, w),
        lambda w: 2 * A @ w,
        w,
        "symmetric only",
        "v1 = einsum('i,ij,j', w, array(4, 4), w)",
    ),
    "Aᵀ for A": (lambda x: A @ x, lambda x: A.T, w, "transposed, symmetric only", "v1 = matmul(array(4, 4), x)"),
    "Wᵀ for W": (
        lambda x: np.tanh(W @ x),
        lambda x: slope(W @ x)[:, None] * W.T,
        w,
        "symmetric only",
        "v1 = matmul(array(4, 4), x)",
    ),
    "trace, symmetric": (
        lambda X: np.trace(X.T @ A @ X),
        lambda X: 2 * A @ X,
        numbers(4, 3),
        "symmetric only",
        "matmul",
    ),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_mistake_in_the_chain_is_named_and_its_line_quoted(name):
    f, claimed, x, expected, line = GRAPHS[name]
    report = check_derivative(f, claimed, at=x)
    assert not report
    assert ", ".join(report.diagnoses) == expected
    assert line in said(report)


@pytest.mark.parametrize(
    "name", ["product rule, first", "tanh′ forgotten", "2wᵀA", "f′(x)", "log-loss without the label"]
)
def test_a_mistake_in_the_chain_is_named_beside_another(name):
    f, claimed, x, expected, _ = GRAPHS[name]
    J = np.atleast_2d(claimed(x))
    assert diagnoses(f, -J, x) == ("wrong sign", expected)
    assert set(diagnoses(f, J.T, x)) >= {"transposed", expected}
    assert diagnoses(f, J.T, x, "denominator") == (expected,)


@pytest.mark.parametrize(
    "f, inverse",
    [
        (lambda X: np.linalg.slogdet(X)[1], np.linalg.inv),
        (lambda X: np.sum(X * X.T), lambda X: 2 * X),
        (lambda X: np.trace(X @ X @ X), lambda X: 3 * X @ X),
    ],
    ids=["log det", "trace of square", "trace of cube"],
)
def test_a_function_that_is_right_at_symmetric_matrices_only_is_named(f, inverse):
    report = check_derivative(f, inverse, at=A)
    assert report.diagnoses == ("transposed", "symmetric only")
    assert "(X + Xᵀ)/2" in said(report)
    assert diagnoses(f, inverse(A), A) == ("transposed",)  # of an array one cannot know
    assert check_derivative(f, inverse, at=A + A.T)


def test_a_matrix_without_a_name_is_called_by_its_shape():
    report = check_derivative(lambda w: w @ np.diag([1.0, 2], 1) @ w, [0.0, 0.0, 0.0], at=[1.0, 1, 1])
    assert "unknown" in report.diagnoses
    f = Quadratic(A)
    report = check_derivative(f, 2 * w @ A, at=w)
    assert report.diagnoses == ("symmetric only",)
    assert said(report).startswith("Wrong unless the 4×4 matrix is symmetric")


class Quadratic:
    def __init__(self, A):
        self.A = A

    def __call__(self, w):
        return w @ self.A @ w


def test_wrong_rows_and_columns_are_named():
    f, x, J = point("tanh(Wx)")
    J[1] *= 1.5
    report = check_derivative(f, J, at=x)
    assert report.diagnoses == ("some rows",)
    assert "only in ∂f[1]/∂x." in said(report)
    f, x, J = point("AXB")
    J[:, [3, 7]] = 0
    report = check_derivative(f, J, at=x)
    assert report.diagnoses == ("some columns",)
    assert "only in ∂f/∂X[0, 1], ∂f/∂X[1, 2]." in said(report)
    f, x, J = point("wᵀAw")
    J[0, 2] *= -1
    assert diagnoses(f, J, x) == ("some columns",)
    assert diagnoses(f, J.T, x) == ("transposed", "some columns")


def test_what_nobody_would_have_planted_is_unknown():
    for case in CHANGING:
        f, x, J = point(case)
        if J.size > 1:
            assert diagnoses(f, J + 1 + np.arange(J.size).reshape(J.shape), x) == ("unknown",)
    assert diagnoses(np.sin, 0.1234, 1.0) == ("unknown",)  # of two numbers one is always the other times something
    assert diagnoses(lambda x: B @ x, np.zeros((3, 4)), w) == ("unknown",)
    assert diagnoses(lambda x: np.zeros(3), np.ones((3, 4)), w) == ("unknown",)


def test_mistakes_are_named_as_far_as_can_be_seen_without_a_graph():
    f, x, J = point("recorded nowhere")
    assert diagnoses(f, -J, x) == ("wrong sign",)
    assert diagnoses(f, 2 * J.T, x) == ("transposed", "factor")
    report = check_derivative(f, np.ones((1, 4)), at=x)
    assert report.diagnoses == ("unknown",)
    assert "could not be recorded" in said(report)


def backward(W1, W2, bug):
    """The gradient by W1 of the loss of a network with two layers, with a bug."""
    H = np.tanh(W1 @ X)
    delta = softmax_loss.gradient(W2 @ H, CLASSES)
    delta = (W2 if bug == "W for Wᵀ" else W2.T) @ delta
    delta = delta * {"no tanh′": 1.0, "tanh′(H)": slope(H)}.get(bug, slope(W1 @ X))
    gradient = delta @ X.T
    return {"ascent": -gradient, "mean": gradient / 6, "one sample": delta[:, :1] @ X[:, :1].T}.get(bug, gradient)


@pytest.mark.parametrize(
    "bug, expected",
    {
        "none": "right",
        "W for Wᵀ": "symmetric only",
        "no tanh′": "missing factor",
        "tanh′(H)": "wrong place",
        "ascent": "wrong sign",
        "mean": "factor",
        "one sample": "unknown",
    }.items(),
)
def test_bugs_of_backpropagation(bug, expected):
    W1, W2 = numbers(4, 4, seed=31), numbers(4, 4, seed=32)
    f = lambda W1: np.sum(softmax_loss(W2 @ np.tanh(W1 @ X), CLASSES))  # noqa: E731
    assert check_derivative(f, backward(W1, W2, bug), at=W1).diagnoses == (expected,)


# ---- the words -----------------------------------------------------------------------------------

point_w, Sq, Wide = (
    np.array([1.0, 2.0, -1.0]),
    np.array([[1.0, 2, 0], [0, 3, 1], [4, 0, 5]]),
    np.array([[1.0, 2, 3], [0, -1, 2]]),
)


def quadratic(w):
    return w @ Sq @ w


def layer(x):
    return np.tanh(Wide @ x)


def layer_derivative(x):
    return slope(Wide @ x)[:, None] * Wide


TEXTS = [
    (
        (quadratic, lambda w: w @ (Sq + Sq.T), point_w),
        """
Right: all 3 entries agree to 9 digits.
Read as the gradient, in the shape of its argument: (3,).
""",
    ),
    ((layer, layer_derivative, point_w), "\nRight: all 6 entries agree to 9 digits.\n"),
    ((np.sin, np.cos, 1.0), "\nRight: it agrees to 9 digits.\n"),
    (
        (np.exp, lambda x: np.exp(x).astype("f4"), [1, 2, 3]),
        """
Right: all 9 entries agree to 5 digits.
Read as the diagonal of the 3×3 Jacobian: f works entry by
entry.
""",
    ),
    (
        (lambda X: Wide @ X, lambda X: np.kron(np.eye(2), Wide).reshape(2, 2, 3, 2, order="F"), np.ones((3, 2))),
        """
Right: all 24 entries agree to 9 digits.
The shape (2, 2, 3, 2) is read as 4×6 in numerator layout.
""",
    ),
    (
        (quadratic, lambda w: -w @ (Sq + Sq.T), point_w),
        """
Wrong sign: claimed is -1 times the derivative.
Largest difference: ∂f/∂w[1] is 13, claimed -13.
""",
    ),
    ((lambda x: Wide @ x, Wide.T, point_w), "\nTransposed: 3×2 as in denominator layout, not 2×3.\n"),
    ((lambda x: Wide @ x, Wide, point_w, "denominator"), "\nTransposed: 2×3 as in numerator layout, not 3×2.\n"),
    (
        (lambda x: np.tanh(Sq @ x / 9), lambda x: (slope(Sq @ x / 9)[:, None] * Sq / 9).T, point_w),
        """
Transposed: as in denominator layout.
Largest difference: ∂f[0]/∂x[2] is 0, claimed 0.439.
""",
    ),
    (
        (lambda X: np.sum(Wide.T * X**2), lambda X: (2 * Wide.T * X).T, np.ones((3, 2))),
        "\nTransposed: rows and columns are exchanged.\n",
    ),
    (
        (lambda X: Wide @ X, np.kron(Wide, np.eye(2)), np.ones((3, 2))),
        """
Row-major: X and f(X) strung out row by row, where vec goes
column by column.
Largest difference: ∂f[0, 0]/∂X[1, 1] is 0, claimed 3.
""",
    ),
    (
        (quadratic, lambda w: 2 * w @ Sq, point_w),
        """
Wrong unless Sq is symmetric: it is confused with its
transpose in
    v1 = matmul(w, array(3, 3)) (3,)
Largest difference: ∂f/∂w[0] is 2, claimed -6.
""",
    ),
    (
        (quadratic, lambda w: w @ Sq, point_w),
        """
Missing path: w is used 2 times; forgotten is its use in
    v1 = matmul(w, array(3, 3)) (3,)
Largest difference: ∂f/∂w[0] is 2, claimed -3.
""",
    ),
    (
        (layer, Wide, point_w),
        """
Missing factor: the derivative of
    v2 = tanh(v1) (2,)
    where v1 = matmul(array(2, 3), x) (2,)
Largest difference: ∂f[0]/∂x[2] is 0.212, claimed 3.
""",
    ),
    (
        (layer, lambda x: slope(Wide @ x), point_w),
        """
Impossible shape: claimed is (2,).
In numerator layout ∂f/∂x is 2×3, in denominator layout 3×2.
The chain stops early: this is ∂f/∂v1; missing is ∂v1/∂x,
where
    v1 = matmul(array(2, 3), x) (2,)
""",
    ),
    (
        (lambda x: np.sin(x**2), lambda x: 2 * x * np.cos(x), point_w),
        """
Wrong place: the derivative is taken at x, not at v1, of
    v2 = sin(v1) (3,)
    where v1 = power(x, 2) (3,)
Largest difference: ∂f[1]/∂x[1] is -2.615, claimed -1.665.
""",
    ),
    (
        (lambda x: np.mean(x**2), lambda x: 2 * x, point_w),
        """
Too large by the factor 3, the length of an axis: a sum for
a mean?
Largest difference: ∂f/∂x[1] is 1.333, claimed 4.
""",
    ),
    (
        (lambda x: np.sum(x**2), lambda x: 2 * x / 3, point_w),
        """
Too small by the factor 3, the length of an axis: a mean for
a sum?
Largest difference: ∂f/∂x[1] is 4, claimed 1.333.
""",
    ),
    (
        (lambda x: Wide @ x, -Wide.T, point_w),
        """
Transposed: 3×2 as in denominator layout, not 2×3.
And: Wrong sign: claimed is -1 times the derivative.
Largest difference: ∂f[0]/∂x[2] is 3, claimed -3.
""",
    ),
    (
        (lambda x: x @ x, lambda x: x, point_w),
        """
Wrong. 2 explanations fit:
(1) Too small by the factor 2.
(2) Missing path: x is used 2 times; forgotten is its use in
    v1 = matmul(x, x) ()
Largest difference: ∂f/∂x[1] is 4, claimed 2.
""",
    ),
    (
        (layer, lambda x: layer_derivative(x) * [[1], [2]], point_w),
        """
Wrong only in ∂f[1]/∂x.
Largest difference: ∂f[1]/∂x[2] is 0.002682, claimed
0.005364.
""",
    ),
    (
        (quadratic, [1, 2, 3], point_w),
        """
Wrong, and no usual mistake explains it.
Largest difference: ∂f/∂w[1] is 13, claimed 2.
""",
    ),
    (
        (quadratic, [1, 2], point_w),
        """
Impossible shape: claimed is (2,).
In numerator layout ∂f/∂w is 1×3, in denominator layout 3×1;
as a gradient it may have the shape of its argument, (3,).
""",
    ),
    ((quadratic, [[1, 2, np.nan]], point_w), "\nNot finite: claimed[0, 2] is nan.\n"),
    (
        (lambda x: x @ x if x[0] > 0 else -x @ x, [1, 2, 4], point_w),
        """
Wrong, and no usual mistake explains it.
Largest difference: ∂f/∂x[2] is -2, claimed 4.
(f could not be recorded as a graph: its paths and factors
were not looked at.)
""",
    ),
    (
        (relu, [1, 0, 0], [2, 0, -1]),
        """
f has a kink here, and no derivative.
∂f[1]/∂a[1] is 0 from the left, 1 from the right; claimed 0,
the left one and the convention of this course.
Where f has a derivative:
Right: all 8 entries agree to 9 digits.
Read as the diagonal of the 3×3 Jacobian: f works entry by
entry.
""",
    ),
    (
        (np.abs, 0.25, 0.0),
        """
f has a kink here, and no derivative.
∂f/∂x is -1 from the left, 1 from the right; claimed 0.25,
neither of them.
""",
    ),
]


def said(report):
    """The words of a report, in one line."""
    return " ".join(str(report).split())


@pytest.mark.parametrize("arguments, text", TEXTS)
def test_the_words_in_full(arguments, text):
    report = check_derivative(*arguments)
    assert repr(report) == str(report) and said(report) == " ".join(text.split())
    for line in str(report).splitlines():
        assert len(line) <= (64 if line.startswith("    ") else 40)


class Odd(Formula):
    name = "<odd> &"

    def formula(self, x):
        return np.sinh(x)


def test_html_says_the_same_and_escapes_it():
    report = check_derivative(lambda x: np.where(x < 3, x, 2) * np.exp(x), np.exp, at=0.5)
    assert report.diagnoses == ("missing path",)
    assert report._repr_html_() == (
        "<div><p>Missing path: x is used 2 times; forgotten is its use in</p>"
        "<pre>v3 = exp(x) ()</pre><p>∂f/∂x is 2.473, claimed 1.649.</p></div>"
    )
    shown = check_derivative(lambda x: Odd()(3 * x), 3.0, at=1.0)._repr_html_()
    assert "<pre>v2 = &lt;odd&gt; &amp;(v1) ()\n    where v1 = multiply(3, x) ()</pre>" in shown


def test_a_wrong_claim_costs_little_more_than_a_right_one(monkeypatch):
    """All columns of a derivative are computed only where one direction speaks for it."""
    full = []

    def counted(f, x):
        full.append(x.size) if np.ndim(x) else None
        return numerical_jacobian(f, x)

    monkeypatch.setattr(checks, "numerical_jacobian", counted)
    f = lambda V: np.sum(softmax_loss(B.T @ np.tanh(V @ X), CLASSES))  # noqa: E731
    assert diagnoses(f, np.arange(12.0).reshape(3, 4), V) == ("unknown",)
    assert full == [12]


# ---- kinks ---------------------------------------------------------------------------------------

KINKS = {
    "relu": (relu, [1.0, 0.0, -2.0], [1.0, 0.0, 0.0], True),
    "relu, the other side": (relu, [1.0, 0.0, -2.0], [1.0, 1.0, 0.0], True),
    "relu, the mean": (relu, [1.0, 0.0, -2.0], [1.0, 0.5, 0.0], False),
    "relu, wrong elsewhere": (relu, [1.0, 0.0, -2.0], [3.0, 0.0, 0.0], False),
    "abs": (np.abs, 0.0, 0.0, True),
    "abs, left": (np.abs, 0.0, -1.0, True),
    "abs, wrong": (np.abs, 0.0, 0.5, False),
    "max": (np.max, [2.0, 2.0, 0.0], [1.0, 0.0, 0.0], True),
    "maxout": (lambda a: maxout(np.stack([a, 2 * a])), 0.0, 1.0, True),
    "hinge": (lambda a: np.sum(hinge_loss(a, [1, -1, 1])), [1.0, 0.5, 0.2], [0.0, 1.0, -1.0], True),
    "hinge, wrong elsewhere": (lambda a: np.sum(hinge_loss(a, [1, -1, 1])), [1.0, 0.5, 0.2], [0.0, 1.0, 1.0], False),
    "branch": (lambda x: x if x > 0 else 3 * x, 0.0, 3.0, True),
    "branch, the mean": (lambda x: x if x > 0 else 3 * x, 0.0, 2.0, False),
}


@pytest.mark.parametrize("name", KINKS)
def test_kinks_are_told(name):
    f, x, claim, right = KINKS[name]
    report = check_derivative(f, claim, at=x)
    assert report.diagnoses[-1] == "kink"
    assert report.right is right, report
    assert "elsewhere" not in name or len(report.diagnoses) == 2


@pytest.mark.parametrize(
    "f, x, claim",
    [
        (lambda x: x**3, 0.0, 0.0),
        (lambda x: x * np.abs(x), 0.0, 0.0),
        (lambda x: np.sum(np.maximum(0, 1 - x) ** 2), [1.0, 2.0, -1.0], [0.0, 0.0, -4.0]),
        (lambda x: np.tanh(1e4 * x), [1e-5, 0.0], [1e4 / np.cosh(0.1) ** 2, 1e4]),
        (lambda x: np.sin(1000 * x), [1.0, 2.0], 1000 * np.cos([1000.0, 2000.0])),
        (np.log, [1e-6, 1.0], [1e6, 1.0]),
        (np.floor, 0.5, 0.0),
        *((lambda t: np.sin(t**2), t, 2 * t * np.cos(t**2)) for t in np.linspace(9, 30, 22)),
    ],
)
def test_what_bends_sharply_has_a_derivative_all_the_same(f, x, claim):
    assert check_derivative(f, claim, at=x).diagnoses == ("right",)


@pytest.mark.parametrize("f", [np.sign, np.cbrt, lambda x: np.heaviside(x, 0), lambda x: 1.0 if x > 0 else 3.0])
@pytest.mark.parametrize("claim", [0.0, 1.0])
def test_where_f_jumps_there_is_no_derivative(f, claim):
    report = check_derivative(f, claim, at=0.0)
    assert report.diagnoses == ("jump",) and not report
    assert said(report) == "f jumps here, or is infinitely steep: no derivative."


def test_near_a_kink_there_is_none():
    for x in (1e-3, -1e-3, 1e-6):
        assert check_derivative(relu, relu.derivative, at=[1.0, x]).diagnoses == ("right",)


def test_many_kinks_are_not_all_listed():
    report = check_derivative(lambda a: np.sum(relu(a)), np.zeros(6), at=[0.0, 0, 0, 0, 0, 1.0])
    assert repr(report).count("from the left") == 3
    assert "And 2 more such entries." in said(report)


# ---- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ((3.0, 1.0, 1.0), TypeError, "check_derivative: f must be a function, got float"),
        ((np.sin, 1j, 1.0), TypeError, "check_derivative: claimed must hold real numbers, got dtype complex128"),
        ((np.sin, 1.0, 1j), TypeError, "check_derivative: at must hold real numbers, got dtype complex128"),
        ((np.sin, "1", 1.0), TypeError, "check_derivative: claimed must hold real numbers, got dtype <U1"),
        ((np.sin, None, 1.0), TypeError, "check_derivative: claimed must hold real numbers, got dtype object"),
        (
            (np.sin, 1.0, [1.0, np.nan]),
            ValueError,
            "check_derivative: at must hold finite numbers, got nan at position 1",
        ),
        (
            (np.sin, 1.0, [[1.0], [1.0, 2.0]]),
            ValueError,
            "check_derivative: at must be an array, got a list of unequal rows",
        ),
        (
            (lambda x: x + 1j, 1.0, 1.0),
            TypeError,
            "check_derivative: f(x) must hold real numbers, got dtype complex128",
        ),
        (
            (np.sin, 1.0, 1.0, "row"),
            ValueError,
            'check_derivative: layout must be "numerator" or "denominator", got \'row\'',
        ),
        ((np.sin, 1.0, []), ValueError, "check_derivative: at must hold at least one number, got the shape (0,)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_input_is_refused(arguments, error, message):
    with pytest.raises(error) as caught:
        check_derivative(*arguments)
    assert str(caught.value) == message


def test_what_a_function_of_the_reader_raises_is_seen():
    def broken(x):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        check_derivative(np.sin, broken, at=1.0)
    with pytest.raises(ZeroDivisionError, match="mine"):
        check_derivative(broken, np.cos, at=1.0)


def test_a_claimed_function_that_fails_at_symmetric_matrices_is_not_asked_again():
    def skew(X):
        if np.array_equal(X, X.T):
            raise ZeroDivisionError("mine")
        return np.cos(X)

    assert diagnoses(lambda X: np.sum(X**2), skew, A) == ("unknown",)


@pytest.mark.parametrize("shape", [(3,), (4, 4), (2, 2, 1), (), (1, 5)])
def test_an_impossible_shape_is_named(shape):
    assert diagnoses(CASES["wᵀAw"][0], np.ones(shape), w) == ("impossible shape",)


def test_a_diagonal_stands_for_a_jacobian_only_where_this_is_one():
    assert diagnoses(lambda x: W @ x, np.diag(W), w) == ("impossible shape",)
    assert check_derivative(lambda x: np.diag(W) * x, np.diag(W), at=w)


def test_a_wrong_function_of_a_matrix_is_wrong_at_symmetric_ones_too():
    assert diagnoses(lambda X: np.sum(X**2), np.cos, A) == ("unknown",)


def test_a_transposed_matrix_has_its_name():
    report = check_derivative(lambda w: w @ A.T @ w, lambda w: 2 * w @ A.T, at=w)
    assert said(report).startswith("Wrong unless A is symmetric")


def test_the_chain_is_looked_at_beside_kinks():
    report = check_derivative(lambda x: np.tanh(relu(x)), relu.derivative, at=[1.0, 0.0, -2.0])
    assert report.diagnoses == ("missing factor", "kink")
    assert "    v2 = tanh(v1) (3,)" in str(report)


def test_rounding_errors_are_shown_as_zero():
    report = check_derivative(lambda x: np.sum(np.sin(x)), [1.0, 1.0], at=[np.pi / 2, 0.0])
    assert said(report).endswith("∂f/∂x[0] is 0, claimed 1.")


def test_noise_is_no_kink():
    for seed in range(20):
        x = numbers(3, seed=seed)
        assert check_derivative(lambda x: 1e6 + 1e-10 * np.sum(np.sin(x)), 1e-10 * np.cos(x), at=x).diagnoses == (
            "right",
        )
    for seed in (4189, 13763, 28537):  # where tanh is flat
        f, x, J = point("tanh(Wx)", seed, 10.0)
        assert check_derivative(f, J, at=x).diagnoses == ("right",)


def test_a_tensor_of_the_other_layout_is_named():
    f, x, J = point("AXB")
    tensor = J.T.reshape(3, 4, 2, 5, order="F")
    assert diagnoses(f, tensor, x) == ("transposed",)
    assert check_derivative(f, tensor, at=x, layout="denominator")


# ---- paths that count otherwise ------------------------------------------------------------------

b3, A33 = np.array([0.3, -1.2, 0.8]), np.array([[1.0, 2.0, 0.5], [-0.4, 1.5, 1.0], [0.7, -2.0, 0.2]])


def along(x):
    return x * (x @ b3)


def rayleigh(w):
    return (w @ A33 @ w) / (w @ w)


@pytest.mark.parametrize(
    ("f", "claimed", "name", "words"),
    [
        (along, lambda x: np.outer(x, b3) - x @ b3 * np.eye(3), "wrong path", "One path has the wrong sign: that of x"),
        (along, lambda x: 2 * np.outer(x, b3) + x @ b3 * np.eye(3), "wrong path", "One path counts twice: that of x"),
        (along, lambda x: np.outer(x, b3) / 2 + x @ b3 * np.eye(3), "wrong path", "One path counts half: that of x"),
        (rayleigh, lambda w: w @ (A33 + A33.T) / (w @ w), "missing path", "One path is missing: that of v3 through"),
        (
            rayleigh,
            lambda w: (w @ (A33 + A33.T) + 2 * rayleigh(w) * w) / (w @ w),
            "wrong path",
            "One path has the wrong sign: that of v3 through",
        ),
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_a_path_with_the_wrong_weight_is_named(f, claimed, name, words, seed):
    report = check_derivative(f, claimed, at=np.random.default_rng(seed).normal(size=3))
    assert report.diagnoses == (name,) and not report
    assert words in said(report)


def likelihood(X):
    return np.linalg.slogdet(X)[1] + b3 @ np.linalg.inv(X) @ b3


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True)])
def test_a_path_of_a_matrix_that_is_transposed_is_named(first, second):
    X = A33 + 3 * np.eye(3)
    inverse = np.linalg.inv(X)
    by_log_det, by_inverse = inverse.T, -np.outer(inverse.T @ b3, inverse @ b3)
    assert check_derivative(likelihood, by_log_det + by_inverse, at=X)
    claim = (by_log_det.T if first else by_log_det) + (by_inverse.T if second else by_inverse)
    report = check_derivative(likelihood, claim, at=X)
    assert report.diagnoses == ("transposed",) and not report
    assert "One path is transposed: that of X through" in said(report)
    assert ("slogdet" if first else "inv(X)") in said(report)


def test_a_string_of_a_gradient_that_runs_along_the_rows_is_row_major():
    x, t, W = np.array([1.0, -2.0, 0.5]), np.array([0.3, 1.0]), np.array([[1.0, 0.2, -1.0], [0.5, 2.0, 0.1]])
    claim = np.outer(W @ x - t, x)
    f = lambda W: np.sum((W @ x - t) ** 2) / 2  # noqa: E731
    assert check_derivative(f, claim.ravel(), at=W).diagnoses == ("row-major",)
    assert check_derivative(f, claim.ravel(order="F"), at=W)


def test_a_claim_that_is_not_filled_in_is_told_so():
    report = check_derivative(along, np.zeros((3, 3)), at=b3)
    assert report.diagnoses == ("unknown",) and repr(report).startswith("Not yet: all that is claimed is 0.")
