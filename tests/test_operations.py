"""The browser computes what NumPy computes: every operation of nnlib/live/export.py against web/figure.mjs."""

import itertools
import json
from functools import partial

import derivative_cases
import numpy as np
import pytest

from nnlib import activations, losses
from nnlib.activations import identity, logistic, maxout, relu, tanh
from nnlib.chain_rule import gradient
from nnlib.formula import Formula
from nnlib.graph import Part, TracingError, trace
from nnlib.live import export
from nnlib.local_derivatives import COMPOSED, ELEMENTWISE, FLAT, LINEAR, NONLINEAR

TOLERANCE = 1e-12  # of the largest absolute value in the array
SHAPES = [(), (1,), (7,), (2, 3), (2, 1, 4), (0,)]
PAIRS = [((), ()), ((7,), ()), ((), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 4)), ((3, 1, 2), (4, 1)), ((0, 3), (3,))]


@pytest.fixture(scope="module")
def module(browser, serve):
    """A page that has loaded figure.mjs."""
    from conftest import WEB

    page = browser.new_page()
    page.goto(serve(WEB) + "figure.mjs")
    page.evaluate("async () => { window.figure = await import(location.href); }")
    yield page
    page.close()


def in_browser(module, f, *arrays, at=1.0):
    """`f(*arrays)` as the browser computes it from the exported graph.

    What makes each array recorded is a factor, a slider: it stands at 1 when f is traced, and in the browser `at`.
    """
    nodes = export.Nodes()
    graph = trace(lambda factor: f(*(np.multiply(factor, array) for array in arrays)), 1.0)
    position = nodes.add(graph)
    outputs = graph.output if isinstance(graph.output, tuple) else (graph.output,)
    program = {
        "controls": [{"name": "factor", "kind": "slider", "value": 1}],
        "panels": [],
        "nodes": nodes.written,
        "artists": {},
        "variants": [{"case": {str(i): position(output) for i, output in enumerate(outputs)}}],
    }
    results = module.evaluate(
        """([program, factor]) => {
          const { data } = figure.start(document, JSON.parse(program));
          const plain = (number) => (Number.isFinite(+number) ? +number : String(number));
          return Object.values(data({ factor }).case).map(({ shape, data }) => [shape, Array.from(data, plain)]);
        }""",
        [json.dumps(program, allow_nan=False), at],
    )
    return [np.array([float(number) for number in data]).reshape(shape) for shape, data in results]


def assert_agree(module, f, *arrays, at=1.0):
    with np.errstate(all="ignore"):
        expected = f(*(at * np.asarray(array, float) for array in arrays))
        found = in_browser(module, f, *arrays, at=at)
    for here, there in zip(expected if isinstance(expected, tuple) else (expected,), found, strict=True):
        here = np.asarray(here, float)
        assert here.shape == there.shape
        np.testing.assert_array_equal(np.isnan(there), np.isnan(here))
        np.testing.assert_array_equal(there[np.isinf(here)], here[np.isinf(here)])
        finite = np.isfinite(here)
        largest = np.max(np.abs(here[finite]), initial=0.0)
        np.testing.assert_allclose(there[finite], here[finite], rtol=0, atol=TOLERANCE * largest)


def numbers(*shape, seed=0, low=-3.0, high=3.0):
    return np.random.default_rng([seed, *shape]).uniform(low, high, shape)


# -- the two tables --------------------------------------------------------------------------------------------------


def test_both_tables_hold_the_same_names(module):
    here = {*export.OPERATIONS.values(), *export.PRIMITIVES} - {"slider"}
    assert set(module.evaluate("Object.keys(figure.operations)")) == here


# What an elementwise function is defined on, where that is not every number.
DOMAINS = {
    np.sqrt: (0, 9), np.log: (1e-6, 9), np.log2: (1e-6, 9), np.log10: (1e-6, 9), np.log1p: (-0.999, 9),
    np.reciprocal: (0.1, 3),
    np.arcsin: (-1, 1), np.arccos: (-1, 1), np.arctanh: (-0.99, 0.99), np.arccosh: (1, 9), np.power: (0.1, 4),
    np.float_power: (0.1, 4),
}  # fmt: skip
UFUNCS = [
    *(f for f in export._ELEMENTWISE if f is not np.where),
    *(f for f in export.COMPOSED if isinstance(f, np.ufunc) and f not in export.BETWEEN_COMPARISONS),
]
SPECIAL = [
    0.0,
    -0.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    1.0,
    -1.0,
    2.0,
    0.1,
    0.3,
    1e-20,
    -1e-20,
    1e300,
    700.0,
    -700.0,
    np.inf,
    -np.inf,
    np.nan,
]


