"""Derivatives of arrays by arrays: strings of numbers, shapes and layouts, and derivatives from differences.

    >>> vec([[1, 3], [2, 4]])                             # column after column
    array([1, 2, 3, 4])
    >>> derivative_shape((3,), (2,))                      # three outputs, two inputs: k×d
    (3, 2)
    >>> numerical_jacobian(lambda x: x[0] * x, [3.0, 2.0]).round(6)
    array([[6., 0.],
           [2., 3.]])

Numerator layout: ∂y/∂x of y ∈ ℝᵏ and x ∈ ℝᵈ is k×d, a row for each output, a column for each input. What is no vector
is strung out into one by `vec`, so that every derivative is a matrix and the chain rule a product of matrices.
"""

import math
import operator

import numpy as np

from nnlib.arguments import as_array, as_real, refuse

# ---- strings of numbers --------------------------------------------------------------------------


def vec(X):
    """The entries of an array as one string of numbers, column after column: vec(X)[i + p·j] = X[i, j] for p rows.

    X: any shape → (n,), the first index running fastest (Matlab's `X(:)`); a number gives a string of one.

    Raises ValueError for a list that is no array. Source: notes, section 5.
    """
    return np.reshape(np.transpose(as_array(X, "vec", "X")), -1)


def unvec(v, shape):
    """The array of this shape whose string is v: the inverse of `vec`.

    v: (n,), or a column (n, 1) → `shape`, with n entries.

    Raises ValueError where v does not fill the shape, TypeError where `shape` is none. Source: notes, section 5.
    """
    v, shape = as_array(v, "unvec", "v"), _as_shape(shape, "unvec", "shape")
    n = math.prod(shape)
    if v.shape not in ((n,), (n, 1)):
        raise ValueError(f"unvec: v must be {(n,)} or a column {(n, 1)} to fill the shape {shape}, got {v.shape}")
    return np.transpose(np.reshape(v, shape[::-1]))


# ---- shapes and layouts --------------------------------------------------------------------------


def derivative_shape(numerator, denominator):
    """The shape of ∂y/∂x in numerator layout, from the shapes of y and x: first the axes of y, then those of x.

    ============  ========  ============  ================
    ∂y/∂x         x: ()     x: (d,)       x: (p, q)
    ============  ========  ============  ================
    y: ()         ()        (1, d)        (1, p q)
    y: (k,)       (k, 1)    (k, d)        (k, p, q)
    y: (m, n)     (m, n)    (m, n, d)     (m, n, p, q)
    ============  ========  ============  ================

    A vector over a number is a column. The derivative of a number is a row whatever it is taken by, since it meets
    vec(dx) in a product: of a matrix, the row of ∂y/∂vec(X). Where both sides have axes and there are more than two, it
    is a tensor; strung out by `vec` on both sides, it is a matrix again, as `numerical_jacobian` gives it.

    Raises TypeError for what is no shape, ValueError for sizes below 1. Source: notes, section 4.
    """
    y = _as_shape(numerator, "derivative_shape", "numerator")
    x = _as_shape(denominator, "derivative_shape", "denominator")
    if not x:
        return (*y, 1) if len(y) == 1 else y
    return y + x if y else (1, math.prod(x))


def to_denominator_layout(J):
    """The same derivative in the other layout: a row for each input, a column for each output, Jᵀ.

    J: (k, d) → (d, k), so a gradient, a row here, becomes a column; a number stays one.

    Raises ValueError for (n,), which does not tell a row from a column, and for tensors: string them out first.
    Source: notes, section 4 (the layout that its convention is not).
    """
    J = as_array(J, "to_denominator_layout", "J")
    if J.ndim not in (0, 2):
        raise ValueError(f"to_denominator_layout: J must have the shape (k, d), got {J.shape}")
    return np.transpose(J)


def _as_shape(shape, owner, argument):
    try:
        sizes = tuple([operator.index(size) for size in shape])
    except TypeError as error:
        raise TypeError(f"{owner}: {argument} must be a shape, as () or (3,) or (3, 2), got {shape!r}") from error
    if min(sizes, default=1) < 1:
        raise ValueError(f"{owner}: {argument} must hold sizes of at least 1, got {sizes}")
    return sizes


# ---- derivatives from differences ----------------------------------------------------------------


def _to_zero(nodes):
    """The weights that carry the values of a polynomial at these nodes to 0: Lagrange's."""
    return np.array([math.prod(t / (t - s) for t in nodes if t != s) for s in nodes])


# Changes of f are taken at x + t h for six distances t, and quotients of differences carried to t = 0 (Richardson's
# extrapolation). These t, nearly 1, 2, …, 6, are primes over 64: x + t h is exact, and no fast wave looks slow at all.
T = np.array([61, 131, 193, 257, 317, 383]) / 64

