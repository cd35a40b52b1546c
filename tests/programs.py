"""Random programs: which functions follow each other, and which of the values already there they take."""

from hypothesis import strategies as st


def steps(unary, binary, most):
    """One to so many steps: a function, and for each of its arguments a number that says where to take it from."""
    place = st.integers(0, 30)
    step = st.tuples(st.sampled_from(unary), place) | st.tuples(st.sampled_from(binary), place, place)
    return st.lists(step, min_size=1, max_size=most)
