"""Loss functions: what a prediction costs, sample by sample, each with its gradient.

    >>> logistic_loss([2.0, -1.0], [1, 0])                # two scores, their labels
    array([0.12692801, 0.31326169])
    >>> softmax_loss([[2.0, 0.0], [1.0, 3.0]], [0, 1])    # a sample is a column: K = 2 scores, N = 2 samples
    array([0.31326169, 0.04858735])

A loss takes the predictions of N samples and gives N numbers; the loss of a data set is their sum. `gradient` is the
derivative with respect to the prediction, in its shape, and `value_and_gradient` gives both and shares the work.
Results have the precision of the prediction (float32 in, float32 out; integers count as float64), and inside nothing
is computed in less than float64. One label may stand for all samples.

A ValueError names the argument, the value and the place of what is no label, no distribution or NaN; shapes that do not
fit or hold no sample are refused too. (Values are looked at in NumPy's arrays: not while a graph is recorded, nor in
arrays that live elsewhere.) Infinite scores give the limit, silently; scores that are infinite alike count as equal.
"""

import operator

import numpy as np

from nnlib.arguments import (
    as_classes,
    as_columns,
    as_labels,
    as_numbers,
    as_samples,
    check_classes,
    check_distribution,
    check_finite,
    check_numbers,
    check_samples,
    check_two_labels,
    is_known,
)
from nnlib.formula import Formula

# Numbers: so many that a block, with what is computed from it on the way, stays in the processor's cache.
BLOCK = 65536


