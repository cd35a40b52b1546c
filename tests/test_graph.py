"""nnlib.graph: what is recorded, what a replay gives, and what the errors say."""

import functools
import inspect
import itertools
import linecache
import operator
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from elsewhere import Elsewhere
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from programs import steps

from nnlib.activations import identity, logistic, maxout, relu, tanh
from nnlib.drawing import draw_graph
from nnlib.graph import Graph, Node, TracingError, trace


def operations(graph):
    return [node.operation for node in graph.nodes]


# -- what is recorded ------------------------------------------------------------------------------------------------


def test_a_node_knows_its_function_its_shape_its_precision_and_its_value():
    graph = trace(lambda W, x: np.tanh(W @ x), np.ones((3, 2), np.float32), np.array([1.0, 2.0], np.float32))
    assert operations(graph) == ["parameter", "parameter", "matmul", "tanh"]
    assert [node.name for node in graph.parameters] == ["W", "x"]
    output = graph.output
    assert (output.shape, output.ndim, output.size, len(output)) == ((3,), 1, 3, 3)
    assert output.dtype == output.value.dtype == np.float32
    np.testing.assert_array_equal(output.value, np.tanh(np.float32([3, 3, 3])))


def test_parents_are_ordered_and_counted():
    graph = trace(lambda x, y: (x * x, x - y, y - x, np.stack([y, x, y])), 2.0, 3.0)
    x, y = graph.parameters
    square, x_minus_y, y_minus_x, stack = graph.output
    assert square.parents == (x, x)
    assert x_minus_y.parents == (x, y)
    assert y_minus_x.parents == (y, x)
    assert stack.parents == (y, x, y)
    assert x.parents == ()


def test_nodes_are_ordered_parents_first_and_only_those_that_the_output_needs():
    def f(x, unused):
        np.exp(x)  # computed, but nothing depends on it
        return np.sum(x * 2)

    graph = trace(f, np.ones(3), 1.0)
    assert operations(graph) == ["parameter", "parameter", "multiply", "sum"]
    for position, node in enumerate(graph.nodes):
        assert {*node.parents} <= {*graph.nodes[:position]}


def test_options_and_constants_are_kept():
    constant = np.arange(6.0).reshape(2, 3)
    graph = trace(lambda x: np.sum(constant * x, axis=0, keepdims=True), 2.0)
    product = graph.output.parents[0]
    assert product.arguments[0] is constant
    assert graph.output.options == {"axis": 0, "keepdims": True}


@pytest.mark.parametrize("formula", [identity, logistic, tanh, relu])
def test_a_formula_is_one_node(formula):
    graph = trace(formula, np.linspace(-2, 2, 5))
    assert operations(graph) == ["parameter", formula.name]
    assert graph.output.function is formula
    np.testing.assert_array_equal(graph(np.ones(5)), formula(np.ones(5)))


def test_maxout_is_one_node_and_so_is_a_formula_with_a_recorded_part():
    assert operations(trace(maxout, np.ones((3, 4)))) == ["parameter", "maxout"]
    assert operations(trace(lambda a: maxout(np.stack([a, 2 * a])), 1.0))[-1] == "maxout"


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.T,
        lambda x: x.transpose(1, 0),
        lambda x: x.transpose((1, 0)),
        lambda x: x.reshape(3, 2),
        lambda x: x.reshape((-1,), order="F"),
        lambda x: x.ravel(order="F"),
        lambda x: x[None].squeeze(),
        lambda x: x[None].squeeze(axis=0),
        lambda x: x.flatten(),
        lambda x: x.swapaxes(0, 1),
        lambda x: x.var(axis=0),
        lambda x: x.std(axis=1, keepdims=True),
        lambda x: x.clip(0, 0.5),
        lambda x: x.dot(np.arange(3.0)),
        lambda x: x.sum(),
        lambda x: x.sum(axis=0, keepdims=True),
        lambda x: x.mean(axis=1),
        lambda x: x.max(axis=0),
        lambda x: x.min(),
        lambda x: x.prod(axis=1),
        lambda x: x[1, ::-1],
        lambda x: x[..., np.newaxis],
        lambda x: x[[1, 0]],
        lambda x: np.stack([row * 2 for row in x]),
        lambda x: abs(-x) + (+x) ** 2 // 0.3 % 2,
        lambda x: (x > 0) & ~(x >= 0.5) | (x == x[0, 0]),
        lambda x: np.where(x != 0, x, 1),
    ],
)
def test_the_parts_of_ndarray_that_code_needs_are_there(f):
    x, y = (np.random.default_rng(seed).normal(size=(2, 3)) for seed in (1, 2))
    graph = trace(f, x)
    for values in (x, y):
        result = graph(values)
        np.testing.assert_array_equal(result, f(values))
        assert np.shape(result) == graph.output.shape


