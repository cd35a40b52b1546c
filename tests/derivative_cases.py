"""What is differentiated to test the table of local derivatives: functions, shapes and options, as data.

A row is (function, alternatives for each argument, options with their alternatives); every combination is a case. A
shape stands for an array of random numbers.

`ROWS` are ours, one or more for each row of the table. `AUTOGRAD` is what the tests of HIPS autograd differentiate
(github.com/HIPS/autograd, the folder tests), an outside yardstick: functions, shapes and options from test_systematic,
test_numpy, test_scalar_ops and test_linalg. Left out are complex numbers, empty arrays, jumps (floor, ceil), functions
that give several arrays (the splits, eigenvalues) and what our table does not have (np.gradient, np.partition, np.sinc,
pinv, cholesky, the nuclear norm, einsum with lists for subscripts, np.array of traced numbers).
"""

import itertools
import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlib.graph import Part
from nnlib.local_derivatives import put


@dataclass(frozen=True)
class Fixed:
    value: Any


@dataclass(frozen=True)
class Between:
    low: float
    high: float
    shape: tuple


@dataclass(frozen=True)
class Parts:
    """A list of arrays as one argument."""

    shapes: tuple


@dataclass(frozen=True)
class Regular:
    """Square matrices far from singular ones."""

    shape: tuple


def each(*values):
    return [Fixed(value) for value in values]


def within(low, high):
    return [Between(low, high, shape) for shape in [(), (2,), (3, 2), (1, 2)]]


# ---- ours -----------------------------------------------------------------------------------------

PAIRS = [((), ()), ((3,), (3,)), ((3,), ()), ((), (2, 3)), ((3,), (2, 3)), ((2, 1), (1, 3)), ((2, 1, 3), (4, 1))]


def each_shape(f, low=-2.0, high=2.0):
    return (f, [[Between(low, high, shape) for shape in [(), (5,), (2, 3), (2, 1, 3)]]], {})


def each_pair(f, a=(-2.0, 2.0), b=(-2.0, 2.0)):
    return [(f, [[Between(*a, first)], [Between(*b, second)]], {}) for first, second in PAIRS]


