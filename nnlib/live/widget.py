"""A live figure in Jupyter: ipywidgets that are linked, in the browser, to a picture drawn by web/figure.mjs."""

from pathlib import Path

import anywidget
import traitlets
from ipywidgets import HBox, Layout, VBox, jslink

WEB = Path(__file__).parent / "web"


class Picture(anywidget.AnyWidget):
    """The still and the program; each control is one more synchronised trait, added for the figure."""

    _esm = WEB / "figure.mjs"
    _css = WEB / "live.css"
    alt = traitlets.Unicode().tag(sync=True)
    svgs = traitlets.List().tag(sync=True)
    program = traitlets.Dict().tag(sync=True)


def show(alt, svgs, program, controls):
    """The picture above its controls. Moving one needs no kernel; its value is still known to Python."""
    traits = {f"control_{name}": traitlets.Any(control.start).tag(sync=True) for name, control in controls.items()}
    picture = Picture(alt=alt, svgs=svgs, program=program)
    picture.add_traits(**traits)
    for name, control in controls.items():
        jslink((control.widget, control.linked_trait), (picture, f"control_{name}"))
    row = HBox([control.widget for control in controls.values()], layout=Layout(flex_flow="row wrap"))
    return VBox([picture, row])
