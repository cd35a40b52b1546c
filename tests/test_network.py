"""Layers, networks, their gradient in two ways, training, files; and what each of them refuses."""

import functools
import io
import itertools
import math
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from elsewhere import Elsewhere

from nnlib.activations import Activation, identity, logistic, maxout, relu, tanh
from nnlib.chain_rule import value_and_gradient
from nnlib.graph import trace
from nnlib.losses import hinge_loss, logistic_loss, negative_log_likelihood, softmax_loss, squared_loss, zero_one_loss
from nnlib.matrix_calculus import numerical_jacobian
from nnlib.network import MLP, Layer, mean_square_of_largest, train
from nnlib.training import Diverged, Momentum

ROOT = Path(__file__).parent.parent
RESPONSES = [identity, logistic, tanh, relu, maxout]
D, N, K = 4, 7, 3  # features, samples, classes: all different


def rng_of(seed):
    return np.random.default_rng(seed)


def network(response=relu, hidden=(5, 6), scores=K, seed=0, dtype=np.float64, pieces=3):
    """A network whose biases are not 0, so that no mistake with them hides."""
    mlp, rng = MLP.random((D, *hidden, scores), response, rng_of(seed), pieces=pieces, dtype=dtype), rng_of(seed + 1)
    return mlp.with_parameters([(w + rng.normal(0, 0.3, w.shape)).astype(dtype) for w in mlp.parameters])


def samples(seed=2, count=N, classes=K):
    rng = rng_of(seed)
    return rng.normal(size=(D, count)), np.concatenate([np.arange(classes), rng.integers(0, classes, count - classes)])


def by_graph(mlp, X, y, loss=softmax_loss):
    return value_and_gradient(lambda *parameters: mlp.with_parameters(parameters).loss(X, y, loss))(*mlp.parameters)


def distance(ours, theirs):
    """The largest difference over the largest number, of several arrays."""
    return np.max([np.max(np.abs(a - b)) / (np.max(np.abs(b)) or 1.0) for a, b in zip(ours, theirs, strict=True)])


def same(ours, theirs):
    return all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(ours, theirs, strict=True))


# ---- layers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("response", [identity, logistic, tanh, relu, np.sin], ids=str)
def test_a_layer_is_its_neurons_sample_by_sample(response):
    rng = rng_of(0)
    W, b, X = rng.normal(size=(5, D)), rng.normal(size=(5, 1)), rng.normal(size=(D, N))
    layer = Layer(W, b, response)
    assert layer(X).shape == layer.activation(X).shape == (5, N)
    for i, n in itertools.product(range(5), range(N)):
        a = b[i, 0] + sum(W[i, j] * X[j, n] for j in range(D))
        assert layer.activation(X)[i, n] == pytest.approx(a, abs=1e-14)
        assert layer(X)[i, n] == pytest.approx(response(a), abs=1e-14)


def test_a_maxout_layer_takes_the_largest_of_its_pieces():
    rng = rng_of(0)
    W, b, X = rng.normal(size=(3, 5, D)), rng.normal(size=(3, 5, 1)), rng.normal(size=(D, N))
    layer = Layer(W, b, maxout)
    pieces = [Layer(W[p], b[p], identity)(X) for p in range(3)]
    np.testing.assert_allclose(layer.activation(X), pieces, atol=1e-14)
    np.testing.assert_array_equal(layer(X), np.max(layer.activation(X), axis=0))
    assert layer.sizes == (D, 5)