# The rows of our table, each function several times.
ROWS = [
    *(row for f in (np.add, np.subtract, np.multiply, np.logaddexp, np.logaddexp2) for row in each_pair(f)),
    *(row for f in (np.maximum, np.minimum, np.fmax, np.fmin, np.arctan2, np.hypot) for row in each_pair(f)),
    *(row for f in (np.divide, np.remainder, np.fmod) for row in each_pair(f, b=(0.6, 2.0))),
    *(row for f in (np.power, np.float_power) for row in each_pair(f, a=(0.5, 2.0))),
    *map(each_shape, (np.positive, np.negative, np.square, np.exp, np.exp2, np.expm1, np.absolute, np.fabs)),
    *map(each_shape, (np.sin, np.cos, np.sinh, np.cosh, np.tanh, np.arctan, np.arcsinh)),
    *map(each_shape, (np.deg2rad, np.rad2deg, np.radians, np.degrees)),
    *(each_shape(f, 0.3, 3.0) for f in (np.reciprocal, np.sqrt, np.cbrt, np.log, np.log2, np.log10, np.log1p)),
    *(each_shape(f, -0.9, 0.9) for f in (np.tan, np.arcsin, np.arccos, np.arctanh)),
    each_shape(np.arccosh, 1.2, 3.0),
    (np.where, [each([True, False, True], True), [(2, 3), (3,), ()], [(2, 1), (2, 3)]], {}),
    *[(f, [[(2, 3, 4)]], {"axis": [None, 0, -1, (0, 2), (2, 1)], "keepdims": [False, True]})
      for f in (np.sum, np.mean, np.max, np.min, np.prod)],
    *[(f, [[()]], {}) for f in (np.sum, np.mean, np.max, np.min, np.prod)],
    *[(f, [[(2, 3)], each(0, 1)], {}) for f in (np.sum, np.mean, np.amax, np.amin)],
    *[(f, [[(2, 3, 4)]], {"axis": [None, 0, (0, 2)], "keepdims": [False, True], "ddof": [0, 1]})
      for f in (np.var, np.std)],
    *[(f, [[(2, 5)]], {"axis": [None, 0, 1, -1]}) for f in (np.cumsum, np.cumprod, np.sort, np.ptp)],
    (np.average, [[(2, 3)], each(None, 0)], {}),
    (np.average, [[(2, 3)], each(1), [Between(1, 2, (3,)), Between(1, 2, (2, 3))]], {}),
    (np.diff, [[(3, 4)]], {"n": [1, 2], "axis": [0, -1]}),
    # products
    *[(np.matmul, [[a], [b]], {}) for a, b in [
        ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 4)),
        ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 1)),
        ((6, 1, 2, 3), (5, 3, 2)),
    ]],
    (np.dot, [[(), (2, 3)], [(), (3,), (3, 4), (5, 3, 4)]], {}),
    (np.dot, [[(3,), (5, 2, 3)], [(3,), (3, 4), (2, 3, 4)]], {}),
    (np.vdot, [[(2, 3)], [(2, 3)]], {}),
    (np.inner, [[(3,), (2, 3)], [(3,), (4, 3)]], {}),
    (np.inner, [[()], [(), (3,)]], {}),
    (np.outer, [[(2,), (2, 2)], [(3,), (1, 3)]], {}),
    (np.kron, [[(2,), (2, 3), ()], [(3,), (3, 2)]], {}),
    (np.cross, [[(3,), (4, 3)], [(3,), (4, 3)]], {}),
    (np.cross, [[(3, 2)], [(3, 2)]], {"axis": [0]}),
    (np.tensordot, [[(2, 3)], [(3, 4)], each(0, 1, ([1], [0]), (-1, 0))], {}),
    (np.tensordot, [[(2, 3, 4)], [(4, 3, 2)], each(([0, 1], [2, 1]), ([2, 1], [0, 1]))], {}),
    *[(np.einsum, [each(subscripts), *([shape] for shape in shapes)], {}) for subscripts, *shapes in [
        ("ij->ji", (2, 3)), ("ii->i", (3, 3)), ("ii", (3, 3)), ("iii->i", (2, 2, 2)), ("ijj->ij", (2, 3, 3)),
        ("ij->", (2, 3)), ("...ij->...", (2, 2, 3)), ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)),
        ("ij,k", (2, 3), (4,)), ("i,ij,j->", (2,), (2, 3), (3,)), ("iij,jii->i", (2, 2, 3), (3, 2, 2)),
        ("...ij,...jk->...ik", (2, 3), (5, 3, 4)), ("...k,...nk->...", (3, 5), (3, 4, 5)),
        ("...i,...i", (1, 3), (2, 3)), (" j ... k, l j ... -> l k ...", (2, 3, 4), (5, 2, 3)),
    ]],
    # numbers that move
    (np.reshape, [[(2, 3, 4)], each((3, -1), -1, (4, 2, 3))], {"order": ["C", "F"]}),
    (np.reshape, [[(2, 3)]], {"shape": [6, (3, 2)]}),
    (np.ravel, [[(2, 3, 4)]], {"order": ["C", "F"]}),
    (np.expand_dims, [[(2, 3)], each(0, -1, (0, 2))], {}),
    (np.squeeze, [[(1, 3, 1)]], {"axis": [None, 0, (0, 2)]}),
    *[(f, [[(), (3,), (2, 3)]], {}) for f in (np.atleast_1d, np.atleast_2d, np.atleast_3d, np.copy)],
    (np.transpose, [[(2, 3, 4)], each(None, (1, 2, 0), (0, -1, 1))], {}),
    (np.swapaxes, [[(2, 3, 4)], each(0), each(-1, 1)], {}),
    (np.moveaxis, [[(2, 3, 4)], each(0), each(2)], {}),
    (np.moveaxis, [[(2, 3, 4)], each((0, 1)), each((-1, 0))], {}),
    (np.rollaxis, [[(2, 3, 4)], each(2), each(0, 1)], {}),
    (np.rot90, [[(2, 3)], each(1, 2, 3)], {}),
    (np.flip, [[(2, 3, 4)], each(None, 1, (0, 2))], {}),
    *[(f, [[(2, 3)]], {}) for f in (np.fliplr, np.flipud, np.diag, np.diagonal, np.diagflat, np.tril, np.triu)],
    *[(f, [[(3, 4), (3, 3)], each(-1, 1)], {}) for f in (np.diag, np.tril, np.triu)],
    (np.diag, [[(3,)], each(-1, 0, 1)], {}),
    (np.diagonal, [[(2, 3, 4)], each(1), each(0), each(2)], {}),
    (np.trace, [[(3, 2, 4)], each(0, 1), each(0), each(2)], {}),
    (np.trace, [[(3, 4)]], {}),
    (np.roll, [[(2, 3)], each(2), each(None, 0)], {}),
    (np.roll, [[(2, 3)], each((1, -2)), each((0, 1))], {}),
    (np.broadcast_to, [[(), (3,), (2, 1), (4, 2, 3)], each((4, 2, 3))], {}),
    (np.tile, [[(3,), (2, 1)], each(2, (2, 1, 3))], {}),
    (np.repeat, [[(2, 3)], each(2), each(None, 1)], {}),
    (np.repeat, [[(2, 3)], each([0, 2, 1]), each(1)], {}),
    (np.take, [[(2, 3)], each([[2, 0], [2, 5]])], {}),
    (np.take, [[(2, 3)], each([1, 1])], {"axis": [0, 1]}),
    (np.take_along_axis, [[(2, 3)], each(np.array([[1], [0]])), each(1)], {}),
    (np.delete, [[(2, 3)], each(1), each(0, 1)], {}),
    (np.pad, [[(2, 3)], each(1, ((1, 2), (0, 3)))], {}),
    (operator.getitem, [[(3, 4, 2)], each(
        0, -1, (1, 2), slice(None, None, -2), (..., 1), (slice(1), None), (0, ..., slice(1, None)), [0, 2, 2], (),
        (slice(None), [1, 1, 3]), ([0, 1], slice(None), [1, 1]), np.array([[0], [2]]), np.array([True, False, True]),
    )], {}),
    (put, [[(2, 2)], each(slice(1, None), np.array([1, 1])), each((3, 2))], {}),
    (np.concatenate, [[Parts(((2, 3), (2, 3), (2, 3)))]], {"axis": [0, 1, -1]}),
    (np.concatenate, [[Parts(((2, 3), (4, 3)))]], {}),
    (np.stack, [[Parts(((3,), (3,)))]], {"axis": [0, 1, -1]}),
    (np.vstack, [[Parts(((3,), (2, 3)))]], {}),
    (np.hstack, [[Parts(((3,), (2,))), Parts(((2, 3), (2, 1)))]], {}),
    (np.column_stack, [[Parts(((3,), (3, 2)))]], {}),
    (np.append, [[(3,)], [(2, 2)]], {}),
    (np.append, [[(2, 3)], [(1, 3)]], {"axis": [0]}),
    # others
    (np.clip, [[(2, 3)], each(-0.7, None), each(0.9)], {}),
    (np.clip, [[(2, 3)], [(3,)], [(2, 1)]], {}),
    (np.clip, [[(2, 3)]], {"max": [0.5], "min": [None, -0.1]}),
    (np.select, [each([np.array([True, False, False]), np.array([True, True, False])]), [Parts(((3,), ()))], [()]], {}),
    (np.linspace, [[()], [()], each(4)], {}),
    (np.full_like, [[(2, 3)], [()]], {}),
    (np.linalg.inv, [[Regular((3, 3)), Regular((2, 3, 3))]], {}),
    (np.linalg.det, [[(3, 3), (2, 3, 3)]], {}),
    (Part(np.linalg.slogdet, 1), [[(3, 3), (2, 3, 3)]], {}),
    (np.linalg.solve, [[Regular((3, 3)), Regular((2, 3, 3))], [(3, 2), (2, 3, 2)]], {}),
    (np.linalg.solve, [[Regular((3, 3))], [(3,)]], {}),
    (np.linalg.norm, [[(2, 3)], each(None, 1, 2, 3, np.inf, -np.inf), each(0, 1), each(False, True)], {}),
    (np.linalg.norm, [[(2, 3)], each(None, "fro"), each(None, (0, 1))], {}),
    (np.linalg.norm, [[(4,)], each(None, 1, 2, 2.5)], {}),
]  # fmt: skip