@pytest.mark.parametrize("function", [f for f in UFUNCS if f.nin == 1], ids=lambda f: f.__name__)
def test_functions_of_one_array(module, function):
    low, high = DOMAINS.get(function, (-9, 9))
    for shape in SHAPES:
        assert_agree(module, function, numbers(*shape, low=low, high=high))
    # Each number alone, so that a large neighbour does not hide a small error.
    assert_agree(module, lambda a: tuple(map(function, a)), [*SPECIAL, 1e-9, 20.0])


@pytest.mark.parametrize("function", [f for f in UFUNCS if f.nin == 2], ids=lambda f: f.__name__)
def test_functions_of_two_arrays(module, function):
    low, high = DOMAINS.get(function, (-3, 3))
    for first, second in [*PAIRS, *((b, a) for a, b in PAIRS)]:
        assert_agree(
            module, function, numbers(*first, low=low, high=high), numbers(*second, seed=1, low=low, high=high)
        )
    pairs = [
        pair for pair in itertools.product(SPECIAL, SPECIAL) if pair != (-np.inf, 0.5)
    ]  # NumPy: the root, NaN; C: inf
    first, second = np.array(pairs).T
    assert_agree(module, lambda a, b: tuple(function(a[i], b[i]) for i in range(len(first))), first, second)
    tenths = np.arange(-30, 31) / 10  # what sliders give
    assert_agree(module, function, tenths[:, None], tenths)


@pytest.mark.parametrize("shapes", [((3,), (3,), ()), ((2, 1), (3,), (2, 3)), ((), (2, 2), (2, 1)), ((4,), (), ())])
def test_where(module, shapes):
    condition, a, b = (numbers(*shape, seed=i) for i, shape in enumerate(shapes))
    assert_agree(module, lambda c, a, b: np.where(c > 0, a, b), condition, a, b)
    assert_agree(module, np.where, np.resize([0.0, -0.0, 1.0, np.nan], condition.shape), a, b)


REDUCED = [
    ((), None),
    ((5,), None),
    ((5,), 0),
    ((2, 3), None),
    ((2, 3), 0),
    ((2, 3), -1),
    ((2, 3, 4), 1),
    ((2, 3, 4), (0, 2)),
    ((1, 1), 0),
]


@pytest.mark.parametrize(
    "name", ["sum", "prod", "max", "min", "argmax", "argmin", "mean", "var", "std", "any", "all", "count_nonzero"]
)
def test_reductions(module, name):
    function = getattr(np, name)
    for (shape, axis), keepdims in itertools.product(REDUCED, (False, True)):
        if not (isinstance(axis, tuple) and name.startswith("arg")):
            assert_agree(module, partial(function, axis=axis, keepdims=keepdims), numbers(*shape))
    assert_agree(
        module, lambda a: function(a, axis=0), [[1.0, 1.0, -0.0], [np.nan, 1.0, 0.0], [2.0, 0.0, 0.0], [np.nan] * 3]
    )  # NaN, ties
    assert_agree(module, lambda a: function(a, 1), np.round(numbers(4, 6)))
    if name in ("sum", "prod"):
        assert_agree(module, lambda a: function(a, axis=0), np.zeros((0, 3)))


@pytest.mark.parametrize(
    ("shape", "axis"),
    [((), None), ((5,), None), ((5,), 0), ((2, 3), None), ((2, 3), 0), ((2, 3, 4), 1), ((2, 3, 4), -1)],
)
def test_cumsum_and_diff(module, shape, axis):
    assert_agree(module, lambda a: np.cumsum(a, axis=axis), numbers(*shape))
    if axis is not None:
        assert_agree(module, lambda a: np.diff(a, axis=axis), numbers(*shape))


PRODUCTS = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (6, 3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 2)), ((1, 1), (1, 1)), ((2, 0), (0, 3)),
]  # fmt: skip


@pytest.mark.parametrize("shapes", PRODUCTS)
def test_matmul(module, shapes):
    assert_agree(module, np.matmul, *(numbers(*shape, seed=i) for i, shape in enumerate(shapes)))


