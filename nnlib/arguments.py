"""What the arguments of formulas must be: turned into arrays that fit, or refused by name, value and place.

`as_…` returns an argument as an array whose shape fits. `check_…` looks at values, which can be seen in NumPy's
arrays only: what is being recorded or lives elsewhere passes. Each gets the `owner`, the formula whose argument it is,
and the argument's name, so that an error can say "hinge_loss: y must hold -1 and +1".
"""

import functools
import operator

import numpy as np

# How far from 1 a distribution may sum to; half precision is coarser: there, one unit in its last place.
TOLERANCE = 1e-6


# ---- arrays --------------------------------------------------------------------------------------


def as_real(value, owner, argument):
    """`value` as real floating-point numbers, its precision kept; integers and truth values become float64.

    What has a NumPy dtype stays what it is (arrays of CuPy or Dask, recorded values); numbers and lists
    become arrays. Errors name the `owner`, a formula, and its `argument`: "logistic: a must hold …".

    Raises TypeError for text, complex numbers and objects, ValueError for a list that is no array.
    """
    try:
        kind = value.dtype.kind
    except AttributeError:
        return as_real(as_array(value, owner, argument), owner, argument)
    if kind == "f" or hasattr(value, "record"):
        return value
    if kind in "iub":
        return value.astype(np.float64)
    raise TypeError(f"{owner}: {argument} must hold real numbers, got dtype {value.dtype}")


def as_array(value, owner, argument):
    """What has a NumPy dtype stays what it is; numbers and lists become arrays."""
    if hasattr(value, "dtype"):
        return value
    try:
        return np.asarray(value)
    except ValueError as error:  # NumPy's own words do not name the argument
        kind = type(value).__name__
        raise ValueError(f"{owner}: {argument} must be an array, got a {kind} of unequal rows") from error


def as_samples(a, owner, argument):
    """Real numbers, of at least one sample."""
    a = as_real(a, owner, argument)
    check_samples(a, owner, argument)
    return a


def as_columns(A, owner, argument):
    """(K, N), or (K,) for one sample."""
    A = as_samples(A, owner, argument)
    if A.ndim not in (1, 2):
        raise ValueError(f"{owner}: {argument} must have the shape (K, N) or (K,), got {A.shape}")
    return A


def as_numbers(y, owner):
    """Real numbers; arrays of whole numbers stay what they are."""
    return y if hasattr(y, "dtype") and y.dtype.kind in "iub" else as_real(y, owner, "y")


def as_labels(y, a, owner, argument):
    """One for each number of a, or one for all."""
    y = as_numbers(y, owner)
    if y.shape not in (a.shape, ()):
        raise ValueError(f"{owner}: y must have the shape of {argument}, {a.shape}, or be one number, got {y.shape}")
    return y


def as_classes(y, A, owner, argument):
    """One for each column of A."""
    y = as_numbers(y, owner)
    if y.shape not in (A.shape[1:], ()):
        per_column = f"one class for each column of {argument}, {A.shape}, or one for all"
        raise ValueError(f"{owner}: y must hold {per_column}, got the shape {y.shape}")
    return y if y.shape == A.shape[1:] else np.broadcast_to(y, A.shape[1:])


def as_whole_number(n, owner, argument):
    """One whole number, 1 or more, as an int."""
    try:
        number = operator.index(n)
    except TypeError:
        raise TypeError(f"{owner}: {argument} must be a whole number, got {n!r}") from None
    if number < 1 or isinstance(n, bool):
        raise ValueError(f"{owner}: {argument} must be 1 or more, got {n!r}")
    return number


# ---- shapes and values ---------------------------------------------------------------------------


def check_samples(a, owner, argument):
    if 0 in a.shape:
        raise ValueError(f"{owner}: {argument} must hold at least one sample, got the shape {a.shape}")


def of_known(check):
    """A check that passes what cannot be looked at: values that are recorded, or live elsewhere."""

    @functools.wraps(check)
    def checked(array, *others):
        if is_known(array):
            check(array, *others)

    return checked


@of_known
def check_numbers(a, owner, argument):
    refuse(np.isnan(a), a, owner, argument, "not hold NaN")


@of_known
def check_finite(y, owner, argument):
    refuse(~np.isfinite(y), y, owner, argument, "hold finite numbers")


@of_known
def check_two_labels(y, owner, labels, names):
    known = (y == labels[0]) | (y == labels[1])
    if np.count_nonzero(known) < y.size:
        values = np.unique(y)
        some = ", ".join(map(shortest, values[:5])) + (", …" if values.size > 5 else "")
        refuse(~known, y, owner, "y", f"hold {names}", f"values [{some}], ")


@of_known
def check_classes(y, K, owner):
    bad = (y < 0) | (y >= K)
    if y.dtype.kind == "f":
        bad = bad | (y != np.floor(y))
    refuse(bad, y, owner, "y", f"hold classes 0 … {K - 1}")


@of_known
def check_distribution(p, owner, argument):
    refuse(~(p >= 0.0), p, owner, argument, "hold probabilities")
    total = np.sum(p, axis=0, dtype=np.float64)
    bad = np.abs(total - 1.0) > max(TOLERANCE, np.finfo(p.dtype).eps)
    if np.count_nonzero(bad):  # rounding all sums takes longer than adding them up
        refuse(bad, np.round(total, 12), owner, f"a column of {argument}", "sum to 1", place=" in column {}")


KNOWN = (np.ndarray, np.generic)


def is_known(array):
    """Whether the values of an array can be looked at: not while they are recorded, nor where they live elsewhere."""
    return isinstance(array, KNOWN)


def shortest(number):
    """All digits that tell it from its neighbours, and no more: 3, 0.5, 0.9999999999999999."""
    return f"{number.astype(float)!s}".removesuffix(".0")


def refuse(bad, array, owner, argument, expected, seen="", place=" at position {}"):
    """Raise a ValueError that names the first entry where `bad` is true, if there is one.

    It reads "softmax_loss: y must hold classes 0 … 2, got 3 at position 4": `owner`, `argument`, what was `expected`.
    """
    if np.count_nonzero(bad):
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        places = {0: "", 1: place, 2: " in row {}, column {}"}
        where = places.get(len(index), f" at {index}").format(*index)
        raise ValueError(f"{owner}: {argument} must {expected}, got {seen}{shortest(array[index])}{where}")


def check_rng(rng, owner):
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"{owner}: rng must be a numpy.random.Generator (np.random.default_rng(0)), got {type(rng).__name__}"
        )
