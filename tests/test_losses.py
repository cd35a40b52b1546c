"""The losses: right to the last digits, in every precision, silent; each with its gradient and its errors."""

import re
import warnings

import mpmath
import numpy as np
import pytest
from accuracy import errors_in_ulps, needs_long_double
from elsewhere import Elsewhere
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from test_operations import assert_agree, module  # noqa: F401 (a page with the browser's operations)

from nnlib import losses
from nnlib.activations import logistic
from nnlib.graph import trace
from nnlib.losses import (
    BLOCK,
    cross_entropy,
    entropy,
    hinge_loss,
    kl_divergence,
    log_softmax,
    logistic_loss,
    negative_log_likelihood,
    one_hot,
    softmax,
    softmax_loss,
    squared_loss,
    zero_one_loss,
)

OF_SCORES = [logistic_loss, hinge_loss, zero_one_loss, squared_loss]
OF_CLASSES = [softmax_loss, negative_log_likelihood]
OF_DISTRIBUTIONS = [cross_entropy, kl_divergence]
LOSSES = [*OF_SCORES, *OF_CLASSES, *OF_DISTRIBUTIONS]
WITH_GRADIENT = [loss for loss in LOSSES if loss is not zero_one_loss]
OF_COLUMNS = [softmax, log_softmax, entropy]
DTYPES = ["f2", "f4", "f8", np.longdouble]

each_loss = pytest.mark.parametrize("loss", LOSSES, ids=repr)
each_loss_of_scores = pytest.mark.parametrize("loss", OF_SCORES, ids=repr)
each_loss_with_gradient = pytest.mark.parametrize("loss", WITH_GRADIENT, ids=repr)
each_formula = pytest.mark.parametrize("f", [*LOSSES, *OF_COLUMNS], ids=repr)
each_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: np.dtype(dtype).name)


def readings(f):
    """What a formula can compute of its arguments."""
    return [f, f.gradient, f.value_and_gradient] if f in WITH_GRADIENT else [f]


def example(f, N=6, K=4, dtype="f8", seed=0):
    """Arguments of this formula for N samples; None: for one."""
    rng = np.random.default_rng(seed)
    samples = () if N is None else (N,)
    scores = rng.normal(0, 3, (K, *samples)).astype(dtype)
    if f in (softmax, log_softmax):
        return (scores,)
    if f in OF_SCORES:
        y = rng.normal(size=samples) if f is squared_loss else rng.choice(f.labels, samples)
        return scores[0], np.asarray(y)
    classes = np.asarray(rng.integers(0, K, samples))
    if f is softmax_loss:
        return scores, classes
    p, q = softmax(scores), softmax(rng.normal(size=scores.shape).astype(dtype))
    return {negative_log_likelihood: (p, classes), entropy: (p,)}.get(f, (p, q))


def as_tuple(result):
    return result if isinstance(result, tuple) else (result,)


# ---- accuracy ------------------------------------------------------------------------------------

# Margins where something happens: the loss is subnormal, e⁻ᵐ below ε, the odds are capped, e⁻ᵐ overflows.
CRITICAL = [0.0, 5e-324, 1e-310, 1e-16, 0.5, np.log(2), 1.0, 18.0, 36.04, 36.7, 37.5, 40.0, 79.9, 80.0, 80.1]
CRITICAL += [354.0, 366.0, 372.0, 400.0, 708.0, 708.39, 708.4, 709.78, 709.79, 744.44, 745.13, 745.14, 750.0]
CRITICAL = np.concatenate([np.negative(CRITICAL), CRITICAL])


def scores(count):
    """Points from −750 to 750, and more of them where the loss bends."""
    rng = np.random.default_rng(30)
    quarter = count // 4
    near = rng.choice([-1.0, 1.0], quarter) * 2.0 ** rng.uniform(-40, 9.5, quarter)
    ranges = [rng.uniform(-width, width, quarter) for width in (750, 40, 3)]
    return np.concatenate([*ranges, near, CRITICAL])


def exact_logistic(a, y, exp, log1p):
    """Loss and gradient from an exponential of more digits: of long doubles, or one number of mpmath."""
    m = a if y == 1 else -a
    e = exp(-abs(m))
    p = exp((-abs(m) - m) / 2) / (1 + e)
    return log1p(e) + (abs(m) - m) / 2, (1 - 2 * y) * p


@needs_long_double
@pytest.mark.parametrize("y", [0, 1])
def test_logistic_loss_and_gradient_are_within_two_ulp_at_a_million_points(y):
    a = scores(1_000_000)
    truth = exact_logistic(a.astype(np.longdouble), y, np.exp, np.log1p)
    for result, true in zip(logistic_loss.value_and_gradient(a, y), truth, strict=True):
        errors = errors_in_ulps(result, true)
        assert errors.max() <= 2, f"at {a[errors.argmax()]!r}"  # measured: 1.57 and 1.77


@pytest.mark.parametrize("y", [0, 1])
def test_logistic_loss_and_gradient_against_mpmath(y):
    a = scores(2_000)
    with mpmath.workprec(200):
        for x, *results in zip(a, *logistic_loss.value_and_gradient(a, y), strict=True):
            truth = exact_logistic(mpmath.mpf(float(x)), y, mpmath.exp, mpmath.log1p)
            for result, true in zip(results, truth, strict=True):
                unit = mpmath.mpf(float(np.spacing(abs(float(true)))))
                assert abs(mpmath.mpf(float(result)) - true) <= 2 * unit, f"at {x!r}"


def test_logistic_loss_at_score_0():
    for y, sign in ((0, 1), (1, -1)):
        value, gradient = logistic_loss.value_and_gradient(0.0, y)
        assert abs(value - np.log(2)) <= np.spacing(np.log(2))
        assert gradient == sign * 0.5


def exact_softmax(A, y):
    """Probabilities, their logarithms, loss and gradient of one column, by mpmath."""
    e = [mpmath.exp(mpmath.mpf(float(a)) - mpmath.mpf(float(A[y]))) for a in A]
    p = [x / mpmath.fsum(e) for x in e]
    log_p = [-mpmath.log1p(mpmath.fsum(e[:k] + e[k + 1 :]) / e[k]) for k in range(len(e))]
    gradient = [-mpmath.fsum(p[:k] + p[k + 1 :]) if k == y else p[k] for k in range(len(e))]
    return p, log_p, [-log_p[y]], gradient


