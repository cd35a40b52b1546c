"""A neuron is f(wᵀx), sample by sample; its shapes must fit."""

import numpy as np
import pytest

from nnlib.activations import identity, logistic, maxout, relu, tanh
from nnlib.graph import trace
from nnlib.neuron import Neuron, add_bias

RNG = np.random.default_rng(6)
D, N, K = 3, 5, 4  # features, samples, pieces: all different
X = RNG.normal(size=(D, N))
W = RNG.normal(size=D + 1)
PIECES = RNG.normal(size=(K, D + 1))

# ---- the bias feature ----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 5), (1, 4), (0, 2), (3, 0), (3,), (0,)], ids=str)
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", np.longdouble])
def test_add_bias_puts_a_row_of_ones_on_top(shape, dtype):
    X = RNG.normal(size=shape).astype(dtype)
    result = add_bias(X)
    assert (result.shape, result.dtype) == ((shape[0] + 1, *shape[1:]), X.dtype)
    np.testing.assert_array_equal(result[0], np.ones(shape[1:]))
    np.testing.assert_array_equal(result[1:], X)


def test_add_bias_takes_lists_and_integers():
    result = add_bias([[1, 2], [3, 4]])
    np.testing.assert_array_equal(result, [[1, 1], [1, 2], [3, 4]])
    assert result.dtype == np.float64


@pytest.mark.parametrize("shape", [(), (2, 3, 4)])
def test_add_bias_refuses_what_is_no_sample_and_no_batch(shape):
    with pytest.raises(ValueError, match=r"^add_bias: X must have the shape \(d, N\) or \(d,\), got \("):
        add_bias(np.ones(shape))


@pytest.mark.parametrize("call", [add_bias, Neuron(W, logistic), Neuron(W, logistic).activation])
def test_what_is_no_real_number_is_refused(call):
    with pytest.raises(TypeError, match="X must hold real numbers, got dtype <U1"):
        call(["a", "b", "c", "d"])


# ---- one sample, a batch, a maxout ---------------------------------------------------------------


@pytest.mark.parametrize("response", [identity, logistic, tanh, relu, np.sin], ids=str)
def test_a_neuron_is_a_weighted_sum_and_a_response(response):
    neuron = Neuron(W, response)
    for i in range(N):
        x = X[:, i]
        a = W[0] + sum(W[j + 1] * x[j] for j in range(D))
        assert neuron.activation(add_bias(x)) == pytest.approx(a, abs=1e-14)
        assert neuron(add_bias(x)) == pytest.approx(response(a), abs=1e-14)


def test_a_maxout_neuron_takes_the_largest_of_its_activations():
    neuron = Neuron(PIECES, maxout)
    for i in range(N):
        x = add_bias(X[:, i])
        pieces = [sum(w[j] * x[j] for j in range(D + 1)) for w in PIECES]
        np.testing.assert_allclose(neuron.activation(x), pieces, atol=1e-14)
        assert neuron(x) == pytest.approx(max(pieces), abs=1e-14)


@pytest.mark.parametrize("w, response", [(W, logistic), (W, relu), (PIECES, maxout)], ids=["σ", "relu", "max"])
def test_a_batch_is_its_samples_side_by_side(w, response):
    neuron, batch = Neuron(w, response), add_bias(X)
    assert neuron.activation(batch).shape == (*w.shape[:-1], N)
    assert neuron(batch).shape == (N,)
    columns = [neuron.activation(batch[:, i]) for i in range(N)]
    np.testing.assert_allclose(neuron.activation(batch), np.stack(columns, axis=-1), atol=1e-14)
    np.testing.assert_allclose(neuron(batch), [neuron(batch[:, i]) for i in range(N)], atol=1e-14)


def test_one_weight_more_is_an_offset():
    offset = Neuron([2.5, 0, 0, 0], identity)
    np.testing.assert_array_equal(offset(add_bias(X)), np.full(N, 2.5))
    without = Neuron(W[1:], identity)
    np.testing.assert_allclose(Neuron(W, identity)(add_bias(X)), W[0] + without(X), atol=1e-14)


def test_relu_is_a_maxout_neuron_with_one_piece_zero():
    zero = np.zeros(D + 1)
    np.testing.assert_allclose(Neuron([zero, W], maxout)(add_bias(X)), Neuron(W, relu)(add_bias(X)), atol=1e-14)


def test_float32_stays_float32():
    neuron = Neuron(W.astype("f4"), logistic)
    assert neuron(add_bias(X.astype("f4"))).dtype == np.float32


# ---- shapes that do not fit ----------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(D,), (D, N), (D + 2, N), (N, D + 1), (), (D + 1, N, 2)], ids=str)
@pytest.mark.parametrize("w, response", [(W, tanh), (PIECES, maxout)], ids=["tanh", "maxout"])
def test_an_input_that_does_not_fit_is_refused_with_both_shapes(w, response, shape):
    neuron = Neuron(w, response)
    for call in (neuron, neuron.activation):
        with pytest.raises(ValueError) as error:
            call(np.ones(shape))
        message = str(error.value)
        assert message.startswith("Neuron: X must have as many rows as w has weights")
        assert f"got X {shape} for w {w.shape}" in message
        assert ("add_bias" in message) == (shape in [(D,), (D, N)])  # the forgotten x₀ is guessed


@pytest.mark.parametrize(
    "w, response, got",
    [
        (W, maxout, r"\(4,\) for maxout"),
        (PIECES, logistic, r"\(4, 4\) for logistic"),
        (PIECES, np.sin, r"\(4, 4\) for <ufunc 'sin'>"),
        (1.0, tanh, r"\(\) for tanh"),
        (np.ones((2, 3, 4)), maxout, r"\(2, 3, 4\) for maxout"),
    ],
    ids=str,
)
def test_weights_that_do_not_fit_the_response_are_refused(w, response, got):
    with pytest.raises(ValueError, match=rf"^Neuron: w must have the shape \(d\+1,\), .*; got {got}$"):
        Neuron(w, response)


def test_weights_that_are_no_real_numbers_are_refused():
    with pytest.raises(TypeError, match="^Neuron: w must hold real numbers, got dtype <U1$"):
        Neuron(["a"], tanh)


# ---- in a graph ----------------------------------------------------------------------------------


@pytest.mark.parametrize("w, response", [(W, logistic), (PIECES, maxout)], ids=["logistic", "maxout"])
def test_weights_and_inputs_can_be_recorded(w, response):
    by_weights = trace(lambda w: Neuron(w, response)(add_bias(X)), np.ones_like(w))
    assert [node.operation for node in by_weights.nodes] == ["parameter", "matmul", response.name]
    np.testing.assert_array_equal(by_weights(w), Neuron(w, response)(add_bias(X)))
    by_inputs = trace(lambda X: Neuron(w, response)(add_bias(X)), np.ones_like(X))
    np.testing.assert_array_equal(by_inputs(X), Neuron(w, response)(add_bias(X)))