# ---- autograd's ----------------------------------------------------------------------------------


def statistics(f):
    return [
        (f, [[()]], {}),
        (f, [[(3,), (2, 3), (1, 3)]], {"axis": [None, 0], "keepdims": [True, False]}),
        (f, [[(2, 3), (1, 3)]], {"axis": [None, 0, 1], "keepdims": [True, False]}),
    ]


def unary(f, low=-2.0, high=2.0):
    return [(f, [within(low, high)], {})]


def binary(f, a=(-2.0, 2.0), b=(-2.0, 2.0)):
    return [(f, [within(*a), within(*b)], {})]


OF_NUMBERS = [
    *(row for f in (np.max, np.mean, np.min, np.sum, np.prod, np.var, np.std) for row in statistics(f)),
    *(row for f in (np.abs, np.absolute) for row in unary(f, 0.1, 4.0)),
    *(row for f in (np.arcsinh, np.arctanh) for row in unary(f, -0.9, 0.9)),
    *(row for f in (np.log, np.log10, np.log1p, np.log2) for row in unary(f, 0.2, 2.0)),
    *(row for f in (np.cos, np.cosh, np.deg2rad, np.degrees, np.exp, np.exp2, np.expm1, np.fabs) for row in unary(f)),
    *(row for f in (np.rad2deg, np.radians, np.sign, np.sin, np.sinh, np.square, np.tanh) for row in unary(f)),
    *(row for f in (np.arcsin, np.arccos, np.arctan) for row in unary(f, -0.9, 0.9)),
    *unary(np.arccosh, 1.1, 4.0),
    *unary(np.sqrt, 1.0, 3.0),
    *unary(np.tan, -1.1, 1.1),
    *unary(np.reciprocal, 0.1, 1.0),
    *unary(np.negative),
    *(row for f in (np.add, np.subtract, np.multiply, np.logaddexp, np.logaddexp2) for row in binary(f)),
    *binary(np.true_divide, b=(0.8, 1.2)),
    *binary(np.true_divide, b=(-0.3, -2.0)),
    *binary(np.remainder, (-0.9, 0.6), (0.7, 1.9)),
    *binary(np.mod, (0.1, 0.7), (0.8, 2.1)),
    *binary(np.mod, (0.1, 0.2), (-0.3, -2.0)),
    *binary(np.power, (0.5, 2.0), (0.0, 2.0)),
    (np.power, [[Fixed(1.7)], [Between(0.0, 1.0, ())]], {}),
    (np.power, [[Between(0.5, 2.0, ())], each(0.0, 2.0)], {}),
    (np.power, [[Fixed(0.0)], [Between(0.1, 1.0, ())]], {}),
    *[(f, [[(1,), (1, 4), (3, 4)]] * 2, {}) for f in (np.maximum, np.minimum, np.fmax, np.fmin)],
]