@pytest.mark.parametrize("K", [2, 3, 10])
@pytest.mark.parametrize("margin, bound", [(0, 2e-15), (5, 1e-14), (20, 1e-14), (60, 1e-14), (700, 1e-13)])
@pytest.mark.parametrize("side", [1, -1], ids=["right", "wrong"])
def test_softmax_loss_against_mpmath(K, margin, bound, side):
    rng = np.random.default_rng(K)
    y = rng.integers(0, K, 25)
    A = rng.uniform(-1, 1, (K, 25))
    A[y, np.arange(25)] += side * (margin - 2)
    found = softmax(A), log_softmax(A), *softmax_loss.value_and_gradient(A, y)
    with mpmath.workprec(2500):
        for n in range(25):
            for array, truth in zip(found, exact_softmax(A[:, n], y[n]), strict=True):
                for result, true in zip(np.atleast_1d(array[..., n]), truth, strict=True):
                    assert abs(mpmath.mpf(float(result)) - true) <= bound * abs(true), f"{A[:, n]}, class {y[n]}"


def test_log_softmax_keeps_the_digits_of_ties_too():
    with mpmath.workprec(200):
        for A, rest in (([0.0, 0.0, -50.0], 1 + mpmath.exp(-50)), ([0.0, -50.0, -50.0], 2 * mpmath.exp(-50))):
            truth = -mpmath.log1p(rest)
            assert abs(mpmath.mpf(float(log_softmax(A)[0])) - truth) <= 4e-16 * abs(truth)


def exact_kl(p, q):
    """The divergence of p/Σp and q/Σq by mpmath."""
    p, q = ([mpmath.mpf(float(x)) for x in array] for array in (p, q))
    P, Q = mpmath.fsum(p), mpmath.fsum(q)
    return mpmath.fsum(a / P * mpmath.log((a * Q) / (b * P)) for a, b in zip(p, q, strict=True) if a)


@pytest.mark.parametrize("K", [2, 3, 40])
@pytest.mark.parametrize("spread", [1e-12, 1e-9, 1e-6, 1e-3, 0.03, 0.1, 0.2, 0.3, 1, 5, 30])
def test_kl_divergence_against_mpmath_also_of_nearly_equal_distributions(K, spread):
    rng = np.random.default_rng(K)
    p = softmax(rng.normal(0, 2, (K, 40)))
    q = p * np.exp(spread * rng.normal(size=(K, 40)))
    q /= np.sum(q, axis=0)
    with mpmath.workprec(300):
        for n, result in enumerate(kl_divergence(p, q)):
            truth = exact_kl(p[:, n], q[:, n])
            assert abs(mpmath.mpf(float(result)) - truth) <= 1e-14 * truth, f"column {n}"


@pytest.mark.parametrize("spread", [1e-6, 1])
def test_kl_divergence_divides_by_the_sums(spread):
    """They may be off by a millionth: that alone would be a divergence of 4e-13."""
    rng = np.random.default_rng(2)
    p = softmax(rng.normal(0, 2, (5, 40)))
    q = p * np.exp(spread * rng.normal(size=p.shape))
    q /= np.sum(q, axis=0)
    for p_sum, q_sum in ((1, 1 + 9e-7), (1 - 9e-7, 1), (1 + 9e-7, 1 - 9e-7)):
        found = kl_divergence(p_sum * p, q_sum * q)
        with mpmath.workprec(300):
            truth = np.array([float(exact_kl(p_sum * p[:, n], q_sum * q[:, n])) for n in range(40)])
        np.testing.assert_allclose(found, truth, rtol=1e-12 if spread < 1 else 1e-14)


def test_kl_divergence_of_what_differs_by_its_sum_alone_is_zero_and_never_less():
    p = softmax(np.random.default_rng(3).normal(0, 2, (5, 1000)))
    found = kl_divergence(p, p * (1 + 9e-7))
    assert found.min() == 0 and found.max() <= 1e-27


@pytest.mark.parametrize(
    "p, q, truth",
    [
        ([0, 1], [0.5, 0.5], np.log(2)),
        ([0.5, 0.5, 0], [0.5, 0.5, 0], 0),
        ([0.5, 0.5], [0, 1], np.inf),
        ([0, 1], [1, 0], np.inf),
        ([0.5, 0.5], [1e-17, 1], -np.log(2) - np.log(1e-17) / 2),
        ([1, 1e-17], [1e-17, 1], -np.log(1e-17)),
        ([0.5, 0.5], [1e-307, 1], -np.log(2) - np.log(1e-307) / 2),
        ([1e-310, 1], [0.5, 0.5], np.log(2)),
        ([5e-324, 1], [1, 5e-324], -np.log(5e-324)),
    ],
)
def test_kl_divergence_of_zeros_and_tiny_probabilities(p, q, truth):
    np.testing.assert_allclose(kl_divergence(p, q), truth, rtol=1e-15)


@pytest.mark.parametrize("dtype", ["f2", "f4"])
@each_formula
def test_in_low_precision_only_the_result_is_rounded(f, dtype):
    arguments = example(f, N=500, dtype=dtype)
    in_double = {
        reading: getattr(f, how) for reading, how in zip(readings(f), ("formula", "slope", "both"), strict=False)
    }
    for reading, formula in in_double.items():
        expected = as_tuple(formula(*(argument.astype("f8") for argument in arguments)))
        for low, high in zip(as_tuple(reading(*arguments)), expected, strict=True):
            assert low.dtype == dtype
            with np.errstate(over="ignore"):  # −1/p̂ of a tiny p̂ may be more than a float16 can be
                expected = high.astype(dtype)
            np.testing.assert_array_equal(low, expected)


# ---- the losses are what they are called ---------------------------------------------------------

reals = st.floats(-800, 800)
moderate = st.floats(-30, 30)
columns = arrays(float, (4, 3), elements=moderate)
classes = arrays(int, 3, elements=st.integers(0, 3))
CLOSE = 8 * np.finfo(float).eps


