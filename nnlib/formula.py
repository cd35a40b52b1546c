"""A formula is a named function that a computational graph records as one node.

Every activation and every loss of the course is a `Formula`. With numbers it computes; with a recorded value
it becomes one node of the graph, whose local derivative is the formula's own: to differentiate the inside of
a formula that was rearranged for accuracy gives wrong slopes.
"""

import numpy as np


class Formula:
    """A named function of arrays; a subclass writes the function itself as `formula`.

    `name` is what messages and menus call it, `symbol` stands for it in pictures (plain Unicode: "σ"),
    `latex` is its definition as a textbook prints it, `source` says where it comes from.
    """

    name = symbol = latex = source = ""

    def __call__(self, *arguments):
        for argument in arguments:
            if hasattr(argument, "record"):  # a recorded value makes one node of the whole formula
                return argument.record(self, arguments)
        return self.formula(*arguments)

    def formula(self, *arguments):
        raise NotImplementedError(f"{type(self).__name__}: a Formula must define the method `formula`")

    def __repr__(self):
        return self.name


def as_real(value, owner, argument):
    """`value` as real floating-point numbers, its precision kept; integers and truth values become float64.

    What has a NumPy dtype stays what it is (arrays of CuPy or Dask, recorded values); numbers and lists
    become arrays. Errors name the `owner`, a formula, and its `argument`: "logistic: a must hold …".

    Raises TypeError for text, complex numbers and objects, ValueError for a list that is no array.
    """
    try:
        kind = value.dtype.kind
    except AttributeError:
        return as_real(_array(value, owner, argument), owner, argument)
    if kind == "f" or hasattr(value, "record"):
        return value
    if kind in "iub":
        return value.astype(np.float64)
    raise TypeError(f"{owner}: {argument} must hold real numbers, got dtype {value.dtype}")


def _array(value, owner, argument):
    try:
        return np.asarray(value)
    except ValueError as error:  # NumPy's own words do not name the argument
        kind = type(value).__name__
        raise ValueError(f"{owner}: {argument} must be an array, got a {kind} of unequal rows") from error