STACKS = [(2, 4, 5), (2, 4), (1, 4), (7,), (1,), ()]

OF_ARRAYS = [
    (np.transpose, [[(2, 3, 4)]], {"axes": [None, (0, 1, 2), (0, 2, 1), (2, 0, 1), (2, 1, 0), (1, 0, 2), (1, 2, 0)]}),
    (np.moveaxis, [[(2, 3, 4)]], {"source": [0, 1, 2], "destination": [0, 1, 2]}),
    (np.swapaxes, [[(3, 4, 5)]], {"axis1": [0, 1, 2], "axis2": [0, 1, 2]}),
    (np.rollaxis, [[(2, 3, 4)]], {"axis": [0, 1, 2], "start": [0, 1, 2]}),
    (np.repeat, [[(2, 3, 4), (3, 1)]], {"repeats": [1, 2], "axis": [None, 0, 1]}),
    (np.diff, [[(5, 5), (5, 5, 5)]], {"n": [1, 2], "axis": [0, 1]}),
    (np.tile, [[(2, 1, 3, 1)]], {"reps": [(1, 4, 1, 2)]}),
    (np.tile, [[(1, 2)]], {"reps": [(1, 2), (2, 3), (3, 2, 1)]}),
    (np.tile, [[(1,)]], {"reps": [(2,), 2]}),
    (np.sort, [[(1,), (7,)]], {}),
    *[(f, [STACKS], {}) for f in (np.atleast_1d, np.atleast_2d, np.atleast_3d)],
    (np.trace, [[(5, 5), (4, 5), (5, 4), (3, 4, 5)]], {"offset": [-1, 0, 1]}),
    (np.diag, [[(5, 5), (5,)]], {"k": [-1, 0, 1]}),
    *[(f, [[(5, 5), (5, 5, 4)]], {"k": [-1, 0, 1]}) for f in (np.tril, np.triu)],
    *[(f, [[(5, 6)]], {}) for f in (np.flipud, np.fliplr, np.rot90, np.ravel)],
    (np.roll, [[(4, 5)], each(2)], {"axis": [1]}),
    (np.cumsum, [[(5, 6)]], {"axis": [None, 0, 1]}),
    (np.cumsum, [[(10,)]], {}),
    (np.clip, [[(5, 5)]], {"a_min": [0.1], "a_max": [1.1]}),
    (np.reshape, [[(5, 6, 4)], each((20, 6))], {}),
    (np.concatenate, [[Parts(((1,), (3,)))]], {"axis": [0]}),
    (np.concatenate, [[Parts(((2, 2), (2, 2)))]], {"axis": [0, 1]}),
    (np.concatenate, [[Parts(((2, 2, 2), (2, 2, 2)))]], {"axis": [0, 1, 2]}),
    (np.vstack, [[Parts(((2,), (2,))), Parts(((2, 4), (1, 4))), Parts(((2, 3, 4), (5, 3, 4)))]], {}),
    (np.hstack, [[Parts(((2,), (2,))), Parts(((3, 4), (3, 5))), Parts(((2, 1, 4), (2, 5, 4)))]], {}),
    (np.stack, [[Parts(((2,),)), Parts(((2,), (2,)))]], {"axis": [0, 1]}),
    (np.column_stack, [[Parts(((2,), (2,))), Parts(((2, 2), (2, 2)))]], {}),
    (np.append, [[(3,)], [()]], {}),
    (np.append, [[(2, 3)], [(1, 3)]], {"axis": [0]}),
    (np.pad, [[(2, 2)], each(0, 3, (3,), (3, 2), ((3, 2),), ((1, 2), (3, 4)), ((0, 0), (0, 0))), each("constant")], {}),
    (np.select, [[Fixed([np.arange(60).reshape(3, 4, 5) % k == 0 for k in (2, 3, 5)])], [Parts(((3, 4, 5),) * 3)]],
     {"default": [0.0, 1.1]}),
    (operator.getitem, [[(5, 6, 4)], each(
        (3, 0, 1), (slice(None, None, -1), slice(2, 4), slice(None)), ([0, 1, 2], slice(None), slice(None)),
        (3, slice(2, None), [1, 3]))], {}),
    (operator.getitem, [[(5,)], each(slice(2, 4))], {}),
]  # fmt: skip

