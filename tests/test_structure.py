"""The shape of the project: who imports whom, which names are public, what a chapter must hold."""

import ast
import gzip
import importlib
import re
import subprocess
import sys
import tomllib
from collections import Counter
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
import yaml
from course_site.scripts import live_code
from notebooks import normal, text

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "nnlib").rglob("*.py"))
}

# What each module may import besides the standard library. `live` stands for all modules of nnlib.live.
IMPORTS = {
    "nnlib": set(),
    "nnlib.formula": set(),
    "nnlib.arguments": {"numpy"},
    "nnlib.activations": {"numpy", "nnlib.arguments", "nnlib.formula"},
    "nnlib.neuron": {"numpy", "nnlib.arguments", "nnlib.activations"},
    "nnlib.losses": {"numpy", "nnlib.arguments", "nnlib.formula"},
    "nnlib.matrix_calculus": {"numpy", "nnlib.arguments"},
    "nnlib.graph": {"numpy"},
    "nnlib.local_derivatives": {"numpy", "nnlib.formula", "nnlib.graph"},
    "nnlib.chain_rule": {"numpy", "nnlib.arguments", "nnlib.formula", "nnlib.graph", "nnlib.local_derivatives"},
    "nnlib.checks": {"numpy", "nnlib.arguments", "nnlib.chain_rule", "nnlib.graph", "nnlib.matrix_calculus"},
    "nnlib.training": {"numpy", "tqdm", "nnlib.arguments", "nnlib.losses", "nnlib.chain_rule"},
    "nnlib.network": {"numpy", "nnlib.arguments", "nnlib.activations", "nnlib.losses", "nnlib.training"},
    "nnlib.drawing": {"numpy", "matplotlib", "nnlib.graph"},
    "nnlib.live": {"numpy", "matplotlib", "ipywidgets", "anywidget", "traitlets"}
    | {"nnlib.drawing", "nnlib.formula", "nnlib.graph", "nnlib.live", "nnlib.local_derivatives"},
}
CHAPTER_IMPORTS = {"numpy", "matplotlib", "ipywidgets", "sklearn", "dask", "nnlib"}

# The names that chapters and readers rely on; a name of a class may be followed by what its objects carry.
PUBLIC = {
    "nnlib.activations": "identity logistic tanh relu maxout "
    "identity.derivative logistic.derivative tanh.derivative relu.derivative maxout.derivative",
    "nnlib.neuron": "add_bias Neuron Neuron.activation",
    "nnlib.losses": "one_hot softmax log_softmax entropy cross_entropy kl_divergence negative_log_likelihood "
    "logistic_loss softmax_loss hinge_loss squared_loss zero_one_loss "
    "logistic_loss.gradient softmax_loss.gradient hinge_loss.gradient squared_loss.gradient "
    "negative_log_likelihood.gradient cross_entropy.gradient kl_divergence.gradient "
    "logistic_loss.value_and_gradient softmax_loss.value_and_gradient hinge_loss.value_and_gradient "
    "squared_loss.value_and_gradient",
    "nnlib.matrix_calculus": "vec unvec derivative_shape numerical_jacobian to_denominator_layout",
    "nnlib.graph": "trace",
    "nnlib.chain_rule": "value_and_gradient gradient jacobian vjp jvp",
    "nnlib.checks": "check_derivative",
    "nnlib.network": "Layer MLP train",
    "nnlib.live": "live slider choice checkbox",
}

# The items of each chapter: each has an anchor with its number, `(N1)=`, on the page.
ITEMS = {
    "neuron": [f"N{i}" for i in range(1, 9)],
    "losses": ["L1", "L2", "L3", "L4", "L5", "L5b", "L6"],
    "matrix_calculus": [f"M{i}" for i in range(1, 7)],
    "chain_rule": [f"C{i}" for i in range(1, 11)],
    "backpropagation": [f"B{i}" for i in range(1, 10)],
}