def test_interp_and_linspace(module):
    knots, values = np.sort(numbers(6)), numbers(6, seed=1)
    at = np.concatenate([knots, numbers(20, seed=2), [-9, 9, np.nan]])
    assert_agree(module, np.interp, at, knots, values)
    assert_agree(module, np.interp, 0.5, knots, values)
    for count in (1, 2, 50):
        assert_agree(module, lambda a, b, count=count: np.linspace(a, b, count), -1.1, 2.3)
        assert_agree(module, partial(np.linspace, num=count), 0.1, 0.1)


VIEWS = {
    "reshape": lambda a: (np.reshape(a, (3, 8)), np.reshape(a, (4, -1), order="F")),
    "ravel": lambda a: (np.ravel(a), np.ravel(a, order="F")),
    "transpose": lambda a: (np.transpose(a), np.transpose(a, (1, 2, 0)), a.T),
    "swapaxes": lambda a: np.swapaxes(a, 0, -1),
    "moveaxis": lambda a: (np.moveaxis(a, 0, -1), np.moveaxis(a, [0, 1], [-1, 0])),
    "expand_dims": lambda a: np.expand_dims(a, 1),
    "squeeze": lambda a: (np.squeeze(a[:1]), np.squeeze(a[:1, :, :1], axis=2)),
    "flip": lambda a: (np.flip(a), np.flip(a, axis=1)),
    "roll": lambda a: (np.roll(a, 2), np.roll(a, -1, axis=2)),
    "broadcast_to": lambda a: np.broadcast_to(a, (5, 2, 3, 4)),
    "atleast_1d": lambda a: (np.atleast_1d(a), np.atleast_1d(a[0, 0, 0])),
    "atleast_2d": lambda a: (np.atleast_2d(a), np.atleast_2d(a[0, 0, 0]), np.atleast_2d(a[0, 0])),
    "repeat": lambda a: (np.repeat(a, 2), np.repeat(a, 3, axis=1), np.repeat(a, [1, 2, 0], axis=1)),
    "tile": lambda a: np.tile(a, (2, 1, 3)),
    "diagonal": lambda a: np.diagonal(a, axis1=1, axis2=2),
    "stack": lambda a: (
        np.stack([a, 2 * a]), np.stack([a[0], a[1], 7 * np.ones((3, 4))], axis=-1), np.stack([a[0, 0, 0], 2.0]),
    ),
    "concatenate": lambda a: (
        np.concatenate([a, a[:1]]), np.concatenate([a, a[:, :0], a], axis=1), np.concatenate([a, a], axis=None),
    ),
    "vstack": lambda a: (np.vstack([a[0], a[1]]), np.vstack([a[0, 0], a[0, 1]])),
    "hstack": lambda a: np.hstack([a[0], a[1]]),
    "column_stack": lambda a: (np.column_stack([a[0, 0], a[0, 1]]), np.column_stack([a[0], a[1]])),
    "getitem": lambda a: (
        a[0], a[-1, 1], a[0, 1, 2], a[:, ::-1], a[..., 1:3], a[:, None], a[1:1], a[[1, 0, 1]], a[:, [0, 2], [1, 3]],
        a[np.array([[True, False, True], [False, True, True]])], a[:, 2:0:-1, 3::-2],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VIEWS)
def test_functions_that_only_move_numbers(module, name):
    assert_agree(module, VIEWS[name], numbers(2, 3, 4))


# -- every function of the table of local derivatives, and every formula ---------------------------------------------

# What derivative_cases has not: the functions whose derivative is 0, and what concerns the browser alone.
OF_A_MATRIX = {
    **{f: f for f in (np.sign, np.floor, np.ceil, np.rint, np.trunc, np.fix, np.isnan, np.isfinite, np.logical_not)},
    **{f: lambda a, f=f: f(a, np.round(a[0])) for f in (
        np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
        np.logical_and, np.logical_or, np.logical_xor, np.floor_divide,
    )},
    np.isinf: lambda a: np.isinf(a / np.round(a)),
    np.signbit: lambda a: (np.signbit(a), np.signbit(0 * a)),
    np.heaviside: lambda a: (np.heaviside(np.round(a), 0.5), np.heaviside(0 * a, a)),
    np.bitwise_and: lambda a: (a > 0) & (a < 1),
    np.bitwise_or: lambda a: (a < 0) | (a > 1),
    np.bitwise_xor: lambda a: (a < 1) ^ (a > 0),
    np.invert: lambda a: ~(a > 0),
    np.isclose: lambda a: (np.isclose(a, a[0] + 1e-9), np.isclose(a, a + 1, rtol=0.5, atol=0.1), np.isclose(a / 0, a)),
    np.allclose: lambda a: (np.allclose(a, a + 1e-9), np.allclose(a, a[0])),
    np.array_equal: lambda a: (np.array_equal(a, a), np.array_equal(a, 2 * a), np.array_equal(a, a[:1])),
    np.round: lambda a: (
        np.round(a), np.round(10 * a) / 4, np.round(a, 2), np.round(100 * a, -1), np.round(a, decimals=1),
    ),
    np.around: lambda a: (np.around(a), np.around(a, 1)),
    np.any: lambda a: np.any(a > 2, axis=0),
    np.all: lambda a: np.all(a > -2, axis=1),
    np.count_nonzero: lambda a: np.count_nonzero(a > 0, axis=1),
    np.argmax: lambda a: (np.argmax(a), np.argmax(a, axis=0)),
    np.argmin: lambda a: (np.argmin(a), np.argmin(a, axis=1)),
    np.argsort: lambda a: (
        np.argsort(a), np.argsort(a, axis=0), np.argsort(a, axis=None), np.argsort(a[0, 0]),
        np.argsort(np.round(a), kind="stable"), np.argsort(np.sqrt(a), axis=1, kind="stable"),
    ),
    np.searchsorted: lambda a: (
        np.searchsorted(np.sort(a[0]), a), np.searchsorted([-2.0, 0.0, 0.0, 1.0], np.round(a), side="right"),
        np.searchsorted([-2.0, 0.0, 0.0, 1.0], np.round(a)), np.searchsorted([0.0, 1.0], np.sqrt(a)),
    ),
    np.digitize: lambda a: tuple(
        np.digitize(np.round(a), bins[::step], right)
        for bins in ([-2.0, 0.0, 1.0],) for step in (1, -1) for right in (False, True)
    ),
    np.zeros_like: np.zeros_like,
    np.ones_like: np.ones_like,
    np.empty_like: np.empty_like,
    Part(np.linalg.slogdet, 0): lambda a: np.linalg.slogdet(np.stack([a[:, :4], a[::-1, :4]])).sign,
    np.logaddexp: lambda a: np.logaddexp(a, 300 * a[0]),
    np.logaddexp2: lambda a: np.logaddexp2(a, 300 * a[0]),
    np.clip: lambda a: (np.clip(a, -1, 1), np.clip(a, None, 0.5), np.clip(a, a[0], None), a.clip(0)),
    np.mean: lambda a: (np.mean(a), a.mean(axis=(0, 1)), np.mean(a, -1, keepdims=True)),
    np.linalg.norm: lambda a: (np.linalg.norm(a[0], axis=-1, keepdims=True), np.linalg.norm(0 * a, axis=0)),
    np.dot: lambda a: (np.dot(a, 2.0), np.dot(a, a.T)),
    np.sort: lambda a: (np.sort(a, axis=0), np.sort(np.round(a), axis=None), np.sort(np.sqrt(a))),
    np.take_along_axis: lambda a: (
        np.take_along_axis(a, np.argsort(a[:1], axis=1), axis=1), np.take_along_axis(a[0], np.argsort(a[1])[:2] - 3, 0),
        np.take_along_axis(a, np.argsort(a, axis=None)[:3], None),
        np.take_along_axis(np.arange(20.0).reshape(4, 5), np.argsort(a, axis=0), axis=0),
    ),
    np.take: lambda a: np.take(a, [3, 27], mode="wrap"),
    np.einsum: lambda a: (
        np.einsum("ij,ik->jk", a, a, optimize=True), np.einsum("ij,ij,ij->j", a, a, a),
        np.einsum("ij,kj,l->lik", a, a, a[0]), np.einsum("i,i", a[0], np.arange(5.0)),
    ),
}  # fmt: skip
TABLE = list(dict.fromkeys([*ELEMENTWISE, *LINEAR, *NONLINEAR, *COMPOSED, *sorted(FLAT, key=str)]))


def name(function):
    return getattr(function, "name", None) or function.__name__


def with_gradient(f):
    """f and the gradient of its numbers, each counted differently, as one function that gives several arrays."""

    def loss(*arrays):
        value = f(*arrays)
        parts = value if isinstance(value, tuple) else (value,)
        return sum(np.sum(numbers(*np.shape(part), seed=i) * part) for i, part in enumerate(parts))

    def both(*arrays):
        value, row = f(*arrays), gradient(loss)(*arrays)
        return *(value if isinstance(value, tuple) else (value,)), *(row if isinstance(row, tuple) else (row,))

    return both


def cases_of(function):
    """What there is to try a function on: pairs (f, arrays)."""
    cases = [case for row in derivative_cases.ROWS if row[0] == function for case in derivative_cases.combinations(row)]
    return [*cases, (OF_A_MATRIX[function], [numbers(4, 5)])] if function in OF_A_MATRIX else cases


def assert_known_to_the_browser(module, function):
    """That the browser gives NumPy's numbers for a function and its gradient; or an error that says what to write."""
    cases = cases_of(function)
    assert cases, f"{name(function)}: nothing tries it: add a row to ROWS in derivative_cases.py, or to OF_A_MATRIX"
    for f, arrays in cases:
        with np.errstate(all="ignore"):
            recorded = trace(lambda *arrays, f=f: f(*arrays), *arrays).nodes
        assert function in {node.function for node in recorded}, f"{name(function)}: this case does not use it"
        if function in export.WITHOUT_COUNTERPART:
            with pytest.raises(TracingError, match=f"{name(function)} has no counterpart in the browser: .*; write "):
                in_browser(module, f, *arrays)
        else:
            assert_agree(module, with_gradient(f), *arrays)


@pytest.mark.parametrize("function", TABLE, ids=name)
def test_every_function_with_a_local_derivative_is_known_to_the_browser(module, function):
    assert_known_to_the_browser(module, function)


def test_only_these_functions_have_no_counterpart():
    assert set(export.WITHOUT_COUNTERPART) == {np.empty_like}


def test_what_the_browser_knows_beyond_the_table_is_tested():
    assert {*export.OPERATIONS, *export.COMPOSED} - {*TABLE} == {np.interp}


def test_a_function_that_the_browser_does_not_know_is_found(module, monkeypatch):
    with pytest.raises(AssertionError, match="sinc: nothing tries it"):
        assert_known_to_the_browser(module, np.sinc)
    monkeypatch.setitem(OF_A_MATRIX, np.sinc, np.sin)
    with pytest.raises(AssertionError, match="sinc: this case does not use it"):
        assert_known_to_the_browser(module, np.sinc)
    monkeypatch.setitem(OF_A_MATRIX, np.sinc, np.sinc)
    monkeypatch.setitem(ELEMENTWISE, np.sinc, (lambda z, x: x,))
    with pytest.raises(TracingError, match="sinc has no counterpart in the browser: write it with functions that have"):
        assert_known_to_the_browser(module, np.sinc)


CLASSES, TWO = np.array([2, 0, 1, 1]), np.array([1, 0, 0, 1])


def distributions(*shape, seed=0):
    p = numbers(*shape, seed=seed, low=0.1, high=1.0)
    return p / np.sum(p, axis=0)


# Formulas with arguments to try them on; what is not to be differentiated stands in the function.
OF_FORMULAS = {
    **{f: (f, numbers(4, 5)) for f in (identity, logistic, tanh, relu, maxout)},
    **{f: (f, numbers(3, 4)) for f in (losses.softmax, losses.log_softmax)},
    losses.entropy: (losses.entropy, distributions(3, 4)),
    losses.logistic_loss: (lambda a: losses.logistic_loss(a, TWO), 20 * numbers(4)),
    losses.hinge_loss: (lambda a: losses.hinge_loss(a, 2 * TWO - 1), numbers(4)),
    losses.zero_one_loss: (lambda a: losses.zero_one_loss(a, 2 * TWO - 1), numbers(4)),
    losses.squared_loss: (losses.squared_loss, numbers(4), numbers(4, seed=1)),
    losses.softmax_loss: (lambda A: losses.softmax_loss(A, CLASSES), 9 * numbers(3, 4)),
    losses.negative_log_likelihood: (lambda p: losses.negative_log_likelihood(p, CLASSES), distributions(3, 4)),
    losses.cross_entropy: (losses.cross_entropy, distributions(3, 4), distributions(3, 4, seed=1)),
    losses.kl_divergence: (losses.kl_divergence, distributions(3, 4), distributions(3, 4, seed=1)),
}


def test_every_formula_is_tried():
    formulas = {f for module in (activations, losses) for f in vars(module).values() if isinstance(f, Formula)}
    assert formulas == set(OF_FORMULAS)


@pytest.mark.parametrize("formula", OF_FORMULAS, ids=repr)
def test_every_formula_is_known_to_the_browser(module, formula):
    f, *arrays = OF_FORMULAS[formula]
    assert_agree(module, with_gradient(f), *arrays)


def second(f):
    """The gradient of the square of the gradient."""

    def of(x):
        def loss(x):
            return np.sum(gradient(lambda x: np.sum(numbers(*np.shape(f(x))) * f(x)))(x) ** 2)

        return gradient(loss)(x)

    return of


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sort(x, axis=0) ** 3,
        lambda x: np.linalg.solve(x[:, :4], x[:, 4] ** 2),
        lambda x: np.linalg.inv(x[:, 1:]),
        lambda x: np.linalg.det(x[:, 1:]),
        lambda x: np.einsum("ij,ik,k->j", x, x**2, x[0]),
        lambda x: np.float_power(2.0 + np.tanh(x), x),
        lambda x: np.logaddexp2(x, x[0] ** 2),
        lambda x: np.prod(x, axis=1),
        lambda x: losses.softmax_loss(x[:, :4], CLASSES),
    ],
)
def test_second_derivatives_are_known_to_the_browser(module, f):
    assert_agree(module, second(f), numbers(4, 5, seed=3))


