"""The responses: right to the last digits, in every shape and precision, silent; each with its derivative."""

import warnings

import mpmath
import numpy as np
import pytest
from accuracy import errors_in_ulps, needs_long_double
from elsewhere import Elsewhere
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from nnlib.activations import BLOCK, identity, logistic, maxout, relu, tanh
from nnlib.graph import trace

ELEMENTWISE = [identity, logistic, tanh, relu]
ALL = [*ELEMENTWISE, maxout]
FUNCTIONS = [function for f in ALL for function in (f, f.derivative)]
DTYPES = ["f2", "f4", "f8", np.longdouble]

each_activation = pytest.mark.parametrize("f", ALL, ids=repr)
each_elementwise = pytest.mark.parametrize("f", ELEMENTWISE, ids=repr)
each_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: np.dtype(dtype).name)


def name(function):
    return f"{function.__self__}'" if hasattr(function, "__self__") else repr(function)


each_function = pytest.mark.parametrize("function", FUNCTIONS, ids=name)
each_elementwise_function = pytest.mark.parametrize("function", FUNCTIONS[:-2], ids=name)

# ---- accuracy ------------------------------------------------------------------------------------

# Bounds on the error in ulps, units in the last place of the exact result; measured: 2.43, 3.74, 1.19, 3.49.
# The response exceeds 2 only where the exact result is just below a power of 2, and its ulp half that of eᵃ:
# counted in floating-point numbers, it is at most the second from the nearest. tanh is NumPy's own.
ULPS = {logistic: 2.55, logistic.derivative: 4, tanh: 3, tanh.derivative: 4}
each_accurate = pytest.mark.parametrize("function", ULPS, ids=name)

# Where something happens: at 0, where e⁻ᵃ falls below ε, at the cap, where e⁻ᵃ overflows, at the first result
# that is subnormal and at the last one above 0; for the derivative of tanh at half of these.
CRITICAL = [0.0, 5e-324, 1e-310, 1e-16, 0.5, np.log(2), 1.0, 18.0, 19.1, 20.0, 36.04, 36.7, 37.0, 37.5, 40.0]
CRITICAL += [79.9, 80.0, 80.1, 354.0, 354.19, 354.2, 354.89, 355.0, 366.0, 372.0, 372.5, 372.9, 373.3, 400.0]
CRITICAL += [708.0, 708.39, 708.4, 709.0, 709.78, 709.79, 710.0, 744.0, 744.44, 745.0, 745.13, 745.14, 750.0]
CRITICAL = np.concatenate([np.negative(CRITICAL), CRITICAL])


def sample(count):
    """Points over the whole range, and more of them where the responses bend."""
    rng = np.random.default_rng(20)
    quarter = count // 4
    return np.concatenate(
        [
            rng.uniform(-745, 750, quarter),
            rng.uniform(-40, 40, quarter),
            rng.uniform(-6, 6, quarter),
            rng.choice([-1.0, 1.0], quarter) * 2.0 ** rng.uniform(-30, 9.5, quarter),
        ]
    )


def exact(function, a, exp):
    """The function, from an exponential of more digits; arrays of long doubles or one number of mpmath."""
    z = exp(-abs(a)) if function in (logistic, logistic.derivative) else exp(-2 * abs(a))
    if function == logistic:
        return exp((a - abs(a)) / 2) / (1 + z)
    if function == tanh:
        return np.tanh(a) if isinstance(a, np.ndarray) else mpmath.tanh(a)
    return (1 if function == logistic.derivative else 4) * z / (1 + z) ** 2


@needs_long_double
@each_accurate
def test_accuracy_at_a_million_points(function):
    a = np.concatenate([sample(1_000_000), CRITICAL])
    errors = errors_in_ulps(function(a), exact(function, a.astype(np.longdouble), np.exp))
    assert errors.max() <= ULPS[function], f"at {a[errors.argmax()]!r}"


