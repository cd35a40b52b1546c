"""A formula computes with numbers and becomes one node with recorded values."""

import numpy as np
import pytest

from nnlib.formula import Formula


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