# -- linear algebra ---------------------------------------------------------------------------------------------------

MATRICES = [
    [[0.0, 1.0], [1.0, 0.0]],  # its first pivot lies in the second row
    [[0.0, 2.0, 1.0], [0.0, 0.0, 3.0], [5.0, 1.0, 1.0]],
    [[1e-20, 1.0], [1.0, 1.0]],  # without an exchange of rows nothing of the solution is right
    [[-3.0]],
    np.zeros((0, 0)),
    numbers(6, 6) + 3 * np.eye(6),
    numbers(30, 30) + 9 * np.eye(30),
    numbers(2, 3, 4, 4),
]


@pytest.mark.parametrize("A", MATRICES, ids=lambda A: str(np.shape(A)))
def test_linear_equations_and_determinants(module, A):
    n = np.shape(A)[-1]
    assert_agree(module, lambda A, b: (np.linalg.solve(A, b), np.linalg.inv(A)), A, numbers(n, 2, seed=1))
    assert_agree(module, lambda A, b: np.linalg.solve(A, b), A, numbers(n, seed=2))
    assert_agree(module, lambda A: (np.linalg.det(A), *np.linalg.slogdet(A)), A)


def test_stacks_of_linear_equations_are_spread_over_each_other(module):
    for left, right in [((2, 1, 3, 3), (4, 3, 2)), ((3, 3), (4, 3, 2)), ((4, 3, 3), (3,)), ((4, 3, 3), (1, 3, 1))]:
        assert_agree(module, np.linalg.solve, numbers(*left) + 5 * np.eye(3), numbers(*right, seed=1))