# Weights of the changes at T, and for both sides of x those at −T. The first row gives the derivative, the others what
# should vanish: the difference to the same derivative without the outermost distance, which is more than the first
# errs; and, for both sides, the mean change carried to t = 0, which sees what is even where the others see what is odd.
# With both sides the quotients change with t² alone, and six distances reach the order 12.
BOTH = np.concatenate([T, -T])
_even, _fewer = _to_zero(T**2) / 2, np.append(_to_zero(T[:-1] ** 2), 0.0) / 2
BOTH_SIDES = np.block([[_even / T, -_even / T], [(_even - _fewer) / T, (_fewer - _even) / T], [_even, _even]])
ONE_SIDE = np.array([_to_zero(T), _to_zero(T) - np.append(_to_zero(T[:-1]), 0.0)]) / T

# Steps h, over the size of x: the first is right for most functions. The others, 4, ¼, 16, 1/16, … times as long, are
# for those that change on another scale than x does: sin at 1e6 wants shorter ones, exp at 1e-6 longer ones. Long ones
# are 1.4 of a power of 2, to 20 bits: at whole numbers, a wave may look flat.
LONG = 1468007 / 2**20
STEPS = 2.0**-5 * np.array([LONG] + [step for i in range(1, 18) for step in (4.0**i * LONG, 4.0**-i)])

EPSILON = np.finfo(float).eps

# Numbers: a larger batch of points is evaluated in parts, each of which stays in the processor's cache.
BATCH = 65536


def numerical_jacobian(f, x):
    """∂f/∂x at x from differences: J[i, j] = ∂vec(f(x))ᵢ/∂vec(x)ⱼ, to about 13 digits of the largest entry.

    x: any shape with d entries, f(x): any shape with k → (k, d). Computed in float64 whatever comes in, integers too.
    Where f takes a batch of points, as columns or stacked along a first axis, one call evaluates them all. At a kink it
    is the mean of the derivatives from the two sides.

    Raises TypeError for complex numbers, ValueError where f is not a function of its argument, changes its shape, or
    is not finite around x. Source: notes, section 4.
    """
    f = _Strung(f, x, "numerical_jacobian")
    return _search(f, BOTH, BOTH_SIDES, 3e-13)


def one_sided_derivatives(f, x):
    """The derivatives of f at x from the left and from the right, (k, d) each: at a kink they differ.

    As `numerical_jacobian`, but from differences on one side of x, to about 8 digits.
    """
    f = _Strung(f, x, "one_sided_derivatives")
    return _search(f, -T, -ONE_SIDE, 1e-10), _search(f, T, ONE_SIDE, 1e-10)


def _search(f, moves, weights, tolerance):
    """The derivatives of f, each from the step at which it comes out best, or from the first that is good enough."""
    with np.errstate(all="ignore"):
        J, doubt = _estimate(f, np.arange(f.d), STEPS[0], moves, weights)
        if not _good(J, doubt, tolerance).all():
            _refine(J, doubt, f, moves, weights, tolerance)
            f.refuse_undefined(J)
    return J


def _good(J, doubt, tolerance):
    return doubt <= tolerance * np.fmax.reduce(np.abs(J), axis=None)


def _refine(J, doubt, f, moves, weights, tolerance):
    """Replace what is doubtful in J by what other steps give, until all is good or three in a row were of no use."""
    in_vain = np.zeros(f.d)
    for step in STEPS[1:]:
        bad = ~_good(J, doubt, tolerance)
        columns = np.flatnonzero((bad & ((in_vain < 3) | np.isinf(doubt))).any(axis=0))
        if not columns.size:
            break
        old, old_doubt = J[:, columns], doubt[:, columns]
        new, new_doubt = _estimate(f, columns, step, moves, weights)
        better = (new_doubt < old_doubt) | np.isnan(old)
        J[:, columns], doubt[:, columns] = np.where(better, new, old), np.where(better, new_doubt, old_doubt)
        in_vain[columns] = np.where((better & bad[:, columns]).any(axis=0), 0, in_vain[columns] + 1)