PRODUCTS = [
    (np.kron, [[(5, 5), (4, 4), (5,), (5, 1), (1, 5), ()], [(3, 3), (2, 2), (3,), (1, 3), (3, 1), ()]], {}),
    (np.inner, [[()], [()]], {}),
    (np.inner, [[(3,), (2, 3)], [(3,), (4, 3)]], {}),
    (np.dot, [[()], [(), (3,), (3, 4), (2, 3, 4)]], {}),
    (np.dot, [[(3,), (2, 3), (2, 2, 3)], [(), (3,), (3, 4), (2, 3, 4)]], {}),
    (np.dot, [[(10, 11)], [(11,), (11, 10)]], {}),
    (np.outer, [[(3,)], [(3,)]], {}),
    (np.outer, [[(11,)], [(11,)]], {}),
    (np.matmul, [[(3,), (2, 3), (2, 2, 3)], [(3,), (3, 4), (2, 3, 4)]], {}),
    (np.matmul, [[(1, 2, 2)], [(3, 2, 1)]], {}),
    (np.tensordot, [[(1, 3), (2, 3, 2)], [(3,), (3, 1), (3, 4, 2)]], {"axes": [[(1,), (0,)]]}),
    (np.tensordot, [[(3,), (3, 1), (3, 4, 2)], [(1, 3), (2, 3, 2)]], {"axes": [[(0,), (1,)]]}),
    (np.tensordot, [[(2, 3), (2, 3, 4)], [(1, 2, 3), (2, 2, 3, 4)]], {"axes": [[(0, 1), (1, 2)], [(1, 0), (2, 1)]]}),
    (np.tensordot, [[(2, 2), (4, 2, 2)], [(2, 2), (2, 2, 4)]], {"axes": [1, 2]}),
    (np.tensordot, [[(4,)], [()]], {"axes": [0]}),
    (np.tensordot, [[(2, 6)], [(6, 3)]], {"axes": [[[-1], [0]], [-1, 0]]}),
    (np.tensordot, [[(2,)], [(2, 2)]], {"axes": [[0, 1]]}),
    (np.cross, [[(3, 3)], [(3, 3)]],
     {"axisa": [-1, 0, 1], "axisb": [-1, 0, 1], "axisc": [-1, 0, 1], "axis": [None, -1, 0, 1]}),
    (np.einsum, [each("ij->ji"), [(1, 1), (4, 4), (3, 4)]], {}),
    (np.einsum, [each("ij,jk->ik"), [(2, 3)], [(3, 4)]], {}),
    (np.einsum, [each("...ij,...jk->...ik"), [(2, 3), (2, 2, 3)], [(3, 4), (2, 3, 4)]], {}),
    (np.einsum, [each("ijk,lji->lki"), [(3, 4, 4)], [(4, 4, 3)]], {}),
    (np.einsum, [each("...jk,...lj->...lk", "...,...->..."), [(4, 4), (3, 4, 4)], [(4, 4), (3, 4, 4)]], {}),
    (np.einsum, [each("jk...,lj...->lk..."), [(3, 2), (3, 2, 4)], [(2, 3), (2, 3, 4)]], {}),
    (np.einsum, [each("j...k,lj...->lk..."), [(2, 2), (2, 2, 2)], [(2, 2), (2, 2, 2)]], {}),
    (np.einsum, [each("ijk,lji,lli->lki"), [(3, 4, 4)], [(4, 4, 3)], [(4, 4, 3)]], {}),
    (np.einsum, [each("k,nk->"), [(5,)], [(10, 5)]], {}),
    (np.einsum, [each("abcd->bd"), [(3, 2, 3, 2)]], {}),
    (np.einsum, [each("...k,...nk->..."), [(3, 5)], [(3, 10, 5)]], {}),
    (np.einsum, [each("ij,k"), [(3, 4)], [(3,)]], {}),
]  # fmt: skip

