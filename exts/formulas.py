"""A short formula and the full stop or comma after it stay on one line."""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

SHORT = 40  # characters of TeX: such a formula need not break
STOPS = (".", ",", ";", ":", "?", "!", ")", "’", "”")


class KeepStops(SphinxPostTransform):
    default_priority = 5
    formats = ("html",)

    def run(self):
        for formula in list(self.document.findall(nodes.math)):
            after = formula.next_node(descend=False, siblings=True)
            if len(formula.astext()) > SHORT or not isinstance(after, nodes.Text) or not after.startswith(STOPS):
                continue
            stop = next((i for i, character in enumerate(after) if character not in STOPS), len(after))
            parent, here = formula.parent, formula.parent.index(formula)
            kept = nodes.inline("", "", formula, nodes.Text(after[:stop]), classes=["nobreak"])
            parent[here : here + 2] = [kept, nodes.Text(after[stop:])]


def setup(app):
    app.add_post_transform(KeepStops)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