class ByColumn(Formula):
    """A formula of arrays whose last axis counts samples.

    A subclass writes it as `formula`; `prepared` turns the arguments into arrays whose shapes fit, `check` looks at
    their values. The result has the precision of the argument with the number `prediction`.
    """

    prediction = 0

    def __call__(self, *arguments, **named):
        arguments = self.prepared(*arguments, **named)
        for argument in arguments:
            if hasattr(argument, "record"):
                return argument.record(self, arguments)
        return self.evaluate(self.formula, arguments)

    def evaluate(self, formula, arguments):
        """formula(*arguments), an array or a pair; values that are known are checked, and nothing warns."""
        prediction = arguments[self.prediction]
        for argument in arguments:
            if hasattr(argument, "record"):
                return formula(*arguments)
            if not is_known(argument):
                self.check(*arguments)
                return in_double(formula, arguments, prediction.dtype)
        with np.errstate(all="ignore"):
            if prediction.size > BLOCK:
                return self.in_blocks(formula, arguments, prediction)
            self.check(*arguments)
            return in_double(formula, arguments, prediction.dtype)

    def in_blocks(self, formula, arguments, prediction):
        """The same in less time, for many samples: what is computed on the way need not go through main memory."""
        samples, results = prediction.shape[-1], None
        width = max(1, BLOCK * samples // prediction.size)
        for start in range(0, samples, width):
            block = (..., slice(start, start + width))
            parts = [argument[block] if argument.ndim else argument for argument in arguments]
            try:
                self.check(*parts)
            except ValueError:
                self.check(*arguments)  # names the place in the whole array
            values = in_double(formula, parts, prediction.dtype)
            pair = values if isinstance(values, tuple) else (values,)
            results = results or [np.empty((*value.shape[:-1], samples), value.dtype) for value in pair]
            for result, value in zip(results, pair, strict=True):
                result[block] = value
        return tuple(results) if isinstance(values, tuple) else results[0]


def in_double(formula, arguments, dtype):
    """formula(*arguments), an array or a pair, computed at least in float64 and rounded to this precision."""
    if dtype.itemsize < 8:
        arguments = [argument.astype(np.float64) for argument in arguments]
    result = formula(*arguments)
    if isinstance(result, tuple):
        return rounded(result[0], dtype), rounded(result[1], dtype)
    return rounded(result, dtype)


def rounded(array, dtype):
    array = array if array.dtype == dtype else array.astype(dtype)
    return array if array.ndim else array[()]  # of one sample, a number


class Loss(ByColumn):
    """A loss with its gradient: a subclass writes the derivative with respect to the prediction as `slope`."""

    def gradient(self, *arguments, **named):
        """The derivative with respect to the prediction, in its shape and precision."""
        return self.evaluate(self.slope, self.prepared(*arguments, **named))

    def value_and_gradient(self, *arguments, **named):
        """The loss and its gradient, as a pair."""
        return self.evaluate(self.both, self.prepared(*arguments, **named))

    def both(self, *arguments):
        return self.formula(*arguments), self.slope(*arguments)


class LossOfParts(Loss):
    """A loss whose value and slope begin alike: with the `parts` that a subclass computes from the arguments."""

    def formula(self, *arguments):
        return self.value_of(*self.parts(*arguments))

    def slope(self, *arguments):
        return self.slope_of(*self.parts(*arguments))

    def both(self, *arguments):
        parts = self.parts(*arguments)
        return self.value_of(*parts), self.slope_of(*parts)


# ---- what the arguments must be ------------------------------------------------------------------


class OfScores:
    """The arguments a, y: scores in any shape, and in the same, or for all, labels of two kinds."""

    labels, label_names = (-1, 1), "-1 and +1"

    def prepared(self, a, y):
        a = as_samples(a, self, "a")
        return a, as_labels(y, a, self, "a")

    def check(self, a, y):
        check_numbers(a, self, "a")
        check_two_labels(y, self, self.labels, self.label_names)


class OfColumns:
    """The argument A: K scores a sample, (K, N) or (K,)."""

    def prepared(self, A):
        return (as_columns(A, self, "A"),)

    def check(self, A):
        check_numbers(A, self, "A")


class OfColumnsAndClasses:
    """The arguments A, y: K scores a sample, (K, N) or (K,), and for each, or for all, a class."""

    def prepared(self, A, y):
        A = as_columns(A, self, "A")
        return A, as_classes(y, A, self, "A")

    def check(self, A, y):
        check_numbers(A, self, "A")
        check_classes(y, A.shape[0], self)


# ---- one score a sample --------------------------------------------------------------------------


class LogisticLoss(OfScores, LossOfParts):
    """Log-loss of a score: log(1 + e⁻ᵐ), with the margin m = a for y = 1 and m = −a for y = 0; derivative σ(a) − y.

    It is −log of the probability that was given to the label, where P(Y = 1) = σ(a). At m = ∞ it is 0, at −∞ it is ∞
    with a derivative of ±1. a: (N,) or any shape; y: the same, 0 or 1.

    Source: notes, section 3.
    """

    name, symbol, latex = "logistic_loss", "log-loss", r"\log(1 + e^{-m}), \; m = (2y - 1)\, a"
    source = "notes, section 3"
    labels, label_names = (0, 1), "0 and 1"

    def parts(self, a, y):
        sign = 1.0 - 2.0 * y
        wrong = sign * a  # −m: positive where the sign of the score is wrong
        return sign, wrong, odds(wrong)

    def value_of(self, sign, wrong, e):
        return np.maximum(np.log1p(e), wrong)

    def slope_of(self, sign, wrong, e):
        return sign * probability(e)


def odds(a):
    """eᵃ, held at e⁸⁰, far before it overflows: from there on log(1 + eᵃ) is a and σ(a) is 1 in every precision."""
    return np.exp(np.minimum(a, 80.0))


def probability(e):
    """σ = e/(1 + e) for odds e: written e − e²/(1 + e) below 1, and 1 − 1/(1 + e) above.

    What is subtracted is the smaller part, so its rounding errors count less.
    """
    c = np.minimum(e, 1.0)
    return c - c * c / (1.0 + e)


class HingeLoss(OfScores, Loss):
    """Hinge loss of a score: max{0, 1 − a y}; its derivative is −y where a y < 1, else 0, also at the kink.

    a: (N,) or any shape; y: the same, −1 or +1.

    Source: notes, section 3.
    """

    name, symbol, latex = "hinge_loss", "hinge", r"\max\{0, 1 - a y\}"
    source = "notes, section 3"

    def formula(self, a, y):
        return np.maximum(0.0, 1.0 - a * y)

    def slope(self, a, y):
        return np.where(a * y < 1.0, -1.0 * y, 0.0)


class ZeroOneLoss(OfScores, ByColumn):
    """0-1 loss of a score: 1 for a mistake, a y ≤ 0, else 0; a score of 0 decides nothing and counts as a mistake.

    Its derivative is 0 wherever there is one, so it has no gradient. a: (N,) or any shape; y: the same, −1 or +1.

    Source: notes, section 3.
    """

    name, symbol, latex = "zero_one_loss", "0-1", r"1 \text{ if } a y \le 0, \text{ else } 0"
    source = "notes, section 3"

    def formula(self, a, y):
        return np.where(a * y > 0.0, 0.0, 1.0)


class SquaredLoss(Loss):
    """Squared loss ½(ŷ − y)²; with the ½ its derivative is ŷ − y, prediction minus target.

    y_hat: (N,) or any shape; y: the same, finite.

    Source: notes, section 3.
    """

    name, symbol, latex = "squared_loss", "squared", r"\tfrac{1}{2} (\hat{y} - y)^2"
    source = "notes, section 3"

    def prepared(self, y_hat, y):
        y_hat = as_samples(y_hat, self, "y_hat")
        return y_hat, as_labels(y, y_hat, self, "y_hat")

    def check(self, y_hat, y):
        check_numbers(y_hat, self, "y_hat")
        check_finite(y, self, "y")

    def formula(self, y_hat, y):
        return 0.5 * (y_hat - y) ** 2

    def slope(self, y_hat, y):
        return y_hat - y


# ---- K scores a sample ---------------------------------------------------------------------------


def one_hot(y, K):
    """Classes as distributions: 1 in the row of the class, else 0. y: (N,) in 0 … K−1 → (K, N), or a class → (K,).

    Raises ValueError for other values and for no sample, TypeError where K is no whole number.

    Source: notes, section 3.
    """
    y, K = as_numbers(y, "one_hot"), operator.index(K)
    check_samples(y, "one_hot", "y")
    check_classes(y, K, "one_hot")
    return np.where(is_class(y, K), 1.0, 0.0)


def is_class(y, K):
    """(K, N): whether class k is that of sample n."""
    elsewhere = not (is_known(y) or hasattr(y, "record"))
    rows = np.arange(K, like=y) if elsewhere else np.arange(K)
    return np.reshape(rows, (K, *[1] * y.ndim)) == y


class Softmax(OfColumns, ByColumn):
    """From K scores to a distribution: p̂ₖ = exp Aₖ / Σⱼ exp Aⱼ. A: (K, N) → (K, N), or (K,) → (K,).

    Scores count from the largest on, which changes nothing, and no exponential overflows.

    Source: notes, section 3.
    """

    name, symbol, latex = "softmax", "softmax", r"\frac{e^{a_k}}{\sum_j e^{a_j}}"
    source = "notes, section 3"

    def formula(self, A):
        e = np.exp(from_largest(A))
        return e / np.sum(e, axis=0)

    def pullback(self, u, A):
        """The row u times the Jacobian diag(p̂) − p̂ p̂ᵀ, column by column."""
        p = softmax(A)
        return p * (u - np.sum(u * p, axis=0))


class LogSoftmax(OfColumns, ByColumn):
    """The logarithm of softmax: Aₖ − log Σⱼ exp Aⱼ. A: (K, N) → (K, N), or (K,) → (K,).

    Counted from the largest score on, that score adds 1 to the sum: log1p keeps every digit of the others.

    Source: notes, section 3.
    """

    name, symbol, latex = "log_softmax", "log softmax", r"a_k - \log \sum_j e^{a_j}"
    source = "notes, section 3"

    def formula(self, A):
        below = from_largest(A)
        largest = below == 0.0
        others = np.sum(np.where(largest, 0.0, np.exp(below)), axis=0) + (np.sum(largest, axis=0) - 1.0)
        return below - np.log1p(others)

    def pullback(self, u, A):
        """The row u times the Jacobian, the identity − 1 p̂ᵀ, column by column."""
        return u - softmax(A) * np.sum(u, axis=0)


def from_largest(A):
    """A − max A, column by column; 0 for the largest, also where it is infinite (and not recorded)."""
    largest = np.max(A, axis=0)
    if hasattr(A, "record") or (is_known(largest) and np.isfinite(largest).all()):
        return A - largest
    return np.where(largest == A, 0.0, A - largest)


class SoftmaxLoss(OfColumnsAndClasses, LossOfParts):
    """Log-loss of K scores: −log softmax(A)_y = log Σₖ exp Aₖ − A_y; its gradient is softmax(A) − one_hot(y).

    A: (K, N), y: (N,) in 0 … K−1 → (N,), gradient (K, N); or A: (K,) and a class.

    Source: notes, section 3.
    """

    name, symbol, latex = "softmax_loss", "log-loss", r"\log \sum_k e^{a_k} - a_y"
    source = "notes, section 3"

    def parts(self, A, y):
        """Where the label is, its score (from the largest on), the exponentials of the others, and their sum."""
        label, below = is_class(y, A.shape[0]), from_largest(A)
        d = np.sum(np.where(label, below, 0.0), axis=0)
        others = np.where(label, 0.0, np.exp(below))
        return label, d, others, np.sum(others, axis=0)

    def value_of(self, label, d, others, rest):
        return np.log1p(rest + np.expm1(d)) - d

    def slope_of(self, label, d, others, rest):
        return (others - label * rest) / (rest + np.exp(d))


# ---- distributions -------------------------------------------------------------------------------


class NegativeLogLikelihood(Loss):
    """−log p̂(y) for the probability that was given to the class y; its gradient is −1/p̂(y) there, else 0.

    p_hat: (K, N), y: (N,) in 0 … K−1 → (N,), gradient (K, N); or p_hat: (K,) and a class.

    Source: notes, section 3.
    """

    name, symbol, latex = "negative_log_likelihood", "−log p̂", r"-\log \hat{p}(y)"
    source = "notes, section 3"

    def prepared(self, p_hat, y):
        p_hat = as_columns(p_hat, self, "p_hat")
        return p_hat, as_classes(y, p_hat, self, "p_hat")

    def check(self, p_hat, y):
        check_distribution(p_hat, self, "p_hat")
        check_classes(y, p_hat.shape[0], self)

    def formula(self, p_hat, y):
        given = np.sum(np.where(is_class(y, p_hat.shape[0]), p_hat, 0.0), axis=0)
        return 0.0 - np.log(given)  # −log 1 would be −0

    def slope(self, p_hat, y):
        return np.where(is_class(y, p_hat.shape[0]), -1.0 / p_hat, 0.0)


class Entropy(ByColumn):
    """H(p) = −Σ pₖ log pₖ in nats, with 0 log 0 = 0. p: (K, N) → (N,), or (K,) → a number.

    Source: notes, section 3.
    """

    name, symbol, latex = "entropy", "H", r"-\sum_k p_k \log p_k"
    source = "notes, section 3"

    def prepared(self, p):
        return (as_columns(p, self, "p"),)

    def check(self, p):
        check_distribution(p, self, "p")

    def formula(self, p):
        return np.sum(np.where(p > 0.0, -p * np.log(p), 0.0), axis=0)

    def pullback(self, u, p):
        """The row u times the derivative −log p − 1: ∞ where p is 0."""
        with np.errstate(divide="ignore"):
            return u * (-1.0 - np.log(p))


class CrossEntropy(Loss):
    """H(p, p̂) = −Σ pₖ log p̂ₖ in nats, with 0 log 0 = 0; its gradient with respect to p̂ is −pₖ/p̂ₖ.

    p_gt, p_hat: (K, N) → (N,), gradient (K, N); or (K,) → a number. Where p̂ is 0 and p is not, it is ∞.

    Source: notes, section 3.
    """

    name, symbol, latex = "cross_entropy", "CE", r"-\sum_k p_k \log \hat{p}_k"
    source = "notes, section 3"
    prediction = 1

    def prepared(self, p_gt, p_hat):
        p_gt, p_hat = as_columns(p_gt, self, "p_gt"), as_columns(p_hat, self, "p_hat")
        if p_gt.shape != p_hat.shape:
            raise ValueError(f"{self}: p_gt and p_hat must have the same shape, got {p_gt.shape} and {p_hat.shape}")
        return p_gt, p_hat

    def check(self, p_gt, p_hat):
        check_distribution(p_gt, self, "p_gt")
        check_distribution(p_hat, self, "p_hat")

    def formula(self, p_gt, p_hat):
        return np.sum(np.where(p_gt > 0.0, -p_gt * np.log(p_hat), 0.0), axis=0)

    def slope(self, p_gt, p_hat):
        return np.where(p_gt > 0.0, -p_gt / p_hat, 0.0)


class KLDivergence(CrossEntropy):
    """KL(p‖p̂) = Σ pₖ log(pₖ/p̂ₖ) in nats: the cross-entropy without the entropy of p.

    Computed as Σ [pₖ log(pₖ/p̂ₖ) + p̂ₖ − pₖ], where no term is negative, so none cancels. What is added should sum to 0;
    its rounding is taken off: this is the divergence of p/Σp and p̂/Σp̂. Where p̂ is 0 and p is not, it is ∞.
    p_gt, p_hat: (K, N) → (N,), gradient with respect to p̂ (K, N); or (K,) → a number.

    Source: notes, section 3.
    """

    name, symbol, latex = "kl_divergence", "KL", r"\sum_k p_k \log \frac{p_k}{\hat{p}_k}"

    def formula(self, p_gt, p_hat):
        d, total = p_hat - p_gt, np.sum(p_gt, axis=0)
        x = np.sum(d, axis=0) / total
        rounding = x * x * (1 / 2 - x * (1 / 3 - x / 4))  # x − log(1 + x)
        return np.maximum(np.sum(excess(p_gt, p_hat, d), axis=0) / total - rounding, 0.0)


def excess(p, q, d):
    """p log(p/q) + d, where d = q − p. Where q is near p, by a series in s = d/(p + q), since p/q = (1 − s)/(1 + s):

    p log(p/q) = −2p (s + s³/3 + s⁵/5 + …), and d − 2ps = sd.
    """
    s = d / np.maximum(p + q, 1e-300)  # the bounds make 0/0 a 0
    square = s * s
    largest = np.max(square) if is_known(square) else 1.0
    # The term with n counts s**(n − 2)/n times as much as the whole: below 1e-17 it changes no digit.
    series, *terms = [2 / n for n in (15, 13, 11, 9, 7, 5, 3) if n == 3 or largest ** (n - 2) > 1e-34]
    for term in terms:
        series = series * square + term
    near = s * (d - p * square * series)
    if largest < 0.01:
        return near
    return np.where(square < 0.01, near, d - p * np.log(q / np.maximum(p, 1e-300)))


logistic_loss, hinge_loss, zero_one_loss, squared_loss = LogisticLoss(), HingeLoss(), ZeroOneLoss(), SquaredLoss()
softmax, log_softmax, softmax_loss = Softmax(), LogSoftmax(), SoftmaxLoss()
negative_log_likelihood, entropy, cross_entropy = NegativeLogLikelihood(), Entropy(), CrossEntropy()
kl_divergence = KLDivergence()
