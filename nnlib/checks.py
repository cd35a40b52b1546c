"""Tell a reader what kind of mistake a derivative has.

    >>> A = np.array([[1.0, 2.0], [0.0, 3.0]])
    >>> check_derivative(lambda w: w @ A @ w, lambda w: 2 * w @ A, at=[1.0, 2.0])
    Wrong unless A is symmetric: it is
    confused with its transpose in
        v1 = matmul(w, array(2, 2)) (2,)
    Largest difference: ∂f/∂w[0] is 6,
    claimed 2.

The truth comes from differences of f. A claim that is not the truth is explained in two ways. It is *read* otherwise:
with the other sign, in the other layout, its entries in another order. Or f is *run* otherwise: in its recorded graph
one step is done as somebody has it who makes a certain mistake, and the derivative of that is what they would claim.
"""

import functools
import html
import inspect
import itertools
import math
import re
import textwrap
from collections import Counter
from dataclasses import dataclass

import numpy as np

from nnlib.arguments import as_real, refuse
from nnlib.chain_rule import jacobian
from nnlib.graph import Node, argument_names, substitute, trace
from nnlib.matrix_calculus import numerical_jacobian, one_sided_derivatives, unvec, vec

# Differences over the largest entry of a row. What is closer is right (down to so many units in the last place of the
# claim), what is closer than the third an approximation; the sides of a kink are farther apart than the fourth.
RIGHT, UNITS, APPROXIMATE, KINK = 1e-9, 64, 1e-5, 1e-4

# Units in the last place of f(x), over the size of x, that differences cannot resolve.
NOISE = 4e5

# Over the size of x: so close to x the value of f is that at x, unless it jumps.
TINY = 1e-9

# Characters: so a sentence fits a phone, and a line of the graph the page.
WIDTH, GRAPH_WIDTH = 40, 60

OTHER = {"numerator": "denominator", "denominator": "numerator"}


def check_derivative(f, claimed, at, layout="numerator"):
    """What kind of mistake, if any, is in a claimed derivative of f at a point: a `Report`, which prints itself.

    f: plain NumPy code, from an array to a number or an array; at: the point x, integers count as float64; claimed: an
    array, or a function that gives it for x. In numerator layout the derivative is k×d, for f(x) of k numbers and x of
    d, both strung out by vec; with layout="denominator" d×k. In both a gradient may have the shape of x, a derivative
    by one number that of f(x), and where f works entry by entry, the diagonal of the Jacobian that of x.

    Raises TypeError for what is no function or no real numbers, ValueError where f has no finite values around x.
    Source: notes, sections 4 and 5.
    """
    if layout not in OTHER:
        raise ValueError(f'check_derivative: layout must be "numerator" or "denominator", got {layout!r}')
    if not callable(f):
        raise TypeError(f"check_derivative: f must be a function, got {type(f).__name__}")
    x = as_real(at, "check_derivative", "at")
    if not x.size:
        raise ValueError(f"check_derivative: at must hold at least one number, got the shape {x.shape}")
    refuse(~np.isfinite(x), x, "check_derivative", "at", "hold finite numbers")
    claim = as_real(claimed(x.copy()) if callable(claimed) else claimed, "check_derivative", "claimed")
    return _judge(_Case(f, x, claimed, claim, layout))


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """What `check_derivative` found; true if nothing is wrong.

    `diagnoses` names it: "right", "approximate", "wrong sign", "transposed", …; `truth` is the derivative in the layout
    asked for, `difference` its largest distance from the claim (None where the shape of the claim does not fit).
    """

    right: bool
    diagnoses: tuple[str, ...]
    paragraphs: tuple[str, ...]
    claimed: np.ndarray
    truth: np.ndarray
    difference: float | None

    def __bool__(self):
        return self.right

    def __repr__(self):
        return "\n".join(
            p if p.startswith(" ") else textwrap.fill(p, WIDTH, break_on_hyphens=False) for p in self.paragraphs
        )

    def _repr_html_(self):
        """The same as HTML, in the colours of the page."""
        parts = [("pre" if p.startswith(" ") else "p", html.escape(p.strip(), quote=False)) for p in self.paragraphs]
        return "<div>" + "".join(f"<{tag}>{text}</{tag}>" for tag, text in parts) + "</div>"