def test_determinants_at_the_ends(module):
    singular = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 1.0, 5.0]])
    assert_agree(module, lambda A: (np.linalg.det(A), *np.linalg.slogdet(A)), singular)
    assert_agree(module, lambda A: (np.linalg.det(A), *np.linalg.slogdet(A)), np.zeros((2, 2)))
    assert_agree(module, lambda A: (np.linalg.det(A), *np.linalg.slogdet(A)), 1e9 * np.eye(40))  # 1e360 is infinite


def test_the_inverse_of_a_singular_matrix_is_no_number(module):
    """NumPy raises an error, which a picture cannot do: there its curve has a gap."""
    (found,) = in_browser(module, lambda A: np.linalg.inv(A + np.ones((2, 2))), np.eye(2), at=0.0)
    assert not np.isfinite(found).any()


# -- positions that move -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        lambda a: np.sort(a, axis=0),
        lambda a: np.sort(np.stack([a, 0.3 + 0 * a, a**2]), axis=0),
        lambda a: np.take_along_axis(a, np.argsort(a**2, axis=-1), axis=-1),
        lambda a: np.argsort(a[0])[np.argmax(a[1])],
        lambda a: (a[0][np.argmax(a[1])], a[1][np.argsort(a[0])[:3] - 5]),
        lambda a: (np.max(a, axis=1), np.min(a), np.clip(a, -1, 1)),
        lambda a: np.searchsorted([-1.0, 0.0, 1.0], a),
        lambda a: np.digitize(a, [1.0, 0.0, -1.0]),
        lambda a: np.digitize(0.5, np.sort(a[0]) * np.sum(a)),
        lambda a: np.linalg.solve(a[:, 1:], a[:, 0] ** 2),
        lambda a: np.linalg.slogdet(a[:3, 1:4]).sign,
        lambda a: np.einsum("ij,kj->ik", a, a**2),
    ],
)
def test_away_from_where_it_was_traced_a_figure_is_right_too(module, f):
    assert_agree(module, with_gradient(f), numbers(4, 5), at=-0.5)


