"""Gradients and Jacobians against HIPS autograd, PyTorch, JAX (compiled) and derivatives written by hand.

The graph of ten operations has products, forks, a bias that is broadcast and a sum. The regression is logistic,
from its weights to the sum of the losses and back (benchmarks/losses.py has its gradient alone, written by hand).
"""

import numpy as np

from benchmarks.measure import compare, load_peers, one_core
from nnlib.activations import logistic
from nnlib.chain_rule import gradient, jacobian, jvp
from nnlib.losses import logistic_loss

SIZES = (10, 1_000, 1_000_000)
WIDTH = 100
FEATURES, SAMPLES = 100, 100_000
NETWORK = [*[1000] * 11, 1]  # its layers, for the two directions

# The ratios to reach, of medians, up to 1000 numbers and beyond; and how near to what is written by hand.
SMALL = {"autograd": 0.4, "torch": 0.8}
LARGE = {"autograd": 1.0, "by hand": 2.0}
JACOBIAN = {"JAX": 1.5, "autograd": 0.05}
REGRESSION = {"scikit-learn": 0.9}
ACCURACY = {"ten operations": 1e-13, "jacobian of tanh(Wx)": 1e-14, "gradient of regression": 1e-13}


@one_core()
def main(report):
    libraries = load_peers(("autograd", "autograd.numpy", "torch", "jax", "sklearn._loss"), report)
    rows = []
    for size in SIZES:
        goals = SMALL if size <= 1000 else LARGE
        rows += compare_all("ten operations", size, goals, *ten_operations_case(size, libraries))
    rows += compare_all("jacobian of tanh(Wx)", WIDTH * WIDTH, JACOBIAN, *jacobian_case(libraries))
    rows += compare_all("gradient of regression", FEATURES * SAMPLES, REGRESSION, *regression_case(libraries))
    report.add(
        "Derivatives, in double precision on one thread; below 1, nnlib is faster",
        ["derivative", "numbers", "peer", "nnlib", "peer's", "ratio", "spread", "goal", "difference"],
        rows,
    )
    report.add(
        "The two directions, for 1000 inputs, ten layers of 1000, and one output; a gradient would take 1000 jvps",
        ["what", "against", "takes", "against", "ratio", "spread"],
        directions(),
    )


