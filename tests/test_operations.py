"""The browser computes what NumPy computes: every operation of nnlib/live/export.py against web/figure.mjs."""

import itertools
import json
from functools import partial

import numpy as np
import pytest

from nnlib.activations import identity, logistic, maxout, relu, tanh
from nnlib.graph import TracingError, trace
from nnlib.live import export

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


def in_browser(module, f, *arrays):
    """`f(*arrays)` as the browser computes it from the exported graph; a factor of 1 makes each array recorded."""
    nodes = export.Nodes()
    graph = trace(lambda one: f(*(np.multiply(one, array) for array in arrays)), 1.0)
    position = nodes.add(graph)
    outputs = graph.output if isinstance(graph.output, tuple) else (graph.output,)
    program = {
        "controls": [{"name": "one", "kind": "slider", "value": 1}],
        "panels": [],
        "nodes": nodes.written,
        "artists": {},
        "variants": [{"case": {str(i): position(output) for i, output in enumerate(outputs)}}],
    }
    results = module.evaluate(
        """program => {
          const { data } = figure.start(document, JSON.parse(program));
          const plain = (number) => (Number.isFinite(+number) ? +number : String(number));
          return Object.values(data({ one: 1 }).case).map(({ shape, data }) => [shape, Array.from(data, plain)]);
        }""",
        json.dumps(program, allow_nan=False),
    )
    return [np.array([float(number) for number in data]).reshape(shape) for shape, data in results]


def assert_agree(module, f, *arrays):
    with np.errstate(all="ignore"):
        expected = f(*(np.asarray(array, float) for array in arrays))
        found = in_browser(module, f, *arrays)
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
}  # fmt: skip
TERNARY = [np.where]
ELEMENTWISE = [f for f in export._ELEMENTWISE if f not in TERNARY]
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


@pytest.mark.parametrize("function", [f for f in ELEMENTWISE if f.nin == 1], ids=lambda f: f.__name__)
def test_functions_of_one_array(module, function):
    low, high = DOMAINS.get(function, (-9, 9))
    for shape in SHAPES:
        assert_agree(module, function, numbers(*shape, low=low, high=high))
    # Each number alone, so that a large neighbour does not hide a small error.
    assert_agree(module, lambda a: tuple(map(function, a)), [*SPECIAL, 1e-9, 20.0])


@pytest.mark.parametrize("function", [f for f in ELEMENTWISE if f.nin == 2], ids=lambda f: f.__name__)
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


def test_every_function_that_moves_numbers_is_tested():
    assert {f.__name__ for f in export._VIEWS} == set(VIEWS)


COMPOSED = {
    np.positive: lambda a: +a,
    np.fabs: np.fabs,
    np.degrees: np.degrees,
    np.radians: np.radians,
    np.logaddexp: lambda a: np.logaddexp(a, 300 * a[0]),
    np.heaviside: lambda a: (np.heaviside(np.round(a), 0.5), np.heaviside(0 * a, a)),
    np.clip: lambda a: (np.clip(a, -1, 1), np.clip(a, None, 0.5), np.clip(a, a[0], None), a.clip(0)),
    np.bitwise_and: lambda a: (a > 0) & (a < 1),
    np.bitwise_or: lambda a: (a < 0) | (a > 1),
    np.bitwise_xor: lambda a: (a < 1) ^ (a > 0),
    np.invert: lambda a: ~(a > 0),
    np.round: lambda a: (
        np.round(a),
        np.round(10 * a) / 4,
        np.round(a, 2),
        np.round(100 * a, -1),
        np.round(a, decimals=1),
    ),
    np.any: lambda a: np.any(a > 2, axis=0),
    np.all: lambda a: np.all(a > -2, axis=1),
    np.count_nonzero: lambda a: np.count_nonzero(a > 0, axis=1),
    np.mean: lambda a: (np.mean(a), a.mean(axis=(0, 1)), np.mean(a, -1, keepdims=True)),
    np.var: lambda a: np.var(a, axis=0),
    np.std: lambda a: (np.std(a), np.std(a, axis=1, keepdims=True)),
    np.linalg.norm: lambda a: (
        np.linalg.norm(a),
        np.linalg.norm(a, axis=0),
        np.linalg.norm(a[0], axis=-1, keepdims=True),
    ),
    np.diff: lambda a: (np.diff(a), np.diff(a, axis=0)),
    np.outer: lambda a: np.outer(a[0], a[1]),
    np.dot: lambda a: (np.dot(a[0], a[1]), np.dot(a, a[0]), np.dot(a, 2.0), np.dot(a, a.T)),
    np.zeros_like: np.zeros_like,
    np.ones_like: np.ones_like,
    np.full_like: lambda a: np.full_like(a, a[0, 0]),
}


@pytest.mark.parametrize("function", COMPOSED, ids=lambda f: f.__name__)
def test_functions_that_are_made_of_others(module, function):
    assert_agree(module, COMPOSED[function], numbers(4, 5))


def test_every_function_that_is_made_of_others_is_tested():
    assert set(export.COMPOSED) == set(COMPOSED)


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
    lambda w: np.sort(np.stack([w, 1.0])),
    lambda w: np.sum(np.stack([w, 1.0]), initial=3.0),
    lambda w: np.interp(w, [0.0, 1.0], [0.0, 1.0], left=7.0),
    lambda w: np.interp(w, [0.0, 1.0], [0.0, 1.0], 7.0),
    lambda w: np.linspace(0, w, 5, endpoint=False),
    lambda w: np.linspace(np.stack([w, w]), 1.0, 5),
    lambda w: np.add(w, 1.0, dtype=np.float32),
    lambda w: np.linalg.norm(np.stack([w, w]), ord=1),
    lambda w: np.std(np.stack([w, w]), ddof=1),
    lambda w: np.arange(3.0)[None] + np.stack([w, w])[np.argmax(np.stack([w, 0]))],
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