@pytest.mark.parametrize(
    "question", [np.shape, np.ndim, np.size, len, lambda x: x.shape, lambda x: np.result_type(x, np.float32)]
)
def test_questions_about_an_array_are_answered_and_not_recorded(question):
    answers = []
    graph = trace(lambda x: answers.append(question(x)) or x, np.ones((2, 3)))
    assert answers == [question(np.ones((2, 3)))]
    assert operations(graph) == ["parameter"]


@pytest.mark.parametrize(
    "operation", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.matmul]
)
def test_operators_keep_left_and_right_apart(operation):
    a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[2.0, 0.5], [1.0, 3.0]])
    for f in (lambda x: operation(x, b), lambda x: operation(b, x), lambda x: operation(x, x.T)):
        graph = trace(f, a)
        np.testing.assert_array_equal(graph.output.value, f(a))
        np.testing.assert_array_equal(graph(b), f(b))
    assert trace(lambda x: operation(x, b), a).output.arguments[1] is b


def test_of_a_function_that_gives_several_arrays_each_becomes_a_node():
    A, B = np.array([[2.0, 1.0], [0.5, 3.0]]), np.array([[0.0, 1.0], [2.0, 3.0]])
    graph = trace(np.linalg.slogdet, A)
    assert [node.operation for node in graph.output] == ["slogdet[0]", "slogdet[1]"]
    assert graph.output.logabsdet.value == np.linalg.slogdet(A).logabsdet
    assert graph(B) == np.linalg.slogdet(B)
    one, other = (trace(lambda A: np.linalg.slogdet(A)[1], A).output.function for _ in range(2))
    assert one == other and hash(one) == hash(other) and one != graph.output[0].function


def test_a_value_has_the_shape_of_an_array_also_where_numpy_gives_a_number_of_python():
    output = trace(lambda x: np.allclose(x, 1.0), np.ones(3)).output
    assert (output.shape, output.ndim, output.dtype) == ((), 0, bool)


def test_values_are_the_arguments_as_they_were_computed_with():
    x = np.arange(3.0)
    graph = trace(lambda x: np.concatenate([x * 2.0, [5.0]]), x)
    product = graph.output.parents[0]
    assert product.values == [graph.parameters[0].value, 2.0]
    np.testing.assert_array_equal(graph.output.values[0][0], 2 * x)
    assert graph.output.values[0][1] == [5.0]


def test_arrays_that_live_elsewhere_are_recorded_as_they_are():
    graph = trace(lambda x: np.tanh(x) * 2.0, Elsewhere(np.ones(3)))
    assert isinstance(graph.output.value, Elsewhere)
    np.testing.assert_array_equal(graph.output.value.value, 2 * np.tanh(np.ones(3)))


def test_parameters_are_named_after_the_arguments():
    @functools.wraps(example)
    def wrapped(*arguments):
        return example(*arguments)

    class Model:
        def loss(self, weights, x):
            return np.sum(weights * x)

    def names(f):
        return [parameter.name for parameter in trace(f, np.ones(2), np.ones(2)).parameters]

    assert names(example) == names(wrapped) == ["w", "x"]
    assert names(Model().loss) == ["weights", "x"]
    assert names(lambda *xs: xs[0] + xs[1]) == ["x0", "x1"]


def test_the_output_may_be_a_structure_and_may_hold_constants():
    graph = trace(lambda x: {"both": [x + 1, (x * 2, 7.0)], "none": None, "x": x}, np.float64(3))
    assert graph(5.0) == {"both": [6.0, (10.0, 7.0)], "none": None, "x": 5.0}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.complex128, np.bool_])
def test_precision_is_kept_in_the_trace_and_in_the_replay(dtype):
    x = np.ones(3, dtype)
    graph = trace(lambda x: (x + x) * 1, x)
    assert graph.parameters[0].dtype == dtype
    assert graph.output.dtype == graph(x).dtype == ((x + x) * 1).dtype


# -- a trace within a trace ------------------------------------------------------------------------------------------


