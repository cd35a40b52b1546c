"""A part of a page that helps to read it and that the search need not find there, as it is found elsewhere."""

from docutils import nodes


class aside(nodes.comment):  # the search passes over comments
    """An HTML element around its children: `tag`, and its `attributes`."""


def visit(translator, node):
    translator.body.append(translator.starttag(node, node["tag"], **node.get("attributes", {})))


def depart(translator, node):
    translator.body.append(f"</{node['tag']}>\n")


def setup(app):
    app.add_node(aside, html=(visit, depart))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
