"""A formula is a named function that a computational graph records as one node.

Every activation and every loss of the course is a `Formula`. With numbers it computes; with a recorded value
it becomes one node of the graph, whose local derivative is the formula's own: to differentiate the inside of
a formula that was rearranged for accuracy gives wrong slopes.
"""


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