@dataclass(frozen=True)
class _Mistake:
    name: str
    words: str
    line: str = ""  # of the graph


# ---- a case and its verdict ----------------------------------------------------------------------


class _Case:
    """A claim, the true derivative, and when two derivatives count as the same."""

    def __init__(self, f, x, claimed, claim, layout):
        self.f, self.x, self.claimed, self.layout = f, x.astype(np.float64), claimed, layout
        self.claim, self.graph = claim.astype(np.float64), None
        size = np.median(np.abs(x)) or np.max(np.abs(x)) or 1.0
        value = as_real(f(self.x.copy()), "check_derivative", "f(x)")
        self.f_shape, self.x_shape = (a.shape if a.size > 1 else () for a in (value, x))  # 1×1 is a number
        self.truth = numerical_jacobian(f, self.x)
        self.left, self.right = one_sided_derivatives(f, self.x)
        middle, apart = (self.left + self.right) / 2, np.abs(self.right - self.left)
        # Where only the second derivative jumps, as of x|x|, differences of one side are the better ones.
        bent = np.abs(self.truth - middle) > 10 * np.maximum(apart, RIGHT * _size(self.truth))
        self.truth = np.where(bent, middle, self.truth)
        self.tolerance = max(RIGHT, UNITS * float(np.finfo(claim.dtype).eps))
        close, closer, closest = (self.near(step * size, value) for step in (1 / 32, TINY, -TINY))
        largest = np.fmax(np.abs(vec(value)), np.abs(vec(close)))[:, None]
        self.noise = NOISE * float(np.finfo(value.dtype).eps) / size * largest
        self.kinks = apart > KINK * _size(np.maximum(np.abs(self.left), np.abs(self.right))) + 100 * self.noise
        for j in np.flatnonzero(self.kinks.any(axis=0)):  # close by a curve is straight, and a kink is not
            step = 1e-7 * np.maximum(size, np.abs(vec(self.x)[j])) * unvec(np.arange(x.size) == j, x.shape)
            bend = (self.near(step, value) - value + self.near(-step, value) - value) / np.max(step)
            self.kinks[:, j] &= np.abs(vec(bend)) > apart[:, j] / 2
        change = max(np.max(np.abs(other - value)) for other in (closer, closest))
        expected = TINY * size * np.max(np.abs(self.truth).sum(axis=1))
        self.jumps = bool(change > 100 * expected + 1e-6 * np.max(largest))

    def near(self, step, otherwise):
        """f beside x; the other value where it has none."""
        try:
            with np.errstate(all="ignore"):
                return np.asarray(self.f(self.x + step), float)
        except (ArithmeticError, ValueError):
            return otherwise

    def record(self):
        """Record f as a graph; of an f that branches there is none, and what needs it is left out."""
        try:
            graph = trace(self.f, self.x)
        except Exception:  # whatever the code of a reader may raise
            return
        if isinstance(graph.output, Node):
            self.graph, names = graph, {node: node.name or f"v{i}" for i, node in enumerate(graph.nodes)}
            lines = [textwrap.shorten(line, GRAPH_WIDTH, placeholder=" …") for line in repr(graph).splitlines()]
            self.names, self.lines = names, dict(zip(names, lines, strict=True))  # as in the printed graph
            self.uses = Counter(itertools.chain(*(step.parents for step in _steps(self))))

    def step(self, node, words):
        """The line of a node in the printed graph, and the lines of what it or the words about it speak of."""
        spoken_of = set(re.findall(r"v\d+", f"{words} {self.lines[node]}")) - {self.names[node]}
        where = [f"where {line}" for other, line in self.lines.items() if self.names[other] in spoken_of]
        return "\n    ".join([self.lines[node], *where])

    def distance(self, J, truth):
        """How far each entry is off, measured by the largest of its row; 0 at kinks and within the noise."""
        off = np.abs(J - truth)
        if truth.shape == self.truth.shape:
            off = np.where(self.kinks, 0.0, np.maximum(off - self.noise, 0.0))
        return off / (_size(truth) + np.finfo(float).tiny)

    def same(self, J, truth):
        return bool(np.max(self.distance(J, truth)) <= self.tolerance)

    def number(self, value):
        """Four digits, and no rounding errors of what is 0."""
        return f"{value if abs(value) > RIGHT * np.max(np.abs(self.truth)) else 0:.4g}"

    def sizes(self, layout):
        return "{}×{}".format(*(self.truth if layout == "numerator" else self.truth.T).shape)

    @property
    def name(self):
        """What f calls its argument."""
        return argument_names(self.f, 1)[0]

    def entry(self, i=None, j=None):
        """How an entry of the derivative is called, ∂f[0]/∂x[1, 2], or a part of it, ∂f/∂x[1, 2]."""
        x = self.name
        sides = [("f", i, self.f_shape), (x, j, self.x_shape)]
        return "/".join(f"∂{name}{_index(at, shape)}" for name, at, shape in sides)


