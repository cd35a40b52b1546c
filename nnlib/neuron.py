"""The artificial neuron: inputs, weights, activation, response.

    >>> neuron = Neuron([-1.0, 2.0, 0.5], logistic)
    >>> neuron(add_bias([[0.0, 1.0], [2.0, 2.0]]))
    array([0.5       , 0.88079708])

A sample is a column, a batch is a matrix of columns.
"""

import numpy as np

from nnlib.activations import Maxout
from nnlib.arguments import as_real


def add_bias(X):
    """Put the bias feature x₀ = 1 on top of every sample: then w₀ is an offset, a = w₀ + w₁x₁ + … + w_d x_d.

    X: (d, N) → (d+1, N), or one sample (d,) → (d+1,).

    Raises ValueError for other shapes, TypeError where the numbers are not real.

    Source: notes, section 2.
    """
    X = as_real(X, "add_bias", "X")
    if X.ndim not in (1, 2):
        raise ValueError(f"add_bias: X must have the shape (d, N) or (d,), got {X.shape}")
    ones = np.ones_like(X, shape=(1, *X.shape[1:]))
    return np.concatenate([ones, X])


class Neuron:
    """A neuron with weights w and response f: ŷ = f(a), where a = Σⱼ wⱼxⱼ = wᵀx, j = 0 … d.

    w: (d+1,), or (K, d+1) for maxout, which takes the largest of K activations. X: (d+1, N) or (d+1,), with
    x₀ = 1 in it (`add_bias`). Then ŷ is (N,), or a number.

    Raises ValueError where the shapes do not fit, TypeError where the numbers are not real.

    Source: notes, section 2.
    """

    def __init__(self, w, response):
        self.w = as_real(w, "Neuron", "w")
        self.response = response
        if self.w.ndim != (2 if isinstance(response, Maxout) else 1):
            raise ValueError(
                f"Neuron: w must have the shape (d+1,), or (K, d+1) for maxout; "
                f"got {self.w.shape} for {getattr(response, 'name', response)}"
            )

    def activation(self, X):
        """a = wᵀx for every column x of X: (N,), or (K, N) for maxout."""
        X = as_real(X, "Neuron", "X")
        if X.ndim not in (1, 2) or X.shape[0] != self.w.shape[-1]:
            forgotten = X.ndim > 0 and X.shape[0] + 1 == self.w.shape[-1]
            raise ValueError(
                f"Neuron: X must have as many rows as w has weights, got X {X.shape} for w {self.w.shape}"
                + (": put x₀ = 1 on top with add_bias(X)" if forgotten else "")
            )
        return self.w @ X

    def __call__(self, X):
        return self.response(self.activation(X))
