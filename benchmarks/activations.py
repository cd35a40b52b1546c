"""The activations against the shortest NumPy expression, scipy.special.expit and PyTorch on the processor."""

import numpy as np

from benchmarks.measure import compare, one_core, peer
from nnlib.activations import logistic, maxout, relu, tanh

SIZES = (1_000, 1_000_000)
PIECES = 4


def numpy_floor(function):
    """What one would write in NumPy without a thought of accuracy or warnings."""
    return {
        logistic: lambda a: 1 / (1 + np.exp(-a)),
        logistic.derivative: lambda a: (s := 1 / (1 + np.exp(-a))) * (1 - s),
        tanh: np.tanh,
        tanh.derivative: lambda a: 1 - np.tanh(a) ** 2,
        relu: lambda a: np.maximum(a, 0),
        relu.derivative: lambda a: np.where(a > 0, 1.0, 0.0),
        maxout: lambda a: np.max(a, axis=0),
        maxout.derivative: lambda a: np.where(np.arange(PIECES)[:, None] == np.argmax(a, axis=0), 1.0, 0.0),
    }[function]


def torch_peer(torch, function):
    return {
        logistic: torch.sigmoid,
        logistic.derivative: lambda a: (s := torch.sigmoid(a)) * (1 - s),
        tanh: torch.tanh,
        tanh.derivative: lambda a: 1 - torch.tanh(a) ** 2,
        relu: torch.relu,
        relu.derivative: lambda a: (a > 0).to(a.dtype),
        maxout: lambda a: torch.amax(a, dim=0),
        maxout.derivative: lambda a: torch.nn.functional.one_hot(torch.argmax(a, dim=0), PIECES).T.to(a.dtype),
    }[function]


def name(function):
    return f"{function.__self__}.derivative" if hasattr(function, "__self__") else repr(function)


def goal(function, rival, dtype, wide):
    """The ratio to reach, where one is set: logistic against expit, in double precision."""
    if (function, rival, dtype) == (logistic, "scipy expit", "float64"):
        return 0.8 if wide else 1.25
    return None


@one_core()
def main(report):
    special, torch = peer("scipy.special", report), peer("torch", report)
    if torch:
        torch.set_num_threads(1)
    target = np.lib.introspect.opt_func_info(func_name="^exp$")["exp"]["dd"]["current"]
    wide = "512" in target or "V4" in target

    rows = []
    cases = [(f, "float64") for f in (logistic, tanh, relu, maxout) for f in (f, f.derivative)]
    for function, dtype in [*cases, (logistic, "float32"), (tanh, "float32")]:
        for size in SIZES:
            many = function in (maxout, maxout.derivative)
            shape = (PIECES, size // PIECES) if many else (size,)
            a = np.random.default_rng(0).normal(0, 4, shape).astype(dtype)
            rivals = {"numpy": (numpy_floor(function), a)}
            if special and function == logistic:
                rivals["scipy expit"] = (special.expit, a)
            if torch:
                rivals["torch"] = (torch_peer(torch, function), torch.from_numpy(a))
            for rival, (theirs, b) in rivals.items():
                result = compare(lambda f=function, a=a: f(a), lambda f=theirs, b=b: f(b))
                bound = goal(function, rival, dtype, wide)
                rows.append([name(function), dtype, f"{size:,}", rival, *result.cells(bound)])
    report.add(
        f"Activations (one thread, exp of NumPy {np.__version__} runs on {target}); below 1, nnlib is faster",
        ["function", "precision", "numbers", "peer", "nnlib", "peer's", "ratio", "spread", "goal"],
        rows,
    )