def test_np_take_by_a_position_that_moves(module):
    assert_agree(
        module, lambda a: (np.take(a, np.argmax(a**2)), np.take(a, np.argsort(a)[:3] - 9)), numbers(9), at=-0.5
    )


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric", "wrap"])
def test_pad_with_numbers_of_its_own(module, mode):
    assert_agree(module, lambda a: np.pad(a, ((1, 0), (2, 3)), mode), numbers(3, 4))


@pytest.mark.parametrize("response", [identity, logistic, tanh, relu], ids=repr)
def test_responses_and_their_derivatives(module, response):
    a = np.concatenate([np.linspace(-745, 745, 299), np.linspace(-3, 3, 61)])
    assert_agree(module, lambda a: (response(a), response.derivative(a)), a)
    for number in (
        -700.0,
        -40.0,
        -1e-9,
        0.0,
        0.3,
        20.0,
        40.0,
        700.0,
    ):  # far out a derivative is small but must be right
        assert_agree(module, lambda a: (response(a), response.derivative(a)), number)


def test_arithmetic_of_truth_values_is_that_of_numpy(module):
    assert_agree(
        module, lambda a: ((a > 0) + (a > 1), (a > 0) * (a > 1), (a > 0) + 1, np.sum(a > 0), (a > 0) @ a), numbers(9)
    )


