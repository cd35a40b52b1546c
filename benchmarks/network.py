"""One epoch of training, against PyTorch, JAX (compiled), HIPS autograd and scikit-learn.

A network 784–128–10 with relu, softmax loss, plain gradient descent on batches of 256 of 10,000 samples. All begin with
the same weights and take the same batches in the same order, and the weights at the end are compared. The time is that
of all there is to do: check and arrange the data, take the batches together, there and back, 40 steps.

The data come to each library as it likes them: a sample is a row of memory for all, for nnlib a column of X (the
transpose of such rows, as `digits.data.T` is). PyTorch is written with its functions, without the layers of torch.nn,
and with its step for all parameters at once: that was the fastest. JAX compiles a step, with the taking of the batch in
it. scikit-learn takes batches in the order of the rows, so it gets the rows in that order, and it does more: it counts
the loss up, has a term for decay (here 0), and a velocity (here with momentum 0).

Most of the time goes into two products with the 784 inputs, W X there and δ Xᵀ back. NumPy and PyTorch leave them to
different libraries; how those two compare stands in a row of its own.
"""

import functools

import numpy as np

from benchmarks.measure import compare, load_peers, one_core
from nnlib.activations import relu
from nnlib.network import MLP, train

SIZES, SAMPLES, BATCH, STEP, SEED = (784, 128, 10), 10_000, 256, 0.1, 1

# The ratios to reach, of medians, and how near to PyTorch's weights.
GOALS = {"by hand": {"torch": 1.1}, "graph": {"torch": 1.1, "autograd": 0.9}}
ACCURACY = 1e-12


@one_core()
def main(report):
    names = ("torch", "torch.nn.functional", "jax", "autograd", "autograd.numpy", "sklearn.neural_network")
    libraries = load_peers(names, report)
    rng = np.random.default_rng(0)
    rows, y = rng.normal(size=(SAMPLES, SIZES[0])), rng.integers(0, SIZES[-1], SAMPLES)
    mlp = MLP.random(SIZES, relu, rng)
    peers = {
        rival: epoch(libraries[library], libraries, mlp.parameters, rows, y)
        for rival, (library, epoch) in PEERS.items()
        if libraries[library]
    }
    table = []
    for backward, goals in GOALS.items():
        ours = functools.partial(epoch_of_ours, mlp, rows, y, backward)
        by_hand = functools.partial(epoch_of_ours, mlp, rows, y, "by hand")
        for rival, theirs in {**peers, **({} if backward == "by hand" else {"by hand": by_hand})}.items():
            result = compare(ours, theirs)
            difference = max(map(distance, ours(), theirs()))
            verdict = f"{difference:.1e}"
            if rival == "torch":
                verdict += f" ≤ {ACCURACY:g} {'reached' if difference <= ACCURACY else 'MISSED'}"
            table.append([backward, rival, *result.cells(goals.get(rival)), verdict])
    if torch := libraries["torch"]:
        arrays = mlp.layers[0].W, rows[:BATCH]
        tensors = [torch.from_numpy(array) for array in arrays]
        result = compare(lambda: large_products(*arrays), lambda: large_products(*tensors))
        table.append(["none: the large products alone", "torch", *result.cells(), ""])
    report.add(
        "One epoch of 784–128–10, in double precision on one core; below 1, nnlib is faster",
        ["nnlib's gradient", "peer", "nnlib", "peer's", "ratio", "spread", "goal", "weights differ by"],
        table,
    )


def epoch_of_ours(mlp, rows, y, backward):
    rng, settings = np.random.default_rng(SEED), {"method": "gradient descent", "step": STEP, "progress": False}
    training = train(mlp, rows.T, y, rng=rng, epochs=1, batch=BATCH, backward=backward, **settings)
    return training.mlp.parameters


def large_products(W, rows):
    """W X, and as if that were δ also δ Xᵀ, as often as in an epoch."""
    for _ in range(0, SAMPLES, BATCH):
        (W @ rows.T) @ rows


def distance(ours, theirs):
    """The largest difference over the largest number; the peers' biases have one axis, and scikit-learn's W is Wᵀ."""
    theirs = np.asarray(theirs)
    theirs = theirs[:, None] if theirs.ndim == 1 else theirs if theirs.shape == ours.shape else theirs.T
    return float(np.max(np.abs(ours - theirs)) / np.max(np.abs(theirs)))