def _size(J):
    """What the entries of each row are measured by: its largest, and a hundredth of the largest of all."""
    return np.abs(J).max(axis=1, keepdims=True) + np.abs(J).max() / 100


def _index(position, shape):
    """The place in an array of what is at this position in its string."""
    return "" if position is None or not shape else str([int(i) for i in np.unravel_index(position, shape, "F")])


def _judge(case):
    """The report: is the claim right, nearly right, or what explains it; and what holds at kinks."""
    claim, truth, readings = case.claim, case.truth, _readings(case)
    J = readings[0][1] if readings and not readings[0][0] else None  # as written
    distance = np.inf if J is None else np.max(case.distance(J, truth))
    right = bool(distance <= max(APPROXIMATE, 10 * case.tolerance)) and not case.jumps
    if not right or case.kinks.any():
        case.record()
    if not np.isfinite(claim).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(claim))[0])
        diagnoses, paragraphs = ["not finite"], [f"Not finite: claimed{list(place) or ''} is {claim[place]:g}."]
    elif case.jumps:
        diagnoses, paragraphs = ["jump"], ["f jumps here, or is infinitely steep: no derivative."]
    elif distance <= case.tolerance:
        diagnoses, paragraphs = ["right"], _read_as(case, J)
    elif right:
        diagnoses, paragraphs = ["approximate"], [f"Right, but approximate: it agrees to {_digits(distance)}."]
    else:
        diagnoses, paragraphs = _explained(case, readings)
    if case.kinks.any() and not {"not finite", "jump"} & {*diagnoses}:
        words, accepted = _at_kinks(case, J)
        right = right and accepted
        diagnoses = [*(name for name in diagnoses if name != "right"), "kink"]
        nothing_else = J is not None and case.kinks.all()
        paragraphs = words if nothing_else else [*words, "Where f has a derivative:", *paragraphs]
    return Report(
        right=right,
        diagnoses=tuple(dict.fromkeys(diagnoses)),
        paragraphs=tuple(paragraphs),
        claimed=claim,
        truth=truth if case.layout == "numerator" else truth.T,
        difference=None if J is None else float(np.max(np.abs(J - truth))),
    )


def _digits(distance):
    number = math.floor(-math.log10(distance))
    return f"{number} digits" if number > 1 else "1 digit"


def _read_as(case, J):
    """Praise, and how the claim was read if not as a matrix."""
    (k, d), shape = J.shape, case.claim.shape
    count, digits = np.count_nonzero(~case.kinks), _digits(case.tolerance)
    words = [f"Right: {f'all {count} entries agree' if count > 1 else 'it agrees'} to {digits}."]
    if shape == case.f_shape == case.x_shape != ():
        words += [f"Read as the diagonal of the {k}×{d} Jacobian: f works entry by entry."]
    elif k == 1 and shape == case.x.shape:
        words += [f"Read as the gradient, in the shape of its argument: {shape}."] if shape else []
    elif shape != ((k, d) if case.layout == "numerator" else (d, k)):
        words += [f"The shape {shape} is read as {k}×{d} in numerator layout."]
    return words


def _at_kinks(case, J):
    """What to say about kinks, and whether the claim has there what may be called the derivative."""
    try:
        with np.errstate(all="ignore"):
            convention = jacobian(case.f)(case.x)
    except Exception:  # f cannot be recorded, or not be differentiated
        convention = np.full_like(case.truth, np.nan)
    words, accepted = [], J is not None
    for i, j in np.argwhere(case.kinks):
        left, right = case.left[i, j], case.right[i, j]
        line = f"{case.entry(i, j)} is {case.number(left)} from the left, {case.number(right)} from the right"
        if J is not None:
            names = {"the left one": left, "the right one": right, "the convention of this course": convention[i, j]}
            fits = [name for name, value in names.items() if abs(J[i, j] - value) <= KINK * abs(right - left)]
            accepted = accepted and bool(fits)
            line += f"; claimed {case.number(J[i, j])}, {' and '.join(fits) or 'neither of them'}"
        words.append(line + ".")
    more = [f"And {len(words) - 3} more such entries."] if len(words) > 3 else []
    return ["f has a kink here, and no derivative.", *words[:3], *more], accepted