def test_maxout_and_its_derivative(module):
    pieces = np.round(numbers(3, 40))  # with ties
    assert_agree(module, lambda pieces: (maxout(pieces), maxout.derivative(pieces)), pieces)


def test_what_a_node_holds_is_written_once_however_often_it_is_needed():
    x = np.linspace(-1, 1, 101)
    nodes = export.Nodes()
    for _ in range(2):
        nodes.add(trace(lambda w: (w * x, w * x + 1, logistic(w * x)), 1.0))
    keys = [json.dumps(node, sort_keys=True) for node in nodes.written]
    assert len(set(keys)) == len(keys)
    assert sum(node["op"] == "constant" and node["shape"] == [101] for node in nodes.written) == 1


CONSTANTS = [
    0.1, np.linspace(-6, 6, 241), np.geomspace(1e-8, 1e8, 50), np.arange(5), np.array([[0.1], [0.2]]), np.ones((3, 4)),
    *np.meshgrid(np.linspace(-1, 1, 5), np.arange(4.0)), np.array([np.nan, np.inf, -np.inf, -0.0, 1e-310, 1e300]),
    np.full(3, np.nan), np.array([True, False]), np.zeros((0, 3)), np.zeros((2, 0)),
]  # fmt: skip


@pytest.mark.parametrize("constant", CONSTANTS, ids=lambda constant: f"{np.shape(constant)}")
def test_constants_arrive_bit_for_bit(module, constant):
    nodes = export.Nodes()
    program = {"controls": [], "panels": [], "artists": {}, "variants": [{"case": {"x": nodes.constant(constant)}}]}
    text = json.dumps({**program, "nodes": nodes.written}, allow_nan=False)
    shape, data = module.evaluate(
        """program => {
          const { shape, data } = figure.start(document, JSON.parse(program)).data({}).case.x;
          return [shape, Array.from(data, (x) => (Object.is(x, -0) ? "-0" : Number.isFinite(x) ? x : String(x)))];
        }""",
        text,
    )
    found = np.array([float(number) for number in data]).reshape(shape)
    expected = np.asarray(constant, float)
    assert found.shape == expected.shape
    assert found.tobytes() == expected.tobytes() or np.isnan(expected).any()
    np.testing.assert_array_equal(found, expected)