def batches():
    """The numbers of the samples of each batch, as `train` draws them."""
    order = np.random.default_rng(SEED).permutation(SAMPLES)
    return [order[start : start + BATCH] for start in range(0, SAMPLES, BATCH)]


def with_flat_biases(parameters):
    return [array[:, 0] if array.shape[1] == 1 else array for array in parameters]


def in_torch(torch, libraries, parameters, rows, y):
    functional = libraries["torch.nn.functional"]
    linear, cross_entropy = functional.linear, functional.cross_entropy
    rows, y = torch.from_numpy(rows), torch.from_numpy(y)

    def epoch():
        leaves = [torch.tensor(array, requires_grad=True) for array in with_flat_biases(parameters)]
        W1, b1, W2, b2 = leaves
        for batch in map(torch.from_numpy, batches()):
            scores = linear(torch.relu(linear(rows.index_select(0, batch), W1, b1)), W2, b2)
            slopes = torch.autograd.grad(cross_entropy(scores, y[batch]), leaves)
            with torch.no_grad():
                torch._foreach_add_(leaves, slopes, alpha=-STEP)
        return [leaf.detach().numpy() for leaf in leaves]

    return epoch


def mean_loss(np, logsumexp):
    """The mean softmax loss of a batch, for the libraries that are written like NumPy."""

    def f(parameters, X, y):
        W1, b1, W2, b2 = parameters
        scores = np.maximum(0.0, X @ W1.T + b1) @ W2.T + b2
        return np.mean(logsumexp(scores) - scores[np.arange(len(y)), y])

    return f


def in_jax(jax, libraries, parameters, rows, y):
    slope = jax.grad(mean_loss(jax.numpy, lambda scores: jax.nn.logsumexp(scores, axis=1)))
    rows, y = jax.numpy.asarray(rows), jax.numpy.asarray(y)

    @jax.jit
    def step(parameters, rows, y, batch):
        slopes = slope(parameters, rows[batch], y[batch])
        return [w - STEP * g for w, g in zip(parameters, slopes, strict=True)]

    def epoch():
        reached = [jax.numpy.asarray(array) for array in with_flat_biases(parameters)]
        for batch in batches():
            reached = step(reached, rows, y, batch)
        return jax.block_until_ready(reached)

    return epoch


def in_autograd(autograd, libraries, parameters, rows, y):
    anp = libraries["autograd.numpy"]

    def logsumexp(scores):
        largest = anp.max(scores, axis=1)
        return largest + anp.log(anp.sum(anp.exp(scores - largest[:, None]), axis=1))

    slope = autograd.grad(mean_loss(anp, logsumexp))

    def epoch():
        reached = with_flat_biases(parameters)
        for batch in batches():
            slopes = slope(reached, rows.take(batch, axis=0), y[batch])
            reached = [w - STEP * g for w, g in zip(reached, slopes, strict=True)]
        return reached

    return epoch


def in_sklearn(sklearn, libraries, parameters, rows, y):
    W1, b1, W2, b2 = with_flat_biases(parameters)
    settings = {"batch_size": BATCH, "solver": "sgd", "learning_rate_init": STEP, "momentum": 0.0, "alpha": 0.0}
    network = sklearn.MLPClassifier(SIZES[1:-1], shuffle=False, nesterovs_momentum=False, **settings)
    network.partial_fit(rows[:BATCH], y[:BATCH], classes=np.arange(SIZES[-1]))  # makes its arrays

    def epoch():
        arrays = zip([*network.coefs_, *network.intercepts_], [W1.T, W2.T, b1, b2], strict=True)
        for array, start in arrays:
            array[...] = start
        order = np.concatenate(batches())
        network.partial_fit(rows.take(order, axis=0), y[order])
        return [network.coefs_[0], network.intercepts_[0], network.coefs_[1], network.intercepts_[1]]

    return epoch


PEERS = {
    "torch": ("torch", in_torch),
    "JAX": ("jax", in_jax),
    "autograd": ("autograd", in_autograd),
    "scikit-learn": ("sklearn.neural_network", in_sklearn),
}