@needs_long_double
def test_logistic_is_at_most_two_numbers_from_the_nearest():
    a = np.concatenate([sample(1_000_000), CRITICAL])
    nearest = exact(logistic, a.astype(np.longdouble), np.exp).astype(np.float64)
    # Positive float64 numbers are in the order of their bits, and neighbours differ by 1.
    steps = np.abs(logistic(a).view(np.int64) - nearest.view(np.int64))
    assert steps.max() <= 2, f"at {a[steps.argmax()]!r}"


@each_accurate
def test_accuracy_against_mpmath(function):
    a = np.concatenate([sample(4_000), CRITICAL])
    with mpmath.workprec(200):
        truth = [exact(function, mpmath.mpf(float(x)), mpmath.exp) for x in a]
        for x, result, true in zip(a, function(a), truth, strict=True):
            unit = np.spacing(np.abs(float(true)))
            assert abs(mpmath.mpf(float(result)) - true) <= ULPS[function] * mpmath.mpf(float(unit)), f"at {x!r}"


@pytest.mark.parametrize("sign", [0, 1], ids=["plus", "minus"])
def test_logistic_of_every_float32_is_rounded_once(sign):
    """The error is ½ ulp, up to the rounding of the reference: at every float32 where the response is not
    0, ½ or 1, and at every 61st of the others, which are five sixths of all."""
    infinity, size = 0x7F800000, 1 << 20
    patterns = np.arange(size, dtype=np.uint32) | np.uint32(sign << 31)
    for start in range(0, infinity, size):
        a = (patterns + np.uint32(start)).view(np.float32)
        if abs(a[-1]) < 2.0**-25:
            assert (logistic(a[::61]) == 0.5).all()
        elif abs(a[0]) > 104:
            assert (logistic(a[::61]) == 1 - sign).all()
        else:
            result, truth = logistic(a), exact(logistic, a.astype(np.float64), np.exp)
            assert result.dtype == np.float32
            if (result != truth.astype(np.float32)).any():  # the second rounding of the reference may meet a tie
                errors = np.abs(result - truth) / np.spacing(truth.astype(np.float32))
                assert errors.max() <= 0.5 + 1e-6, f"at {a[errors.argmax()]!r}"


@pytest.mark.parametrize("function, bound", [(logistic.derivative, 2.5), (tanh, 3), (tanh.derivative, 2.5)], ids=name)
def test_accuracy_in_float32(function, bound):
    a = np.concatenate([sample(200_000), CRITICAL]).astype(np.float32)
    truth = exact(function, a.astype(np.float64), np.exp)
    errors = np.abs(function(a) - truth) / np.spacing(np.abs(truth).astype(np.float32))
    assert errors.max() <= bound, f"at {a[errors.argmax()]!r}"


@pytest.mark.parametrize("function", ULPS, ids=name)
def test_accuracy_in_every_float16(function):
    a = np.arange(0x10000, dtype=np.uint16).view(np.float16)
    a = a[np.isfinite(a)]
    truth = exact(function, a.astype(np.float64), np.exp)
    errors = np.abs(function(a) - truth) / np.spacing(np.abs(truth).astype(np.float16)).astype(float)
    assert errors.max() <= 2.5, f"at {a[errors.argmax()]!r}"


# ---- the functions are what they are called ------------------------------------------------------

reals = st.floats(-800, 800)
CLOSE = 4 * np.finfo(float).eps


@given(reals)
def test_logistic_is_symmetric(a):
    assert abs(logistic(-a) - (1 - logistic(a))) <= CLOSE


@given(reals)
def test_tanh_is_a_logistic_stretched_and_shifted(a):
    assert abs(tanh(a) - (2 * logistic(2 * a) - 1)) <= CLOSE
    assert tanh(-a) == -tanh(a)


@given(reals)
def test_the_textbook_forms_of_the_derivatives(a):
    assert abs(logistic.derivative(a) - logistic(a) * (1 - logistic(a))) <= CLOSE
    assert abs(tanh.derivative(a) - (1 - tanh(a) ** 2)) <= CLOSE


