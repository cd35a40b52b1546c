"""The logo of the course, drawn by the course's own formulas: the logistic curve and its tangent.

    python exts/logo.py

writes the three pictures beside this file: the logo for a light and for a dark page, and the favicon. Blue is a value
and orange a derivative, as in every figure.
"""

from pathlib import Path

import numpy as np

from nnlib.activations import logistic

HERE = Path(__file__).parent
BLUE, ORANGE, PAPER = {"light": "#0b5cad", "dark": "#6cb2ff"}, {"light": "#c25700", "dark": "#ffa14f"}, "#ffffff"
SIZE, MARGIN = 32, 3  # the logo is a square
RANGE = 5.0  # of the activation, to both sides
TOUCH = 1.8  # where the tangent touches: on the shoulder, so that the two lines part


def place(a, y):
    """The point of the square at which activation a and value y stand."""
    inner = SIZE - 2 * MARGIN
    return f"{MARGIN + inner * (a + RANGE) / (2 * RANGE):.2f} {SIZE - MARGIN - 0.84 * inner * y:.2f}"


def curve(pieces=4):
    """The logistic function as Bézier curves, whose handles follow its derivative."""
    knots = np.linspace(-RANGE, RANGE, pieces + 1)
    third = np.diff(knots)[0] / 3
    path = [f"M{place(knots[0], logistic(knots[0]))}"]
    for start, end in zip(knots[:-1], knots[1:], strict=True):
        leaving = place(start + third, logistic(start) + third * logistic.derivative(start))
        arriving = place(end - third, logistic(end) - third * logistic.derivative(end))
        path.append(f"C{leaving} {arriving} {place(end, logistic(end))}")
    return "".join(path)


def tangent(before=4.6, beyond=2.9):
    """The tangent at TOUCH, from `before` it to `beyond` it."""
    ends = (place(TOUCH + step, logistic(TOUCH) + step * logistic.derivative(TOUCH)) for step in (-before, beyond))
    return "M{}L{}".format(*ends)


def svg(blue, orange, dot, ground=""):
    x, y = place(TOUCH, logistic(TOUCH)).split()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" fill="none" stroke-linecap="round">'
        f"{ground}"
        f'<path d="{tangent()}" stroke="{orange}" stroke-width="2.2"/>'
        f'<path d="{curve()}" stroke="{blue}" stroke-width="2.8"/>'
        f'<circle cx="{x}" cy="{y}" r="3" fill="{dot}"/></svg>\n'
    )


def pictures():
    """The name and the content of each file."""
    ground = f'<rect width="{SIZE}" height="{SIZE}" rx="6" fill="{BLUE["light"]}"/>'
    return {
        "logo-light.svg": svg(BLUE["light"], ORANGE["light"], ORANGE["light"]),
        "logo-dark.svg": svg(BLUE["dark"], ORANGE["dark"], ORANGE["dark"]),
        "favicon.svg": svg(PAPER, ORANGE["dark"], ORANGE["dark"], ground),
    }


if __name__ == "__main__":
    for name, content in pictures().items():
        (HERE / name).write_text(content, encoding="utf-8")
        print(HERE / name)
