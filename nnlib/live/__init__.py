"""Live figures: write a picture once, in NumPy and matplotlib; readers move its sliders, with a kernel or without.

    @live(alt="The response of one neuron to its input x, for weight w and bias b.",
          w=slider(-4, 4, 1.0), b=slider(-4, 4, 0.0), f=choice(logistic, tanh, relu))
    def response(ax, w, b, f):
        x = np.linspace(-6, 6, 241)
        ax.plot(x, f(w * x + b))
        ax.set_title(f"slope at 0: {f.derivative(b) * w:.2f}")

    response                                    # display it
    response.controls["w"].value = 2.0          # move it from Python

The body runs once for every combination of choices, with recorded numbers for the sliders (nnlib.graph). What it
computes becomes a program (export.py) that web/figure.mjs replays in the browser, on a static page as in Jupyter. What
it draws becomes a still picture (still.py), which is what shows where nothing can move.
"""

import copy
import inspect
import itertools
import random
from functools import cached_property
from inspect import Parameter

from nnlib.graph import Graph, trace
from nnlib.live import export, page, still, widget
from nnlib.live.artists import Canvas
from nnlib.live.controls import Control, Slider, checkbox, choice, slider

# Inches: at these sizes the text of a picture is about as large as the page's, on a phone too (web/live.css).
SIZE_ALONE, SIZE_BESIDE = (4.4, 3.0), (3.5, 2.7)

__all__ = ["LiveFigure", "checkbox", "choice", "live", "slider"]


def live(*, alt=None, panels=1, size=None, **controls):
    """Make a function that draws into a live figure.

    `alt` says in words what the figure shows, for readers who do not see it; it is required. `panels` is the number of
    axes the body begins with, `size` the width and height of each in inches. Every other argument is a control and goes
    to the body's parameter of the same name. Raises TypeError or ValueError naming the line that has to change.
    """

    def decorate(body):
        return LiveFigure(body, alt, controls, panels, size)

    return decorate


