"""Arguments become real arrays, or are refused by name; what they hold is tested where it matters, in test_losses."""

import numpy as np
import pytest

from nnlib.arguments import as_real, is_known
from nnlib.graph import trace


class Recorded:
    """Stands for a node of a graph."""

    dtype = np.dtype(int)
    record = None


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", np.longdouble])
def test_real_numbers_keep_their_precision_and_are_not_copied(dtype):
    a = np.ones(3, dtype)
    assert as_real(a, "f", "a") is a


@pytest.mark.parametrize("value", [3, True, [1, 2], np.uint8([1, 2]), np.array([True]), np.int64(3), 3.0, [1.5]])
def test_integers_truth_values_and_lists_become_float64(value):
    result = as_real(value, "f", "a")
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result, np.array(value, float))


def test_a_recorded_value_passes_whatever_it_holds():
    x = Recorded()
    assert as_real(x, "f", "a") is x


@pytest.mark.parametrize(
    "value, got",
    [
        ("word", "<U4"),
        (["1", "2"], "<U1"),
        (1j, "complex128"),
        (np.ones(2, "c8"), "complex64"),
        (None, "object"),
        ([1.0, None], "object"),
        ({"a": 1}, "object"),
        (np.array(["2020-01-01"], "M8[D]"), r"datetime64\[D\]"),
    ],
)
def test_what_is_no_real_number_is_refused_by_name(value, got):
    with pytest.raises(TypeError, match=f"^f: b must hold real numbers, got dtype {got}$"):
        as_real(value, "f", "b")


def test_unequal_rows_are_refused_by_name():
    with pytest.raises(ValueError, match="^f: b must be an array, got a list of unequal rows$"):
        as_real([[1, 2], [3]], "f", "b")


def test_only_values_of_numpy_are_known():
    assert is_known(np.ones(2)) and is_known(np.float32(1))
    trace(lambda a: a if not is_known(a) else 1 / 0, 1.0)
