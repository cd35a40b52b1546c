"""Layers of neurons, and the multilayer perceptron that they make one after the other.

    >>> rng = np.random.default_rng(0)
    >>> mlp = MLP.random((64, 32, 10), relu, rng)          # 64 inputs, 32 hidden neurons, 10 classes
    >>> training = train(mlp, X, y, rng=rng, epochs=30)    # X: (64, N), a sample is a column; y: (N,) classes
    >>> np.mean(training.mlp.predict(X) == y)

Nothing is changed in place: training makes new networks, and the old one is still there. The gradient comes in two
ways. `MLP.value_and_gradient` is the backward pass, written by hand; and as `MLP.loss` is plain NumPy, the chain rule
takes it apart: `value_and_gradient(lambda *p: mlp.with_parameters(p).loss(X, y))(*mlp.parameters)`.
"""

import math
import os
import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np

from nnlib import activations
from nnlib.activations import Activation, Logistic, Maxout, ReLU, identity
from nnlib.arguments import as_numbers, as_real, as_whole_number, check_numbers, check_rng
from nnlib.losses import softmax_loss
from nnlib.training import check_gradient
from nnlib.training import train as train

# What a file may name as the response of a layer.
RESPONSES = {f.name: f for f in vars(activations).values() if isinstance(f, Activation)}


class Layer:
    """k neurons side by side: H = f(A), A = W X + b, for every column of X, with the bias b apart from the weights W.

    W: (k, d), b: (k, 1); X: (d, N) → (k, N). A maxout has K pieces a neuron: W (K, k, d), b (K, k, 1).

    Raises ValueError where the shapes do not fit, TypeError where the numbers are not real.

    Source: notes, sections 2 and 5.
    """

    def __init__(self, W, b, response):
        self.W, self.b, self.response = as_real(W, "Layer", "W"), as_real(b, "Layer", "b"), response
        expected = "(K, k, d)" if isinstance(response, Maxout) else "(k, d)"
        if self.W.ndim != expected.count(",") + 1 or 0 in self.W.shape:
            raise ValueError(f"Layer: W must have the shape {expected} for {_name(response)}, got {self.W.shape}")
        expected = (*self.W.shape[:-1], 1)
        if self.b.shape != expected:
            raise ValueError(f"Layer: b must have the shape {expected} for W {self.W.shape}, got {self.b.shape}")

    @classmethod
    def random(cls, d, k, response, rng, pieces=2, dtype=np.float64):
        """A layer of k neurons with d inputs to begin with: weights as large as suits the response, and b = 0.

        So large that values neither grow nor vanish from layer to layer. relu loses half of the mean square, so weights
        are normal with the variance 2/d [he2015]; of a maxout the mean square is M, that of the largest of K standard
        normal numbers, and the variance 1/(M d) [tseran2023]. Else they are uniform between ±√(6/(d + k)), for the sake
        of the way there and the way back [glorot2010]; four times that for logistic, whose slope at 0 is ¼.

        Raises ValueError for sizes below 1, TypeError for sizes that are no whole numbers or an rng that is none.

        Source: he2015, glorot2010, tseran2023.
        """
        d, k, pieces = (
            as_whole_number(n, "Layer.random", name) for n, name in ((d, "d"), (k, "k"), (pieces, "pieces"))
        )
        check_rng(rng, "Layer.random")
        shape = (pieces, k, d) if isinstance(response, Maxout) else (k, d)
        if isinstance(response, ReLU | Maxout):
            mean_square = 0.5 if isinstance(response, ReLU) else mean_square_of_largest(pieces)
            W = rng.normal(0.0, math.sqrt(1.0 / (mean_square * d)), shape)
        else:
            bound = math.sqrt(6.0 / (d + k)) / (0.25 if isinstance(response, Logistic) else 1.0)
            W = rng.uniform(-bound, bound, shape)
        return cls(W.astype(dtype), np.zeros((*shape[:-1], 1), dtype), response)

    @property
    def sizes(self):
        """The numbers of inputs and of neurons: d, k."""
        return self.W.shape[-1], self.W.shape[-2]

    def activation(self, X):
        """A = W X + b: (k, N), or (K, k, N) for maxout."""
        X = as_real(X, "Layer", "X")
        if X.ndim != 2 or X.shape[0] != self.sizes[0]:
            hint = ": one sample is a column, X[:, None]" if X.shape == self.sizes[:1] else ""
            raise ValueError(
                f"Layer: X must have the shape ({self.sizes[0]}, N) for W {self.W.shape}, got {X.shape}{hint}"
            )
        return self.W @ X + self.b

    def __call__(self, X):
        return self.response(self.activation(X))

    def __repr__(self):
        return f"Layer({self.sizes[0]} → {self.sizes[1]}, {_name(self.response)})"


