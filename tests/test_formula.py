"""A formula computes with numbers and becomes one node with recorded values."""

import numpy as np
import pytest

from nnlib.formula import Formula, as_real


class Difference(Formula):
    name, symbol, latex, source = "difference", "−", r"a - b", "these tests"

    def formula(self, a, b):
        return a - b


difference = Difference()


class Recorded:
    """Stands for a node of a graph: it notes what it is asked to record."""

    dtype = np.dtype(int)

    def record(self, function, arguments):
        return ("node", function, arguments)


def test_numbers_are_computed_with():
    assert difference(5.0, 3.0) == 2.0
    np.testing.assert_array_equal(difference(np.array([1.0, 2.0]), 3.0), [-2.0, -1.0])


def test_a_recorded_value_in_any_place_makes_one_node_of_the_whole_formula():
    x = Recorded()
    assert difference(x, 3.0) == ("node", difference, (x, 3.0))
    assert difference(3.0, x) == ("node", difference, (3.0, x))


def test_a_formula_prints_as_its_name():
    assert repr(difference) == "difference"
    assert f"{difference}" == "difference"


def test_a_subclass_that_forgot_its_formula_is_told_what_is_missing():
    class Forgotten(Formula):
        name = "forgotten"

    with pytest.raises(NotImplementedError, match="Forgotten.*`formula`"):
        Forgotten()(1.0)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", np.longdouble])
def test_real_numbers_keep_their_precision_and_are_not_copied(dtype):
    a = np.ones(3, dtype)
    assert as_real(a, difference, "a") is a


@pytest.mark.parametrize("value", [3, True, [1, 2], np.uint8([1, 2]), np.array([True]), np.int64(3), 3.0, [1.5]])
def test_integers_truth_values_and_lists_become_float64(value):
    result = as_real(value, difference, "a")
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result, np.array(value, float))


def test_a_recorded_value_passes_whatever_it_holds():
    x = Recorded()
    assert as_real(x, difference, "a") is x


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
    with pytest.raises(TypeError, match=f"^difference: b must hold real numbers, got dtype {got}$"):
        as_real(value, difference, "b")


def test_unequal_rows_are_refused_by_name():
    with pytest.raises(ValueError, match="^difference: b must be an array, got a list of unequal rows$"):
        as_real([[1, 2], [3]], difference, "b")