def _explained(case, readings):
    """The names of the mistakes that explain a wrong claim, and the paragraphs that say so."""
    names, paragraphs, explanations = [], [], _explanations(case, readings)
    if not readings:
        names, paragraphs = ["impossible shape"], _shapes(case)
    elif not explanations:
        written, J = readings[0]
        explanations = [[*written, _without_explanation(case, J)]]
    several = len(explanations) > 1
    if several:
        paragraphs.append(f"Wrong. {len(explanations)} explanations fit:")
    for number, explanation in enumerate(explanations, 1):
        for mistake in explanation:
            start = "And: " if mistake is not explanation[0] else f"({number}) " if several else ""
            paragraphs += [start + mistake.words, *([f"    {mistake.line}"] if mistake.line else [])]
            names.append(mistake.name)
    if readings and case.claim.any() and not case.same(readings[0][1], case.truth):
        J = readings[0][1]
        off = np.where(case.distance(J, case.truth) > case.tolerance, np.abs(J - case.truth), 0)
        i, j = np.argwhere(off >= (1 - 1e-6) * np.max(off))[0]  # the first of those that differ as much
        start = "Largest difference: " if J.size > 1 else ""
        true, claimed = case.number(case.truth[i, j]), case.number(J[i, j])
        paragraphs.append(f"{start}{case.entry(i, j)} is {true}, claimed {claimed}.")
    if not case.graph:
        paragraphs.append("(f could not be recorded as a graph: its paths and factors were not looked at.)")
    return names, paragraphs


def _without_explanation(case, J):
    """What can be said of a claim that none of the usual mistakes explains."""
    if not case.claim.any():
        return _Mistake("unknown", "Not yet: all that is claimed is 0.")
    return (
        _part(case, J)
        or _wrong_path(case, J)
        or _turned_path(case, J)
        or _Mistake("unknown", "Wrong, and no usual mistake explains it.")
    )


def _shapes(case):
    here, there = case.layout, OTHER[case.layout]
    expected = f"In {here} layout {case.entry()} is {case.sizes(here)}, in {there} layout {case.sizes(there)}"
    if case.truth.shape[0] == 1 < case.truth.shape[1]:
        expected += f"; as a gradient it may have the shape of its argument, {case.x_shape}"
    return [f"Impossible shape: claimed is {case.claim.shape}.", expected + "."]


def _explanations(case, readings):
    """Lists of mistakes that explain the claim: all single ones or, where there is none, all pairs."""
    usual = _missing_path, _missing_factor, _wrong_place, _symmetric_matrix
    runs = list(_changed_runs(case, readings, usual)) if readings else []
    for count in (1, 2):
        found = [mistakes for mistakes, J in readings if len(mistakes) == count and case.same(J, case.truth)]
        for mistakes, J in readings:
            if len(mistakes) == count - 1:
                more = [*_factor(case, J), *(mistake for mistake, changed in runs if case.same(J, changed))]
                found += [[*mistakes, mistake] for mistake in more]
        if count == 1:
            found += [[mistake] for mistake in _symmetric_point(case)]
            found = found or [[mistake] for mistake in _ends_of_chain(case)]
        if found:
            return list(dict.fromkeys(map(tuple, found)))
    return []


# ---- the claim read otherwise --------------------------------------------------------------------


def _readings(case):
    """What the claim says, k×d, with the mistakes of writing that it then has: none, one or two."""
    here, there = case.layout, OTHER[case.layout]
    turned = f"as in {there} layout"
    if case.sizes(there) != case.sizes(here):
        turned = f"{case.sizes(there)} {turned}, not {case.sizes(here)}"
    if case.claim.ndim == 2 and case.claim.shape in (case.x_shape[::-1], case.f_shape[::-1]):  # of a number: p×q
        turned = "rows and columns are exchanged"
    turned = _Mistake("transposed", f"Transposed: {turned}.")
    found = [
        ([], _written(case, case.claim, here)),
        ([turned], _written(case, case.claim, there)),
        ([turned], _written(case, case.claim.T, here)),
    ]
    found = _distinct(found)
    found = _distinct(found + [([*m, order], J) for m, known in found for order, J in _row_major(case, known)])
    sign = _Mistake("wrong sign", "Wrong sign: claimed is -1 times the derivative.")
    return sorted(found + [([*m, sign], -J) for m, J in found if len(m) < 2], key=lambda reading: len(reading[0]))