@pytest.mark.parametrize("f, low, high", [(logistic, 0, 1), (tanh, -1, 1)], ids=repr)
@given(reals)
def test_bounds(f, low, high, a):
    assert low <= f(a) <= high


@pytest.mark.parametrize("f, steepest", [(logistic, 0.25), (tanh, 1.0)], ids=repr)
@given(reals)
def test_the_slope_is_even_and_steepest_at_zero(f, steepest, a):
    assert f.derivative(0.0) == steepest
    assert 0 <= f.derivative(a) <= steepest * (1 + CLOSE)
    assert f.derivative(-a) == f.derivative(a)


@each_elementwise
@given(reals, reals)
def test_responses_never_fall(f, a, b):
    low, high = f(min(a, b)), f(max(a, b))
    assert low <= high + 4 * np.spacing(np.abs(high))


@each_elementwise
@given(reals)
def test_identity_and_relu_to_the_bit(f, a):
    if f is identity:
        assert f(a) == a and f.derivative(a) == 1
    if f is relu:
        assert f(a) == (a if a > 0 else 0) and f.derivative(a) == (1 if a > 0 else 0)


@each_elementwise
@given(st.floats(-8, 8))
def test_derivative_equals_differences(f, a):
    h = 1e-5
    if f is relu and abs(a) < 2 * h:
        a += 1  # no differences across the kink
    assert abs((f(a + h) - f(a - h)) / (2 * h) - f.derivative(a)) <= 1e-9


def test_derivative_of_relu_at_the_kink_is_zero():
    np.testing.assert_array_equal(relu.derivative([-0.0, 0.0, 5e-324, -5e-324]), [0, 0, 1, 0])


# ---- maxout --------------------------------------------------------------------------------------

finite = st.floats(-1e6, 1e6)
pieces_of_any_shape = arrays(float, array_shapes(min_dims=1, max_dims=4, max_side=4), elements=finite)


@given(pieces_of_any_shape)
def test_maxout_is_the_largest_along_the_first_axis(pieces):
    result = maxout(pieces)
    assert np.shape(result) == pieces.shape[1:]
    for place in np.ndindex(pieces.shape[1:]):
        assert result[place] == max(piece[place] for piece in pieces)


@given(arrays(float, array_shapes(min_dims=1, max_dims=3, max_side=4), elements=st.integers(-2, 2)))
def test_derivative_of_maxout_is_one_for_the_first_of_the_largest(pieces):
    result = maxout.derivative(pieces)
    assert result.shape == pieces.shape
    for place in np.ndindex(pieces.shape[1:]):
        column = [piece[place] for piece in pieces]
        winner = column.index(max(column))
        np.testing.assert_array_equal(result[(slice(None), *place)], np.eye(len(column))[winner])


def test_derivative_of_maxout_equals_differences():
    pieces = np.random.default_rng(3).normal(size=(4, 3, 2))
    h = 1e-6
    for k in range(4):
        step = np.zeros_like(pieces)
        step[k] = h
        slope = (maxout(pieces + step) - maxout(pieces - step)) / (2 * h)
        np.testing.assert_allclose(slope, maxout.derivative(pieces)[k], atol=1e-9)


@given(arrays(float, 5, elements=finite))
def test_relu_leaky_relu_and_abs_are_maxouts(a):
    np.testing.assert_array_equal(maxout([0 * a, a]), relu(a))
    np.testing.assert_array_equal(maxout([0.01 * a, a]), np.where(a > 0, a, 0.01 * a))
    np.testing.assert_array_equal(maxout([a, -a]), np.abs(a))
    np.testing.assert_array_equal(maxout([0 * a, a]), (np.abs(a) + a) / 2)


