"""Numerical Jacobians against numdifftools: the time of one call, and the largest error over the largest entry."""

import numpy as np

from benchmarks.measure import compare, one_core, peer
from nnlib.losses import softmax
from nnlib.matrix_calculus import numerical_jacobian

SIZES = (10, 100)
RATIO, ERROR = 0.05, 5e-13  # the goals


@one_core()
def main(report):
    rows = []
    if numdifftools := peer("numdifftools", report):
        for size in SIZES:
            for name, f, x, exact in cases(size):
                result = compare(lambda f=f, x=x: numerical_jacobian(f, x), jacobian_of(numdifftools, f, x))
                ours = error(numerical_jacobian(f, x), exact)
                theirs = error(numdifftools.Jacobian(f)(x), exact)
                reached = f"≤ {ERROR} {'reached' if ours <= ERROR else 'MISSED'}"
                goal = None if name.endswith("(no batch)") else RATIO
                rows.append([name, f"{size}", *result.cells(goal), f"{ours:.0e}", f"{theirs:.0e}", reached])
    report.add(
        "Numerical Jacobians of functions of d numbers, against numdifftools on one core; below 1, nnlib is faster",
        ["function", "d", "nnlib", "peer's", "ratio", "spread", "goal", "error", "peer's", "goal"],
        rows,
    )


def jacobian_of(numdifftools, f, x):
    return lambda: numdifftools.Jacobian(f)(x)


def error(J, exact):
    return np.max(np.abs(J - exact)) / np.max(np.abs(exact))


def cases(d):
    """Name, function, point, and Jacobian. A bias does not fit a batch of columns: such a function is called for each
    point by itself."""
    rng = np.random.default_rng(0)
    x, W, b = rng.normal(size=d), rng.normal(size=(d, d)) / np.sqrt(d), rng.normal(size=d)
    p, norm = softmax(x), np.sqrt(x @ x)
    yield "tanh(W x)", lambda x: np.tanh(W @ x), x, W / np.cosh(W @ x)[:, None] ** 2
    yield "softmax(x)", softmax, x, np.diag(p) - np.outer(p, p)
    yield "exp(sin x)", lambda x: np.exp(np.sin(x)), x, np.diag(np.cos(x) * np.exp(np.sin(x)))
    yield "‖x‖", lambda x: np.sqrt(np.sum(x * x, axis=0)), x, x[None] / norm
    yield "tanh(W x + b) (no batch)", lambda x: np.tanh(W @ x + b), x, W / np.cosh(W @ x + b)[:, None] ** 2
