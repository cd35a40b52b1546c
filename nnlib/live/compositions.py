"""NumPy functions written with fewer of them, for the browser: each row is a function and what it is made of.

What the chain rule takes apart in the same way has its row in nnlib/local_derivatives.py.
"""

import math
import operator

import numpy as np

from nnlib.graph import Node
from nnlib.local_derivatives import letters_of, put

BETWEEN_COMPARISONS = {  # `&`, `|`, `^`, `~`
    np.bitwise_and: np.logical_and,
    np.bitwise_or: np.logical_or,
    np.bitwise_xor: np.logical_xor,
    np.invert: np.logical_not,
}
COMPOSITIONS = {
    np.amax: np.max,
    np.amin: np.min,
    np.positive: lambda a: a + 0,
    np.fabs: np.abs,
    np.degrees: lambda a: a * (180 / math.pi),
    np.rad2deg: np.degrees,
    np.radians: lambda a: a * (math.pi / 180),
    np.deg2rad: np.radians,
    np.float_power: lambda a, b: (a * 1.0) ** b,
    np.fmod: lambda a, b: np.where(a < 0, -1.0, 1.0) * np.remainder(np.abs(a), np.abs(b)),
    np.fmax: lambda a, b: np.where(np.isnan(a), b, np.where(np.isnan(b), a, np.maximum(a, b))),
    np.fmin: lambda a, b: np.where(np.isnan(a), b, np.where(np.isnan(b), a, np.minimum(a, b))),
    np.logaddexp: lambda a, b: np.where(  # a - b would be NaN where both are infinite
        a == b, a + math.log(2), np.maximum(a, b) + np.log1p(np.exp(-np.abs(a - b)))
    ),
    np.logaddexp2: lambda a, b: np.where(
        a == b, a + 1.0, np.maximum(a, b) + np.log1p(np.exp2(-np.abs(a - b))) / math.log(2)
    ),
    np.heaviside: lambda a, at_zero: np.where(a == 0, at_zero, np.where(np.isnan(a), a, a > 0)),
    **BETWEEN_COMPARISONS,
    np.isinf: lambda a: np.abs(a) == math.inf,
    np.signbit: lambda a: np.arctan2(a, -1.0) < 0,  # it tells -0.0 from 0.0: the angle is -π or π
    np.isclose: lambda a, b, rtol=1e-5, atol=1e-8: (
        np.equal(a, b) | (np.isfinite(b) & (np.abs(np.subtract(a, b)) <= atol + rtol * np.abs(b)))
    ),
    np.allclose: lambda a, b, rtol=1e-5, atol=1e-8: np.all(np.isclose(a, b, rtol, atol)),
    np.array_equal: lambda a, b: np.all(np.equal(a, b)) if np.shape(a) == np.shape(b) else False,
    np.round: lambda a, decimals=0: _rounded(a, decimals),
    np.around: lambda a, decimals=0: _rounded(a, decimals),
    np.fix: np.trunc,
    np.any: lambda a, axis=None, keepdims=False: np.max(a != 0, axis=axis, keepdims=keepdims),
    np.all: lambda a, axis=None, keepdims=False: np.min(a != 0, axis=axis, keepdims=keepdims),
    np.count_nonzero: lambda a, axis=None, keepdims=False: np.sum(a != 0, axis=axis, keepdims=keepdims),
    np.mean: lambda a, axis=None, keepdims=False: np.sum(a, axis=axis, keepdims=keepdims) / _reduced_size(a, axis),
    np.searchsorted: lambda a, v, side="left": _place_among(a, v, side == "left"),
    np.digitize: lambda x, bins, right=False: _place_among(bins, x, right),
    np.copy: lambda a, order="K": a,
    np.zeros_like: lambda a, dtype=None, shape=None: np.zeros(np.shape(a) if shape is None else shape),
    np.ones_like: lambda a, dtype=None, shape=None: np.ones(np.shape(a) if shape is None else shape),
    np.full_like: lambda a, fill_value: np.broadcast_to(fill_value, np.shape(a)),
    np.einsum: lambda subscripts, *operands, optimize=False: _einsum(subscripts, *operands),
    np.linalg.inv: lambda a: np.linalg.solve(a, np.eye(np.shape(a)[-1])),
    np.linalg.det: lambda a: _determinant(a),
    put: lambda u, key, shape: _put(u, key, shape),
}


def leaves(tree):
    """What stands in lists, tuples and dicts, and in those inside of them."""
    if isinstance(tree, dict | list | tuple):
        for part in tree.values() if isinstance(tree, dict) else tree:
            yield from leaves(part)
    else:
        yield tree


