"""Compare the speed of two calls: interleaved pairs, medians, and the spread beside every ratio.

Two calls are timed in turn, in pairs, so that what disturbs the machine disturbs both. The ratio is that of
the medians; the spread is the smallest and the largest ratio within a pair: a wide one says to measure again.
"""

import importlib
import os
import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass

PAIRS = 9
SECONDS = 0.02  # the least duration of one timing, made long enough by repetition


@dataclass(frozen=True)
class Comparison:
    """Seconds for one call of ours and of the peer's, and the ratio of the two with its spread."""

    ours: float
    theirs: float
    ratio: float
    low: float
    high: float

    def cells(self, goal=None):
        """The texts of a row: both durations, the ratio, its spread, and whether a goal is reached."""
        return [
            duration(self.ours),
            duration(self.theirs),
            f"{self.ratio:.2f}" if self.ratio >= 0.1 else f"{self.ratio:.2g}",
            f"{self.low:.2f}–{self.high:.2f}",
            "" if goal is None else f"≤ {goal} {'reached' if self.ratio <= goal else 'MISSED'}",
        ]


@contextmanager
def one_core():
    """Keep what runs, and the libraries that are loaded meanwhile, to one core, where the system can do that.

    Not every library has a setting for the number of its threads: JAX has none.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def compare(ours, theirs, pairs=PAIRS):
    """Time two functions without arguments in interleaved pairs."""
    calls = {ours: repetitions(ours), theirs: repetitions(theirs)}
    times = []
    for i in range(pairs):
        order = (ours, theirs) if i % 2 else (theirs, ours)
        seconds = {call: timed(call, calls[call]) for call in order}
        times.append((seconds[ours], seconds[theirs]))
    our_time, their_time = (statistics.median(column) for column in zip(*times, strict=True))
    ratios = [a / b for a, b in times]
    return Comparison(our_time, their_time, our_time / their_time, min(ratios), max(ratios))


def timed(call, times):
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times


def repetitions(call):
    """How often to call, so that one timing lasts SECONDS; finding out also warms up."""
    times = 1
    while (seconds := timed(call, times) * times) < SECONDS / 4:
        times *= 4
    return max(1, round(times * SECONDS / seconds))


def peer(name, report):
    """The module of this name; None where it is not installed, which the report then says."""
    try:
        return importlib.import_module(name)
    except ImportError:
        report.leave_out(f"{name} is not installed; to install the peers: pip install -e '.[bench]'")
        return None


def load_peers(names, report):
    """The modules of these names, None where one is not installed; on one thread, and JAX in double precision."""
    found = {name: peer(name, report) for name in names}
    if found.get("torch"):
        found["torch"].set_num_threads(1)
    if found.get("jax"):
        found["jax"].config.update("jax_enable_x64", True)
    return found


def duration(seconds):
    """A duration in microseconds or milliseconds."""
    return f"{seconds * 1e6:.2f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"