@given(arrays(float, (2, 5), elements=st.floats(-9, 9)), st.floats(-9, 9), st.floats(-9, 9), st.floats(0, 1))
def test_a_maxout_of_lines_is_convex(lines, x, y, share):
    slopes, offsets = lines

    def envelope(x):
        return maxout(slopes * x + offsets)

    between = envelope(share * x + (1 - share) * y)
    assert between <= share * envelope(x) + (1 - share) * envelope(y) + 1e-12


@pytest.mark.parametrize("function", [maxout, maxout.derivative], ids=name)
@pytest.mark.parametrize("pieces, shape", [(3.0, r"\(\)"), ([], r"\(0,\)"), (np.ones((0, 3)), r"\(0, 3\)")])
def test_maxout_without_pieces_is_refused(function, pieces, shape):
    with pytest.raises(ValueError, match=rf"^maxout: pieces must have the shape \(K, …\) .*got {shape}$"):
        function(pieces)


# ---- shapes, precisions, limits ------------------------------------------------------------------


@each_dtype
@each_elementwise_function
@pytest.mark.parametrize("shape", [(0,), (3,), (2, 3), (2, 0, 3), (2, 3, 4)], ids=str)
def test_shape_and_precision_are_kept(function, dtype, shape):
    a = np.linspace(-3, 3, np.prod(shape)).reshape(shape).astype(dtype)
    result = function(a)
    assert (result.shape, result.dtype) == (shape, a.dtype)


@each_dtype
@pytest.mark.parametrize("shape", [(3,), (3, 2), (1, 2, 3)], ids=str)
def test_maxout_keeps_the_precision(dtype, shape):
    pieces = np.ones(shape, dtype)
    assert (maxout(pieces).shape, maxout(pieces).dtype) == (shape[1:], dtype)
    assert (maxout.derivative(pieces).shape, maxout.derivative(pieces).dtype) == (shape, dtype)


@each_elementwise_function
@pytest.mark.parametrize(
    "a, kind",
    [(2, np.float64), (True, np.float64), (0.5, np.float64), (np.float32(0.5), np.float32)]
    + [(np.float16(0.5), np.float16), (np.array(0.5), np.float64), (np.array(2), np.float64)],
    ids=repr,
)
def test_a_number_gives_a_number(function, a, kind):
    assert type(function(a)) is kind
    assert function(a) == function(np.array([a], kind))[0]


@each_function
@pytest.mark.parametrize("dtype", ["i1", "u1", "i8", "u8", "?"])
def test_integers_count_as_float64(function, dtype):
    a = np.array([[0, 1], [1, 3]], dtype)
    result = function(a)
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result, function(a.astype(float)))
    np.testing.assert_array_equal(result, function(a.astype(float).tolist()))


@each_function
@pytest.mark.parametrize("order", ["C", "F", "strided", "reversed"])
def test_long_arrays_equal_short_ones(function, order):
    """Whatever the layout in memory, and though long arrays are evaluated in blocks, the last one short."""
    a = np.random.default_rng(1).normal(0, 9, (3, BLOCK + 7))
    expected = np.concatenate([function(a[:, i : i + 100]) for i in range(0, a.shape[1], 100)], axis=-1)
    wide = np.empty((3, 2 * a.shape[1]))
    wide[:, ::2] = a
    given = {
        "C": a,
        "F": np.asfortranarray(a),
        "strided": wide[:, ::2],
        "reversed": a[:, ::-1].copy()[:, ::-1],
    }
    before = given[order].copy()
    np.testing.assert_array_equal(function(given[order]), expected)
    np.testing.assert_array_equal(given[order], before)


@each_function
def test_a_long_array_may_be_one_row_repeated(function):
    rows = np.broadcast_to(np.linspace(-9, 9, BLOCK + 7), (3, BLOCK + 7))
    np.testing.assert_array_equal(function(rows), function(rows.copy()))


@each_function
def test_the_result_is_an_array_of_its_own(function):
    for a in (np.ones((2, 3)), np.ones((2, 2 * BLOCK))):
        assert not np.shares_memory(function(a), a)