def imported(tree):
    """The modules that a syntax tree imports, function bodies included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute, so that the direction can be read off"
            # `from nnlib import graph` imports nnlib.graph
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in whole)


def family(name):
    """The key of `name` in IMPORTS: a module of nnlib, nnlib.live for all its modules, else the package."""
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] == "nnlib" else parts[0]


def code_cells(path):
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_one_way(module):
    allowed = IMPORTS[family(module)]
    found = {family(name) for name in imported(ast.parse(MODULES[module].read_text(encoding="utf-8")))}
    assert found - sys.stdlib_module_names <= allowed


@pytest.mark.parametrize("module", [name for name in MODULES if IMPORTS[family(name)] <= {"numpy", *MODULES}])
def test_numbers_need_numpy_alone(module):
    """`import nnlib`, and each module that only computes, loads NumPy and no other package."""
    code = (
        "import sys, numpy; before = set(sys.modules); "
        f"import {module}; print(*{{name.split('.')[0] for name in set(sys.modules) - before}})"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(run.stdout.split()) - sys.stdlib_module_names <= {"nnlib", "numpy"}


@pytest.mark.parametrize("module", [name for name in PUBLIC if name in MODULES])
def test_public_names(module):
    for name in PUBLIC[module].split():
        found = importlib.import_module(module)
        for part in name.split("."):
            assert hasattr(found, part), f"{module}.{name} is missing"
            found = getattr(found, part)


def test_browser_code_imports_one_way():
    figure, page = ((ROOT / "nnlib/live/web" / name).read_text(encoding="utf-8") for name in ("figure.mjs", "page.mjs"))
    pattern = r"\bfrom\s*[\"']([^\"']+)|\bimport\s*\(?\s*[\"']([^\"']+)"
    assert re.findall(pattern, figure) == []
    assert re.findall(pattern, page) == [("./figure.mjs", "")]


def test_browser_code_is_small():
    code = live_code()
    assert len(gzip.compress(code.encode())) <= 15_000
    assert not re.search(r"^(import|export)\b", code, flags=re.MULTILINE)


def test_contents_list_every_chapter():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    listed = [contents["root"], *(chapter["file"] for chapter in contents["chapters"])]
    here = {f"chapters/{path.stem}" for path in (ROOT / "chapters").iterdir() if path.suffix in (".ipynb", ".md")}
    assert sorted(listed) == sorted(here)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_normal(path):
    content = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(content, as_version=4)
    nbformat.validate(notebook)
    assert content == text(normal(notebook)), f"run: python tests/notebooks.py {path.relative_to(ROOT)}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_text_output_is_committed(path):
    """nbval compares no cell without execution count: only pictures, HTML and widgets may go without."""
    executed = ROOT / "_build" / "jupyter_execute" / path.relative_to(ROOT)
    if not executed.exists():
        pytest.skip("NOT CHECKED: whether every text output is committed, as the site is not built: make book")
    built, committed = (normal(nbformat.read(name, as_version=4)).cells for name in (executed, path))
    assert [cell.source for cell in built] == [cell.source for cell in committed], "built before: make book"
    for cell, expected in zip(committed, built, strict=True):
        if cell.cell_type == "code":
            compared = cell.execution_count is not None
            assert compared == (expected.execution_count is not None), (
                f"run: python tests/notebooks.py --run {path.relative_to(ROOT)} (the cell\n{cell.source}\n)"
            )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_are_short_and_plain(path):
    for source in code_cells(path):
        lines = [line for line in source.splitlines() if line.strip()]
        assert len(lines) <= 15, f"a cell of {len(lines)} lines begins with {lines[0]!r}"
        tree = ast.parse(source)  # no shell commands, no magics
        names = set(imported(tree))
        assert {family(name).split(".")[0] for name in names} - sys.stdlib_module_names <= CHAPTER_IMPORTS
        stars = [
            node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
        ]
        assert stars == [], f"`from {stars} import *` hides where a name comes from"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_code_in_sight_fits_its_column_and_a_fold_of_code_has_a_name(path):
    for cell in nbformat.read(path, as_version=4).cells:
        folded = {"hide-input", "hide-cell"} & set(cell.metadata.get("tags", ()))
        if cell.cell_type == "code" and folded:
            assert cell.metadata.get("mystnb", {}).get("code_prompt_show"), cell.source
        elif cell.cell_type == "code":
            assert [line for line in cell.source.splitlines() if len(line) > 78] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_goes_into_a_fold_follows_one(path):
    cells = nbformat.read(path, as_version=4).cells
    for before, cell in pairwise(cells):
        if "in-fold" in cell.metadata.get("tags", ()):
            ends = before.source.endswith("\n:::") and ":::{dropdown}" in before.source
            assert ends or "in-fold" in before.metadata.get("tags", ()), cell.source


@pytest.mark.parametrize("path", [path for path in NOTEBOOKS if path.stem in ITEMS], ids=lambda path: path.stem)
def test_every_item_has_its_anchor(path):
    notebook = nbformat.read(path, as_version=4)
    pages = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    anchors = re.findall(r"^\((\w+)\)=\s*$", pages, flags=re.MULTILINE)
    assert [item for item in ITEMS[path.stem] if item not in anchors] == []
    assert len(anchors) == len(set(anchors))


def test_no_top_level_static_folder():
    """Jupyter Book would load every script in it as a classic script, on every page."""
    assert not (ROOT / "_static").exists()


def test_lock_names_everything_that_is_asked_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = {re.match(r"[\w-]+", name)[0] for extra in ("live", "book", "test") for name in extras[extra]}
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert asked - {"nnlib"} <= set(re.findall(r"^([\w-]+)==", lock, flags=re.MULTILINE)), "run: make lock"
    assert lock.splitlines()[-1] == "-e ."


def words(path):
    """What a page says: its markdown, without code cells."""
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def test_every_change_of_the_notes_is_on_the_page_of_corrections():
    """Each bullet `- **C5.** …` of a chapter's "Where the notes were changed" has a section `### C5 · …` there, which
    says what is printed and what is right, refers to the item, and ends in a check; and a row of the table leads to it.
    """
    changes = Counter()
    for path in (path for path in NOTEBOOKS if path.stem in ITEMS):
        changed = words(path).split("## Where the notes were changed\n")[1].split("\n## ")[0]
        changes += Counter(re.findall(r"^- \*\*([NLMC]\d+b?)\.\*\*", changed, flags=re.MULTILINE))
    corrections = ROOT / "chapters" / "errata.ipynb"
    table = words(corrections).split("\n(erratum-")[0]
    cells = nbformat.read(corrections, as_version=4).cells
    sections, sources = Counter(), [cell.source for cell in cells]
    for i, source in enumerate(sources):
        if found := re.search(r"^\((erratum-[\w-]+)\)=\n### ([NLMC]\d+b?) · ", source, flags=re.MULTILINE):
            anchor, item = found.groups()
            sections[item] += 1
            assert re.search(r"^- \*\*Printed:\*\* ", source, flags=re.MULTILINE), anchor
            assert f"{{ref}}`{item} <{item}>`" in source, f"{anchor} does not say where the chapter has it"
            assert f"{{ref}}`{item} <{anchor}>`" in table, f"the table does not lead to {anchor}"
            assert cells[i + 1].cell_type == "code", f"{anchor} has no check"
            assert "assert" in sources[i + 1] or "compare(" in sources[i + 1], f"{anchor} has no check"
    assert changes and sections == changes


def test_the_glossary_is_in_order_and_says_where_each_term_is_explained():
    text = (ROOT / "chapters" / "glossary.md").read_text(encoding="utf-8")
    entries = text.split("```{glossary}\n")[1].split("\n```")[0].split("\n\n")
    terms = [entry.splitlines()[0] for entry in entries]
    assert terms == sorted(set(terms), key=str.casefold)
    for term, entry in zip(terms, entries, strict=True):
        assert re.search(r"\{ref\}`[^`]+ <[\w-]+>`", entry), f"{term}: no link to where it is explained"
    linked = {page: re.findall(r"\{term\}`(?:[^`<]*<)?([^`<>]+)>?`", words(page)) for page in NOTEBOOKS}
    twice = {page.stem: [term for term, n in Counter(found).items() if n > 1] for page, found in linked.items()}
    assert not any(twice.values()), f"only the first use is linked: {twice}"
