"""How far a result is from the truth, in the last digits."""

import numpy as np
import pytest


def errors_in_ulps(result, truth):
    """Distances in units in the last place of the float64 nearest to the truth (a long double)."""
    return np.abs(result - truth) / np.spacing(np.abs(truth).astype(float))


needs_long_double = pytest.mark.skipif(
    np.finfo(np.longdouble).nmant < 60,
    reason="NOT TESTED: a million points, as this platform has no long double; mpmath tests thousands",
)