def _written(case, claim, layout):
    return _matrix(claim, case.truth, case.f_shape, case.x_shape, layout)


def _matrix(claim, truth, rows, columns, layout):
    """A claim as k×d, if in this layout its shape stands for a derivative of one shape by another; else None."""
    k, d = truth.shape
    if claim.shape == rows == columns != () and _is_diagonal(truth):
        return np.diag(vec(claim))
    if layout == "denominator":
        transpose = _matrix(claim, truth.T, columns, rows, "numerator")
        return transpose if transpose is None else transpose.T
    if claim.shape in ((k, d), rows + columns) or (claim.ndim < 2 and claim.size == k * d and 1 in (k, d)):
        return np.reshape(claim, (k, d), order="F")
    return None


def _is_diagonal(J):
    return np.max(np.abs(J - np.diag(np.diag(J)))) <= RIGHT * np.max(np.abs(J))


def _distinct(readings):
    """Without what cannot be, and without what says the same as one before: a symmetric matrix, transposed."""
    found = []
    for mistakes, J in readings:
        if J is not None and not any(np.array_equal(J, known) for _, known in found):
            found.append((mistakes, J))
    return found


def _row_major(case, J):
    """The claim, if what it takes for column after column was row after row: in x, in f(x) or in both."""
    columns, rows = (np.arange(math.prod(s)).reshape(s).ravel("F") for s in (case.x_shape, case.f_shape))
    whole = case.claim.ndim > 1 and case.claim.shape not in (J.shape, J.T.shape)
    if whole:  # a string folded into a shape, where a matrix has a shape made a string
        columns, rows = np.argsort(columns), np.argsort(rows)
    x, f = case.name, f"f({case.name})"
    for who, i, j in ((x, slice(None), columns), (f, rows, slice(None)), (f"{x} and {f}", rows, columns)):
        words = "filled row by row from a string that goes" if whole else f"{who} strung out row by row, where vec goes"
        yield _Mistake("row-major", f"Row-major: {words} column by column."), J[i][:, j]


def _factor(case, J):
    """A claim that is off by the same factor everywhere."""
    true, claimed = case.truth[~case.kinks], J[~case.kinks]
    c = np.sum(claimed * true) / (np.sum(true * true) or 1.0)
    if c <= case.tolerance or not case.same(J, c * case.truth):
        return
    ratio, words = (c, "large") if c > 1 else (1 / c, "small")
    whole = abs(ratio - round(ratio)) < case.tolerance * ratio
    axes = {size for node in _steps(case) for a in (node, *node.arguments) for size in getattr(a, "shape", ())}
    if whole and ratio > 2.5 and round(ratio) in axes:
        mixed = "a sum for a mean" if c > 1 else "a mean for a sum"
        yield _Mistake("factor", f"Too {words} by the factor {ratio:.4g}, the length of an axis: {mixed}?")
    elif whole or np.count_nonzero(np.abs(true) > RIGHT * np.max(np.abs(true))) > 1:  # one number is always off by some
        yield _Mistake("factor", f"Too {words} by the factor {ratio:.4g}.")


def _symmetric_point(case):
    """A claimed function of a square matrix that is right where this is symmetric."""
    x = case.x
    if callable(case.claimed) and x.ndim == 2 and x.shape == x.T.shape and not np.array_equal(x, x.T):
        try:
            middle = (x + x.T) / 2
            there = _Case(case.f, middle, None, as_real(case.claimed(middle), "", ""), case.layout)
            J = _written(there, there.claim, case.layout)
        except Exception:  # neither f nor the claim need be defined there
            return
        if J is not None and there.same(J, there.truth):
            x = case.name
            yield _Mistake("symmetric only", f"Wrong unless {x} is symmetric: at ({x} + {x}ᵀ)/2 it is right.")