@given(moderate)
def test_the_textbook_forms_of_the_logistic_loss(a):
    for y, p in ((1, logistic(a)), (0, logistic(-a))):
        np.testing.assert_allclose(logistic_loss(a, y), -np.log(p), rtol=1e-9, atol=CLOSE)
        assert abs(logistic_loss.gradient(a, y) - (logistic(a) - y)) <= CLOSE


@given(columns, classes)
def test_the_textbook_forms_of_the_softmax_loss(A, y):
    e = np.exp(A)
    p = e / e.sum(axis=0)
    np.testing.assert_allclose(softmax(A), p, rtol=1e-13)
    np.testing.assert_allclose(log_softmax(A), np.log(p), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(softmax_loss(A, y), np.log(e.sum(axis=0)) - A[y, np.arange(3)], rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(softmax_loss.gradient(A, y), p - one_hot(y, 4), rtol=0, atol=CLOSE)


@given(moderate, st.sampled_from([-1, 1]), moderate)
def test_the_textbook_forms_of_the_others(a, y, target):
    assert hinge_loss(a, y) == max(0, 1 - a * y)
    assert hinge_loss.gradient(a, y) == (-y if a * y < 1 else 0)
    assert zero_one_loss(a, y) == (a * y <= 0)
    assert squared_loss(a, target) == (a - target) ** 2 / 2
    assert squared_loss.gradient(a, target) == a - target


@given(columns, classes, columns)
def test_the_textbook_forms_for_distributions(A, y, B):
    p, q = softmax(A), softmax(B)
    np.testing.assert_array_equal(negative_log_likelihood(p, y), -np.log(p[y, np.arange(3)]))
    np.testing.assert_allclose(entropy(p), -np.sum(p * np.log(p), axis=0), rtol=1e-14)
    np.testing.assert_allclose(cross_entropy(p, q), -np.sum(p * np.log(q), axis=0), rtol=1e-14)
    np.testing.assert_allclose(kl_divergence(p, q), np.sum(p * np.log(p / q), axis=0), rtol=1e-9, atol=1e-14)


@given(reals)
def test_two_labels_mirror_each_other(a):
    for loss, y, other in ((logistic_loss, 1, 0), (hinge_loss, 1, -1), (squared_loss, 2.5, -2.5)):
        assert loss(a, y) == loss(-a, other)
        assert loss.gradient(a, y) == -loss.gradient(-a, other)
    assert zero_one_loss(a, 1) == zero_one_loss(-a, -1)


@given(columns, classes, st.permutations(range(4)))
def test_the_order_of_classes_does_not_matter(A, y, order):
    place = np.argsort(order)
    np.testing.assert_allclose(softmax_loss(A[order], place[y]), softmax_loss(A, y), rtol=1e-14)
    np.testing.assert_allclose(
        softmax_loss.gradient(A[order], place[y]), softmax_loss.gradient(A, y)[order], rtol=1e-14
    )
    p = softmax(A)
    np.testing.assert_array_equal(negative_log_likelihood(p[order], place[y]), negative_log_likelihood(p, y))


@given(arrays(float, (4, 3), elements=st.integers(-99, 99)), classes, st.integers(-(2**40), 2**40))
def test_a_shift_of_all_scores_changes_nothing(A, y, shift):
    """Of whole numbers, whose differences are exact."""
    for f, arguments in ((softmax, ()), (log_softmax, ()), *((reading, (y,)) for reading in readings(softmax_loss))):
        for shifted, plain in zip(as_tuple(f(A + shift, *arguments)), as_tuple(f(A, *arguments)), strict=True):
            np.testing.assert_array_equal(shifted, plain)


@given(st.floats(-700, 700))
def test_two_classes_are_the_logistic_loss_of_the_difference(a):
    for y in (0, 1):
        value, gradient = softmax_loss.value_and_gradient([0.0, a], y)
        np.testing.assert_allclose(value, logistic_loss(a, y), rtol=1e-15)
        np.testing.assert_allclose(gradient[1], logistic_loss.gradient(a, y), rtol=2e-15)
        assert gradient[0] == -gradient[1]
    np.testing.assert_allclose(softmax([0.0, a])[1], logistic(a), rtol=2e-15)


@given(columns, columns, classes)
def test_four_names_of_one_number(A, B, y):
    p_hat = softmax(A)
    likelihood = negative_log_likelihood(p_hat, y)
    for other in (cross_entropy(one_hot(y, 4), p_hat), kl_divergence(one_hot(y, 4), p_hat), softmax_loss(A, y)):
        assert np.abs(other - likelihood).max() <= 1e-15 * max(1, likelihood.max())
    p = softmax(B)
    np.testing.assert_allclose(kl_divergence(p, p_hat), cross_entropy(p, p_hat) - entropy(p), rtol=1e-13, atol=1e-13)


@given(columns, columns)
def test_bounds_of_entropy_and_divergence(A, B):
    p, q = softmax(A), softmax(B)
    assert (entropy(p) >= 0).all() and (entropy(p) <= np.log(4) * (1 + CLOSE)).all()
    assert (kl_divergence(p, q) >= 0).all()
    np.testing.assert_array_equal(kl_divergence(p, p), 0)
    np.testing.assert_array_equal(entropy(one_hot([0, 3], 4)), 0)
    np.testing.assert_allclose(entropy(np.full(4, 0.25)), np.log(4), rtol=1e-15)


@given(moderate, st.sampled_from([-1, 1]))
def test_losses_of_a_margin_lie_above_the_mistakes(a, y):
    assert hinge_loss(a, y) >= zero_one_loss(a, y)
    assert logistic_loss(a, (y + 1) // 2) / np.log(2) >= zero_one_loss(a, y) - CLOSE


@given(moderate, moderate, st.floats(0, 1), moderate)
def test_losses_of_a_score_are_convex(a, b, share, target):
    between = share * a + (1 - share) * b
    for loss, y in ((logistic_loss, 0), (logistic_loss, 1), (hinge_loss, -1), (hinge_loss, 1), (squared_loss, target)):
        chord = share * loss(a, y) + (1 - share) * loss(b, y)
        assert loss(between, y) <= chord + 1e-12
        assert loss(b, y) >= loss(a, y) + loss.gradient(a, y) * (b - a) - 1e-12  # it lies above its tangents


@given(columns, columns, st.floats(0, 1), classes)
def test_the_softmax_loss_is_convex(A, B, share, y):
    chord = share * softmax_loss(A, y) + (1 - share) * softmax_loss(B, y)
    assert (softmax_loss(share * A + (1 - share) * B, y) <= chord + 1e-12).all()
    tangent = softmax_loss(A, y) + np.sum(softmax_loss.gradient(A, y) * (B - A), axis=0)
    assert (softmax_loss(B, y) >= tangent - 1e-12).all()


@given(columns, columns, columns, st.floats(0, 1))
def test_cross_entropy_and_divergence_are_convex_in_the_prediction(A, B, C, share):
    p, q, r = softmax(A), softmax(B), softmax(C)
    for loss in OF_DISTRIBUTIONS:
        chord = share * loss(p, q) + (1 - share) * loss(p, r)
        assert (loss(p, share * q + (1 - share) * r) <= chord * (1 + 1e-12) + 1e-12).all()


# ---- gradients -----------------------------------------------------------------------------------


@given(st.floats(-8, 8), st.sampled_from([0, 1]), st.floats(-8, 8))
def test_gradients_equal_differences(a, label, target):
    h = 1e-5
    for loss, y in ((logistic_loss, label), (hinge_loss, 2 * label - 1), (squared_loss, target)):
        if loss is hinge_loss and abs(a * y - 1) < 2 * h:
            continue  # no differences across the kink
        slope = (loss(a + h, y) - loss(a - h, y)) / (2 * h)
        assert abs(slope - loss.gradient(a, y)) <= 1e-8


@given(arrays(float, (4, 3), elements=st.floats(-8, 8)), classes)
def test_the_gradient_of_the_softmax_loss_equals_differences(A, y):
    h = 1e-5
    for k in range(4):
        step = h * one_hot(k, 4)[:, None]
        slope = (softmax_loss(A + step, y) - softmax_loss(A - step, y)) / (2 * h)
        np.testing.assert_allclose(slope, softmax_loss.gradient(A, y)[k], atol=1e-9)


@pytest.mark.parametrize("loss", [negative_log_likelihood, *OF_DISTRIBUTIONS], ids=repr)
def test_gradients_with_respect_to_probabilities_equal_differences(loss):
    """Along directions that keep the sum: from class k to class k + 1."""
    p_hat = softmax(np.random.default_rng(5).normal(size=(4, 6)))
    p_gt, y = example(kl_divergence, seed=6)[0], np.arange(6) % 4

    def value(p_hat, reading=loss):
        return reading(p_hat, y) if loss is negative_log_likelihood else reading(p_gt, p_hat)

    h = 1e-6
    for k in range(3):
        direction = (one_hot(k + 1, 4) - one_hot(k, 4))[:, None]
        slope = (value(p_hat + h * direction) - value(p_hat - h * direction)) / (2 * h)
        gradient = value(p_hat, loss.gradient)
        np.testing.assert_allclose(slope, np.sum(gradient * direction, axis=0), atol=1e-8)


def test_gradients_with_respect_to_probabilities_to_the_bit():
    p_gt, p_hat = np.array([[0.5, 0, 1], [0.5, 1, 0]]), np.array([[0.25, 0, 0], [0.75, 1, 1]])
    expected = [[-2, 0, -np.inf], [-0.5 / 0.75, -1, 0]]
    for loss in OF_DISTRIBUTIONS:
        np.testing.assert_array_equal(loss.gradient(p_gt, p_hat), expected)
    gradient = negative_log_likelihood.gradient(p_hat, [0, 1, 0])
    np.testing.assert_array_equal(gradient, [[-4, 0, -np.inf], [0, -1, 0]])


def test_at_the_kink_the_gradient_of_the_hinge_loss_is_zero():
    np.testing.assert_array_equal(hinge_loss.gradient([1.0, np.nextafter(1, 0), -1.0], [1, 1, -1]), [0, -1, 0])


def test_a_score_of_zero_is_a_mistake():
    np.testing.assert_array_equal(zero_one_loss([0.0, -0.0, 5e-324, -5e-324], [1, -1, 1, -1]), [1, 1, 0, 0])


def test_only_the_zero_one_loss_has_no_gradient():
    for loss in LOSSES:
        assert hasattr(loss, "gradient") == hasattr(loss, "value_and_gradient") == (loss is not zero_one_loss)


@each_loss_with_gradient
@each_dtype
@pytest.mark.parametrize("N", [None, 1, 6, BLOCK])
def test_value_and_gradient_are_those_of_the_two_calls_to_the_bit(loss, dtype, N):
    arguments = example(loss, N=N, dtype=dtype)
    value, gradient = loss.value_and_gradient(*arguments)
    np.testing.assert_array_equal(value, loss(*arguments))
    np.testing.assert_array_equal(gradient, loss.gradient(*arguments))


# ---- decomposition: the loss of the whole is that of its parts -----------------------------------


@each_formula
@given(cuts=st.lists(st.integers(1, 29), max_size=6, unique=True), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_samples_do_not_see_each_other(f, cuts, seed):
    arguments = example(f, N=30, seed=seed)
    starts = [0, *sorted(cuts)]
    pieces = [slice(*ends) for ends in zip(starts, [*starts[1:], 30], strict=True)]
    for reading in readings(f):
        whole = as_tuple(reading(*arguments))
        of_pieces = zip(*(as_tuple(reading(*(a[..., piece] for a in arguments))) for piece in pieces), strict=True)
        for together, parts in zip(whole, of_pieces, strict=True):
            # A sum of K numbers may be taken in another order in a narrow array, so not to the bit.
            np.testing.assert_allclose(np.concatenate(parts, axis=-1), together, rtol=1e-13, atol=1e-15)
            total = np.sum(together, axis=-1)
            np.testing.assert_allclose(sum(np.sum(part, axis=-1) for part in parts), total, rtol=1e-12, atol=1e-13)


@each_formula
@pytest.mark.parametrize("order", ["C", "F", "strided", "reversed"])
def test_long_arrays_equal_short_ones(f, order):
    """Whatever the layout in memory, and though long arrays are evaluated in blocks, the last one short."""
    arguments = example(f, N=2 * BLOCK + 7, K=3)
    laid_out = {
        "C": lambda a: a,
        "F": np.asfortranarray,
        "strided": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
        "reversed": lambda a: a[..., ::-1].copy()[..., ::-1],
    }[order]
    others = [laid_out(a) for a in arguments]
    for reading in readings(f):
        step = 9_000
        parts = [as_tuple(reading(*(a[..., i : i + step] for a in arguments))) for i in range(0, 2 * BLOCK + 7, step)]
        for result, pieces in zip(as_tuple(reading(*others)), zip(*parts, strict=True), strict=True):
            np.testing.assert_allclose(result, np.concatenate(pieces, axis=-1), rtol=1e-14)
    for before, after in zip(arguments, others, strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("shape", [(3, BLOCK), (BLOCK, 3), (2, 3, BLOCK)], ids=str)
@each_loss_of_scores
def test_long_arrays_of_scores_may_have_any_shape(loss, shape):
    a, y = (argument.reshape(shape) for argument in example(loss, N=np.prod(shape)))
    for reading in readings(loss):
        for result, flat in zip(as_tuple(reading(a, y)), as_tuple(reading(a.ravel(), y.ravel())), strict=True):
            np.testing.assert_array_equal(result, flat.reshape(shape))


# ---- shapes and precisions -----------------------------------------------------------------------


@each_dtype
@each_formula
@pytest.mark.parametrize("N", [None, 1, 5])
def test_shape_and_precision_are_kept(f, dtype, N):
    arguments = example(f, N=N, dtype=dtype)
    scores = arguments[-1] if f in OF_DISTRIBUTIONS else arguments[0]
    per_sample = scores.shape if f in (*OF_SCORES, softmax, log_softmax) else scores.shape[1:]
    shapes = {0: [per_sample], 1: [scores.shape], 2: [per_sample, scores.shape]}
    for i, reading in enumerate(readings(f)):
        for result, shape in zip(as_tuple(reading(*arguments)), shapes[i], strict=True):
            assert (np.shape(result), result.dtype) == (shape, dtype)
            assert isinstance(result, np.ndarray if shape else np.generic)


@each_formula
def test_integers_and_lists_count_as_float64(f):
    arguments = {
        **dict.fromkeys([softmax, log_softmax], ([[1, 2], [3, 0]],)),
        **dict.fromkeys([logistic_loss, squared_loss], ([3, -2], [1, 0])),
        **dict.fromkeys([hinge_loss, zero_one_loss], ([3, -2], [1, -1])),
        softmax_loss: ([[1, 2], [3, 0]], [0, 1]),
        negative_log_likelihood: ([[1, 0], [0, 1]], [0, 1]),
        entropy: ([[1, 0], [0, 1]],),
    }.get(f, ([[1, 0], [0, 1]], [[1, 0], [0, 1]]))
    for reading in readings(f):
        expected = as_tuple(reading(*(np.array(argument, float) for argument in arguments)))
        for whole in (arguments, [np.array(argument, np.int8) for argument in arguments]):
            for result, true in zip(as_tuple(reading(*whole)), expected, strict=True):
                assert result.dtype == np.float64
                np.testing.assert_array_equal(result, true)


@pytest.mark.parametrize("kind", ["i1", "u1", "i8", "f4", "f8", "?"])
def test_labels_may_be_of_any_type(kind):
    a, y = example(logistic_loss)
    np.testing.assert_array_equal(logistic_loss.gradient(a, y.astype(kind)), logistic_loss.gradient(a, y))
    A, y = example(softmax_loss, K=2)
    np.testing.assert_array_equal(softmax_loss.gradient(A, y.astype(kind)), softmax_loss.gradient(A, y))
    np.testing.assert_array_equal(one_hot(y.astype(kind), 2), one_hot(y, 2))
    assert logistic_loss(a.astype("f4"), np.float64(1)).dtype == np.float32


@pytest.mark.parametrize("loss", OF_DISTRIBUTIONS, ids=repr)
def test_the_prediction_alone_decides_on_the_precision(loss):
    p_gt = one_hot([0, 1], 3)
    for other, dtype in (("f8", "f4"), ("f4", "f8")):
        for reading in readings(loss):
            for result in as_tuple(reading(p_gt.astype(other), softmax(np.eye(3, 2, dtype=dtype)))):
                assert result.dtype == dtype


@pytest.mark.parametrize("loss", [*OF_SCORES, *OF_CLASSES], ids=repr)
def test_one_label_may_stand_for_all_samples(loss):
    for N in (6, BLOCK):
        a, _ = example(loss, N=N)
        for reading in readings(loss):
            for result, expected in zip(as_tuple(reading(a, 1)), as_tuple(reading(a, np.ones(N))), strict=True):
                np.testing.assert_array_equal(result, expected)


@each_formula
def test_arguments_may_be_named(f):
    names = {
        **dict.fromkeys([logistic_loss, hinge_loss, zero_one_loss], ("a", "y")),
        **dict.fromkeys(OF_DISTRIBUTIONS, ("p_gt", "p_hat")),
        squared_loss: ("y_hat", "y"),
        softmax_loss: ("A", "y"),
        negative_log_likelihood: ("p_hat", "y"),
        entropy: ("p",),
    }.get(f, ("A",))
    arguments = example(f)
    for reading in readings(f):
        for result, expected in zip(
            as_tuple(reading(**dict(zip(names, arguments, strict=True)))), as_tuple(reading(*arguments)), strict=True
        ):
            np.testing.assert_array_equal(result, expected)


def test_one_hot():
    np.testing.assert_array_equal(one_hot([0, 2, 2], 3), [[1, 0, 0], [0, 0, 0], [0, 1, 1]])
    np.testing.assert_array_equal(one_hot(1, 3), [0, 1, 0])
    np.testing.assert_array_equal(one_hot(np.array([0.0, 1.0]), 2), np.eye(2))
    assert one_hot([True, False], 2).dtype == np.float64


@each_formula
def test_the_result_is_an_array_of_its_own(f):
    for N in (5, BLOCK):
        arguments = example(f, N=N)
        for reading in readings(f):
            for result in as_tuple(reading(*arguments)):
                assert result.flags.owndata and result.flags.writeable


# ---- limits --------------------------------------------------------------------------------------

INF = np.inf


@each_dtype
@pytest.mark.parametrize(
    "loss, y, losses_, slopes",
    [
        (logistic_loss, 1, [INF, 0], [-1, 0]),
        (logistic_loss, 0, [0, INF], [0, 1]),
        (hinge_loss, 1, [INF, 0], [-1, 0]),
        (hinge_loss, -1, [0, INF], [0, 1]),
        (zero_one_loss, 1, [1, 0], None),
        (zero_one_loss, -1, [0, 1], None),
        (squared_loss, 3.0, [INF, INF], [-INF, INF]),
    ],
)
def test_limits_of_losses_of_a_score(loss, y, losses_, slopes, dtype):
    a = np.array([-INF, INF], dtype)
    np.testing.assert_array_equal(loss(a, y), losses_)
    if slopes:
        np.testing.assert_array_equal(loss.gradient(a, y), slopes)


@each_dtype
@pytest.mark.parametrize(
    "A, p",
    [
        ([INF, 0, 1], [1, 0, 0]),
        ([-INF, 0, 0], [0, 0.5, 0.5]),
        ([INF, INF, 1], [0.5, 0.5, 0]),  # infinite alike: they share
        ([-INF, -INF, INF], [0, 0, 1]),
        ([-INF, -INF, -INF, -INF], [0.25, 0.25, 0.25, 0.25]),
        ([-INF, -INF, 7], [0, 0, 1]),
    ],
    ids=str,
)
def test_limits_of_softmax(A, p, dtype):
    A, p = np.array(A, dtype), np.array(p)
    with np.errstate(divide="ignore"):
        log_p = np.log(p)
    many = np.stack([A] * BLOCK, axis=1)
    for shape in (lambda a: a, lambda a: a[:, 0]):
        np.testing.assert_array_equal(shape(softmax(many)).T, np.broadcast_to(p, shape(many).T.shape))
        np.testing.assert_allclose(shape(log_softmax(many)).T, np.broadcast_to(log_p, shape(many).T.shape), rtol=1e-3)
    for y in range(len(A)):
        value, gradient = softmax_loss.value_and_gradient(A, y)
        np.testing.assert_allclose(value, -log_p[y], rtol=1e-3, atol=1e-30)
        np.testing.assert_array_equal(gradient, p - one_hot(y, len(p)))


@pytest.mark.parametrize("K", [1, 3])
def test_certainty_costs_nothing_and_the_impossible_costs_infinitely_much(K):
    """And zero is not written −0."""
    p = one_hot([0], K)
    found = [negative_log_likelihood(p, 0), cross_entropy(p, p), kl_divergence(p, p), entropy(p)]
    for result in (*found, logistic_loss([INF], 1), logistic_loss([800.0], 1), softmax_loss(800 * p, 0)):
        assert result == 0 and not np.signbit(result)
    if K > 1:
        np.testing.assert_array_equal(negative_log_likelihood(p, 1), INF)
        np.testing.assert_array_equal(cross_entropy(one_hot([1], K), p), INF)
        np.testing.assert_array_equal(kl_divergence(one_hot([1], K), p), INF)


@each_formula
@each_dtype
@pytest.mark.parametrize("how", ["array", "long array", "number"])
def test_nothing_warns_and_nothing_becomes_nan(f, dtype, how):
    """Not even when NumPy is told to raise errors."""
    info = np.finfo(dtype)
    if f in (entropy, negative_log_likelihood, *OF_DISTRIBUTIONS):
        small = np.array([0, info.smallest_subnormal, info.tiny, info.eps / 8, 0.25, 0.5, 0.75, 1], dtype)
        scores = np.stack([small, 1 - small])
    else:
        values = [0, 1, 8, 17, 40, 88, 104, 373, 710, 750, 65000, info.max, INF, info.tiny, info.smallest_subnormal]
        values = np.array(values, dtype)
        values = np.concatenate([-values, values])
        scores = values if f in OF_SCORES else np.stack([np.repeat(values, values.size), np.tile(values, values.size)])
    scores = np.tile(scores, 2 * BLOCK // scores.shape[-1] + 1) if how == "long array" else scores
    every = (
        {2: [(scores, scores), (scores, scores[::-1])]}
        if f in OF_DISTRIBUTIONS
        else {
            2: [(scores, y) for y in ((0, 1) if f not in (hinge_loss, zero_one_loss) else (-1, 1))],
            1: [(scores,)],
        }
    )
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        for arguments in every[1 if f in OF_COLUMNS else 2]:
            for reading in readings(f):
                if how == "number":
                    columns = range(0, scores.shape[-1], 7)
                    results = [reading(*(a[..., i] if np.ndim(a) else a for a in arguments)) for i in columns]
                else:
                    results = [reading(*arguments)]
                for result in results:
                    assert not any(np.isnan(part).any() for part in as_tuple(result))


# ---- wrong arguments -----------------------------------------------------------------------------

p3 = [[0.2, 0.5], [0.3, 0.25], [0.5, 0.25]]
ONE_EACH = "y must hold one class for each column of"
WRONG = [
    # labels outside the set
    (hinge_loss, ([1.0, 2.0], [0, 1]), "y must hold -1 and +1, got values [0, 1], 0 at position 0"),
    (zero_one_loss, ([1.0, 2.0], [1, 0]), "y must hold -1 and +1, got values [0, 1], 0 at position 1"),
    (hinge_loss, ([1.0, 2.0], [True, False]), "y must hold -1 and +1, got values [0, 1], 0 at position 1"),
    (logistic_loss, ([1.0, 2.0], [1, -1]), "y must hold 0 and 1, got values [-1, 1], -1 at position 1"),
    (logistic_loss, ([1.0, 2.0], [1, 1e-17]), "y must hold 0 and 1, got values [1e-17, 1], 1e-17 at position 1"),
    (logistic_loss, ([1.0, 2.0], [0, np.nan]), "y must hold 0 and 1, got values [0, nan], nan at position 1"),
    (logistic_loss, ([1.0], [np.inf]), "y must hold 0 and 1, got values [inf], inf at position 0"),
    (logistic_loss, (1.0, 2), "y must hold 0 and 1, got values [2], 2"),
    (logistic_loss, ([[1.0, 2.0]], [[0, 3]]), "y must hold 0 and 1, got values [0, 3], 3 in row 0, column 1"),
    (logistic_loss, (np.ones((1, 1, 2)), np.full((1, 1, 2), 3)), "y must hold 0 and 1, got values [3], 3 at (0, 0, 0)"),
    (softmax_loss, (np.ones((3, 2)), [0, 3]), "y must hold classes 0 … 2, got 3 at position 1"),
    (softmax_loss, (np.ones((3, 2)), [-1, 2]), "y must hold classes 0 … 2, got -1 at position 0"),
    (softmax_loss, (np.ones(3), 7), "y must hold classes 0 … 2, got 7"),
    (negative_log_likelihood, (p3, [0, 3]), "y must hold classes 0 … 2, got 3 at position 1"),
    (one_hot, ([0, 3], 3), "y must hold classes 0 … 2, got 3 at position 1"),
    # classes that are no whole numbers
    (softmax_loss, (np.ones((3, 2)), [0.5, 1]), "y must hold classes 0 … 2, got 0.5 at position 0"),
    (softmax_loss, (np.ones((3, 2)), [1, np.nan]), "y must hold classes 0 … 2, got nan at position 1"),
    (negative_log_likelihood, (p3, [1.5, 1]), "y must hold classes 0 … 2, got 1.5 at position 0"),
    (one_hot, ([0, 1.5], 3), "y must hold classes 0 … 2, got 1.5 at position 1"),
    # no distributions
    (entropy, ([[0.5, 0.2], [0.5, 0.9]],), "a column of p must sum to 1, got 1.1 in column 1"),
    (entropy, ([0.5, 0.500002],), "a column of p must sum to 1, got 1.000002"),
    (entropy, ([np.inf, 0.0],), "a column of p must sum to 1, got inf"),
    (cross_entropy, (p3, np.ones((3, 2))), "a column of p_hat must sum to 1, got 3 in column 0"),
    (kl_divergence, (np.ones((3, 2)), p3), "a column of p_gt must sum to 1, got 3 in column 0"),
    (negative_log_likelihood, ([2.0, 1.0], 0), "a column of p_hat must sum to 1, got 3"),
    (entropy, ([[0.5, 1.2], [0.5, -0.2]],), "p must hold probabilities, got -0.2 in row 1, column 1"),
    (kl_divergence, ([1.0, 0.0], [1.5, -0.5]), "p_hat must hold probabilities, got -0.5 at position 1"),
    # NaN
    (cross_entropy, ([np.nan, 1.0], [0.5, 0.5]), "p_gt must hold probabilities, got nan at position 0"),
    (logistic_loss, ([1.0, np.nan], [0, 1]), "a must not hold NaN, got nan at position 1"),
    (softmax_loss, ([[1.0, 1.0], [2.0, np.nan]], 0), "A must not hold NaN, got nan in row 1, column 1"),
    (softmax, ([1.0, np.nan],), "A must not hold NaN, got nan at position 1"),
    (squared_loss, ([np.nan, 2.0], [1, 2]), "y_hat must not hold NaN, got nan at position 0"),
    (squared_loss, ([1.0, 2.0], [1, np.nan]), "y must hold finite numbers, got nan at position 1"),
    (squared_loss, ([1.0, 2.0], [1, np.inf]), "y must hold finite numbers, got inf at position 1"),
    # shapes
    (logistic_loss, ([1.0, 2.0], [0, 1, 1]), "y must have the shape of a, (2,), or be one number, got (3,)"),
    (logistic_loss, (1.0, [0, 1]), "y must have the shape of a, (), or be one number, got (2,)"),
    (hinge_loss, ([[1.0, 2.0]], [1, 1]), "y must have the shape of a, (1, 2), or be one number, got (2,)"),
    (squared_loss, ([1.0], [[1.0]]), "y must have the shape of y_hat, (1,), or be one number, got (1, 1)"),
    (softmax_loss, (p3, [0, 1, 1]), f"{ONE_EACH} A, (3, 2), or one for all, got the shape (3,)"),
    (softmax_loss, (p3, p3), f"{ONE_EACH} A, (3, 2), or one for all, got the shape (3, 2)"),
    (negative_log_likelihood, (p3, [0]), f"{ONE_EACH} p_hat, (3, 2), or one for all, got the shape (1,)"),
    (cross_entropy, (p3, [1.0]), "p_gt and p_hat must have the same shape, got (3, 2) and (1,)"),
    (softmax, (np.ones((3, 2, 2)),), "A must have the shape (K, N) or (K,), got (3, 2, 2)"),
    (entropy, (1.0,), "p must have the shape (K, N) or (K,), got ()"),
    # no samples
    (logistic_loss, ([], []), "a must hold at least one sample, got the shape (0,)"),
    (squared_loss, ([], []), "y_hat must hold at least one sample, got the shape (0,)"),
    (softmax_loss, (np.ones((3, 0)), []), "A must hold at least one sample, got the shape (3, 0)"),
    (kl_divergence, (np.ones((3, 0)), np.ones((3, 0))), "p_gt must hold at least one sample, got the shape (3, 0)"),
    (softmax, (np.ones((0, 2)),), "A must hold at least one sample, got the shape (0, 2)"),
    (one_hot, ([], 3), "y must hold at least one sample, got the shape (0,)"),
]  # fmt: skip


@pytest.mark.parametrize(
    "f, arguments, message", WRONG, ids=[f"{getattr(f, 'name', 'one_hot')}: {m}" for f, _, m in WRONG]
)
def test_wrong_arguments_are_refused_by_name_value_and_place(f, arguments, message):
    name = getattr(f, "name", "one_hot")
    for reading in readings(f):
        with pytest.raises(ValueError, match=f"^{name}: {re.escape(message)}$"):
            reading(*arguments)


@pytest.mark.parametrize("place", [0, BLOCK + 5, 3 * BLOCK])
def test_in_a_long_array_the_place_is_that_in_the_whole(place):
    N = 3 * BLOCK + 1
    a, y = np.ones(N), np.ones(N)
    y[place] = 2
    with pytest.raises(ValueError, match=f"got values .*, 2 at position {place}$"):
        logistic_loss(a, y)
    a[place], y[place] = np.nan, 1
    with pytest.raises(ValueError, match=f"got nan at position {place}$"):
        logistic_loss.value_and_gradient(a, y)
    p = np.full((2, N), 0.5)
    p[:, place] = 0.75
    with pytest.raises(ValueError, match=f"got 1.5 in column {place}$"):
        entropy(p)


@each_formula
def test_what_is_no_real_number_is_refused(f):
    arguments = example(f)
    for reading in readings(f):
        for i in range(len(arguments)):
            for value, got in (("1", "<U1"), (1j, "complex128"), (None, "object")):
                wrong = [*arguments[:i], value, *arguments[i + 1 :]]
                with pytest.raises(TypeError, match=f"^{f.name}: [aApy]\\w* must hold real numbers, got dtype {got}$"):
                    reading(*wrong)


def test_sums_may_be_off_by_the_tolerance():
    for off in (-0.9e-6, 0.9e-6):
        assert np.isfinite(entropy([0.5, 0.5 + off]))
    for dtype in ("f2", "f4"):
        p = softmax(np.random.default_rng(1).normal(size=(40, 500)).astype(dtype))
        assert cross_entropy(p, p).dtype == dtype


# ---- graphs, the browser, arrays that live elsewhere ---------------------------------------------


def operations(graph):
    return [node.operation for node in graph.nodes]


@each_formula
@pytest.mark.parametrize("N", [None, 3])
def test_a_recorded_value_makes_one_node(f, N):
    """Whichever arguments are recorded: all of them, or one."""
    arguments = example(f, N=N)
    graph = trace(f, *arguments)
    assert operations(graph) == ["parameter"] * len(arguments) + [f.name]
    others = example(f, N=N, seed=1)
    np.testing.assert_array_equal(graph(*others), f(*others))
    for i in range(len(arguments)):
        graph = trace(lambda x, i=i: f(*arguments[:i], x, *arguments[i + 1 :]), arguments[i])
        assert operations(graph) == ["parameter", f.name]
        mixed = [*arguments[:i], others[i], *arguments[i + 1 :]]
        np.testing.assert_array_equal(graph(others[i]), f(*mixed))


def test_labels_beside_a_recorded_score_may_be_a_number_or_a_list():
    assert operations(trace(lambda a: logistic_loss(a, 1), 0.0)) == ["parameter", "logistic_loss"]
    graph = trace(lambda a: hinge_loss(a, [1, -1]), np.zeros(2))
    np.testing.assert_array_equal(graph(np.array([0.5, 0.5])), [0.5, 1.5])


@pytest.mark.parametrize(("loss", "scores", "labels"), [(hinge_loss, 1.0, 0), (softmax_loss, p3, 3)], ids=str)
def test_labels_beside_a_score_that_lives_elsewhere_are_checked(loss, scores, labels):
    for call in (loss, loss.gradient, loss.value_and_gradient):
        with pytest.raises(ValueError, match=f"^{loss}: y must hold"):
            call(Elsewhere(np.asarray(scores)), labels)


def test_labels_beside_a_recorded_score_are_checked():
    with pytest.raises(ValueError, match="^hinge_loss: y must hold -1 and"):
        trace(lambda a: hinge_loss(a, 0), 0.0)
    with pytest.raises(ValueError, match="^softmax_loss: y must hold one class"):
        trace(lambda A: softmax_loss(A, [0, 1]), np.ones((3, 3)))


@each_loss_with_gradient
def test_a_recorded_gradient_computes_the_same(loss):
    arguments, others = example(loss), example(loss, seed=1)
    for reading in readings(loss)[1:]:
        graph = trace(reading, *arguments)
        for result, expected in zip(as_tuple(graph(*others)), as_tuple(reading(*others)), strict=True):
            np.testing.assert_allclose(result, expected, rtol=1e-14)


@each_formula
@pytest.mark.parametrize("N", [None, 3])
def test_the_browser_computes_the_same(module, f, N):  # noqa: F811
    for reading in readings(f):
        assert_agree(module, reading, *example(f, N=N))


def test_the_browser_computes_one_hot_of_a_recorded_class(module):  # noqa: F811
    assert_agree(module, lambda y: one_hot(y, 4), np.array([0.0, 3.0, 1.0]))


@each_formula
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("N", [None, 3, BLOCK])
def test_arrays_that_live_elsewhere_stay_there(f, dtype, N):
    arguments = example(f, N=N, dtype=dtype)
    for reading in readings(f):
        found = as_tuple(reading(*map(Elsewhere, arguments)))
        for result, expected in zip(found, as_tuple(reading(*arguments)), strict=True):
            assert isinstance(result, Elsewhere) and result.dtype == dtype
            np.testing.assert_allclose(result.value, expected, rtol=1e-14 if dtype == "f8" else 1e-6, atol=1e-300)


def test_infinite_scores_elsewhere_have_the_same_limits():
    A = np.array([[np.inf, -np.inf, np.inf], [np.inf, -np.inf, 0]])
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(softmax(Elsewhere(A)).value, [[0.5, 0.5, 1], [0.5, 0.5, 0]])


# ---- names ---------------------------------------------------------------------------------------


@each_formula
def test_how_a_loss_is_named_in_menus_pictures_and_formulas(f):
    assert getattr(losses, f.name) is f
    assert repr(f) == f.name
    assert f.symbol and f.latex and f.source
    assert f.latex.count("{") == f.latex.count("}")