class LiveFigure:
    """A figure with controls. Displayed, it is a widget in Jupyter and HTML on a static page."""

    def __init__(self, body, alt, controls, panels=1, size=None):
        self.name = body.__name__
        where = f"{self.name}, line {body.__code__.co_firstlineno} of {body.__code__.co_filename.rsplit('/', 1)[-1]}"
        if not isinstance(alt, str) or not alt.strip():
            raise TypeError(f'live: {where}: add alt="…", a sentence that says what the figure shows')
        _check_parameters(body, controls, panels, where)
        self.alt = " ".join(alt.split())
        self.controls = {name: copy.copy(control) for name, control in controls.items()}  # one may serve two figures
        for name, control in self.controls.items():
            control.attach(name)
        self._sliders = {name: c for name, c in self.controls.items() if isinstance(c, Slider)}
        self._choices = {name: c for name, c in self.controls.items() if not isinstance(c, Slider)}
        self.body, self.size = body, size or (SIZE_ALONE if panels == 1 else SIZE_BESIDE)
        figures = still.new_panels(panels, self.size)
        self._canvas = Canvas(f"live-{self.name.replace('_', '-')}", figures)
        with still.style():
            self._graphs = self._record(body)
        self._fix_limits()
        still.settle(figures)
        self._draw_arrows()
        self._set_aside()
        self.program = self._describe()
        self.svgs = [self._hide_absent(still.svg(figure, self._canvas.name, i)) for i, figure in enumerate(figures)]

    # -- recording --------------------------------------------------------------------------------------------------

    def _record(self, body):
        """Trace the body once for every combination of choices, the one shown at first before the others."""
        shown = tuple(control.start for control in self._choices.values())
        graphs = {shown: self._trace(body, shown)}
        for combination in itertools.product(*(control.positions() for control in self._choices.values())):
            if combination != shown:
                graphs[combination] = self._trace(body, combination)
        return graphs

    def _trace(self, body, combination):
        chosen = {
            name: control.options[position]
            for (name, control), position in zip(self._choices.items(), combination, strict=True)
        }

        def run(*numbers):
            recording = numbers[0].recording if numbers else None
            return self._canvas.run(body, recording, {**chosen, **dict(zip(self._sliders, numbers, strict=True))})

        if not self._sliders:
            return Graph((), run(), ())
        run.__signature__ = inspect.Signature([Parameter(name, Parameter.POSITIONAL_ONLY) for name in self._sliders])
        return trace(run, *(float(control.start) for control in self._sliders.values()), keep_places=True)

    def data(self, **settings):
        """What every artist shows with the controls at `settings`: {id: {"x": array, …}}; choices by position."""
        for name in settings:
            if name not in self.controls:
                raise TypeError(f"{self.name}: no control {name}, only {', '.join(self.controls) or 'none'}")
        settings = {name: control.start for name, control in self.controls.items()} | settings
        graph = self._graphs[tuple(int(settings[name]) for name in self._choices)]
        return graph(*(float(settings[name]) for name in self._sliders))

    # -- the still --------------------------------------------------------------------------------------------------

    def _fix_limits(self):
        """Let the axis limits hold for all positions of the controls, where the body did not set them."""
        artists = {artist.id: artist for artist in self._canvas.artists.values()}
        for settings in self.some_settings():
            for identifier, channels in self.data(**settings).items():
                artists[identifier].stretch(self._canvas.axes, channels)
        for axes in self._canvas.axes:
            axes.autoscale_view()
            axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())

    def some_settings(self, count=24):
        """Positions of all controls: every choice, with each slider moved alone, all at their ends, and between."""
        pick = random.Random(0).choice
        sliders = self._sliders.values()
        places = [[control.start for control in sliders]]
        if sliders:
            places += itertools.islice(itertools.product(*((c.low, c.high) for c in sliders)), 64)
            places += ([pick(c.positions()) for c in sliders] for _ in range(count))
            for moved in sliders:
                positions = moved.positions()
                some = positions[:: len(positions) // 200 + 1]
                places += ([position if c is moved else c.start for c in sliders] for position in some)
        for combination, place in itertools.product(self._graphs, places):
            yield dict(zip([*self._choices, *self._sliders], [*combination, *place], strict=True))

    def _draw_arrows(self):
        """Shape the arrows as the first combination that has them shows them."""
        for artist in self._canvas.artists.values():
            if artist.kind == "arrows":
                combination = next(c for c, graph in self._graphs.items() if artist.id in graph.output)
                channels = self.data(**dict(zip(self._choices, combination, strict=True)))[artist.id]
                still.set_arrows(artist.drawn[0], **channels)

    def _set_aside(self):
        """Let the SVG hold also what begins where nothing can be drawn: hidden, until it is moved."""
        for artist in self._canvas.artists.values():
            channels = next(graph.output[artist.id] for graph in self._graphs.values() if artist.id in graph.output)
            if "x" in channels and artist.kind in ("line", "text") and (start := still.set_aside(artist.drawn[0])):
                artist.hidden = True
                artist.style["start"] = start

    def _hide_absent(self, svg):
        """Hide what the combination shown at first does not draw."""
        shown = next(iter(self._graphs.values())).output
        for artist in self._canvas.artists.values():
            if artist.hidden or artist.id not in shown:
                for part in artist.parts:
                    svg = svg.replace(f'id="{part}"', f'id="{part}" display="none"')
        return svg

    def _describe(self):
        """The whole figure as data for web/figure.mjs; its parts are explained there and in export.py."""
        combinations = itertools.product(*(control.positions() for control in self._choices.values()))
        nodes, artists, variants = export.program(
            self._canvas.artists.values(), [self._graphs[combination] for combination in combinations]
        )
        return {
            "controls": [control.description() for control in self.controls.values()],
            "panels": [still.scales(axes) for axes in self._canvas.axes],
            "nodes": nodes,
            "artists": artists,
            "variants": variants,
        }

    # -- display ----------------------------------------------------------------------------------------------------

    @property
    def html(self):
        """The figure for a static page: the still, the controls, the program."""
        return page.html(self._canvas.name, self.alt, self.svgs, self.program)

    @cached_property
    def widget(self):
        """The figure for Jupyter: ipywidgets, linked in the browser to a picture that replays the program."""
        return widget.show(self.alt, self.svgs, self.program, self.controls)

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {**self.widget._repr_mimebundle_(), "text/plain": repr(self), "text/html": self.html}

    def __repr__(self):
        return f"<live figure {self.name}: {', '.join(self.controls) or 'a still'}>"


def _check_parameters(body, controls, panels, where):
    """The body takes its axes first, then exactly the controls."""
    names = list(inspect.signature(body).parameters)
    expected = f"its parameters are {', '.join(names) or 'none'}: first the axes ({panels}), then the controls"
    for name, control in controls.items():
        if not isinstance(control, Control):
            raise TypeError(f"live: {where}: {name} must be a slider, choice or checkbox, got {control!r}")
        if name not in names[panels:]:
            raise TypeError(f"live: {where}: no parameter for the control {name}; {expected}")
    for name in names[panels:]:
        if name not in controls:
            raise TypeError(f"live: {where}: no control for the parameter {name}; {expected}")
    if len(names) < panels:
        raise TypeError(f"live: {where}: too few parameters for {panels} axes; {expected}")
