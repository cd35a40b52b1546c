"""What a cell prints: one text, in however many pieces it came.

A kernel sends what is printed piece by piece, cut by the clock. MyST-NB joins the pieces, but ends each with a new
line.
"""

import nbformat
from myst_nb.core import render, utils


def join_outputs():
    """Let MyST-NB join only what is whole already."""
    render.coalesce_streams = lambda outputs: utils.coalesce_streams(whole(outputs))


def whole(outputs):
    """The outputs of a cell, with neighbouring pieces of one stream put together."""
    joined = []
    for output in map(nbformat.from_dict, outputs):
        if joined and output.output_type == "stream" and output.get("name") == joined[-1].get("name"):
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined
