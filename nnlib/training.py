"""Gradient descent: how a network is trained on batches of samples.

`train` draws the batches, asks for the gradient, and keeps the record; a rule says by how much a parameter changes when
its gradient is known. A network is never changed: each step makes a new one, so that whatever stops the training, the
network of the last step is whole.
"""

import functools
import math
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from nnlib.arguments import as_real, as_whole_number, check_finite, check_rng
from nnlib.chain_rule import value_and_gradient
from nnlib.losses import softmax_loss, squared_loss

# ---- rules: from the gradient to the change ------------------------------------------------------


class GradientDescent:
    """Downhill by a step in proportion to the slope: Δw = −η g.

    Source: notes, section 5.
    """

    usual_step = 0.1

    def __init__(self, step):
        self.step = step

    def change(self, g):
        return -self.step * g


class Momentum:
    """The change goes on, and fades: Δw ← μ Δw − η g.

    Source: rumelhart1986.
    """

    usual_step = 0.01

    def __init__(self, step, momentum=0.9):
        self.step, self.momentum = step, momentum
        self.last = 0.0

    def change(self, g):
        self.last = self.momentum * self.last - self.step * g
        return self.last


class Adam:
    """Each number has a step of its own, its mean slope over its root mean square slope: Δw = −η m̂ / (√v̂ + ε).

    m ← β₁ m + (1 − β₁) g and v ← β₂ v + (1 − β₂) g² are running means; they begin at 0, and after t steps have the
    weight 1 − βᵗ only: m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ).

    Source: kingma2015.
    """

    usual_step = 0.001

    def __init__(self, step, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.step, self.beta1, self.beta2, self.epsilon = step, beta1, beta2, epsilon
        self.m, self.v, self.t = 0.0, 0.0, 0

    def change(self, g):
        self.t += 1
        self.m = self.beta1 * self.m + (1.0 - self.beta1) * g
        self.v = self.beta2 * self.v + (1.0 - self.beta2) * g * g
        m, v = self.m / (1.0 - self.beta1**self.t), self.v / (1.0 - self.beta2**self.t)
        return -self.step * m / (np.sqrt(v) + self.epsilon)


RULES = {"gradient descent": GradientDescent, "momentum": Momentum, "adam": Adam}


# ---- two ways to the gradient --------------------------------------------------------------------


def by_hand(mlp, X, y, loss):
    return mlp.value_and_gradient(X, y, loss)


def by_graph(mlp, X, y, loss):
    return value_and_gradient(lambda *parameters: mlp.with_parameters(parameters).loss(X, y, loss))(*mlp.parameters)


BACKWARD = {"by hand": by_hand, "graph": by_graph}


# ---- training ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class History:
    """What was measured in each epoch that was finished, (epochs,); None where it was not asked for.

    loss: mean over the samples, each measured just before the step of its batch. networks: the one at the beginning,
    and the one after each epoch.
    """

    loss: np.ndarray
    validation_loss: np.ndarray | None = None
    validation_accuracy: np.ndarray | None = None
    networks: list | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Training:
    """What `train` gives: the network, after how many whole epochs it was that, the history, and why it stopped."""

    mlp: object
    epoch: int
    history: History = field(repr=False)
    stopped: str


class Diverged(ArithmeticError):
    """Learning got out of hand with the step number `step`, in `epoch`; `mlp` is the network before that step."""

    def __init__(self, mlp, epoch, step, size, words):
        super().__init__(
            f"train: diverged at step {step}, in epoch {epoch}: {words}; use a smaller step than {size:g}. "
            "The network before it is kept in this error, as .mlp"
        )
        self.mlp, self.epoch, self.step = mlp, epoch, step


# A loss so many times that of a network that gives 0 for everything, and that of the first batch, is a divergence.
FAR = 100.0


def train(
    mlp,
    X,
    y,
    *,
    rng,
    epochs,
    batch=32,
    step=None,
    method="adam",
    loss=softmax_loss,
    validation=None,
    patience=None,
    backward="by hand",
    progress=None,
    keep_networks=False,
):
    """Train a network by gradient descent on batches of samples: the new network and its history, as a `Training`.

    X: (d, N), y: (N,) classes, or labels or targets for a `loss` of one score. Each epoch takes every sample once,
    in an order drawn by rng: the same rng gives the same network, bit by bit. Everything is computed in the precision
    of the network's parameters.

    method is "gradient descent", "momentum" or "adam", or a function that makes a rule of a step, as
    `functools.partial(Momentum, momentum=0.8)` does; step is the learning rate η, by default the rule's usual one.
    validation is a pair (X, y) to be measured after each epoch; with `patience`, training stops after so many epochs
    without a new least validation loss, and gives the network that had it. backward is "by hand" or "graph".
    With keep_networks the history has the network after each epoch. A progress bar shows with progress=True, with False
    it does not; by default it shows on a terminal, and not where the output is kept, as in a notebook.

    Ctrl-C ends the training and gives what was learnt so far. Raises `Diverged` where the loss or a parameter is not
    finite any more, or the loss is a hundred times that of the network at the beginning and that of one that gives 0
    for everything; before any work, ValueError or TypeError for data or settings that do not fit.

    Source: notes, section 5; prechelt1998 (early stopping).
    """
    epochs, batch = as_whole_number(epochs, "train", "epochs"), as_whole_number(batch, "train", "batch")
    check_rng(rng, "train")
    X, y = checked_samples(mlp, X, y, loss, "train")
    if validation is not None:
        if not isinstance(validation, tuple | list) or len(validation) != 2:
            raise TypeError(f"train: validation must be a pair (X, y), got {_kind(validation)}")
        validation = checked_samples(mlp, *validation, loss, "train: validation")
    if patience is not None:
        patience = as_whole_number(patience, "train", "patience")
        if validation is None:
            raise ValueError("train: patience must come with validation=(X, y), got none")
    slope = _choice(backward, BACKWARD, "backward")
    check_gradient(loss, "train")
    if backward == "by hand":  # the graph may have a rule for what brings no derivative along
        mlp.check_derivatives("train")
    rule, step = _rule_and_step(method, step)
    descent = _Descent(mlp, slope, loss, rule, step, FAR * mlp.loss_of_zeros(y, loss))

    samples = np.ascontiguousarray(np.transpose(X))  # a batch is then a few whole rows
    N, networks, rows, stopped = len(samples), [mlp], [], f"all {epochs} epochs are done"
    best, best_loss, best_epoch, epoch = mlp, math.inf, 0, 1
    with (
        _progress_bar(epochs * math.ceil(N / batch), progress) as advance,
        np.errstate(over="ignore", invalid="ignore"),
    ):
        try:
            for epoch in range(1, epochs + 1):
                order, total = rng.permutation(N), 0.0
                for start in range(0, N, batch):
                    chosen = order[start : start + batch]
                    last = np.take(samples, chosen, axis=0).T, y[..., chosen]
                    value = descent.step(*last, epoch)
                    total += value * len(chosen)
                    advance(value)
                rows.append((total / N, *descent.measured(validation)))
                if keep_networks:
                    networks.append(descent.mlp)
                if patience and rows[-1][1] < best_loss:
                    best, best_loss, best_epoch = descent.mlp, rows[-1][1], epoch
                elif patience and epoch - best_epoch >= patience:
                    stopped = f"no smaller validation loss for {patience} epochs, the least after epoch {best_epoch}"
                    break
            else:
                descent.look_at(descent.mlp.loss, *last)  # no further batch shows what the last step did
        except KeyboardInterrupt:
            stopped = f"interrupted in epoch {epoch}, after {descent.steps} steps"
            print(f"train: {stopped}; what was learnt until then is kept", file=sys.stderr)
    columns = [np.array(column) for column in zip(*rows, strict=True)] or [np.empty(0)] * (3 if validation else 1)
    history = History(*columns, **({"networks": networks} if keep_networks else {}))
    return Training(best if best_epoch else descent.mlp, best_epoch or len(rows), history, stopped)


class _Descent:
    """The steps of a training: the network that was reached, and the one before the last step."""

    def __init__(self, mlp, slope, loss, rule, size, limit):
        self.mlp = self.before = mlp
        self.rules = [rule(size) for _ in mlp.parameters]
        self.slope, self.loss, self.size, self.limit = slope, loss, size, limit
        self.steps, self.epoch = 0, 1

    def step(self, X, y, epoch):
        """One step downhill on a batch; its loss before that."""
        value, gradients = self.look_at(functools.partial(self.slope, self.mlp), X, y)
        parameters = [w + rule.change(g) for w, rule, g in zip(self.mlp.parameters, self.rules, gradients, strict=True)]
        self.steps, self.epoch = self.steps + 1, epoch
        if not all(np.isfinite(w).all() for w in parameters):
            raise self.diverged(self.mlp, "it makes parameters that are not finite")
        self.before, self.mlp = self.mlp, self.mlp.with_parameters(parameters)
        return float(value)

    def look_at(self, measure, X, y, limit=None):
        """What is measured with the data, the loss or a pair that begins with it, unless that is far too large."""
        try:
            result = measure(X, y, self.loss)
        except ValueError:  # a loss refuses scores that are NaN
            if np.isfinite(self.mlp(X)).all():
                raise
            result = math.nan
        value = result[0] if isinstance(result, tuple) else result
        if not self.steps:
            if not np.isfinite(value):
                raise ValueError(f"train: mlp must have a finite loss to begin with, got {value}")
            self.limit = max(self.limit, FAR * value)
        if not value <= (self.limit if limit is None else limit):
            raise self.diverged(self.before, f"then the loss is {value:.3g}")
        return result

    def measured(self, validation):
        """The loss and the accuracy on the validation data, if there are any."""
        if validation is None:
            return ()
        X, y = validation
        value = self.look_at(self.mlp.loss, X, y, limit=math.inf)  # new data may well be much harder
        if self.loss is squared_loss or y.ndim > 1:
            return float(value), math.nan
        truth = y if self.mlp.sizes[-1] > 1 else y > 0
        return float(value), float(np.mean(self.mlp.predict(X) == truth))

    def diverged(self, mlp, words):
        return Diverged(mlp, self.epoch, self.steps, self.size, words)


@contextmanager
def _progress_bar(steps, progress):
    """What to call after each step: it moves a bar, or does nothing."""
    if progress is None:
        progress = sys.stderr is not None and sys.stderr.isatty()
    if not progress:
        yield lambda value: None
        return
    from tqdm.auto import tqdm  # only where it shows: what computes needs NumPy alone

    with tqdm(total=steps, unit=" steps") as bar:

        def advance(value):
            if bar.update():  # when it is drawn
                bar.set_postfix(loss=f"{value:.4f}", refresh=False)

        yield advance


# ---- arguments -----------------------------------------------------------------------------------


def checked_samples(mlp, X, y, loss, owner):
    """X and y as training needs them: of the network's size and precision, finite, with targets that the loss takes."""
    X = as_real(X, owner, "X")
    if X.ndim != 2 or X.shape[0] != mlp.sizes[0] or X.shape[1] == 0:
        raise ValueError(f"{owner}: X must have the shape ({mlp.sizes[0]}, N), got {X.shape}")
    X = X.astype(np.result_type(*mlp.parameters), copy=False)
    if not np.isfinite(np.sum(X)):  # quicker than to look at each number
        check_finite(X, owner, "X")
    try:
        return X, mlp.checked_targets(y, X.shape[1], loss)
    except (TypeError, ValueError) as error:  # the words of the loss
        raise type(error)(f"{owner}: {error}") from error


def _rule_and_step(method, step):
    rule = method if callable(method) else _choice(method, RULES, "method")
    if step is None:
        step = getattr(getattr(rule, "func", rule), "usual_step", None)  # of a functools.partial, too
    if not isinstance(step, int | float | np.integer | np.floating) or not 0 < step < math.inf:
        raise ValueError(f"train: step must be a number above 0, got {step!r}")
    return rule, float(step)


def _choice(name, choices, argument):
    if not isinstance(name, str) or name not in choices:
        known = " or ".join(map(repr, choices))
        raise ValueError(f"train: {argument} must be {known}, got {name!r}")
    return choices[name]


def check_gradient(loss, owner):
    if not hasattr(loss, "value_and_gradient"):
        raise TypeError(f"{owner}: the loss must have a gradient, got {loss}")


def _kind(value):
    return f"{type(value).__name__} {value!r}" if isinstance(value, int | float | str) else type(value).__name__
