"""What a reader can move: a slider, a choice among options, a checkbox."""

import math
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Real
from typing import Any

import ipywidgets


@dataclass
class Control:
    """One control of a live figure; `widget` is its face in Jupyter, where `value` is read and set."""

    label: str | None = None
    name: str = field(default="", init=False)  # given by the figure: the name of the body's parameter

    def __post_init__(self):
        self.widget = None

    def attach(self, name):
        """Take the body's parameter name, and make the widget."""
        self.name = name
        self.label = self.label or name
        self.widget = self._make_widget()

    @property
    def value(self):
        return self.widget.value

    @value.setter
    def value(self, new):
        self.widget.value = new


@dataclass
class Slider(Control):
    low: float = 0.0
    high: float = 1.0
    start: float = 0.0
    step: float = 0.1

    kind = "slider"
    linked_trait = "value"

    def _make_widget(self):
        return ipywidgets.FloatSlider(
            value=self.start,
            min=self.low,
            max=self.high,
            step=self.step,
            description=self.label,
            readout_format=f".{self.decimals}f",
        )

    @property
    def decimals(self):
        """As many digits after the point as low and step have: a value shows as 1.2, not as 1.2000000000000002."""
        return max(0, *(-Decimal(repr(number)).normalize().as_tuple().exponent for number in (self.step, self.low)))

    def positions(self):
        """Every value the slider can take, rounded as the browser rounds them."""
        count = math.floor((self.high - self.low) / self.step + 1e-6) + 1
        return [round(self.low + i * self.step, 12) for i in range(count)]

    def description(self):
        return {
            "name": self.name,
            "kind": self.kind,
            "label": self.label,
            "low": self.low,
            "high": self.high,
            "step": self.step,
            "decimals": self.decimals,
            "value": self.start,
        }


@dataclass
class Choice(Control):
    options: tuple[Any, ...] = ()
    start: int = 0  # a position among the options

    kind = "choice"
    linked_trait = "index"

    def _make_widget(self):
        return ipywidgets.Dropdown(
            options=list(zip(self.names, self.options, strict=True)), index=self.start, description=self.label
        )

    @property
    def names(self):
        return [str(getattr(o, "name", None) or getattr(o, "__name__", None) or o) for o in self.options]

    def positions(self):
        return list(range(len(self.options)))

    def description(self):
        return {"name": self.name, "kind": self.kind, "label": self.label, "options": self.names, "value": self.start}


@dataclass
class Checkbox(Choice):
    """A choice between no and yes."""

    options: tuple[Any, ...] = (False, True)

    kind = "checkbox"
    linked_trait = "value"

    def _make_widget(self):
        return ipywidgets.Checkbox(value=bool(self.start), description=self.label, indent=False)

    def description(self):
        return {"name": self.name, "kind": self.kind, "label": self.label, "value": self.start}


def slider(low, high, value, step=0.1, label=None):
    """A number between `low` and `high`, in steps: the body gets it as a recorded number (no `if`, but np.where)."""
    for name, number in {"low": low, "high": high, "value": value, "step": step}.items():
        if isinstance(number, bool) or not isinstance(number, Real):
            raise TypeError(f"slider: {name} must be a number, got {number!r}")
        if not math.isfinite(number):
            raise ValueError(f"slider: {name} must be finite, got {number}")
    low, high, value, step = (
        number if isinstance(number, int) else float(number) for number in (low, high, value, step)
    )
    if not low < high:
        raise ValueError(f"slider: low must be below high, got low={low}, high={high}")
    if not low <= value <= high:
        raise ValueError(f"slider: value must lie between {low} and {high}, got {value}")
    if not 0 < step <= high - low:
        raise ValueError(f"slider: step must be positive and at most {high - low}, got {step}")
    if abs((value - low) / step - round((value - low) / step)) > 1e-6:
        raise ValueError(f"slider: value must be low plus a whole number of steps of {step}, got {value}")
    return Slider(label, low, high, value, step)


def choice(*options, value=None, label=None):
    """One of several options: functions (shown by their name), strings or numbers. The body gets the option itself."""
    if len(options) < 2:
        raise ValueError(f"choice: give at least two options, got {len(options)}")
    if value is not None and value not in options:
        raise ValueError(f"choice: value must be one of {list(options)}, got {value!r}")
    made = Choice(label, options, 0 if value is None else options.index(value))
    if len(set(made.names)) < len(options):
        raise ValueError(f"choice: options must have different names, got {made.names}")
    return made


def checkbox(value, label=None):
    """Yes or no. The body gets True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"checkbox: value must be True or False, got {value!r}")
    return Checkbox(label, start=int(value))
