"""The names of the library in the code of a page lead to its description: sphinx-codeautolink sets the links.

The cells of a page are one program. Taken as one, they would be read again before each of them, which is a fifth of the
time that a build takes beside its notebooks; but what a cell needs of the others is what they import. So a page gets
all its imports as the preface that `autolink-preface` would give it.
"""

import ast

from docutils import nodes
from sphinx_codeautolink.extension.directive import PrefaceMarker

CODE = ("ipython3", "python")  # of a notebook that was run, and of one that was not


def begin_with_imports(app, doctree):
    blocks = (block.astext() for block in doctree.findall(nodes.literal_block) if block.get("language") in CODE)
    statements = (statement for block in blocks for statement in ast.parse(block).body)
    imports = [ast.unparse(found) for found in statements if isinstance(found, ast.Import | ast.ImportFrom)]
    if imports:
        doctree.insert(0, PrefaceMarker("\n".join(imports), level="file"))


def setup(app):
    app.connect("doctree-read", begin_with_imports, priority=480)  # before sphinx-codeautolink reads the code
    return {"parallel_read_safe": True, "parallel_write_safe": True}
