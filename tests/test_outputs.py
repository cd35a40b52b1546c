"""What a cell prints stands on the page as it was printed, in however many pieces it came."""

import pytest
from course_site import outputs
from myst_nb.core import render
from nbformat.v4 import new_output


@pytest.fixture
def page(monkeypatch):
    """The texts that MyST-NB puts on a page for the streams of a cell."""
    monkeypatch.setattr(render, "coalesce_streams", render.coalesce_streams)  # and back, after the test
    outputs.join_outputs()
    return lambda *pieces: [output.text for output in render.coalesce_streams(list(pieces))]


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def test_a_line_that_came_in_pieces_is_one_line(page):
    assert page(stream("m = 0.5: parts"), stream(" 1.0"), stream("\nand\n")) == ["m = 0.5: parts 1.0\nand\n"]


def test_what_goes_to_the_other_stream_stays_apart(page):
    assert page(stream("out"), stream("warning", "stderr")) == ["out\n", "warning\n"]


def test_the_pieces_themselves_stay_as_they_were(page):
    first = stream("a")
    page(first, stream("b"))
    assert first.text == "a"