def directions():
    """What a pass forward and a pass back cost, beside a run of the network and beside each other."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(k, d)) / np.sqrt(d) for d, k in zip(NETWORK, NETWORK[1:], strict=False)]
    x, v = rng.normal(size=(2, NETWORK[0]))

    def network(x):
        for W in weights:
            x = np.tanh(W @ x)
        return np.sum(x)

    def run():
        return network(x)

    def forward():
        return jvp(network, x, v)

    def back():
        return gradient(network)(x)

    def some_forward():
        return [forward() for _ in range(100)]

    batch = rng.normal(size=(NETWORK[0], 64))

    def network_of_weights(*weights):
        X = batch
        for W in weights:
            X = np.tanh(W @ X)
        return np.sum(X)

    def run_batch():
        return network_of_weights(*weights)

    def back_to_weights():
        return gradient(network_of_weights)(*weights)

    assert np.isclose(forward()[1], back() @ v, rtol=1e-12)
    pairs = {
        "one jvp": (forward, "a run", run),
        "the gradient, one vjp": (back, "a run", run),
        "100 jvps": (some_forward, "one vjp", back),
        "the gradient by all weights, 64 samples": (back_to_weights, "a run of 64 samples", run_batch),
    }
    for name, (ours, rival, theirs) in pairs.items():
        yield [name, rival, *compare(ours, theirs).cells()[:-1]]


def compare_all(name, size, goals, ours, peers):
    """A row of the table for each peer, and how far its numbers are from ours."""
    for rival, theirs in peers.items():
        result = compare(ours, theirs)
        difference = max(map(distance, as_tuple(ours()), as_tuple(theirs())))
        verdict = f"{difference:.1e}"
        if rival == "by hand":  # the others may differ by errors of their own
            verdict += f" ≤ {ACCURACY[name]:g} {'reached' if difference <= ACCURACY[name] else 'MISSED'}"
        yield [name, f"{size:,}", rival, *result.cells(goals.get(rival)), verdict]


def as_tuple(result):
    return result if isinstance(result, tuple | list) else (result,)


def distance(ours, theirs):
    """The largest difference over the largest number."""
    theirs = np.asarray(theirs)
    return float(np.max(np.abs(ours - theirs)) / np.max(np.abs(theirs)))


def ten_operations(np):
    """The same program for NumPy and for the libraries that are written like it."""

    def f(w, x, b):
        h = np.tanh(w * x + b)
        g = np.exp(-h * h)
        return np.sum(g * np.sin(x) + g / h)

    return f


def ten_operations_by_hand(w, x, b):
    h = np.tanh(w * x + b)
    g, s = np.exp(-h * h), np.sin(x)
    np.sum(g * s + g / h)
    dg = s + 1 / h
    da = (-2 * h * g * dg - g / (h * h)) * (1 - h * h)
    return da * x, da * w + g * np.cos(x), np.sum(da)


def ten_operations_case(size, libraries):
    rng = np.random.default_rng(0)
    w, x, b = rng.normal(size=size), rng.normal(size=size), np.asarray(0.5)
    peers = {"by hand": lambda: ten_operations_by_hand(w, x, b)}
    if autograd_numpy := libraries["autograd.numpy"]:
        in_autograd = libraries["autograd"].grad(ten_operations(autograd_numpy), (0, 1, 2))
        peers["autograd"] = lambda: in_autograd(w, x, b)
    if torch := libraries["torch"]:
        f, arrays = ten_operations(torch), [torch.from_numpy(array) for array in (w, x, b)]

        def in_torch():
            leaves = [array.detach().requires_grad_() for array in arrays]
            return torch.autograd.grad(f(*leaves), leaves)

        peers["torch"] = in_torch
    if jax := libraries["jax"]:
        compiled = jax.jit(jax.grad(ten_operations(jax.numpy), (0, 1, 2)))
        in_jax = [jax.numpy.asarray(array) for array in (w, x, b)]
        peers["JAX"] = lambda: jax.block_until_ready(compiled(*in_jax))
    ours = gradient(ten_operations(np))
    return lambda: ours(w, x, b), peers


def jacobian_case(libraries):
    rng = np.random.default_rng(0)
    W, x = rng.normal(size=(WIDTH, WIDTH)), rng.normal(size=WIDTH)

    def by_hand():
        return (1 - np.tanh(W @ x) ** 2)[:, None] * W

    peers = {"by hand": by_hand}
    if autograd_numpy := libraries["autograd.numpy"]:
        in_autograd = libraries["autograd"].jacobian(lambda x: autograd_numpy.tanh(W @ x))
        peers["autograd"] = lambda: in_autograd(x)
    if jax := libraries["jax"]:
        jW, jx = jax.numpy.asarray(W), jax.numpy.asarray(x)
        compiled = jax.jit(jax.jacrev(lambda x: jax.numpy.tanh(jW @ x)))
        peers["JAX"] = lambda: jax.block_until_ready(compiled(jx))
    ours = jacobian(lambda x: np.tanh(W @ x))
    return lambda: ours(x), peers


def regression_case(libraries):
    rng = np.random.default_rng(0)
    X, w = rng.normal(size=(FEATURES, SAMPLES)), rng.normal(0, 0.3, FEATURES)
    y = rng.integers(0, 2, SAMPLES).astype(float)
    rows = np.ascontiguousarray(X.T)
    peers = {"by hand": lambda: X @ (logistic(w @ X) - y)}
    if sklearn := libraries["sklearn._loss"]:
        loss = sklearn.HalfBinomialLoss()
        peers["scikit-learn"] = lambda: rows.T @ loss.gradient(y, rows @ w, n_threads=1)
    if torch := libraries["torch"]:
        cross_entropy = torch.nn.functional.binary_cross_entropy_with_logits
        tX, ty, weights = torch.from_numpy(X), torch.from_numpy(y), torch.from_numpy(w)

        def in_torch():
            leaf = weights.detach().requires_grad_()
            return torch.autograd.grad(cross_entropy(leaf @ tX, ty, reduction="sum"), leaf)[0]

        peers["torch"] = in_torch
    if jax := libraries["jax"]:
        jnp = jax.numpy
        jX, jw, jy = (jnp.asarray(array) for array in (X, w, y))
        compiled = jax.jit(jax.grad(lambda w: jnp.sum(jnp.logaddexp(0.0, (1 - 2 * jy) * (w @ jX)))))
        peers["JAX"] = lambda: jax.block_until_ready(compiled(jw))
    ours = gradient(lambda w: np.sum(logistic_loss(w @ X, y)))
    return lambda: ours(w), peers
