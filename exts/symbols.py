"""The symbols: each has a place on the page of symbols, the search knows its names, and each chapter lists its own."""

import re

from aside import aside
from course_map import chapters
from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform

NOTATION = "chapters/notation"
SECTIONS = "NLMCB"  # the letters of the sections of each chapter
# How a reader may type a symbol, or call it, where its letters alone do not say so.
NAMES = {
    r"\mathbf{w}": ["weights"],
    r"f'": ["f′", "f prime"],
    r"\sigma": ["σ", "sigma"],
    r"\hat{y}": ["ŷ", "y hat"],
    r"L": ["L", "loss L"],
    r"P^{\text{gt}}": ["ground truth", "gt"],
    r"\hat{P}": ["p̂", "p hat"],
    r"\mathrm{KL}": ["KL", "Kullback–Leibler", "Kullback-Leibler"],
    r"\mathrm{CE}": ["CE"],
    r"\mathbf{J}": ["J", "Jacobian"],
    r"\mathrm{vec}": ["vec"],
    r"\Delta\mathbf{x}": ["Δx", "Δ"],
    r"\odot": ["⊙", "odot", "Hadamard", "Hadamard product"],
    r"\otimes": ["⊗", "otimes", "Kronecker", "Kronecker product"],
    r"\varphi": ["φ", "phi", "varphi"],
    r"\boldsymbol\delta": ["δ", "delta"],
    r"\eta": ["η", "eta", "learning rate"],
    r"\mu": ["μ", "mu"],
}
# Derivatives have no line of their own: their shapes are a section.
DERIVATIVES = [f"{sign}{y}/{sign}{x}" for sign in "∂d" for y, x in ("Lw", "La", "yx", "aw")] + [
    "partial derivative ∂",
    "∂",
    "∇",
]
LETTER = re.compile(
    r"\\(?:mathbf|boldsymbol|hat|mathrm|text)\s*(?:\{(?:[^{}]|\{[^{}]*\})*\}|\\\w+)|\\[A-Za-z]+|[A-Za-z]"
)


def rows(document):
    """The lines of the table of symbols: its cells' rows, without the head."""
    table = next(document.findall(nodes.table))
    return list(next(table.findall(nodes.tbody)).findall(nodes.row))


def symbols(row):
    """The symbols that a line explains, in TeX: of an equation its left-hand side."""
    return [formula.astext().split(" = ")[0].strip() for formula in row[0].findall(nodes.math)]


def letters(formula):
    """The letters of a formula with their accents and alphabets: what a symbol is recognised by."""
    return set(LETTER.findall(formula))


def occurs(symbol, formulas):
    """Whether a symbol, in TeX, stands in one of the formulas; one with an index may have another index there."""
    name = symbol.split("(")[0]
    base, index, _ = name.partition("_")
    after = "_" if index else "(?![A-Za-z_])"
    pattern = re.compile(r"(?<![A-Za-z\\])" + re.escape(base) + after)
    return any(letters(name) <= letters(formula) and pattern.search(formula) for formula in formulas)


def is_new(row, chapter):
    """Whether only a later chapter brings what a line explains; chapters count from 0, as in SECTIONS."""
    uses = [SECTIONS.index(place.astext()[0]) for place in row[-1].findall(addnodes.pending_xref)]
    return min(uses, default=0) > chapter


class PlaceSymbols(SphinxTransform):
    """Anchors and index entries on the page of symbols. The search shows index entries first."""

    default_priority = 400

    def apply(self):
        if self.env.docname != NOTATION:
            return
        for number, row in enumerate(rows(self.document), start=1):
            place = f"symbol-{number}"
            row["ids"].append(place)
            names = [name for symbol in symbols(row) for name in NAMES.get(symbol.split("(")[0], [])]
            row[0].insert(0, index(names, place))
        section = next(node for node in self.document.findall(nodes.section) if "numerator-layout" in node["ids"])
        section.insert(1, index(DERIVATIVES, "numerator-layout"))


def index(names, place):
    return addnodes.index(entries=[("single", name, place, "main", None) for name in names])


class ListSymbols(SphinxPostTransform):
    """A fold with the symbols that a chapter uses, between its introduction and its first section."""

    default_priority = 5  # before references are resolved
    formats = ("html",)

    def run(self):
        if self.env.docname not in chapters(self.env):
            return
        maths = self.document.findall(lambda node: isinstance(node, nodes.math | nodes.math_block))
        formulas = [formula.astext().replace(r"\mathsf{T}", "") for formula in maths]  # transposed is no T
        chapter = chapters(self.env).index(self.env.docname)
        table = next(self.env.get_doctree(NOTATION).findall(nodes.table)).deepcopy()
        for row in rows(table):
            row["ids"] = []
            if is_new(row, chapter) or not any(occurs(symbol, formulas) for symbol in symbols(row)):
                row.parent.remove(row)
        for entries in list(table.findall(addnodes.index)):
            entries.parent.remove(entries)
        title = aside("", "The symbols of this chapter", tag="summary")
        page = next(self.document.findall(nodes.section))
        first = next(page.findall(nodes.section, include_self=False))
        fold = aside("", "", title, table, tag="details", attributes={"class": "symbols"})
        page.insert(page.index(first), fold)


def setup(app):
    app.add_transform(PlaceSymbols)
    app.add_post_transform(ListSymbols)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