@pytest.mark.parametrize(
    "W, b, response, message",
    [
        (np.ones(4), np.ones((4, 1)), relu, r"W must have the shape \(k, d\) for relu, got \(4,\)"),
        (np.ones((2, 3, 4)), np.ones((2, 3, 1)), np.sin, r"W must have the shape \(k, d\) for sin, got \(2, 3, 4\)"),
        (np.ones((3, 4)), np.ones((3, 1)), maxout, r"W must have the shape \(K, k, d\) for maxout, got \(3, 4\)"),
        (np.ones((0, 4)), np.ones((0, 1)), relu, r"W must have the shape \(k, d\) for relu, got \(0, 4\)"),
        (np.ones((3, 4)), np.ones(3), relu, r"b must have the shape \(3, 1\) for W \(3, 4\), got \(3,\)"),
        (np.ones((3, 4)), np.ones((1, 3)), relu, r"b must have the shape \(3, 1\) for W \(3, 4\), got \(1, 3\)"),
        (np.ones((2, 3, 4)), np.ones((3, 1)), maxout, r"b must have the shape \(2, 3, 1\) for W .*, got \(3, 1\)"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(W, b, response, message):
    with pytest.raises(ValueError, match=f"^Layer: {message}$"):
        Layer(W, b, response)


def test_what_is_no_real_number_is_refused():
    with pytest.raises(TypeError, match="^Layer: W must hold real numbers, got dtype <U1$"):
        Layer([["a"]], [[0.0]], relu)
    with pytest.raises(TypeError, match="^Layer: b must hold real numbers, got dtype complex128$"):
        Layer([[1.0]], [[1j]], relu)
    with pytest.raises(TypeError, match="^Layer: X must hold real numbers, got dtype object$"):
        Layer([[1.0]], [[1.0]], relu)(np.array([[None]]))


@pytest.mark.parametrize("shape", [(D,), (N, D), (D, N, 2), (), (D + 1, N)], ids=str)
def test_samples_that_do_not_fit_are_refused(shape):
    mlp = network()
    for call in (mlp, mlp.predict, mlp.layers[0]):
        with pytest.raises(ValueError) as error:
            call(np.ones(shape))
        message = f"Layer: X must have the shape (4, N) for W (5, 4), got {shape}"
        assert str(error.value) == message + (": one sample is a column, X[:, None]" if shape == (D,) else "")


# ---- how a layer begins --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "response, spread",
    [
        (relu, math.sqrt(2 / 300)),
        (maxout, math.sqrt(1 / 300)),
        (tanh, math.sqrt(2 / 500)),
        (identity, math.sqrt(2 / 500)),
        (logistic, 4 * math.sqrt(2 / 500)),
    ],
    ids=str,
)
def test_weights_begin_as_large_as_suits_the_response(response, spread):
    layer = Layer.random(300, 200, response, rng_of(0))
    assert layer.W.shape == ((2, 200, 300) if response is maxout else (200, 300))
    assert np.std(layer.W) == pytest.approx(spread, rel=0.01)
    assert abs(np.mean(layer.W)) < 0.01 * spread
    bounded = response not in (relu, maxout)
    assert (np.max(np.abs(layer.W)) <= math.sqrt(3) * spread) == bounded
    np.testing.assert_array_equal(layer.b, np.zeros((*layer.W.shape[:-1], 1)))


@pytest.mark.parametrize("response, pieces", [(relu, 1), (maxout, 2), (maxout, 3), (maxout, 5)], ids=str)
def test_values_neither_grow_nor_vanish_in_a_deep_network(response, pieces):
    rng = rng_of(0)
    H = rng.normal(size=(100, 50))
    before = np.mean(H**2)
    for _ in range(20):
        H = Layer.random(100, 100, response, rng, pieces=pieces)(H)
    assert 0.3 < np.mean(H**2) / before < 3


def test_the_mean_square_of_the_largest_of_some_normal_numbers():
    """Closed forms up to 4; beyond, a million draws."""
    for count, exact in {1: 1, 2: 1, 3: 1 + math.sqrt(3) / (2 * math.pi), 4: 1 + math.sqrt(3) / math.pi}.items():
        assert mean_square_of_largest(count) == pytest.approx(exact, rel=1e-12)
    drawn = np.mean(np.max(rng_of(0).normal(size=(7, 10**6)), axis=0) ** 2)
    assert mean_square_of_largest(7) == pytest.approx(drawn, rel=5e-3)


def test_a_beginning_is_drawn_from_the_rng_and_has_the_precision_asked_for():
    first, again, other = (MLP.random((D, 5, K), maxout, rng_of(seed), pieces=4) for seed in (1, 1, 2))
    assert same(first.parameters, again.parameters) and not same(first.parameters, other.parameters)
    assert first.layers[0].W.shape == (4, 5, D) and first.layers[1].W.shape == (K, 5)
    assert [layer.response for layer in first.layers] == [maxout, identity]
    assert first.sizes == (D, 5, K)
    for response in RESPONSES:
        single = MLP.random((D, 5, K), response, rng_of(1), dtype=np.float32)
        assert [w.dtype for w in single.parameters] == [np.dtype("f4")] * 4


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ((0, 5, relu, rng_of(0)), ValueError, "d must be 1 or more, got 0"),
        ((4, -1, relu, rng_of(0)), ValueError, "k must be 1 or more, got -1"),
        ((4, 2.0, relu, rng_of(0)), TypeError, r"k must be a whole number, got 2\.0"),
        ((4, 5, maxout, rng_of(0), 0), ValueError, "pieces must be 1 or more, got 0"),
        ((4, 5, relu, 0), TypeError, r"rng must be a numpy\.random\.Generator .*, got int"),
        ((4, 5, relu, np.random), TypeError, r"rng must be a numpy\.random\.Generator .*, got module"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_beginning_that_makes_no_sense_is_refused(arguments, error, message):
    with pytest.raises(error, match=f"^Layer.random: {message}$"):
        Layer.random(*arguments)


# ---- networks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("response", RESPONSES, ids=str)
def test_a_network_is_its_layers_one_after_the_other(response):
    mlp, (X, _) = network(response), samples()
    first, second, last = mlp.layers
    np.testing.assert_array_equal(mlp(X), last(second(first(X))))
    assert mlp(X).shape == (K, N)
    one_by_one = np.concatenate([mlp(X[:, n : n + 1]) for n in range(N)], axis=1)
    np.testing.assert_allclose(mlp(X), one_by_one, atol=1e-13)


def test_sizes_that_do_not_chain_are_refused_by_layer():
    layers = [Layer.random(d, k, relu, rng_of(0)) for d, k in ((4, 5), (5, 6), (7, 3))]
    with pytest.raises(ValueError, match="^MLP: layer 2 gives 6 numbers, layer 3 takes 7$"):
        MLP(layers)


def test_what_is_no_network_is_refused():
    with pytest.raises(ValueError, match="^MLP: layers must hold at least one Layer, got none$"):
        MLP([])
    with pytest.raises(TypeError, match="^MLP: layers must hold objects of the class Layer, got int$"):
        MLP([4, 5])
    with pytest.raises(ValueError, match=r"^MLP\.random: sizes must hold .*, got \(4,\)$"):
        MLP.random((4,), relu, rng_of(0))


def test_the_class_is_that_with_the_largest_score():
    mlp, (X, _) = network(), samples()
    np.testing.assert_array_equal(mlp.predict(X), [np.argmax(mlp(X)[:, n]) for n in range(N)])
    X, single = rng_of(3).normal(size=(D, 50)), network(tanh, scores=1)
    np.testing.assert_array_equal(single.predict(X), [int(score > 0) for score in single(X)[0]])
    assert set(single.predict(X)) == {0, 1}


def test_no_class_is_made_of_nan():
    X, _ = samples()
    X[2, 5] = np.nan
    with pytest.raises(ValueError, match=r"^MLP\.predict: X must not hold NaN, got nan in row 2, column 5$"):
        network().predict(X)


def test_parameters_go_out_and_in_again():
    mlp, (X, _) = network(maxout), samples()
    assert [w.shape for w in mlp.parameters] == [(3, 5, 4), (3, 5, 1), (3, 6, 5), (3, 6, 1), (3, 6), (3, 1)]
    other = network(maxout, seed=5)
    swapped = mlp.with_parameters(other.parameters)
    np.testing.assert_array_equal(swapped(X), other(X))
    assert not np.array_equal(swapped(X), mlp(X))
    assert same(mlp.with_parameters(w for w in mlp.parameters).parameters, mlp.parameters)


@pytest.mark.parametrize("change", [lambda p: p[:-1], lambda p: [*p, p[0]], lambda p: [p[0].T, *p[1:]], lambda p: []])
def test_parameters_of_other_shapes_are_refused(change):
    mlp = network(hidden=(5,))
    expected = re.escape("[(5, 4), (5, 1), (3, 5), (3, 1)]")
    with pytest.raises(ValueError, match=rf"^MLP\.with_parameters: parameters must have the shapes {expected}, got \["):
        mlp.with_parameters(change(list(mlp.parameters)))


def test_networks_and_layers_show_what_they_are():
    assert repr(network(maxout)) == "MLP(4–5–6–3, maxout, maxout, identity)"
    assert repr(network(tanh).layers[0]) == "Layer(4 → 5, tanh)"


# ---- loss and gradient ---------------------------------------------------------------------------

LOSSES = {
    "softmax": (softmax_loss, K, lambda y: y),
    "logistic": (logistic_loss, 1, lambda y: y % 2),
    "logistic, several": (logistic_loss, 2, lambda y: np.stack([y % 2, y // 2])),
    "hinge": (hinge_loss, 1, lambda y: 2 * (y % 2) - 1),
    "squared": (squared_loss, 1, lambda y: 0.3 * y - 0.2),
    "squared, several": (squared_loss, 2, lambda y: np.stack([np.sin(y), np.cos(y)])),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_the_loss_is_the_mean_over_the_samples(loss):
    loss, scores, targets = LOSSES[loss]
    mlp, (X, y) = network(scores=scores), samples()
    y = targets(y)
    per_sample = [np.sum(loss(mlp(X)[:, n] if scores > 1 else mlp(X)[0, n], y[..., n])) for n in range(N)]
    assert mlp.loss(X, y, loss) == pytest.approx(sum(per_sample) / N, rel=1e-14)


@pytest.mark.parametrize("hidden", [(), (5,), (5, 6), (5, 6, 2, 5)], ids=str)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("response", RESPONSES, ids=str)
def test_both_gradients_are_the_same(response, loss, hidden):
    loss, scores, targets = LOSSES[loss]
    mlp, (X, y) = network(response, hidden, scores), samples()
    y = targets(y)
    (value, ours), (expected, theirs) = mlp.value_and_gradient(X, y, loss), by_graph(mlp, X, y, loss)
    assert value == pytest.approx(expected, rel=1e-14) and value == pytest.approx(mlp.loss(X, y, loss), rel=1e-14)
    assert [g.shape for g in ours] == [w.shape for w in mlp.parameters]
    assert distance(ours, theirs) <= 1e-12


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("response", RESPONSES, ids=str)
def test_the_gradient_is_that_of_differences(response, loss):
    loss, scores, targets = LOSSES[loss]
    mlp, (X, y) = network(response, hidden=(5,), scores=scores, seed=3), samples(4)
    y = targets(y)
    _, gradients = mlp.value_and_gradient(X, y, loss)
    for i, (w, g) in enumerate(zip(mlp.parameters, gradients, strict=True)):

        def f(w, i=i):
            return mlp.with_parameters([*mlp.parameters[:i], w, *mlp.parameters[i + 1 :]]).loss(X, y, loss)

        truth = numerical_jacobian(f, w)[0]
        np.testing.assert_allclose(g.ravel(order="F"), truth, atol=1e-9 * max(1.0, np.max(np.abs(truth))))


def test_responses_without_a_rule_by_hand_still_have_the_graph():
    rng, (X, y) = rng_of(0), samples()
    mlp = MLP([Layer(rng.normal(size=(5, D)), rng.normal(size=(5, 1)), np.sin), Layer.random(5, K, identity, rng)])
    with pytest.raises(TypeError, match=r"^MLP\.value_and_gradient: the response of layer 1, sin, must have a deriv"):
        mlp.value_and_gradient(X, y)
    _, gradients = by_graph(mlp, X, y)
    truth = numerical_jacobian(lambda W: mlp.with_parameters([W, *mlp.parameters[1:]]).loss(X, y), mlp.parameters[0])
    np.testing.assert_allclose(gradients[0].ravel(order="F"), truth[0], atol=1e-10)
    with pytest.raises(TypeError, match=r"^MLP\.value_and_gradient: the loss must have a gradient, got zero_one_loss$"):
        network(scores=1).value_and_gradient(X, 2 * (y % 2) - 1, zero_one_loss)


def test_a_response_of_ones_own():
    class Softplus(Activation):
        name = "softplus"

        def formula(self, a):
            return np.logaddexp(0.0, a)

        def slope(self, a):
            return logistic(a)

    mlp, (X, y) = network(Softplus()), samples()
    assert distance(mlp.value_and_gradient(X, y)[1], by_graph(mlp, X, y)[1]) <= 1e-12


@pytest.mark.parametrize("response", RESPONSES, ids=str)
def test_the_order_of_samples_and_of_hidden_neurons_does_not_matter(response):
    mlp, (X, y) = network(response), samples()
    value, gradients = mlp.value_and_gradient(X, y)
    order = rng_of(9).permutation(N)
    again, shuffled = mlp.value_and_gradient(X[:, order], y[order])
    assert again == pytest.approx(value, rel=1e-14) and distance(shuffled, gradients) <= 1e-13

    turn = rng_of(8).permutation(5)
    W1, b1, W2, *others = mlp.parameters
    turned = mlp.with_parameters([W1[..., turn, :], b1[..., turn, :], W2[..., turn], *others])
    again, (g1, gb1, g2, *_) = turned.value_and_gradient(X, y)
    assert again == pytest.approx(value, rel=1e-14)
    expected = gradients[0][..., turn, :], gradients[1][..., turn, :], gradients[2][..., turn]
    assert distance((g1, gb1, g2), expected) <= 1e-13


def test_the_gradient_of_a_batch_is_the_mean_of_those_of_its_samples():
    mlp, (X, y) = network(maxout), samples()
    _, gradients = mlp.value_and_gradient(X, y)
    single = [mlp.value_and_gradient(X[:, n : n + 1], y[n : n + 1])[1] for n in range(N)]
    assert distance(gradients, [sum(parts) / N for parts in zip(*single, strict=True)]) <= 1e-13


def test_neither_way_changes_what_it_is_given():
    mlp, (X, y) = network(), samples()
    before = [array.copy() for array in (X, y, *mlp.parameters)]
    mlp.value_and_gradient(X, y)
    by_graph(mlp, X, y)
    train(mlp, X, y, rng=rng_of(0), epochs=2, batch=3)
    assert same((X, y, *mlp.parameters), before)


@pytest.mark.parametrize("response", RESPONSES, ids=str)
def test_float32_stays_float32(response):
    mlp, (X, y) = network(response, dtype=np.float32), samples()
    X = X.astype("f4")
    assert mlp(X).dtype == mlp.loss(X, y).dtype == np.float32
    for value, gradients in (mlp.value_and_gradient(X, y), by_graph(mlp, X, y)):
        assert value.dtype == np.float32 and {g.dtype for g in gradients} == {np.dtype("f4")}


def test_labels_that_do_not_fit_are_refused():
    mlp, (X, y) = network(), samples()
    single = network(scores=1)
    for call in (mlp.loss, mlp.value_and_gradient):
        with pytest.raises(ValueError, match="^softmax_loss: y must hold classes 0 … 2, got 3 at position 1$"):
            call(X, [0, 3, 1, 1, 1, 1, 1])
        with pytest.raises(ValueError, match="^softmax_loss: y must hold one class for each column"):
            call(X, y[:-1])
    for call in (single.loss, single.value_and_gradient):
        with pytest.raises(ValueError, match=r"^hinge_loss: y must hold -1 and \+1, got values \[0, 1\]"):
            call(X, y % 2, hinge_loss)
        with pytest.raises(
            ValueError, match=r"^squared_loss: y must have the shape of y_hat, \(1, 7\), .*got \(1, 6\)"
        ):
            call(X, y[:-1], squared_loss)
        with pytest.raises(ValueError, match="^softmax_loss: the network must give a score for each class, got one"):
            call(X, y)


def test_the_loss_can_be_recorded_as_a_graph():
    mlp, (X, y) = network(maxout, hidden=(5,)), samples()
    graph = trace(lambda *parameters: mlp.with_parameters(parameters).loss(X, y), *mlp.parameters)
    operations = [node.operation for node in graph.nodes if node.operation != "parameter"]
    assert operations == ["matmul", "add", "maxout", "matmul", "add", "identity", "softmax_loss", "sum", "divide"]
    other = network(maxout, hidden=(5,), seed=5)
    assert graph(*other.parameters) == pytest.approx(other.loss(X, y), rel=1e-14)


@pytest.mark.parametrize("response", RESPONSES, ids=str)
def test_arrays_that_live_elsewhere_go_through(response):
    mlp, (X, y) = network(response), samples()
    there = MLP([Layer(Elsewhere(f.W), Elsewhere(f.b), f.response) for f in mlp.layers])
    elsewhere = Elsewhere(X), Elsewhere(y)
    np.testing.assert_array_equal(there(elsewhere[0]).value, mlp(X))
    np.testing.assert_array_equal(there.predict(elsewhere[0]).value, mlp.predict(X))
    np.testing.assert_array_equal(there.loss(*elsewhere).value, mlp.loss(X, y))
    for ours, (value, theirs) in (
        (there.value_and_gradient(*elsewhere), mlp.value_and_gradient(X, y)),
        (by_graph(there, *elsewhere), by_graph(mlp, X, y)),
    ):
        np.testing.assert_array_equal(ours[0].value, value)
        assert distance([g.value for g in ours[1]], theirs) <= 1e-14


@pytest.mark.parametrize("response", RESPONSES, ids=str)
def test_a_dask_array_gives_the_same_scores(response):
    dask_array = pytest.importorskip("dask.array")
    mlp, (X, _) = network(response), samples()
    scores = mlp(dask_array.from_array(X, chunks=(D, 3)))
    assert isinstance(scores, dask_array.Array) and scores.numblocks[-1] == 3
    np.testing.assert_allclose(scores.compute(), mlp(X), atol=1e-13)


# ---- training ------------------------------------------------------------------------------------


def blobs(count=90, seed=0, classes=K):
    """Classes that lie apart, in D dimensions."""
    rng = rng_of(seed)
    y = np.arange(count) % classes
    centres = 3 * rng_of(77).normal(size=(D, classes))
    return centres[:, y] + rng.normal(size=(D, count)), y


def written_out(mlp, X, y, rng, epochs, batch, rule):
    """Training as one would write it down: the parameters after each step, and the mean losses of the epochs."""
    states = [rule() for _ in mlp.parameters]
    parameters, losses, count = [w.copy() for w in mlp.parameters], [], X.shape[1]
    for _ in range(epochs):
        order, total = rng.permutation(count), 0.0
        for start in range(0, count, batch):
            chosen = order[start : start + batch]
            value, gradients = mlp.with_parameters(parameters).value_and_gradient(X[:, chosen], y[chosen])
            total += value * len(chosen)
            parameters = [w + state.send(g) for w, state, g in zip(parameters, states, gradients, strict=True)]
        losses.append(total / count)
    return parameters, losses


def started(rule):
    @functools.wraps(rule)
    def start(*arguments):
        state = rule(*arguments)
        next(state)
        return state

    return start


@started
def plain_rule(step):
    g = yield
    while True:
        g = yield -step * g


@started
def momentum_rule(step):
    """Unrolled: the sum over all gradients so far, each 0.9 times as much for every step that went by."""
    past = [(yield)]
    while True:
        past.append((yield -step * sum(0.9**age * g for age, g in enumerate(reversed(past)))))


@started
def adam_rule(step):
    """Weighted means of all gradients and of their squares so far, with weights that add up to 1."""
    past = [(yield)]
    while True:
        ages = np.arange(len(past))[::-1]
        m, v = (
            sum(weight * g**power for weight, g in zip(decay**ages / np.sum(decay**ages), past, strict=True))
            for decay, power in ((0.9, 1), (0.999, 2))
        )
        past.append((yield -step * m / (np.sqrt(v) + 1e-8)))


METHODS = {"gradient descent": plain_rule, "momentum": momentum_rule, "adam": adam_rule}


@pytest.mark.parametrize("backward", ["by hand", "graph"])
@pytest.mark.parametrize("method", METHODS)
def test_training_takes_the_steps_of_its_formula(method, backward):
    """31 samples in batches of 8: the last one has 7."""
    mlp, (X, y) = network(), blobs(31)
    training = train(mlp, X, y, rng=rng_of(5), epochs=3, batch=8, step=0.02, method=method, backward=backward)
    expected, losses = written_out(mlp, X, y, rng_of(5), 3, 8, lambda: METHODS[method](0.02))
    assert distance(training.mlp.parameters, expected) <= 1e-12
    np.testing.assert_allclose(training.history.loss, losses, rtol=1e-12)
    assert training.stopped == "all 3 epochs are done" and training.epoch == 3


@pytest.mark.parametrize("response", RESPONSES, ids=str)
def test_both_backward_passes_train_to_the_same_network(response):
    mlp, (X, y) = network(response), blobs()
    by_hand, graph = (
        train(mlp, X, y, rng=rng_of(5), epochs=5, batch=16, backward=way).mlp.parameters for way in ("by hand", "graph")
    )
    assert distance(by_hand, graph) <= 1e-11 and distance(by_hand, mlp.parameters) > 1e-3


def test_the_usual_steps_are_those_of_the_rules():
    mlp, (X, y) = network(), blobs()
    for method, step in {"gradient descent": 0.1, "momentum": 0.01, "adam": 0.001}.items():
        usual, given = (
            train(mlp, X, y, rng=rng_of(1), epochs=2, method=method, **named) for named in ({}, {"step": step})
        )
        assert same(usual.mlp.parameters, given.mlp.parameters)
    default = train(mlp, X, y, rng=rng_of(1), epochs=2, batch=32, method="adam")
    assert same(default.mlp.parameters, train(mlp, X, y, rng=rng_of(1), epochs=2).mlp.parameters)
    rule = functools.partial(Momentum, momentum=0.0)
    still, descent = (
        train(mlp, X, y, rng=rng_of(1), epochs=2, method=m, step=0.01) for m in (rule, "gradient descent")
    )
    assert same(still.mlp.parameters, descent.mlp.parameters)
    usual = train(mlp, X, y, rng=rng_of(1), epochs=2, method=rule)
    assert same(usual.mlp.parameters, descent.mlp.parameters)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("response", RESPONSES, ids=str)
def test_training_learns(response, method):
    X, y = blobs(200)
    mlp = MLP.random((D, 8, K), response, rng_of(3))
    held_out = blobs(100, seed=1)
    training = train(mlp, X, y, rng=rng_of(5), epochs=30, step=0.02, method=method, validation=held_out)
    assert np.mean(mlp.predict(held_out[0]) == held_out[1]) < 0.8 < 0.95 < training.history.validation_accuracy[-1]


@pytest.mark.parametrize("loss", LOSSES)
def test_training_learns_with_every_loss(loss):
    loss, scores, targets = LOSSES[loss]
    (X, y), mlp = blobs(), network(scores=scores)
    y = targets(y)
    training = train(mlp, X, y, rng=rng_of(5), epochs=30, step=0.01, loss=loss, validation=(X, y))
    history = training.history
    assert history.validation_loss[-1] < 0.5 * mlp.loss(X, y, loss)
    if loss is squared_loss or scores == 2:
        assert np.isnan(history.validation_accuracy).all()
    else:
        right = training.mlp.predict(X) == (y if scores > 1 else y > 0)
        assert history.validation_accuracy[-1] == np.mean(right) > 0.6


def test_the_same_seed_gives_the_same_network_bit_by_bit():
    mlp, (X, y) = network(maxout), blobs()
    first, again, other = (train(mlp, X, y, rng=rng_of(seed), epochs=4).mlp.parameters for seed in (1, 1, 2))
    assert same(first, again) and not same(first, other)
    for layout in (np.asfortranarray(X), np.ascontiguousarray(X), X[:, ::-1][:, ::-1], X.tolist()):
        assert same(first, train(mlp, layout, list(y), rng=rng_of(1), epochs=4).mlp.parameters)


def test_the_history_is_what_was_measured():
    mlp, (X, y), (Xv, yv) = network(), blobs(), blobs(40, seed=1)
    training = train(mlp, X, y, rng=rng_of(5), epochs=6, validation=(Xv, yv), keep_networks=True)
    history, networks = training.history, training.history.networks
    assert len(networks) == 7 and networks[0] is mlp and networks[-1] is training.mlp
    assert history.loss.shape == history.validation_loss.shape == history.validation_accuracy.shape == (6,)
    np.testing.assert_array_equal(history.validation_loss, [m.loss(Xv, yv) for m in networks[1:]])
    np.testing.assert_array_equal(history.validation_accuracy, [np.mean(m.predict(Xv) == yv) for m in networks[1:]])
    alone = train(mlp, X, y, rng=rng_of(5), epochs=6)
    np.testing.assert_array_equal(alone.history.loss, history.loss)
    assert same(alone.mlp.parameters, training.mlp.parameters)
    assert alone.history.validation_loss is alone.history.validation_accuracy is alone.history.networks is None


def test_one_batch_of_all_samples():
    """Its loss is that of the network before the step, and the order does not matter."""
    mlp, (X, y) = network(), blobs()
    for batch in (90, 1000):
        training = train(mlp, X, y, rng=rng_of(5), epochs=3, batch=batch, keep_networks=True)
        np.testing.assert_allclose(training.history.loss, [m.loss(X, y) for m in training.history.networks[:-1]])


def test_early_stop_gives_the_network_with_the_least_validation_loss():
    """Labels without sense: what is learnt by heart makes new samples worse."""
    X, y = rng_of(0).normal(size=(D, 30)), rng_of(1).integers(0, K, 30)
    validation = rng_of(2).normal(size=(D, 30)), rng_of(3).integers(0, K, 30)
    settings = {"epochs": 300, "step": 0.01, "validation": validation, "keep_networks": True}
    training = train(network(hidden=(30,)), X, y, rng=rng_of(5), patience=4, **settings)
    losses = training.history.validation_loss
    assert training.epoch == np.argmin(losses) + 1 == len(losses) - 4 and len(losses) < 300
    assert training.mlp is training.history.networks[training.epoch]
    assert training.stopped == f"no smaller validation loss for 4 epochs, the least after epoch {training.epoch}"
    patient = train(network(hidden=(30,)), X, y, rng=rng_of(5), **settings)
    np.testing.assert_array_equal(patient.history.validation_loss[: len(losses)], losses)
    assert patient.mlp is patient.history.networks[-1] and patient.epoch == 300
    brief = train(network(hidden=(30,)), X, y, rng=rng_of(5), patience=300, **settings)
    assert brief.stopped == "all 300 epochs are done" and brief.epoch == np.argmin(patient.history.validation_loss) + 1


def test_training_has_the_precision_of_the_parameters():
    mlp, (X, y) = network(dtype=np.float32), blobs()
    for method, backward in itertools.product(METHODS, ("by hand", "graph")):
        for data in (X, X.astype("f4")):
            settings = {"rng": rng_of(5), "epochs": 2, "method": method, "backward": backward, "keep_networks": True}
            networks = train(mlp, data, y, **settings).history.networks
            assert {w.dtype for m in networks for w in m.parameters} == {np.dtype("f4")}
    close = train(network(), X, y, rng=rng_of(5), epochs=2).mlp.parameters
    assert distance(train(mlp, X, y, rng=rng_of(5), epochs=2).mlp.parameters, close) < 1e-4
    whole = train(network(), np.rint(X).astype(int), y, rng=rng_of(5), epochs=2).mlp.parameters
    assert {w.dtype for w in whole} == {np.dtype("f8")}


# ---- what stops it -------------------------------------------------------------------------------


class InterruptedAt:
    """Softmax loss that is interrupted at one call of its gradient, as by Ctrl-C."""

    def __init__(self, call):
        self.calls, self.at = 0, call

    def __call__(self, scores, y):
        return softmax_loss(scores, y)

    def value_and_gradient(self, scores, y):
        self.calls += 1
        if self.calls == self.at:
            raise KeyboardInterrupt
        return softmax_loss.value_and_gradient(scores, y)


def test_an_interruption_keeps_what_was_learnt(capsys):
    """90 samples in batches of 32 are three steps an epoch: the 8th is in the third."""
    mlp, (X, y) = network(), blobs()
    training = train(mlp, X, y, rng=rng_of(5), epochs=10, loss=InterruptedAt(8), validation=(X, y), keep_networks=True)
    assert training.stopped == "interrupted in epoch 3, after 7 steps" and training.epoch == 2
    assert "train: interrupted in epoch 3, after 7 steps; what was learnt until then is kept" in capsys.readouterr().err
    assert training.history.loss.shape == training.history.validation_loss.shape == (2,)
    whole = train(mlp, X, y, rng=rng_of(5), epochs=2, keep_networks=True)
    assert same(training.history.networks[2].parameters, whole.mlp.parameters)
    order = rng_of(5)
    chosen = [order.permutation(90) for _ in range(3)][2][:32]
    assert not same(training.mlp.parameters, whole.mlp.parameters)
    assert training.mlp.loss(X[:, chosen], y[chosen]) < whole.mlp.loss(X[:, chosen], y[chosen])


def test_an_interruption_at_once_gives_the_network_back():
    mlp, (X, y) = network(), blobs()
    for options in ({}, {"validation": (X, y)}, {"validation": (X, y), "patience": 2}):
        training = train(mlp, X, y, rng=rng_of(5), epochs=10, loss=InterruptedAt(1), **options)
        assert training.mlp is mlp and training.epoch == 0 and training.history.loss.shape == (0,)
        assert training.stopped == "interrupted in epoch 1, after 0 steps"


def test_an_interruption_with_patience_gives_the_best_so_far():
    mlp, (X, y) = network(), blobs()
    settings = {"rng": rng_of(5), "epochs": 10, "validation": (X, y), "patience": 5, "keep_networks": True}
    training = train(mlp, X, y, loss=InterruptedAt(11), **settings)
    assert training.epoch == np.argmin(training.history.validation_loss) + 1 == 3
    assert training.mlp is training.history.networks[3]


@pytest.mark.skipif(sys.platform == "win32", reason="NOT TESTED: Ctrl-C, as Windows has no SIGINT to send")
def test_ctrl_c_keeps_what_was_learnt(tmp_path):
    code = (
        "import signal\n"
        "import numpy as np\n"
        "from nnlib.activations import relu\n"
        "from nnlib.network import MLP, train\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a job in the background inherits deafness to it
        "rng = np.random.default_rng(0)\n"
        "X, y = rng.normal(size=(4, 50)), rng.integers(0, 3, 50)\n"
        "mlp = MLP.random((4, 5, 3), relu, rng)\n"
        "print('ready', flush=True)\n"
        "training = train(mlp, X, y, rng=rng, epochs=10**9)\n"
        "assert training.mlp is not mlp and np.isfinite(training.history.loss).all()\n"
        "print(training.stopped, len(training.history.loss), training.epoch)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=-1, stderr=-1, text=True) as run:
        try:
            assert run.stdout.readline() == "ready\n"
            time.sleep(0.5)
            os.kill(run.pid, signal.SIGINT)
            out, err = run.communicate(timeout=60)
        finally:
            run.kill()  # whatever happened, it does not train on
    assert run.returncode == 0, err
    epoch, steps, count, whole = map(
        int, re.match(r"interrupted in epoch (\d+), after (\d+) steps (\d+) (\d+)", out).groups()
    )
    assert epoch >= count == whole >= epoch - 1 > 0 and 2 * count <= steps
    assert re.fullmatch(rf"train: interrupted in epoch {epoch}, after {steps} steps; what was learnt .* is kept\n", err)


@pytest.mark.parametrize("backward", ["by hand", "graph"])
def test_a_step_that_is_too_large_is_said_with_its_place_and_the_network_before_it(backward):
    mlp, (X, y) = network(), blobs()
    with pytest.raises(Diverged) as error:
        train(mlp, X, y, rng=rng_of(5), epochs=50, method="gradient descent", step=3000.0, backward=backward)
    error = error.value
    assert re.fullmatch(
        rf"train: diverged at step {error.step}, in epoch {error.epoch}: then the loss is \S+; use a "
        r"smaller step than 3000\. The network before it is kept in this error, as \.mlp",
        str(error),
    )
    assert (error.epoch, error.step) == (1, 1) and error.mlp is mlp
    assert isinstance(error, ArithmeticError)


def learning_ever_faster(growth):
    class Faster:
        usual_step = 1e-3

        def __init__(self, step):
            self.step = step

        def change(self, g):
            self.step *= growth
            return -self.step * g

    return Faster


@pytest.mark.parametrize("growth", [3.0, 1e30])
def test_the_network_before_the_divergence_is_that_of_the_step_before(growth):
    """Its loss is still small; the step that is named makes it large."""
    mlp, (X, y) = network(tanh), blobs()
    settings = {"rng": rng_of(5), "method": learning_ever_faster(growth), "batch": 90}
    with pytest.raises(Diverged) as error:
        train(mlp, X, y, epochs=100, **settings)
    step, kept = error.value.step, error.value.mlp
    assert error.value.epoch == step  # one step an epoch
    guess = math.log(K)
    assert kept.loss(X, y) <= 100 * max(guess, mlp.loss(X, y))
    if step > 1:
        before = train(mlp, X, y, epochs=step - 1, **{**settings, "rng": rng_of(5)}).mlp
        assert same(kept.parameters, before.parameters)
    after = [
        w - 1e-3 * growth**step * g for w, g in zip(kept.parameters, kept.value_and_gradient(X, y)[1], strict=True)
    ]
    assert not kept.with_parameters(after).loss(X, y) <= 100 * max(guess, mlp.loss(X, y))


def test_parameters_or_losses_that_are_not_finite_are_a_divergence():
    mlp, (X, y) = network(), blobs()
    for method, step in itertools.product(METHODS, (1e160, 1e307)):
        with pytest.raises(Diverged) as error:
            train(mlp, 1e3 * X, y, rng=rng_of(5), epochs=9, method=method, step=step)
        assert all(np.isfinite(w).all() for w in error.value.mlp.parameters)
    with pytest.raises(Diverged, match="at step 1, in epoch 1: it makes parameters that are not finite"):
        train(mlp, 1e10 * X, y, rng=rng_of(5), epochs=9, method="gradient descent", step=1e300)
    settings = {"batch": 90, "step": 1e-3, "method": jump_at(3, math.inf)}
    with pytest.raises(Diverged, match="at step 3, in epoch 3: it makes parameters that are not finite") as error:
        train(mlp, X, y, rng=rng_of(5), epochs=9, **settings)
    assert same(error.value.mlp.parameters, train(mlp, X, y, rng=rng_of(5), epochs=2, **settings).mlp.parameters)
    with pytest.raises(Diverged, match="at step 3, in epoch 1: then the loss is nan"):
        train(mlp, X, y, rng=rng_of(5), epochs=9, method=jump_at(3, 1e200), step=1e-3)


def jump_at(step, size):
    class Jump:
        def __init__(self, small):
            self.count, self.small = 0, small

        def change(self, g):
            self.count += 1
            return (size if self.count == step else -self.small) * g

    return Jump


def test_a_divergence_at_the_end_of_an_epoch_belongs_to_that_epoch():
    """Three steps an epoch: the sixth is the last of the second, and the next batch is in the third."""
    mlp, (X, y) = network(), blobs()
    with pytest.raises(Diverged, match="at step 6, in epoch 2: then the loss is") as error:
        train(mlp, X, y, rng=rng_of(5), epochs=9, method=jump_at(6, 1e9), step=1e-3)
    assert (error.value.step, error.value.epoch) == (6, 2)


def test_a_divergence_with_the_last_step_is_noticed():
    """No further batch shows it; nor is it the validation data's fault if their scores are NaN then."""
    mlp, (X, y) = network(), blobs()
    settings = {"rng": rng_of(5), "batch": 90, "epochs": 3, "step": 1e-3}
    for size, options in itertools.product((1e9, 1e200), ({}, {"validation": (X, y)})):
        with pytest.raises(Diverged, match="at step 3, in epoch 3: then the loss is"):
            train(mlp, X, y, method=jump_at(3, size), **settings, **options)
    with pytest.raises(Diverged, match="at step 2, in epoch 2: then the loss is nan"):
        train(mlp, X, y, method=jump_at(2, 1e200), validation=(X, y), patience=1, **settings)


def test_a_hard_batch_is_no_divergence():
    """A network that knows everything but one sample, whose loss is then many times that of the others."""
    X, y = blobs()
    mlp = train(network(), X, y, rng=rng_of(5), epochs=200, step=0.02).mlp
    assert mlp.loss(X, y) < 0.01
    wrong = y.copy()
    wrong[7] = (y[7] + 1) % K
    assert mlp.loss(X[:, 7:8], wrong[7:8]) > 100 * mlp.loss(X[:, :7], wrong[:7])
    train(mlp, X, wrong, rng=rng_of(5), epochs=2, batch=1, step=1e-5)
    harder = train(network(scores=1), X, y, rng=rng_of(5), epochs=2, loss=squared_loss, validation=(X, 1000.0 * y))
    assert np.all(harder.history.validation_loss > 100 * harder.history.loss)


def test_nothing_warns_while_it_diverges(recwarn):
    mlp, (X, y) = network(), blobs()
    for step in (1e4, 1e200, 1e307):
        with pytest.raises(Diverged):
            train(mlp, X, y, rng=rng_of(5), epochs=50, method="gradient descent", step=step)
    assert not recwarn.list


def test_a_network_that_is_not_finite_cannot_begin():
    mlp, (X, y) = network(), blobs()
    bad = mlp.with_parameters([w * np.nan for w in mlp.parameters])
    with pytest.raises(ValueError, match="^train: mlp must have a finite loss to begin with, got nan$"):
        train(bad, X, y, rng=rng_of(5), epochs=1)


# ---- what training refuses -----------------------------------------------------------------------


class Untouchable(np.random.Generator):
    """An rng that must not be asked: nothing is done before everything has been checked."""

    def permutation(self, *_):
        raise AssertionError("work began")


def refused(error, message, **changes):
    X, y = samples()
    arguments = {"mlp": network(), "X": X, "y": y, "rng": Untouchable(np.random.PCG64(0)), "epochs": 2} | changes
    with pytest.raises(error, match=message):
        train(arguments.pop("mlp"), arguments.pop("X"), arguments.pop("y"), **arguments)


X_NAN, X_INF = samples()[0], samples()[0]
X_NAN[1, 3], X_INF[3, 0] = np.nan, -np.inf


@pytest.mark.parametrize(
    "changes, error, message",
    [
        ({"X": X_NAN}, ValueError, r"^train: X must hold finite numbers, got nan in row 1, column 3$"),
        ({"X": X_INF}, ValueError, r"^train: X must hold finite numbers, got -inf in row 3, column 0$"),
        ({"X": np.ones((N, D))}, ValueError, r"^train: X must have the shape \(4, N\), got \(7, 4\)$"),
        ({"X": np.ones(D)}, ValueError, r"^train: X must have the shape \(4, N\), got \(4,\)$"),
        ({"X": np.ones((D, 0)), "y": []}, ValueError, r"^train: X must have the shape \(4, N\), got \(4, 0\)$"),
        ({"X": np.ones((D, N), complex)}, TypeError, "^train: X must hold real numbers, got dtype complex128$"),
        ({"y": [0, 1, 2, 3, 0, 1, 2]}, ValueError, "^train: softmax_loss: y must hold classes 0 … 2, got 3 at pos"),
        ({"y": [0, 1, 2, -1, 0, 1, 2]}, ValueError, "^train: softmax_loss: y must hold classes 0 … 2, got -1 at pos"),
        ({"y": [0, 1, 2, 0.5, 0, 1, 2]}, ValueError, r"^train: softmax_loss: y must hold classes 0 … 2, got 0\.5"),
        (
            {"y": [0, 1]},
            ValueError,
            r"^train: softmax_loss: y must hold one number for each of 7 samples, got .*\(2,\)",
        ),
        ({"y": 1}, ValueError, r"^train: softmax_loss: y must hold one number for each of 7 samples, got .* \(\)$"),
        ({"y": ["a"] * N}, TypeError, "^train: softmax_loss: y must hold real numbers, got dtype <U1$"),
        ({"mlp": network(scores=1)}, ValueError, "^train: softmax_loss: the network must give a score for each class"),
        ({"mlp": network(scores=1), "loss": hinge_loss}, ValueError, r"^train: hinge_loss: y must hold -1 and \+1"),
        ({"loss": hinge_loss}, ValueError, r"^train: hinge_loss: y must have the shape of a, \(3, 7\)"),
        ({"epochs": 0}, ValueError, "^train: epochs must be 1 or more, got 0$"),
        ({"epochs": 2.5}, TypeError, r"^train: epochs must be a whole number, got 2\.5$"),
        ({"batch": 0}, ValueError, "^train: batch must be 1 or more, got 0$"),
        ({"batch": "all"}, TypeError, "^train: batch must be a whole number, got 'all'$"),
        ({"batch": True}, ValueError, "^train: batch must be 1 or more, got True$"),
        ({"step": 0.0}, ValueError, r"^train: step must be a number above 0, got 0\.0$"),
        ({"step": -0.1}, ValueError, r"^train: step must be a number above 0, got -0\.1$"),
        ({"step": math.nan}, ValueError, "^train: step must be a number above 0, got nan$"),
        ({"step": math.inf}, ValueError, "^train: step must be a number above 0, got inf$"),
        ({"step": "fast"}, ValueError, "^train: step must be a number above 0, got 'fast'$"),
        (
            {"method": "sgd"},
            ValueError,
            "^train: method must be 'gradient descent' or 'momentum' or 'adam', got 'sgd'$",
        ),
        ({"method": jump_at(1, 1)}, ValueError, "^train: step must be a number above 0, got None$"),
        ({"backward": "magic"}, ValueError, "^train: backward must be 'by hand' or 'graph', got 'magic'$"),
        ({"rng": 7}, TypeError, r"^train: rng must be a numpy\.random\.Generator .*, got int$"),
        ({"patience": 3}, ValueError, r"^train: patience must come with validation=\(X, y\), got none$"),
        ({"patience": 0, "validation": samples()}, ValueError, "^train: patience must be 1 or more, got 0$"),
        ({"validation": samples()[0]}, TypeError, r"^train: validation must be a pair \(X, y\), got ndarray$"),
        ({"validation": (X_NAN, samples()[1])}, ValueError, "^train: validation: X must hold finite numbers, got nan"),
        (
            {"validation": ([[1.0]], [0])},
            ValueError,
            r"^train: validation: X must have the shape \(4, N\), got \(1, 1\)",
        ),
        ({"validation": (np.ones((D, 1)), [9])}, ValueError, "^train: validation: softmax_loss: y must hold classes"),
        ({"loss": zero_one_loss, "mlp": network(scores=1), "y": [1, -1] * 3 + [1]}, TypeError, "^train: the loss must"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_training_refuses_before_it_begins(changes, error, message):
    refused(error, message, **changes)


def test_a_response_without_derivative_is_refused_before_it_begins():
    mlp = MLP([Layer.random(D, 5, relu, rng_of(0)), Layer(np.ones((K, 5)), np.ones((K, 1)), np.sin)])
    refused(TypeError, "^train: the response of layer 2, sin, must have a derivative$", mlp=mlp)
    (X, y), step = blobs(), {"epochs": 1, "batch": 90, "method": "gradient descent", "step": 0.1}
    training = train(mlp, X, y, rng=rng_of(5), backward="graph", **step)
    expected = [w - 0.1 * g for w, g in zip(mlp.parameters, by_graph(mlp, X, y)[1], strict=True)]
    assert distance(training.mlp.parameters, expected) <= 1e-13


# ---- the bar -------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("where", "progress", "shows"),
    [(Terminal, None, True), (Terminal, False, False), (io.StringIO, None, False), (io.StringIO, True, True)],
)
def test_a_bar_shows_where_it_is_asked_for_else_on_a_terminal(monkeypatch, capsys, where, progress, shows):
    monkeypatch.setattr(sys, "stderr", where())
    train(network(), *blobs(), rng=rng_of(5), epochs=30, progress=progress)
    assert ("90/90" in sys.stderr.getvalue()) == shows
    assert shows or sys.stderr.getvalue() == ""
    assert capsys.readouterr().out == ""


def test_the_bar_says_the_loss(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    class Slow(Momentum):  # as the bar is drawn ten times a second at most
        def change(self, g):
            time.sleep(0.01)
            return super().change(g)

    train(network(), *blobs(), rng=rng_of(5), epochs=3, method=Slow)
    assert re.search(r"loss=\d\.\d{4}", terminal.getvalue())


# ---- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("response", RESPONSES, ids=str)
def test_a_network_is_saved_and_loaded(tmp_path, response, dtype):
    mlp, (X, _) = network(response, dtype=np.dtype(dtype)), samples()
    mlp.save(tmp_path / "mlp.npz")
    loaded = MLP.load(str(tmp_path / "mlp.npz"))
    assert same(loaded.parameters, mlp.parameters)
    assert [f.response for f in loaded.layers] == [f.response for f in mlp.layers]
    np.testing.assert_array_equal(loaded(X.astype(dtype)), mlp(X.astype(dtype)))
    assert [path.name for path in tmp_path.iterdir()] == ["mlp.npz"]


def test_the_file_has_the_name_it_was_given_and_replaces_another(tmp_path):
    path = tmp_path / "weights of today"
    network(seed=1).save(path)
    network(tanh, seed=2).save(path)
    assert same(MLP.load(path).parameters, network(tanh, seed=2).parameters)
    assert [p.name for p in tmp_path.iterdir()] == ["weights of today"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interruption_of_saving_leaves_the_old_file(tmp_path, monkeypatch, error):
    network(seed=1).save(tmp_path / "mlp.npz")

    def interrupted(file, **arrays):
        file.write(b"PK half of it")
        raise error

    monkeypatch.setattr(np, "savez", interrupted)
    with pytest.raises(error):
        network(seed=2).save(tmp_path / "mlp.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["mlp.npz"]
    assert same(MLP.load(tmp_path / "mlp.npz").parameters, network(seed=1).parameters)


def test_what_could_not_be_read_again_is_not_saved(tmp_path):
    class Logistic(Activation):
        name = "logistic"

    one = [[1.0]]
    for response, name in ((np.sin, "sin"), (Logistic(), "logistic")):
        mlp = MLP([Layer(one, one, relu), Layer(one, one, response)])
        with pytest.raises(ValueError, match=rf"^MLP\.save: the response of layer 2 must be one of .*, got {name}$"):
            mlp.save(tmp_path / "mlp.npz")
    assert not list(tmp_path.iterdir())


def not_loaded(path, *words):
    with pytest.raises(ValueError) as error:
        MLP.load(path)
    message = str(error.value)
    assert message.startswith(f"MLP.load: {path} must be a file written by MLP.save; ")
    for word in words:
        assert word in message


def test_a_file_that_is_no_network_is_refused(tmp_path):
    path = tmp_path / "file.npz"
    W, b = np.ones((3, 4)), np.ones((3, 1))
    (tmp_path / "array.npy").write_bytes(b"")
    np.save(tmp_path / "array.npy", W)
    not_loaded(tmp_path / "array.npy", "it is no .npz file")
    for content in (b"", b"no network at all", b"PK\x03\x04"):
        path.write_bytes(content)
        not_loaded(path, "it is no .npz file, or not the whole of it")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("letter.txt", "Dear reader")
    not_loaded(path, "it holds no responses, but letter.txt")
    for words, arrays in {
        "it holds no responses, but a, b": {"a": W, "b": b},
        "it names the response 'swish', and there are identity, logistic": {"responses": ["swish"], "W1": W, "b1": b},
        "for 2 layers it should hold W1, b1, W2, b2; it has responses, W1": {"responses": ["relu"] * 2, "W1": W},
        "for 1 layers it should hold W1, b1; it has": {"responses": ["relu"], "W1": W, "b1": b, "c": b},
        "Layer: b must have the shape (3, 1)": {"responses": ["relu"], "W1": W, "b1": W},
        "Layer: W must hold real numbers": {"responses": ["relu"], "W1": W.astype(str), "b1": b},
        "layer 1 gives 3 numbers, layer 2 takes 4": {"responses": ["relu"] * 2, "W1": W, "b1": b, "W2": W, "b2": b},
        "at least one Layer": {"responses": np.array([], str)},
        "Object arrays cannot be loaded": {"responses": ["relu"], "W1": np.array([[None]]), "b1": b},
    }.items():
        np.savez(path, **arrays)
        not_loaded(path, words)


def test_a_file_that_is_not_there_is_said_as_everywhere(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing.npz"):
        MLP.load(tmp_path / "nothing.npz")
    with pytest.raises(FileNotFoundError):
        network().save(tmp_path / "no folder" / "mlp.npz")


def test_a_damaged_file_is_refused_or_harmless(tmp_path):
    """Cut anywhere it is refused; with a byte changed anywhere, it gives the same numbers or is refused."""
    path, mlp = tmp_path / "mlp.npz", network(maxout, hidden=(2,), dtype=np.float32)
    mlp.save(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        not_loaded(path)
    refused = 0
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            assert same(MLP.load(path).parameters, mlp.parameters)
        except ValueError as error:
            refused += 1
            assert str(error).startswith(f"MLP.load: {path} must be a file written by MLP.save; ")
    assert refused > len(whole) / 6  # half of those that were changed


# ---- real data -----------------------------------------------------------------------------------


def test_digits_are_learnt():
    """At least 97 % on new digits, the mean of five stratified splits. What was chosen (sizes, step, epochs) was chosen
    by the accuracy on parts of the training data."""
    datasets, model_selection = (pytest.importorskip(f"sklearn.{name}") for name in ("datasets", "model_selection"))
    digits = datasets.load_digits()
    X, y = digits.data.T / 16, digits.target
    splits = model_selection.StratifiedKFold(5, shuffle=True, random_state=0).split(digits.data, y)
    accuracies = []
    for seed, (learn, new) in enumerate(splits):
        rng = rng_of(seed)
        mlp = MLP.random((64, 128, 64, 10), relu, rng)
        mlp = train(mlp, X[:, learn], y[learn], rng=rng, epochs=20).mlp
        accuracies.append(np.mean(mlp.predict(X[:, new]) == y[new]))
    assert np.mean(accuracies) >= 0.97
    assert min(accuracies) >= 0.96


def test_negative_log_likelihood_needs_probabilities():
    """A loss of probabilities refuses scores, and its words are those that come."""
    X, y = samples()
    with pytest.raises(ValueError, match="^negative_log_likelihood: p_hat must hold probabilities"):
        network().loss(X, y, negative_log_likelihood)