@each_elementwise_function
@each_dtype
def test_limits(function, dtype):
    infinities = np.array([-np.inf, np.inf], dtype)
    limits = {
        identity: [-np.inf, np.inf],
        identity.derivative: [1, 1],
        logistic: [0, 1],
        logistic.derivative: [0, 0],
        tanh: [-1, 1],
        tanh.derivative: [0, 0],
        relu: [0, np.inf],
        relu.derivative: [0, 1],
    }
    np.testing.assert_array_equal(function(infinities), limits[function])


@each_dtype
def test_nan_stays_nan(dtype):
    a = np.array([1, np.nan, 2], dtype)
    for function in FUNCTIONS[:-2]:
        if function != identity.derivative:  # the slope of a line is 1 wherever one asks
            np.testing.assert_array_equal(np.isnan(function(a)), [False, True, False], name(function))
    assert np.isnan(maxout(a)) and not np.isnan(maxout(a[::2]))


@each_function
@each_dtype
@pytest.mark.parametrize("how", ["array", "long array", "number"])
def test_nothing_warns(function, dtype, how):
    """Not even when NumPy is told to raise an error on underflow."""
    largest = np.finfo(dtype).max
    values = [
        0,
        1,
        8,
        12,
        17,
        40,
        88,
        90,
        104,
        373,
        710,
        745,
        750,
        6000,
        12000,
        65000,
        largest,
        np.inf,
        np.nan,
    ]
    values = np.array([*values, np.finfo(dtype).tiny, np.finfo(dtype).smallest_subnormal], dtype)
    values = np.concatenate([-values, values])
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        if how == "number" and function not in FUNCTIONS[-2:]:
            for value in values:
                function(value)
        else:
            function(np.tile(values, 1000 if how == "long array" else 1))


# ---- other kinds of arrays, and wrong ones -------------------------------------------------------


@each_function
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i8"])
@pytest.mark.parametrize("length", [1, BLOCK])
def test_arrays_that_live_elsewhere_stay_there(function, dtype, length):
    a = np.tile(np.array([[-2, 0, 1], [3, -4, 1]], dtype), length)
    result = function(Elsewhere(a))
    assert isinstance(result, Elsewhere)
    assert result.dtype == (dtype if dtype != "i8" else "f8")
    np.testing.assert_array_equal(result.value, function(a))


@each_activation
def test_a_recorded_value_makes_one_node(f):
    graph = trace(f, np.ones((2, 3)))
    assert [node.operation for node in graph.nodes] == ["parameter", f.name]


@each_function
def test_what_is_recorded_computes_the_same(function):
    rng = np.random.default_rng(4)
    graph = trace(function, rng.normal(size=(2, 5)))
    for a in (rng.normal(0, 20, (2, 5)), np.zeros((2, 5)), np.array([[-800, 800, 1e308, -1e308, 40.0]] * 2)):
        np.testing.assert_array_equal(graph(a), function(a))


@each_activation
@pytest.mark.parametrize("which", ["value", "derivative"])
@pytest.mark.parametrize(
    "value, got",
    [
        ("1", "<U1"),
        (["a", "b"], "<U1"),
        (1j, "complex128"),
        (None, "object"),
        (np.array([1, None]), "object"),
    ],
    ids=repr,
)
def test_what_is_no_real_number_is_refused(f, which, value, got):
    argument = "pieces" if f is maxout else "a"
    with pytest.raises(TypeError, match=f"^{f.name}: {argument} must hold real numbers, got dtype {got}$"):
        (f if which == "value" else f.derivative)(value)


@each_activation
def test_how_an_activation_is_named_in_menus_pictures_and_formulas(f):
    assert globals()[f.name] is f
    assert repr(f) == f.name
    assert f.symbol and f.latex and f.source
    assert f.latex.count("{") == f.latex.count("}")