def _part(case, J):
    """A claim that is wrong for few of the outputs, or for few of the inputs, only."""
    wrong = case.distance(J, case.truth) > case.tolerance
    rows, columns = wrong.any(axis=1), wrong.any(axis=0)
    name, few = ("some rows", rows) if rows.mean() <= columns.mean() else ("some columns", columns)
    if few.mean() <= 0.5:
        places = [case.entry(i) if name == "some rows" else case.entry(j=i) for i in np.flatnonzero(few)]
        return _Mistake(name, f"Wrong only in {', '.join(places[:4] + ['…'] * (len(places) > 4))}.")


# ---- f run otherwise -----------------------------------------------------------------------------


def _changed_runs(case, readings, suspicions):
    """Pairs of a mistake and what somebody who makes it claims: the derivative of f with one step done so."""
    for node in _steps(case):
        for suspicion in suspicions:
            for name, words, step in suspicion(case, node):
                run = functools.partial(_run, case.graph, changed={node: step})
                if _may_explain(case, run, readings):
                    J = _derivative(run, case.x)
                    if J is not None:
                        yield _Mistake(name, words, case.step(node, words)), J


def _may_explain(case, run, readings):
    """Whether a run fits a reading along one direction: a quick question before all columns are computed."""
    if case.kinks.any():
        return True
    v = np.sin(np.arange(1.0, case.x.size + 1))[:, None] * (np.max(np.abs(case.x)) or 1.0)
    along = _derivative(lambda t: run(case.x + t * unvec(v, case.x.shape)), 0.0)
    if along is None:
        return False
    return any(np.all(np.abs(J @ v - along) <= 1e-4 * (_size(J) + case.noise) * np.abs(v).sum()) for _, J in readings)


def _steps(case):
    """The nodes that compute real numbers (others choose among them)."""
    return [node for node in case.graph.nodes[1:] if node.dtype.kind == "f"] if case.graph else []


def _run(graph, x, changed, start=None, end=None):
    """f once more, from the parameter or a node `start` to the result or the node `end`, with some nodes changed."""
    start = graph.parameters[0] if start is None else start
    values = {node: node.value for node in graph.nodes} | {start: x}
    for node in graph.nodes:
        if node is not start and node.function is not None:
            values[node] = changed.get(node, functools.partial(_call, node))([values[p] for p in node.parents])
    return values[graph.output if end is None else end]


def _call(node, inputs, transposed=None):
    """The function of a node on other inputs, one of its constants transposed or none."""
    inputs = iter(inputs)
    arguments, options = substitute((node.arguments, node.options), node.recording, lambda _: next(inputs))
    return node.function(*[A.T if A is transposed is not None else A for A in arguments], **options)


def _derivative(f, x):
    """The derivative of what need not have one: None if it has none."""
    try:
        with np.errstate(all="ignore"):
            return numerical_jacobian(f, x)
    except (ArithmeticError, ValueError):
        return None


def _missing_path(case, node):
    """A value has several uses, and one is forgotten: there it stays what it was."""
    for i, parent in enumerate(node.parents):
        if case.uses[parent] > 1:
            words = f"Missing path: {case.names[parent]} is used {case.uses[parent]} times; forgotten is its use in"
            yield "missing path", words, _weighted(node, i, 0)


# What a path may count instead of 1, the likeliest first.
WEIGHTS = {0: "is missing", -1: "has the wrong sign", 2: "counts twice", 0.5: "counts half"}


def _wrong_path(case, J):
    """The first path that explains the claim by a weight other than 1, if there is one."""
    for weight in WEIGHTS:
        suspicion = functools.partial(_wrong_weight, weight=weight)
        for mistake, changed in _changed_runs(case, [([], J)], [suspicion]):
            if case.same(J, changed):
                return mistake


def _wrong_weight(case, node, weight):
    """Of several paths that meet, one is left out, has the wrong sign, or counts twice or half."""
    for i, parent in enumerate(node.parents):
        if case.uses[parent] > 1 or len(node.parents) > 1:
            words = f"One path {WEIGHTS[weight]}: that of {case.names[parent]} through"
            yield "wrong path" if weight else "missing path", words, _weighted(node, i, weight)