def mean_square_of_largest(K):
    """E[max{z₁, …, z_K}²] for independent standard normal z: the integral of z² K φ(z) Φ(z)ᴷ⁻¹. 1 for K = 1 and 2."""
    z = np.linspace(-12.0, 12.0, 2401)
    density = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    below = 0.5 * (1.0 + np.array([math.erf(number / math.sqrt(2.0)) for number in z]))
    return float(np.sum(z * z * K * density * below ** (K - 1)) * (z[1] - z[0]))


class MLP:
    """A multilayer perceptron: each layer gets what the one before gives, and what the last one gives are the scores.

    X: (d, N) → (K, N).

    Raises ValueError where a layer does not take what the one before gives, TypeError for what is no layer.

    Source: notes, section 5; rumelhart1986.
    """

    def __init__(self, layers):
        self.layers = tuple(layers)
        for layer in self.layers:
            if not isinstance(layer, Layer):
                raise TypeError(f"MLP: layers must hold objects of the class Layer, got {type(layer).__name__}")
        if not self.layers:
            raise ValueError("MLP: layers must hold at least one Layer, got none")
        for i, (before, layer) in enumerate(pairwise(self.layers), 1):
            if before.sizes[1] != layer.sizes[0]:
                raise ValueError(
                    f"MLP: layer {i} gives {before.sizes[1]} numbers, layer {i + 1} takes {layer.sizes[0]}"
                )

    @classmethod
    def random(cls, sizes, response, rng, pieces=2, dtype=np.float64):
        """A network to begin with, of layers drawn by `Layer.random`: hidden ones with the response, the last linear.

        sizes: those of the input, of each hidden layer, and the number of scores; pieces: of each neuron of a maxout.
        """
        sizes = tuple(sizes)
        if len(sizes) < 2:
            raise ValueError(f"MLP.random: sizes must hold those of the input and of the scores at least, got {sizes}")
        responses = [response] * (len(sizes) - 2) + [identity]
        return cls(
            Layer.random(d, k, f, rng, pieces, dtype) for (d, k), f in zip(pairwise(sizes), responses, strict=True)
        )

    def __call__(self, X):
        """The scores, one column for each column of X."""
        for layer in self.layers:
            X = layer(X)
        return X

    def predict(self, X):
        """The class of each sample, (N,): that with the largest score. Of one score, 1 if it is positive, else 0."""
        X = as_real(X, "MLP.predict", "X")
        check_numbers(X, "MLP.predict", "X")
        return classes_of(self(X))

    @property
    def sizes(self):
        """Those of the input, of each hidden layer, and the number of scores."""
        return self.layers[0].sizes[0], *(layer.sizes[1] for layer in self.layers)

    @property
    def parameters(self):
        """(W₁, b₁, W₂, b₂, …)."""
        return tuple([array for layer in self.layers for array in (layer.W, layer.b)])

    def with_parameters(self, parameters):
        """The same network with other parameters, in the order and in the shapes of `parameters`."""
        parameters = [as_real(array, "MLP.with_parameters", "each parameter") for array in parameters]
        got, shapes = ([array.shape for array in arrays] for arrays in (parameters, self.parameters))
        if got != shapes:
            raise ValueError(f"MLP.with_parameters: parameters must have the shapes {shapes}, got {got}")
        pairs = zip(parameters[::2], parameters[1::2], self.layers, strict=True)
        return MLP([Layer(W, b, layer.response) for W, b, layer in pairs])

    def loss(self, X, y, loss=softmax_loss):
        """L/N, the mean loss of N samples. y: (N,) classes, or labels or targets for a loss of one score; or (K, N)."""
        scores = self(X)
        return np.sum(loss(scores, targets(y, scores, loss))) / X.shape[1]

    def value_and_gradient(self, X, y, loss=softmax_loss):
        """`loss(X, y)` and its gradient, an array for each of `parameters`: the backward pass, written by hand.

        With δ = ∂L/∂A it is ∇_W L = δ Hᵀ and ∇_b L = δ 1 for a layer that gets H; the layer before has Wᵀδ ⊙ f′(A).

        Raises TypeError for a response without derivative or a loss without gradient. Source: notes, section 5.
        """
        self.check_derivatives("MLP.value_and_gradient")
        check_gradient(loss, "MLP.value_and_gradient")
        H, A = [X], []
        for layer in self.layers:
            A.append(layer.activation(H[-1]))
            H.append(layer.response(A[-1]))
        values, U = loss.value_and_gradient(H[-1], targets(y, H[-1], loss))
        U, gradients = U / X.shape[1], []  # ∂L/∂H, where H is what the last layer gives
        for i, layer in reversed(list(enumerate(self.layers))):
            delta = U * layer.response.derivative(A[i])
            gradients = [delta @ np.transpose(H[i]), np.sum(delta, axis=-1, keepdims=True), *gradients]
            if i > 0:
                U = np.transpose(_pieces_as_rows(layer.W)) @ _pieces_as_rows(delta)
        return np.sum(values) / X.shape[1], tuple(gradients)

    def check_derivatives(self, owner):
        """Refuse, by the name of the `owner`, a response that the backward pass by hand cannot go through."""
        for i, layer in enumerate(self.layers, 1):
            if not hasattr(layer.response, "derivative"):
                raise TypeError(f"{owner}: the response of layer {i}, {_name(layer.response)}, must have a derivative")

    def checked_targets(self, y, N, loss):
        """y as an array of N targets that the loss takes."""
        y = as_numbers(y, loss)
        if y.shape[-1:] != (N,):
            raise ValueError(f"{loss}: y must hold one number for each of {N} samples, got the shape {y.shape}")
        self.loss_of_zeros(y, loss)
        return y

    def loss_of_zeros(self, y, loss):
        """The mean loss of a network that gives 0 for everything: of a classifier that guesses."""
        scores = np.zeros((self.sizes[-1], y.shape[-1]))
        return float(np.sum(loss(scores, targets(y, scores, loss)))) / y.shape[-1]

    def save(self, path):
        """Write the network to a file (.npz), which is there whole or not at all: an interruption leaves the old one.

        Raises ValueError for a response that is not one of nnlib.activations: it could not be read again.
        """
        path = Path(path)
        for i, layer in enumerate(self.layers, 1):
            if type(RESPONSES.get(_name(layer.response))) is not type(layer.response):
                known = ", ".join(RESPONSES)
                got = _name(layer.response)
                raise ValueError(f"MLP.save: the response of layer {i} must be one of {known} of nnlib, got {got}")
        arrays = dict(zip(_names(len(self.layers)), self.parameters, strict=True))
        part = path.with_name(path.name + ".part")
        try:
            with open(part, "wb") as file:
                np.savez(file, responses=[layer.response.name for layer in self.layers], **arrays)
                file.flush()
                os.fsync(file.fileno())  # the old file goes only when the new one is on the disk
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    @classmethod
    def load(cls, path):
        """The network that was saved. Raises ValueError where the file is damaged or holds something else."""
        with open(path, "rb") as file:
            try:
                if not zipfile.is_zipfile(file):
                    raise ValueError("it is no .npz file, or not the whole of it")
                file.seek(0)
                return cls(_layers_of(np.load(file, allow_pickle=False)))
            except Exception as error:  # there is no end to the ways in which a damaged file can mislead its reader
                raise ValueError(f"MLP.load: {path} must be a file written by MLP.save; {error}") from error

    def __repr__(self):
        responses = ", ".join(_name(layer.response) for layer in self.layers)
        return f"MLP({'–'.join(map(str, self.sizes))}, {responses})"


