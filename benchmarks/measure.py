"""Compare the speed of two calls: interleaved pairs, medians, and the spread beside every ratio.

Two calls are timed in turn, in pairs, so that what disturbs the machine disturbs both. The ratio is that of
the medians; the spread is the smallest and the largest ratio within a pair: a wide one says to measure again.
"""

import importlib
import statistics
import time
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


def peer(name, missing):
    """The module of this name; None where it is not installed, and then `missing` says so at the end."""
    try:
        return importlib.import_module(name)
    except ImportError:
        missing.append(name)
        return None


def report_missing(missing):
    """Say loudly which peers were not compared; True where none was missing."""
    for name in missing:
        print(f"NOT COMPARED: {name} is not installed. To install the peers: pip install -e '.[bench]'")
    return not missing


def print_table(title, header, rows):
    """A table of texts: the first column to the left, the others to the right."""
    print(f"\n{title}\n")
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    for row in [header, ["-" * width for width in widths], *rows]:
        first, *others = (
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([first, *others]).rstrip())
    print()


def duration(seconds):
    """A duration in microseconds or milliseconds."""
    return f"{seconds * 1e6:.2f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"
