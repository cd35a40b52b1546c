"""The first use of each term of the glossary on a page becomes a link to it, with the definition at hand.

The definition lies in a <template> at the end of the page; tips.js shows it beside the link. Without JavaScript the
link is a link.
"""

import re
from pathlib import Path

from aside import aside
from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform

GLOSSARY = "chapters/glossary"
SCRIPT = Path(__file__).with_name("tips.js")
WITHOUT_LINKS = {GLOSSARY, "chapters/references", "chapters/api"}
# Words of the glossary in another sense.
EVERYDAY = ["to blame", "blame one", "finer scale", "drawn to scale", "bold gains", "gains a factor", "left path"]
# What stands in running prose and is no place for a link.
NO_PLACE = (
    addnodes.pending_xref,
    nodes.reference,
    nodes.literal,
    nodes.math,
    nodes.table,
    nodes.citation,
    nodes.footnote,
)


def definitions(glossary):
    """The entries of the glossary: names, the places of the names on its page, definition."""
    for item in glossary.findall(nodes.definition_list_item):
        terms = list(item.findall(nodes.term))
        names, places = tuple(term.astext() for term in terms), [place for term in terms for place in term["ids"]]
        yield names, places, next(item.findall(nodes.definition))


def plain(definition):
    """A copy of a definition without links, and without the places that it refers to: both are one click away."""
    copy = definition.deepcopy()
    for paragraph in copy.findall(nodes.paragraph):
        ends = [i for i, child in enumerate(paragraph) if isinstance(child, nodes.Text) and child.endswith(" See ")]
        if ends:
            last = ends[-1]
            paragraph[last:] = [nodes.Text(paragraph[last].removesuffix(" See "))]
    for link in list(copy.findall(addnodes.pending_xref)):
        link.replace_self(nodes.inline("", link.astext()))
    return copy.children


class Terms:
    """How the terms are found in a text."""

    def __init__(self, entries):
        self.entry = {name.lower(): names for names, *_ in entries for name in names}
        longest_first = sorted([*EVERYDAY, *self.entry], key=len, reverse=True)
        names = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in longest_first)
        self.pattern = re.compile(rf"(?<![\w-])({names})(?:s|es)?(?![\w-])", re.IGNORECASE)

    def find(self, text):
        """Each term in the text: the match, its name in the glossary, all names of its entry."""
        for match in self.pattern.finditer(text):
            name = re.sub(r"\s+", " ", match[1].lower())
            if name in self.entry:
                yield match, name, self.entry[name]


def prose(document):
    """The texts of a page, outside of what is no prose."""
    for paragraph in document.findall(nodes.paragraph):
        for part in paragraph.findall(nodes.TextElement):
            join_lines(part)
        yield from (text for text in paragraph.findall(nodes.Text) if not within_no_place(text.parent))


def within_no_place(node):
    return isinstance(node, NO_PLACE) or (node.parent is not None and within_no_place(node.parent))


def join_lines(part):
    """Make one text of those that follow each other: each line of the source is one, and a term may be broken."""
    joined = []
    for child in part:
        if joined and isinstance(child, nodes.Text) and isinstance(joined[-1], nodes.Text):
            joined[-1] = nodes.Text(joined[-1] + child)
        else:
            joined.append(child)
    part[:] = joined


def link(page, name, text):
    """A reference to a term, as the role `term` makes it."""
    return addnodes.pending_xref(
        "",
        nodes.inline("", text, classes=["xref", "std", "std-term"]),
        refdomain="std",
        reftype="term",
        reftarget=name,
        refdoc=page,
        refexplicit=True,
        refwarn=True,
    )


class LinkTerms(SphinxPostTransform):
    default_priority = 5  # before references are resolved
    formats = ("html",)

    def run(self):
        page = self.env.docname
        if page in WITHOUT_LINKS:
            return
        entries = list(definitions(self.env.get_doctree(GLOSSARY)))
        terms = Terms(entries)
        references = self.document.findall(addnodes.pending_xref)
        by_hand = [node["reftarget"].lower() for node in references if node["reftype"] == "term"]
        linked = {terms.entry[name] for name in by_hand if name in terms.entry}
        for text in list(prose(self.document)):
            self.link_first_uses(text, terms, linked, page)
        for names, places, definition in entries:
            if names in linked:
                attributes = {"data-terms": " ".join(places)}
                self.document += aside("", "", *plain(definition), tag="template", attributes=attributes)

    def link_first_uses(self, text, terms, linked, page):
        whole, parts, end = text.astext(), [], 0
        for match, name, names in terms.find(whole):
            if names not in linked:
                linked.add(names)
                parts += [nodes.Text(whole[end : match.start()]), link(page, name, match[0])]
                end = match.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(whole[end:])])


def add_script(app, pagename, templatename, context, doctree):
    if "<template data-terms" in context.get("body", ""):
        app.add_js_file(None, type="module", body=SCRIPT.read_text(encoding="utf-8"))


def setup(app):
    app.add_post_transform(LinkTerms)
    app.connect("html-page-context", add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