# ---- scores and targets --------------------------------------------------------------------------


def classes_of(scores):
    """(K, N) → (N,)."""
    return np.argmax(scores, axis=0) if scores.shape[0] > 1 else np.where(scores[0] > 0.0, 1, 0)


def targets(y, scores, loss):
    """y as the loss takes it beside these scores: that of a network with one score is (1, N)."""
    y = as_numbers(y, loss)
    if loss is softmax_loss:
        if scores.shape[0] == 1:
            raise ValueError("softmax_loss: the network must give a score for each class, got one: use logistic_loss")
        return y
    return y[None] if y.ndim == 1 and scores.shape[0] == 1 else y


def _pieces_as_rows(array):
    """(K, k, n) → (K k, n): the pieces of a maxout, and there is no difference any more to so many neurons."""
    return np.reshape(array, (-1, array.shape[-1]))


# ---- files ---------------------------------------------------------------------------------------


def _names(layers):
    """The names of the arrays in a file: W1, b1, W2, b2, …"""
    return [f"{name}{i}" for i in range(1, layers + 1) for name in "Wb"]


def _layers_of(file):
    if "responses" not in file:
        raise ValueError(f"it holds no responses, but {', '.join(file.files) or 'nothing'}")
    responses = [str(name) for name in file["responses"]]
    for name in responses:
        if name not in RESPONSES:
            raise ValueError(f"it names the response {name!r}, and there are {', '.join(RESPONSES)}")
    names = _names(len(responses))
    if sorted(file.files) != sorted(["responses", *names]):
        raise ValueError(
            f"for {len(responses)} layers it should hold {', '.join(names)}; it has {', '.join(file.files)}"
        )
    arrays = [file[name] for name in names]
    return [Layer(W, b, RESPONSES[f]) for W, b, f in zip(arrays[::2], arrays[1::2], responses, strict=True)]


# ---- arguments -----------------------------------------------------------------------------------


def _name(response):
    return getattr(response, "name", None) or getattr(response, "__name__", None) or str(response)