def _turned_path(case, J):
    """Of several paths that meet, the first whose part of the derivative may have rows and columns exchanged."""
    p, *others = case.x_shape or (1,)
    if others != [p] or len(J) > 1:
        return None
    for node in _steps(case):
        for _, words, step in _wrong_weight(case, node, 0):
            without = _derivative(functools.partial(_run, case.graph, changed={node: step}), case.x)
            if without is not None:
                part = unvec((case.truth - without)[0], (p, p))
                if case.same(J, without + vec(part.T)):
                    words = words.replace(WEIGHTS[0], "is transposed")
                    return _Mistake("transposed", words, case.step(node, words))


def _weighted(node, i, weight):
    """The step, with so much of the path through its input i."""

    def step(inputs):
        still = _call(node, _moved(inputs, i, node.parents[i].value))
        return still + weight * (_call(node, inputs) - still) if weight else still

    return step


def _missing_factor(case, node):
    """The derivative of a step is forgotten: its change is that of its input."""
    if len(node.parents) == 1 and node.parents[0].shape == node.shape and node.function is not np.negative:
        shift = node.value - node.parents[0].value
        yield "missing factor", "Missing factor: the derivative of", lambda inputs: inputs[0] + shift


def _wrong_place(case, node):
    """f′(x) or f′(f(u)) for f′(u): the derivative of a step is taken where its input is not."""
    if len(node.parents) == 1:
        u = node.parents[0]
        for place in dict.fromkeys([case.graph.parameters[0], *u.parents, node]):
            if place is not u and place.shape == u.shape:

                def step(inputs, there=place.value):
                    return node.value + _call(node, [there + (inputs[0] - u.value)]) - _call(node, [there])

                where = f"at {case.names[place]}, not at {case.names[u]}"
                yield "wrong place", f"Wrong place: the derivative is taken {where}, of", step


def _symmetric_matrix(case, node):
    """A constant matrix is taken for its transpose: in the step's value, in its derivative by one input, or in all."""
    before = [parent.value for parent in node.parents]
    for A in node.arguments:
        if isinstance(A, np.ndarray) and A.ndim == 2 and A.shape == A.T.shape and not np.array_equal(A, A.T):

            def value(inputs, A=A):
                return _call(node, before, A) + _call(node, inputs) - node.value

            def derivative(inputs, A=A, i=0):
                by_i = _call(node, _moved(before, i, inputs[i]), A) - _call(node, before, A)
                return _call(node, _moved(inputs, i, before[i])) + by_i

            name = _name_of(A, case.f)
            words = f"Wrong unless {name} is symmetric: it is confused with its transpose in"
            steps = [functools.partial(derivative, i=i) for i in range(len(before))]
            for step in (value, *steps, lambda inputs, A=A: _call(node, inputs, A)):
                yield "symmetric only", words, step


def _moved(inputs, i, value):
    return [*inputs[:i], value, *inputs[i + 1 :]]


def _name_of(A, f):
    """The name by which f knows a matrix or its transpose."""
    try:
        known = inspect.getclosurevars(f)
    except TypeError:  # not a function of Python
        known = inspect.ClosureVars({}, {}, {}, set())
    for name, value in {**known.globals, **known.nonlocals}.items():
        if isinstance(value, np.ndarray) and (np.array_equal(value, A) or np.array_equal(value, A.T)):
            return name
    return f"the {A.shape[0]}×{A.shape[1]} matrix"


def _ends_of_chain(case):
    """A claim that is the derivative by a value on the way, or of one: the chain stops early, or starts late."""
    for node in _steps(case):
        if node is case.graph.output:
            continue
        v, x, shape = case.names[node], case.name, node.shape if node.size > 1 else ()
        early = f"The chain stops early: this is ∂f/∂{v}; missing is ∂{v}/∂{x}, where"
        late = f"The chain starts late: this is ∂{v}/∂{x}; missing is ∂f/∂{v}, where"
        for words, rows, columns, at, end in (
            (early, case.f_shape, shape, node.value, {"start": node}),
            (late, shape, case.x_shape, case.x, {"end": node}),
        ):
            if case.claim.size in (math.prod(rows), math.prod(rows) * math.prod(columns)):
                J = _derivative(functools.partial(_run, case.graph, changed={}, **end), at)
                claim = None if J is None else _matrix(case.claim, J, rows, columns, case.layout)
                if claim is not None and case.same(claim, J):
                    yield _Mistake("missing factor", words, case.step(node, words))
