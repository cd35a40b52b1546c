"""The words of the course for a spelling checker: `python tests/prose.py FOLDER` writes them there, file by file.

The text of the notebooks, the pages without code, README and CONTRIBUTING, and the docstrings and comments of nnlib;
formulas, code within text and addresses are left out. Every line stands where it stands in its file or its cell.
"""

import io
import re
import sys
import tokenize
from pathlib import Path

import nbformat

ROOT = Path(__file__).parent.parent
PAGES = ["README.md", "CONTRIBUTING.md", "chapters/*.md"]

# What is no prose in a page: blocks of code, formulas, code, roles and citations, directives and their options, links'
# addresses, labels, tags.
NO_PROSE = re.compile(
    r"^(?P<fence>```+|~~~+)(?!\{(?:admonition|dropdown|note|tip|warning|hint|exercise|solution|tab|glossary)).*?^(?P=fence)\s*$"
    r"|\$\$.*?\$\$|\$[^$\n]+(?:\n[^$\n]+)?\$"
    r"|\{[\w:.-]+\}`[^`]*`|`[^`]+`"
    r"|^[ \t]*[:`]{3,}.*$|^[ \t]*:[\w-]+:.*$|^\([\w-]+\)=|\]\([^)]*\)|<[^>]+>|https?://\S+",
    re.MULTILINE | re.DOTALL,
)


def words_of(text):
    """A page's text with spaces in place of what is no prose."""
    return NO_PROSE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def notebook(path):
    """The text of each cell, below the cell's number."""
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(
        f"cell {i}\n{words_of(cell.source)}" for i, cell in enumerate(cells, 1) if cell.cell_type == "markdown"
    )


def program(path):
    """The comments and docstrings of a program, each in its line."""
    lines = [""] * (path.read_text(encoding="utf-8").count("\n") + 1)
    previous = tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        is_docstring = token.type == tokenize.STRING and previous in (tokenize.NEWLINE, tokenize.INDENT, tokenize.NL)
        if token.type == tokenize.COMMENT or is_docstring:
            for i, line in enumerate(words_of(token.string).split("\n"), token.start[0] - 1):
                lines[i] += line
        if token.type != tokenize.COMMENT:
            previous = token.type
    return "\n".join(lines)


def main(folder):
    found = [(path, words_of(path.read_text(encoding="utf-8"))) for pattern in PAGES for path in ROOT.glob(pattern)]
    found += [(path, notebook(path)) for path in ROOT.glob("chapters/*.ipynb")]
    found += [(path, program(path)) for path in ROOT.glob("nnlib/**/*.py")]
    for path, text in found:
        target = Path(folder) / f"{path.relative_to(ROOT)}.txt"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
