"""What the arguments of formulas must be: turned into arrays that fit, or refused by name, value and place.

`as_…` returns an argument as an array whose shape fits. `check_…` looks at values, which can be seen in NumPy's
arrays only: callers leave out what is being recorded or lives elsewhere (`is_known`). Each gets the `owner`, the
formula whose argument it is, and the argument's name, so that an error can say "hinge_loss: y must hold -1 and +1".
"""

import math

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
        return as_real(_array(value, owner, argument), owner, argument)
    if kind == "f" or hasattr(value, "record"):
        return value
    if kind in "iub":
        return value.astype(np.float64)
    raise TypeError(f"{owner}: {argument} must hold real numbers, got dtype {value.dtype}")


def _array(value, owner, argument):
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


def as_labels(y, owner):
    """Real numbers; arrays of whole numbers stay what they are."""
    return y if hasattr(y, "dtype") and y.dtype.kind in "iub" else as_real(y, owner, "y")


def as_classes(y, A, owner, argument):
    """One for each column of A."""
    y = as_labels(y, owner)
    check_shapes(A.shape[1:], y, owner, f"a row of {argument}")
    return y if y.shape == A.shape[1:] else np.broadcast_to(y, A.shape[1:])


# ---- shapes and values ---------------------------------------------------------------------------


def check_shapes(shape, y, owner, argument):
    if y.shape != shape and y.shape != ():
        raise ValueError(f"{owner}: y must have the shape of {argument}, {shape}, or be one number, got {y.shape}")


def check_samples(a, owner, argument):
    if 0 in a.shape:
        raise ValueError(f"{owner}: {argument} must hold at least one sample, got the shape {a.shape}")


def check_numbers(a, owner, argument):
    if math.isnan(a.min()):
        refuse(np.isnan(a), a, owner, argument, "not hold NaN")


def check_two_labels(y, owner, labels, names):
    first, second = y == labels[0], y == labels[1]
    if np.count_nonzero(first) + np.count_nonzero(second) < y.size:
        values = ", ".join(f"{value:.12g}" for value in np.unique(y).astype(float)[:5])
        refuse(~(first | second), y, owner, "y", f"hold {names}", f"values [{values}], ")


def check_classes(y, K, owner):
    bad = (y < 0) | (y >= K)
    if y.dtype.kind == "f":
        bad = bad | (y != np.floor(y))
    refuse(bad, y, owner, "y", f"hold classes 0 … {K - 1}")


def check_distribution(p, owner, argument):
    refuse(~(p >= 0.0), p, owner, argument, "hold probabilities")
    total = np.sum(p, axis=0, dtype=np.float64)
    bad = np.abs(total - 1.0) > max(TOLERANCE, np.finfo(p.dtype).eps)
    refuse(bad, total, owner, f"a column of {argument}", "sum to 1", place=" in column {}")


KNOWN = (np.ndarray, np.generic)


def is_known(array):
    """Whether the values of an array can be looked at: not while they are recorded, nor where they live elsewhere."""
    return isinstance(array, KNOWN)


def refuse(bad, array, owner, argument, expected, seen="", place=" at position {}"):
    """Raise a ValueError that names the first entry where `bad` is true, if there is one.

    It reads "softmax_loss: y must hold classes 0 … 2, got 3 at position 4": `owner`, `argument`, what was `expected`.
    """
    if np.count_nonzero(bad):
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        places = {0: "", 1: place, 2: " in row {}, column {}"}
        where = places.get(len(index), f" at {index}").format(*index)
        raise ValueError(f"{owner}: {argument} must {expected}, got {seen}{float(array[index]):.12g}{where}")
