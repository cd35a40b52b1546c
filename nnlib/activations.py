"""Responses f of a neuron, each with its derivative.

    >>> logistic(0.0), logistic.derivative(0.0)
    (0.5, 0.25)

An activation takes any shape and keeps it, and keeps the precision: float32 in, float32 out; integers count
as float64. NaN stays NaN, ±inf gives the limit, and nothing warns. `maxout` alone is not elementwise: it
takes the largest along the first axis.
"""

import functools

import numpy as np

from nnlib.arguments import as_real
from nnlib.formula import Formula

# Numbers: so many that a block, with what is computed from it on the way, stays in the processor's cache.
BLOCK = 16384


def in_blocks(formula):
    """Evaluate an elementwise formula of several steps block by block where the array is long.

    The values are the same, in half the time: intermediate results need not go through main memory.
    """

    @functools.wraps(formula)
    def evaluate(self, a):
        if a.size <= 2 * BLOCK or type(a) is not np.ndarray or not a.flags.forc:
            return formula(self, a)
        result = np.empty_like(a)
        flat_a, flat_result = a.ravel(order="K"), result.ravel(order="K")  # views, as a is contiguous
        for start in range(0, a.size, BLOCK):
            block = slice(start, start + BLOCK)
            flat_result[block] = formula(self, flat_a[block])
        return result

    return evaluate


class Activation(Formula):
    """A response f with its derivative: a subclass writes f as `formula`, f′ as `slope`, in NumPy functions.

    Raises TypeError for an argument that does not hold real numbers.
    """

    argument = "a"

    def __call__(self, a):
        if hasattr(a, "record"):
            return super().__call__(a)
        return self.evaluate(self.formula, as_real(a, self, self.argument))

    def derivative(self, a):
        """f′(a), in the shape and precision of a."""
        return self.evaluate(self.slope, as_real(a, self, self.argument))

    def evaluate(self, formula, a):
        """formula(a), also where the caller has NumPy raise on underflow: a tiny result is right here."""
        try:
            return formula(a)
        except FloatingPointError:
            with np.errstate(under="ignore"):
                return formula(a)


class Identity(Activation):
    """The linear response: f(a) = a, f′(a) = 1. A neuron with it is linear regression.

    Source: notes, section 2.
    """

    name, symbol, latex = "identity", "a", r"a"
    source = "notes, section 2"

    def formula(self, a):
        return +a

    def slope(self, a):
        return np.ones_like(a)[()]


class Logistic(Activation):
    """The logistic response, from 0 to 1: σ(a) = 1 / (1 + e⁻ᵃ) = eᵃ / (1 + eᵃ), σ′(a) = σ(a) (1 − σ(a)).

    Written with eᵃ it is accurate far to the left, where e⁻ᵃ overflows.

    Source: notes, section 2.
    """

    name, symbol, latex = "logistic", "σ", r"\frac{1}{1 + e^{-a}}"
    source = "notes, section 2"

    @in_blocks
    def formula(self, a):
        if a.dtype.itemsize < 8:  # in float32 exp itself is up to 2.5 ulp off: round once, at the end
            return self.formula(a.astype(np.float64)).astype(a.dtype)
        e = np.exp(np.minimum(a, 80.0))  # at 80 σ is 1 in every precision; far beyond, eᵃ would overflow
        return e / (1.0 + e)

    @in_blocks
    def slope(self, a):
        s = logistic(-np.abs(a))  # σ′ is even; on the left 1 − σ keeps all its digits
        return s * (1.0 - s)


class Tanh(Activation):
    """The hyperbolic tangent, from −1 to 1: (eᵃ − e⁻ᵃ) / (eᵃ + e⁻ᵃ) = 2σ(2a) − 1, with tanh′(a) = 4σ′(2a).

    Written with σ′, not 1 − tanh²a, the derivative is accurate far from 0, where that difference loses its
    digits.

    Source: notes, section 2.
    """

    name, symbol, latex = "tanh", "tanh", r"\frac{e^a - e^{-a}}{e^a + e^{-a}}"
    source = "notes, section 2"

    def formula(self, a):
        return np.tanh(a)

    @in_blocks
    def slope(self, a):
        # tanh′ is even; at 6000 it is 0 in every precision, and far beyond 2a would overflow.
        b = np.minimum(np.abs(a), 6000.0)
        return 4.0 * logistic.derivative(2.0 * b)


class ReLU(Activation):
    """The rectified linear unit: max{0, a}; its derivative is the step from 0 to 1, at the kink relu′(0) = 0.

    Source: notes, section 2.
    """

    name, symbol, latex = "relu", "relu", r"\max\{0, a\}"
    source = "notes, section 2"

    def formula(self, a):
        return np.maximum(0.0, a)

    def slope(self, a):
        return np.ceil(np.clip(a, 0.0, 1.0))  # as np.heaviside(a, 0), in a quarter of its time, and never −0 for a < 0


class Maxout(Activation):
    """The largest of K pieces, max{a₁, …, a_K}; its derivative is 1 for the piece that wins, else 0.

    pieces: (K, …) → (…), the largest along the first axis; the derivative is (K, …). Of equal pieces the
    first wins.

    Raises ValueError where there is no first axis, or no piece along it.

    Source: notes, section 2.
    """

    name, symbol, latex = "maxout", "max", r"\max\{a_1, \dots, a_K\}"
    source = "notes, section 2"
    argument = "pieces"

    def evaluate(self, formula, pieces):
        if not pieces.shape or pieces.shape[0] == 0:
            raise ValueError(f"{self}: pieces must have the shape (K, …) with K ≥ 1, got {pieces.shape}")
        return super().evaluate(formula, pieces)

    def formula(self, pieces):
        return np.max(pieces, axis=0)

    def slope(self, pieces):
        winner = np.argmax(pieces, axis=0)
        won = np.stack([winner == k for k in range(pieces.shape[0])])
        return np.where(won, np.ones_like(pieces), np.zeros_like(pieces))


identity, logistic, tanh, relu, maxout = Identity(), Logistic(), Tanh(), ReLU(), Maxout()