LINEAR_ALGEBRA = [
    (np.linalg.inv, [[Regular((8, 8)), Regular((4, 4, 4)), Regular((2, 4, 4, 4))]], {}),
    (np.linalg.solve, [[Regular((8, 8))], [(8, 7), (8,)]], {}),
    (np.linalg.solve, [[Regular((5, 4, 4))], [(5, 4, 6), (5, 4, 1)]], {}),
    (np.linalg.det, [[(6, 6), (3, 3, 3)]], {}),
    (Part(np.linalg.slogdet, 1), [[(6, 6), Regular((3, 5, 5))]], {}),
    (np.linalg.norm, [[(6,), (6, 5)]], {}),
    (np.linalg.norm, [[(6, 5, 4)]], {"axis": [0, 1, 2, (0, 1)]}),
    (np.linalg.norm, [[(6,)]], {"ord": [2, 3, 4]}),
]

AUTOGRAD = [*OF_NUMBERS, *OF_ARRAYS, *PRODUCTS, *LINEAR_ALGEBRA]

# What they differentiate and we do not.
WITHOUT = "gradient partition array_split split hsplit vsplit dsplit pinv eigh svd cholesky norm(ord='nuc') fft sinc"


# ---- rows to cases --------------------------------------------------------------------------------


def combinations(row):
    """Every case of a row: (f, arguments), where f takes the arrays alone."""
    function, alternatives, options = row
    for chosen in itertools.product(*alternatives):
        for values in itertools.product(*options.values()):
            yield case(function, chosen, dict(zip(options, values, strict=True)))


def case(function, chosen, options):
    rng = np.random.default_rng(len(repr(chosen)))
    arrays = []
    for part in chosen:
        if isinstance(part, Between):
            arrays.append(part.low + (part.high - part.low) * rng.random(part.shape))
        elif isinstance(part, Regular):
            arrays.append(rng.normal(size=part.shape) + 5 * np.eye(part.shape[-1]))
        elif isinstance(part, Parts):
            arrays += [rng.normal(size=shape) for shape in part.shapes]
        elif isinstance(part, tuple):
            arrays.append(rng.normal(size=part))

    def f(*arrays):
        remaining, arguments = list(arrays), []
        for part in chosen:
            if isinstance(part, Parts):
                arguments.append([remaining.pop(0) for _ in part.shapes])
            else:
                arguments.append(part.value if isinstance(part, Fixed) else remaining.pop(0))
        return function(*arguments, **options)

    return f, arrays
