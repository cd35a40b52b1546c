"""The page of the library's names: what each does, from its docstring, with its formula and its source.

The directive `api` takes a module and the names to show, and writes them as objects of Sphinx's domain for Python, so
that code cells, the search and other pages can lead to them.
"""

import functools
import importlib
import inspect
import re
import textwrap
from pathlib import Path

from sphinx.util.docutils import SphinxDirective

from nnlib.formula import Formula

ROOT = Path(__file__).parent.parent
BIBLIOGRAPHY = ROOT / "chapters" / "references.bib"
TABLE = re.compile(r"^=+ .*^=+[ =]*$", flags=re.MULTILINE | re.DOTALL)


@functools.cache
def references():
    """The keys of the bibliography."""
    return set(re.findall(r"^@\w+\{(\w+)", BIBLIOGRAPHY.read_text(encoding="utf-8"), flags=re.MULTILINE))


def signature(found, owner):
    """The arguments of a name; a formula and its gradient take those that the formula's class prepares."""
    if isinstance(owner, Formula):
        found = getattr(type(owner), "prepared", type(owner).formula)
    arguments = list(inspect.signature(found).parameters.values())
    if arguments and arguments[0].name == "self":
        del arguments[0]
    return str(inspect.Signature(arguments))


def words(found):
    """A docstring as Markdown: its tables are those of reStructuredText, keys of the bibliography become citations."""
    text = inspect.getdoc(type(found) if isinstance(found, Formula) else found)
    text = TABLE.sub(lambda table: f"```{{eval-rst}}\n{table[0]}\n```", text)
    return re.sub(
        r"\b[a-z]+\d{4}\w*\b", lambda key: f"{{cite:t}}`{key[0]}`" if key[0] in references() else key[0], text
    )


def source(found):
    """A fold with the code of a name, and the file that it stands in."""
    code = type(found) if isinstance(found, Formula) else found
    file = Path(inspect.getsourcefile(code)).relative_to(ROOT).as_posix()
    listing = textwrap.dedent(inspect.getsource(code)).rstrip()
    return f"````{{dropdown}} Source, in {file}\n```python\n{listing}\n```\n````"


def entry(module, name):
    """A name of a module as Markdown."""
    *path, _ = name.split(".")
    whole = importlib.import_module(module)
    owner = functools.reduce(getattr, path, whole)
    found = functools.reduce(getattr, name.split("."), whole)
    described = owner if path else found
    kind = "method" if path else "class" if inspect.isclass(found) else "function"
    lines = [f"``````{{py:{kind}}} {name}{signature(found, described)}", f":module: {module}", ""]
    if isinstance(found, Formula):
        lines += [f"$$\n{found.latex}\n$$", ""]
    lines += [words(found), ""] if path else [words(found), "", source(found)]
    return "\n".join([*lines, "``````", ""])


class Api(SphinxDirective):
    required_arguments = 1
    has_content = True

    def run(self):
        module = self.arguments[0]
        text = "\n".join(entry(module, name) for name in " ".join(self.content).split())
        return self.parse_text_to_nodes(text)


def setup(app):
    app.add_directive("api", Api)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