def test_of_two_traces_the_inner_one_records_and_the_outer_value_stays_an_outer_node():
    inner_graphs = []

    def outer(x):
        inner_graphs.append(trace(lambda y: x * y, 3.0 * x))
        return inner_graphs[0](x + 1)

    graph = trace(outer, 2.0)
    (inner,) = inner_graphs
    (x,) = graph.parameters
    assert inner.output.arguments == (x, inner.parameters[0])
    assert inner.output.parents == inner.parameters  # x is a constant of the inner graph, not a node of it
    assert inner.output.value.recording is x.recording  # and its value is recorded outside
    assert operations(graph) == ["parameter", "add", "multiply"]
    assert graph(5.0) == 5.0 * 6.0


def test_perturbations_are_not_confused():
    """d/dx (x · d/dy (x + y)) = 1: with the two traces confused it comes out as 2."""

    def slope(f, at):  # derivative of a graph of additions and multiplications, itself in terms that can be recorded
        graph = trace(f, at)
        slopes = {graph.parameters[0]: 1.0}
        for node in graph.nodes:
            if node.operation == "add":
                slopes[node] = sum(slopes[parent] for parent in node.parents)
            elif node.operation == "multiply":
                a, b = node.arguments
                value = [part.value if part in {*graph.nodes} else part for part in (a, b)]
                slopes[node] = slopes.get(a, 0.0) * value[1] + slopes.get(b, 0.0) * value[0]
        return slopes.get(graph.output, 0.0)

    assert slope(lambda x: x * slope(lambda y: x + y, at=1.0), at=1.0) == 1.0
    assert slope(lambda x: x * slope(lambda y: x * y, at=1.0), at=3.0) == 6.0


# -- long graphs -----------------------------------------------------------------------------------------------------


def test_a_chain_of_twenty_thousand_nodes_is_recorded_replayed_and_printed():
    def f(x):
        for _ in range(10_000):
            x = np.sin(x) + x
        return x

    graph = trace(f, 1.0)
    assert len(graph.nodes) == 20_001
    assert graph(0.5) == f(0.5)
    assert len(repr(graph).splitlines()) == 20_001


def test_a_graph_with_many_paths_visits_each_node_once():
    def f(x):
        for _ in range(200):  # 2²⁰⁰ paths
            x = x * 0.5 + x * 0.5
        return x

    assert trace(f, 1.0)(2.0) == 2.0


# -- replay ----------------------------------------------------------------------------------------------------------

SHAPES = [(), (1,), (3,), (2, 3), (2, 1)]
UNARY = [
    np.negative, np.tanh, np.square, np.abs, np.sign, np.floor, logistic, relu, np.transpose, np.ravel,
    lambda a: np.sum(a, axis=-1) if np.ndim(a) else a,
    lambda a: np.max(a, axis=0, keepdims=True) if np.ndim(a) else a,
    lambda a: np.mean(a), lambda a: a[..., -1:] if np.ndim(a) else a[None], lambda a: np.stack([a, 2 * a]),
    lambda a: np.clip(a, -0.5, 0.5), lambda a: 1 / (2 + a * a),
]  # fmt: skip
BINARY = [
    operator.add, operator.sub, operator.mul, np.maximum, np.minimum, np.arctan2, np.hypot,
    lambda a, b: np.where(a < b, a, b), lambda a, b: np.logical_and(a > 0, b > 0) * 1.0, np.dot,
]  # fmt: skip


