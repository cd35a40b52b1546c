"""Where a chapter stands on the map of the course: the pipeline from an input to the loss and back, on top of it.

Each part of the picture is a link to its chapter; that of the page itself is marked and lit.
"""

from html import escape
from urllib.parse import quote

# ŷ in the letters of formulas, which have no such letter: the hat goes back over the y.
PREDICTION = 'y<tspan dx="-6.5">^</tspan>'
# The chapter of each part, what the map calls it, where its name stands, and how the part is drawn.
PARTS = {
    "chapters/neuron": (
        "neuron",
        (190, 14),
        '<rect x="88" y="22" width="204" height="36" rx="6"/>'
        '<text x="134" y="45">a = w<tspan class="up">T</tspan>x</text>'
        f'<path class="value" d="M174 40H204"/><text x="248" y="45">{PREDICTION} = f(a)</text>',
    ),
    "chapters/losses": (
        "loss",
        (386, 14),
        f'<rect x="336" y="22" width="100" height="36" rx="6"/><text x="386" y="45">L({PREDICTION}, y)</text>',
    ),
    "chapters/matrix_calculus": (
        "derivatives",
        (134, 133),
        '<rect x="88" y="80" width="88" height="36" rx="6"/><text x="132" y="103">∂L/∂w</text>',
    ),
    "chapters/chain_rule": (
        "chain rule",
        (317, 133),
        '<rect x="198" y="80" width="238" height="36" rx="6"/><text x="248" y="103">∂L/∂a</text>'
        f'<path class="slope" d="M346 98H292"/><text x="386" y="103">∂L/∂{PREDICTION}</text>',
    ),
    "chapters/backpropagation": (
        "learning",
        (32, 133),
        '<rect class="room" x="0" y="62" width="80" height="58"/>'
        '<path class="slope" d="M86 98H34Q18 98 18 82V65Q18 49 34 49H80"/>',
    ),
}
# What joins the parts: the input, the way to the loss and the way back.
JOINTS = (
    '<text x="46" y="37">x</text><path class="value" d="M55 33H80"/><path class="value" d="M294 40H330"/>'
    '<path class="slope" d="M386 60V74"/><path class="slope" d="M196 98H183"/>'
)
ARROW = (
    '<marker id="map-{name}" class="{name}" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="8" markerHeight="8" '
    'markerUnits="userSpaceOnUse" orient="auto"><path d="M1 1L6 4L1 7"/></marker>'
)


def chapters(env):
    """The chapters on the map, in the order of the book."""
    return [page for page in env.toctree_includes[env.config.root_doc] if page in PARTS]


def course_map(here, order, titles, address):
    """The map on the page `here`; titles[page] and address(page) say what a chapter is called and where it is."""
    links = []
    for number, page in enumerate(order, start=1):
        name, (x, y), drawing = PARTS[page]
        current = ' aria-current="page"' if page == here else ""
        links.append(
            f'<a href="{quote(address(page), safe="/.#")}"{current} '
            f'aria-label="{number} {name}: {escape(titles[page])}">'
            f'{drawing}<text class="name" x="{x}" y="{y}">{number} {name}</text></a>'
        )
    markers = "".join(ARROW.format(name=name) for name in ("value", "slope"))
    return (
        '<nav class="course-map" aria-label="This chapter on the map of the course"><svg viewBox="-2 0 442 140">'
        f"<defs>{markers}</defs>{JOINTS}{''.join(links)}</svg></nav>"
    )


def add_map(app, pagename, templatename, context, doctree):
    order = chapters(app.env)
    if pagename in order:
        titles = {page: app.env.titles[page].astext() for page in order}
        here = course_map(pagename, order, titles, lambda page: app.builder.get_relative_uri(pagename, page) or "#")
        context["body"] = here + context["body"]


def setup(app):
    app.connect("html-page-context", add_map)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