NOT_EXPORTED = [
    lambda w: np.median(np.stack([w, 1.0])),
    lambda w: np.sort(np.stack([w, 1.0]), kind="heapsort"),
    lambda w: np.sum(np.stack([w, 1.0]), initial=3.0),
    lambda w: np.interp(w, [0.0, 1.0], [0.0, 1.0], left=7.0),
    lambda w: np.interp(w, [0.0, 1.0], [0.0, 1.0], 7.0),
    lambda w: np.linspace(0, w, 5, endpoint=False),
    lambda w: np.linspace(np.stack([w, w]), 1.0, 5),
    lambda w: np.add(w, 1.0, dtype=np.float32),
    lambda w: np.linalg.norm(w * np.eye(2), ord="nuc"),
    lambda w: np.std(np.stack([w, w]), mean=0.0),
    lambda w: (w * np.eye(2))[np.argmax(np.stack([w, 0]))],
    lambda w: np.take(np.stack([w, w]), np.argmax(np.stack([w, 0])), mode="clip"),
    lambda w: np.roll(np.stack([w, w]), np.argmax(np.stack([w, 0]))),
    lambda w: np.pad(np.stack([w, w]), 1, "mean"),
    lambda w: np.pad(np.stack([w, w]), 1, constant_values=2.0),
    lambda w: np.flip(m=np.stack([w, w])),
    lambda w: np.einsum(np.stack([w, w]), [0], []),
    lambda w: np.empty_like(np.stack([w, w])),
    lambda w: np.stack([np.argmax(np.stack([w, 0])), 1]) & 3,
]


@pytest.mark.parametrize("f", NOT_EXPORTED)
def test_what_the_browser_cannot_compute_is_an_error_and_not_another_number(f):
    with pytest.raises(TracingError, match="live: "):
        export.Nodes().add(trace(f, 1.0))


# -- numbers as text -------------------------------------------------------------------------------------------------

SPECIFICATIONS = [
    ".0f",
    ".1f",
    ".2f",
    ".3f",
    "f",
    "+.2f",
    " .1f",
    "z.1f",
    "+z.1f",
    ",.0f",
    ",.2f",
    ".2e",
    ".0e",
    "e",
    ".3g",
    "g",
    ".1g",
    ".10g",
    ".0%",
    ".1%",
    "+.2%",
]


def many_numbers():
    rng = np.random.default_rng(0)
    sliders = [
        round(low + i * step, 12)
        for low, step in ((-4, 0.1), (-3, 0.05), (0, 0.005), (-1, 0.125), (-10, 0.25))
        for i in range(81)
    ]
    ties = [sign * (k + 0.5) / 10**digits for k in range(40) for digits in range(4) for sign in (1, -1)]
    exact_ties = [sign * (2 * k + 1) / 2**power for k in range(20) for power in range(1, 8) for sign in (1, -1)]
    spread = (rng.normal(size=300) * 10.0 ** rng.integers(-8, 12, 300)).tolist()
    special = [
        0.0,
        -0.0,
        1e-7,
        -1e-7,
        0.0005,
        9.995,
        99.95,
        999.5,
        9999.5,
        99999.5,
        999999.5,
        1e5,
        1e6,
        1e15,
        123456789.0,
        1e-4,
        9.99995e-5,
        2.675,
        1.005,
        1.015,
    ]
    return [*sliders, *ties, *exact_ties, *spread, *special, np.inf, -np.inf, np.nan]


@pytest.mark.parametrize("specification", SPECIFICATIONS)
def test_numbers_are_formatted_as_python_does(module, specification):
    given = many_numbers()
    found = module.evaluate(
        "([texts, specification]) => texts.map((text) => figure.format(Number(text), specification))",
        [[repr(number).replace("inf", "Infinity").replace("nan", "NaN") for number in given], specification],
    )
    expected = [format(number, specification).replace("-", "\N{MINUS SIGN}") for number in given]
    wrong = {repr(n): (there, here) for n, there, here in zip(given, found, expected, strict=True) if there != here}
    assert wrong == {}