@st.composite
def programs(draw):
    """A program on two arrays: each step takes values already there, by position."""
    program = draw(steps(UNARY, BINARY, 12))
    shapes = draw(st.tuples(st.sampled_from(SHAPES), st.sampled_from(SHAPES)))

    def run(*arguments):
        values = list(arguments)
        for function, *places in program:
            operands = [values[place % len(values)] for place in places]
            try:
                np.broadcast_shapes(*map(np.shape, operands))
                values.append(function(*operands))
            except ValueError:  # shapes that do not fit: another step
                continue
        return values[-1], values[len(values) // 2]

    return run, shapes


@given(programs(), st.integers(0, 1000))
def test_a_replay_on_other_numbers_equals_running_the_code_on_them(program, seed):
    run, shapes = program
    rng = np.random.default_rng(seed)
    first, second = ([rng.normal(size=shape) for shape in shapes] for _ in range(2))
    with np.errstate(all="ignore"):
        graph = trace(run, *first)
        for arguments in (first, second):
            for replayed, direct in zip(graph(*arguments), run(*arguments), strict=True):
                np.testing.assert_array_equal(replayed, direct)
                assert np.shape(replayed) == np.shape(direct)


@given(programs())
def test_printing_a_graph_gives_the_same_text_every_time(program):
    run, shapes = program
    texts = {repr(trace(run, *(np.full(shape, 0.5) for shape in shapes))) for _ in range(2)}
    assert len(texts) == 1
    assert " at 0x" not in texts.pop()


def test_a_printed_graph_reads_as_a_program():
    graph = trace(lambda w, x: logistic(w @ x + 1.0).sum(axis=0), np.ones((2, 3)), np.ones(3))
    lines = [re.sub(r" +", " ", line.strip()) for line in repr(graph).splitlines()]
    assert lines == [
        "w = parameter (2, 3)",
        "x = parameter (3,)",
        "v2 = matmul(w, x) (2,)",
        "v3 = add(v2, 1.0) (2,)",
        "v4 = logistic(v3) (2,)",
        "v5 = sum(v4, axis=0, keepdims=False) ()",
    ]


def test_a_replay_checks_number_and_shapes_of_its_arguments():
    graph = trace(lambda w, x: w * x, 1.0, np.ones(3))
    with pytest.raises(TypeError, match="graph: takes 2 arguments, got 1"):
        graph(1.0)
    with pytest.raises(ValueError, match=r"graph: x was recorded with shape \(3,\), got \(4,\)"):
        graph(1.0, np.ones(4))


# -- errors say what to write instead, and where ---------------------------------------------------------------------


def in_place(w):
    w += 1


def in_place_on_a_plain_array(w):
    total = np.zeros(3)
    total += w


def write_into(w):
    w[0] = 1.0


def fill_an_array(w):
    values = np.zeros(3)
    values[0] = w[0]


NO_GRAPH = [
    (lambda w: w[0] if w[0] > 0 else w[1], "write np.where"),
    (lambda w: max(w[0], 0), "np.maximum"),
    (lambda w: w[0] > 0 and w[1] > 0, "np.logical_and"),
    (lambda w: w[0] in (1.0, 2.0), "np.where"),
    (in_place, r"write `w = w \+ …` instead of `w \+= …`"),
    (in_place_on_a_plain_array, r"write `w = w \+ …` instead of `w \+= …`"),
    (lambda w: np.exp(w, out=np.zeros(3)), "in-place"),
    (lambda w: np.sum(w, out=np.zeros(())), "np.sum with `out=` cannot be recorded: use its result"),
    (write_into, "np.where, np.stack or np.concatenate"),
    (fill_an_array, "np.stack instead of filling an array"),
    (lambda w: np.asarray(w), "stay with NumPy functions"),
    (lambda w: np.array([w[0], 1.0]), "np.stack"),
    (lambda w: float(w[0]), "stay with NumPy functions"),
    (lambda w: int(w[0]), "stay with NumPy functions"),
    (lambda w: list(range(w[0])), "stay with NumPy functions"),
    (lambda w: w[0].item(), "stay with NumPy functions"),
    (lambda w: np.add.reduce(w), "np.add.reduce cannot be recorded: write np.sum"),
    (lambda w: np.multiply.outer(w, w), "np.multiply.outer cannot be recorded"),
    (lambda w: np.split(w, 3), "np.split gives several arrays and cannot be one node"),
    (lambda w: w[w > 0], "write np.where\\(condition, x, 0\\)"),
    (lambda w: np.where(w > 0), "np.where gives several arrays"),
]


@pytest.mark.parametrize(("f", "advice"), NO_GRAPH)
def test_what_a_graph_cannot_hold_is_an_error_with_advice_that_names_the_line(f, advice):
    with pytest.raises(TracingError, match=advice) as error:
        trace(f, np.array([1.0, 2.0, 3.0]))
    first = f.__code__.co_firstlineno
    line = int(re.search(rf"in line (\d+) of {re.escape(f.__name__)}", str(error.value))[1])
    assert first <= line <= first + 2
    assert linecache.getline(__file__, line).strip() in str(error.value)


def test_trace_wants_numbers_and_at_least_one_argument():
    with pytest.raises(TypeError, match="trace: give at least one example argument"):
        trace(lambda: 1.0)
    with pytest.raises(TypeError, match="trace: argument w must hold numbers, got str"):
        trace(lambda w: w, "one")
    with pytest.raises(TypeError, match="trace: argument w must hold numbers, got list of object"):
        trace(lambda w: w, [None, 1])


def test_a_recorded_number_has_no_length():
    with pytest.raises(TypeError, match="no len"):
        trace(len, 1.0)


def test_nodes_can_be_told_apart_and_a_graph_cannot_be_changed():
    graph = trace(lambda x: x + 1, 1.0)
    assert isinstance(graph, Graph) and isinstance(graph.output, Node)
    assert len({*graph.nodes}) == 2
    with pytest.raises(AttributeError):
        graph.output = None


# -- the picture of a graph ------------------------------------------------------------------------------------------


def example(w, x):
    a = np.sum(w * x)
    return logistic(a) * logistic(a) + np.square(a - w[0])


def drawn(graph):
    axes = Figure(figsize=(6, 3)).add_subplot()
    draw_graph(axes, graph)
    return axes


def test_the_picture_has_every_node_and_every_edge_once():
    graph = trace(lambda x, y: x * x + y, 2.0, 3.0)
    axes = drawn(graph)
    labels = [text.get_text() for text in axes.texts]
    assert sorted(label for label in labels if label) == ["+", "x", "y", "×"]
    arrows = [tuple(np.round(arrow.get_xy()[0], 6)) for arrow in axes.patches]
    assert len(set(arrows)) == len(arrows) == 4  # x * x has two, side by side


def test_numbers_stand_above_and_below_their_node():
    axes = Figure(figsize=(6, 3)).add_subplot()
    draw_graph(axes, trace(lambda x, y: x * x + y, 2.0, 3.0), {"x": (2, 4), "+": (-7, 1)})
    heights = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert heights["2.00"] > heights["x"] > heights["4.00"]
    assert heights["−7.00"] > heights["+"] > heights["1.00"]
    assert len([text for text in heights if text]) == 8


def test_slopes_stand_on_their_edges():
    axes = Figure(figsize=(6, 3)).add_subplot()
    draw_graph(axes, trace(lambda x, y: x * y, 2.0, 3.0), {"x": (2, 3)}, {("x", "×"): 3, ("y", "×"): -2.5})
    places = {text.get_text(): np.array(text.get_position()) for text in axes.texts}
    np.testing.assert_allclose(places["−2.50"], (places["y"] + places["×"]) / 2)
    np.testing.assert_allclose(places["3.00"][0], (places["x"] + places["×"])[0] / 2)
    assert all(scatter.get_zorder() < 3 for scatter in axes.collections)  # paper: over the edge, under the number


def test_nodes_stand_apart_and_values_flow_to_the_right():
    graph = trace(example, np.ones(3), np.arange(3.0))
    centres = [np.mean(line.get_xydata()[:-1], axis=0) for line in drawn(graph).lines]
    assert len({tuple(np.round(centre, 6)) for centre in centres}) == len(graph.nodes)
    place = dict(zip(graph.nodes, centres, strict=True))
    assert all(place[parent][0] < place[node][0] for node in graph.nodes for parent in node.parents)


def test_an_edge_that_passes_a_column_leaves_room_for_its_nodes():
    def program(x):
        p = np.exp(x)
        q = x + p
        return p * q

    graph = trace(program, 0.4)
    centres = [np.mean(line.get_xydata()[:-1], axis=0) for line in drawn(graph).lines]
    place = dict(zip(graph.nodes, centres, strict=True))
    for node in graph.nodes:
        for start, other in itertools.product(node.parents, graph.nodes):
            if other is not start and other is not node:
                along, there = place[node] - place[start], place[other] - place[start]
                nearest = np.clip(along @ there / (along @ along), 0, 1) * along
                assert np.linalg.norm(there - nearest) > 0.3  # the radius of a node


DRAW = """
import hashlib, io, sys
sys.path[:0] = [{tests!r}, {root!r}]
import matplotlib, numpy as np
from test_graph import drawn, example
from nnlib.graph import trace
matplotlib.rcParams["svg.hashsalt"] = "graph"
file = io.StringIO()
drawn(trace(example, np.ones(3), np.arange(3.0))).figure.savefig(file, format="svg", metadata={{"Date": None}})
print(hashlib.sha256(file.getvalue().encode()).hexdigest())
"""


def test_a_graph_gives_the_same_picture_every_time():
    tests = Path(__file__).parent
    code = DRAW.format(tests=str(tests), root=str(tests.parent))
    pictures = {
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(pictures) == 1


def test_names_are_those_of_the_signature_that_a_function_shows():
    def twice(*arguments):
        return 2 * arguments[0]

    twice.__signature__ = inspect.signature(lambda w: None)
    assert trace(twice, 1.0).parameters[0].name == "w"