def _rounded(a, decimals):
    return (
        np.rint(a * 10.0**decimals) / 10.0**decimals
        if decimals >= 0
        else np.rint(a / 10.0**-decimals) * 10.0**-decimals
    )


def _reduced_size(a, axis):
    shape = np.shape(a)
    return math.prod(shape if axis is None else [shape[i] for i in np.atleast_1d(axis)])


def _place_among(knots, x, or_equal):
    """How many of the knots, which rise or fall, come before x; with `or_equal`, it stops at one that equals x."""
    beyond = (np.greater_equal if or_equal else np.greater)(knots, np.expand_dims(x, -1))
    return np.sum(np.logical_xor(beyond, np.less_equal(knots[0], knots[-1])), axis=-1)


def _determinant(A):
    sign, logarithm = np.linalg.slogdet(A)
    return sign * np.exp(logarithm)


def _taken_along_axis(arr, indices, axis=-1):
    """np.take_along_axis by positions in the array strung out, for indices that move."""
    if axis is None:
        return np.take_along_axis(np.ravel(arr), indices, 0)
    numbers = np.arange(np.size(arr)).reshape(np.shape(arr))
    step = math.prod(np.shape(arr)[axis % np.ndim(arr) + 1 :])
    places = np.take(numbers, [0], axis) + step * _from_the_front(indices, np.shape(arr)[axis])
    return np.reshape(np.take_along_axis(np.ravel(arr), np.ravel(places), 0), np.shape(places))


def _taken(x, k):
    """x[k] for a k that moves."""
    if np.ndim(x) != 1 or not isinstance(k, Node):
        raise NotImplementedError("the index moves: write np.where, or np.take_along_axis, whose index may move")
    return np.reshape(np.take_along_axis(x, np.ravel(k), 0), np.shape(k))


MOVING_VIEWS = {operator.getitem: _taken, np.take: _taken, np.take_along_axis: _taken_along_axis}


def _put(u, key, shape):
    """Indexing, backwards; where the key moves, every place looks for what was put there."""
    if not any(isinstance(part, Node) for part in leaves(key)):
        return put.gathered(u, key, shape)
    if not isinstance(key, Node) or len(shape) != 1:
        raise NotImplementedError("the index moves, and the array has more than one axis")
    here = np.equal(np.arange(shape[0])[:, None], _from_the_front(np.ravel(key), shape[0]))
    return np.sum(np.where(here, np.ravel(u), 0.0), axis=1)


def _from_the_front(indices, count):
    return np.where(indices < 0, indices + count, indices)


def _einsum(subscripts, *operands):
    """Operand by operand a product of matrices, in stacks: its rows and columns are what only one of the two has."""
    inputs, output, _ = letters_of(subscripts, operands)
    sizes, product, known = {}, None, []
    for letters, x in zip(inputs, operands, strict=True):
        sizes |= {a: n for a, n in zip(letters, np.shape(x), strict=True) if n != 1 or a not in sizes}
    for i, x in enumerate(operands):
        letters, x = _diagonal(inputs[i], np.broadcast_to(x, [sizes[a] for a in inputs[i]]))
        later = set(output).union(*inputs[i + 1 :])
        alone = [a for a in letters if a not in later and a not in known]
        if alone:
            x = np.sum(x, axis=tuple(letters.index(a) for a in alone))
        letters = [a for a in letters if a not in alone]
        stack = [a for a in known if a in letters and a in later]
        summed = [a for a in known if a in letters and a not in later]
        rows = [a for a in known if a not in letters]
        columns = [a for a in letters if a not in known]
        if product is not None:
            left = _strung_out(product, known, sizes, stack, rows, summed)
            right = _strung_out(x, letters, sizes, stack, summed, columns)
            x = np.reshape(left @ right, [sizes[a] for a in (*stack, *rows, *columns)])
        product, known = x, [*stack, *rows, *columns]
    return np.transpose(product, [known.index(a) for a in output])


def _diagonal(letters, x):
    """Of axes with the same letter the diagonal, as the last axis."""
    while len(set(letters)) < len(letters):
        twice = next(a for a in letters if letters.count(a) > 1)
        first, second = [axis for axis, a in enumerate(letters) if a == twice][:2]
        x = np.diagonal(x, axis1=first, axis2=second)
        letters = [*(a for axis, a in enumerate(letters) if axis not in (first, second)), twice]
    return letters, x


def _strung_out(x, letters, sizes, stack, *groups):
    """The axes of x in this order; those of each group become one."""
    x = np.transpose(x, [letters.index(a) for group in (stack, *groups) for a in group])
    return np.reshape(x, [*(sizes[a] for a in stack), *(math.prod(sizes[a] for a in group) for group in groups)])