def _estimate(f, columns, step, moves, weights):
    """These columns of the Jacobian from differences over one step, and of each entry how far it may be off."""
    parts = -(-columns.size * moves.size * max(f.d, f.k) // BATCH)
    if parts > 1 and columns.size > 1:
        pieces = np.array_split(columns, min(parts, columns.size))
        return np.concatenate([_estimate(f, piece, step, moves, weights) for piece in pieces], axis=2)
    h = step * f.size[columns]
    sums = (weights @ f.changes(columns, moves, h)) / h
    J, doubt = sums[:, 0], np.abs(sums[:, 1:]).sum(axis=1)
    rounding = np.abs(f.middle)[:, None] * (2 * EPSILON / h)
    # Where f jumps about between the points its quotients mean nothing, and are small only as h is large.
    chance = doubt > np.maximum(1e-3 * np.abs(J).max(axis=0), 4 * rounding)
    return J, np.where(chance, np.inf, doubt + rounding)


class _Strung:
    """f between strings of numbers, for many points at once: (d, P) → (k, P), by one call of f where f allows it.

    A batch of points is trusted only where f gives for three of its columns, x and two others in which every entry is
    moved, what it gives for each alone.
    """

    def __init__(self, f, x, owner):
        if not callable(f):
            raise TypeError(f"{owner}: f must be a function, got {type(f).__name__}")
        x = as_real(x, owner, "x").astype(np.float64)
        if x.size == 0:
            raise ValueError(f"{owner}: x must hold at least one number, got the shape {x.shape}")
        refuse(~np.isfinite(x), x, owner, "x", "hold finite numbers")
        self.f, self.owner, self.x, self.shape, self.d = f, owner, x.ravel("F"), x.shape, x.size
        value = self.value(self.x)
        if value.size == 0:
            raise ValueError(f"{owner}: f(x) must hold at least one number, got the shape {value.shape}")
        refuse(~np.isfinite(value), value, owner, "f(x)", "be finite")
        self.middle, self.out, self.k = value.ravel("F"), value.shape, value.size
        size = np.abs(self.x)
        typical = np.sort(size)[self.d // 2] or np.max(size) or 1.0
        self.size = 2.0 ** np.floor(np.log2(np.maximum(size / 8, typical)))
        self.aside = np.sin(np.arange(1, self.d + 1)) * np.where(self.x == 0.0, self.size, self.x) / 32
        self.known = None
        self.batches = [self.columns, self.stack] if x.ndim < 2 else [self.stack, self.columns]

    def value(self, column):
        """f at one point, as an array of its own."""
        point = column.copy().reshape(self.shape[::-1]).T
        return np.array(as_real(self.f(point), self.owner, "f(x)"), np.float64)

    def changes(self, columns, moves, h):
        """f(x + t h) − f(x) for each move t of each of these n entries of x: (k, moves, n)."""
        X = np.empty((self.d, moves.size * h.size + 3))
        X[...] = self.x[:, None]
        X[:, 0] += self.aside
        X[:, 1] -= self.aside / 2
        X[columns, np.arange(2, X.shape[1] - 1).reshape(-1, h.size)] += moves[:, None] * h
        X.flags.writeable = False  # what f does in place fails, and f gets copies of single points
        return (self.values(X)[:, 2:-1] - self.middle[:, None]).reshape(self.k, -1, h.size)

    def values(self, X):
        """f at the columns of X: (d, P) → (k, P); the first two have every entry moved, the last is x."""
        while self.batches:
            try:
                values = self.batches[0](X)
                if self.agrees(values, X):
                    return values
            except Exception:  # whatever f says to a batch that it does not take
                pass
            self.batches.pop(0)
            self.check_pure()
        return np.stack([self.alone(column) for column in X.T], axis=1)

    def columns(self, X):
        """f of a batch laid along a last axis."""
        values = self.f(X.T.reshape(-1, *self.shape[::-1]).T)
        return self.checked(values, (*self.out, X.shape[1])).T.reshape(-1, self.k).T

    def stack(self, X):
        """f of a batch laid along a first axis."""
        values = self.f(X.reshape(*self.shape[::-1], -1).T)
        return self.checked(values, (X.shape[1], *self.out)).T.reshape(self.k, -1)

    def checked(self, values, shape):
        values = as_real(values, self.owner, "f(x)")
        if values.shape != shape:
            raise ValueError("not a value for each point")
        return values

    def agrees(self, values, X):
        """Whether f gives the same for points alone as in the batch, but for what a sum in another order differs by."""
        if self.known is None:
            self.known = np.array([self.value(X[:, 0]).ravel("F"), self.value(X[:, 1]).ravel("F"), self.middle]).T
        error = np.abs(values[:, [0, 1, -1]] - self.known)
        return (error <= 64 * EPSILON * np.abs(self.known).max(axis=0)).all()

    def check_pure(self):
        """Refuse what gives another value the second time."""
        again = self.value(self.x)
        if again.shape != self.out or not np.array_equal(vec(again), self.middle):
            raise ValueError(f"{self.owner}: f is not a function of its argument: two calls at x differ")

    def alone(self, column):
        """f at one point, NaN where it is not defined."""
        try:
            value = self.value(column)
        except (ValueError, ArithmeticError):
            return np.full(self.k, np.nan)
        if value.shape != self.out:
            raise ValueError(f"{self.owner}: f(x) has the shape {self.out} at x, but {value.shape} near it")
        return vec(value)

    def refuse_undefined(self, J):
        """Name the first entry of x around which f is not finite, however short the step."""
        undefined = np.flatnonzero(~np.isfinite(J).all(axis=0))
        if undefined.size:
            index = ", ".join(str(i) for i in np.unravel_index(undefined[0], self.shape, order="F"))
            entry = f"x[{index}]" if index else "x"
            raise ValueError(f"{self.owner}: f must be finite around x, but is not where {entry} is moved")
