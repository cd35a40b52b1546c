"""A loss is a sum over samples: piece by piece, in other processes, with one of them killed, it is the same number.

The pieces are those of a Dask array, the processes the workers of a local cluster, and every call of nnlib is the
one that a NumPy array gets.
"""

import functools
import os
import signal
import time

import dask
import dask.array as da
import numpy as np
import pytest
from dask.distributed import Client, LocalCluster

from nnlib.losses import hinge_loss, logistic_loss, softmax_loss, squared_loss

D, K = 5, 3  # features with the one of the bias, classes
MEMORY = 300 * 2**20  # bytes, of one worker
RNG = np.random.default_rng(3)
W = RNG.normal(size=(K, D))


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, memory_limit=MEMORY, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        yield client


def piece(k, samples):
    """The k-th piece of a data set, (D + 1, samples): x₀ = 1, other features, and the label 0, 1 or 2."""
    rng = np.random.default_rng(k)
    data = rng.normal(size=(D + 1, samples))
    data[0], data[-1] = 1.0, rng.integers(0, K, samples)
    return data


def data_set(pieces, samples, make=piece):
    """The pieces side by side as a Dask array; none is made before it is needed."""
    return da.map_blocks(
        lambda block_id: make(block_id[1], samples), chunks=((D + 1,), (samples,) * pieces), dtype=float
    )


def losses_and_gradients(data):
    """Sums over all samples, for an array of NumPy or of Dask: each loss with the row of its weights' derivatives."""
    X, y = data[:-1], data[-1]
    a, A, yes = W[0] @ X, W @ X, np.minimum(y, 1.0)
    scores = {
        softmax_loss: (A, y),
        logistic_loss: (a, yes),
        hinge_loss: (a, 2.0 * yes - 1.0),
        squared_loss: (a, y),
    }
    return [
        result
        for loss, arguments in scores.items()
        for result in (np.sum(loss(*arguments)), loss.gradient(*arguments) @ X.T)
    ]


def assert_equal(results, wanted):
    for result, right in zip(results, wanted, strict=True):
        assert np.max(np.abs(result - right)) <= 1e-12 * np.max(np.abs(right))


def test_the_workers_are_processes_of_their_own(client):
    assert len({os.getpid(), *client.run(os.getpid).values()}) == 3


@pytest.mark.parametrize("size", [1, 7, 100], ids="pieces of {}".format)
def test_pieces_on_workers_equal_one_array_in_memory(client, size):
    whole = piece(0, samples=size * 12 + size // 2)  # the last piece is shorter
    lazy = losses_and_gradients(da.from_array(whole, chunks=(-1, size)))
    assert all(isinstance(result, da.Array) for result in lazy)
    assert_equal(dask.compute(*lazy), losses_and_gradients(whole))


def test_a_data_set_larger_than_the_memory_of_the_workers(client):
    pieces, samples = 60, 250_000
    data = data_set(pieces, samples)
    assert data.nbytes > 2 * MEMORY
    one_by_one = (losses_and_gradients(piece(k, samples)) for k in range(pieces))  # minibatches, in NumPy
    total = functools.reduce(lambda sums, new: [a + b for a, b in zip(sums, new, strict=True)], one_by_one)
    assert_equal(dask.compute(*losses_and_gradients(data)), total)


@pytest.mark.slow
def test_a_worker_killed_midway_changes_nothing(client, tmp_path):
    pieces, samples = 30, 1_000

    def slowly(k, samples):
        time.sleep(0.15)
        (tmp_path / f"{k}").touch()
        return piece(k, samples)

    running = client.compute(losses_and_gradients(data_set(pieces, samples, slowly)))
    workers = client.run(os.getpid)
    while len(list(tmp_path.iterdir())) < 8:
        time.sleep(0.01)
    assert not any(future.done() for future in running)
    os.kill(next(iter(workers.values())), signal.SIGKILL)
    results = client.gather(running, errors="raise")
    assert len(list(tmp_path.iterdir())) == pieces
    assert set(client.run(os.getpid).values()) != set(workers.values())
    assert_equal(results, losses_and_gradients(np.hstack([piece(k, samples) for k in range(pieces)])))
