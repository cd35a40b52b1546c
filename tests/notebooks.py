"""Brings notebooks into their normal form, so that a change of a chapter shows as a change of a chapter.

    python tests/notebooks.py                               every notebook of chapters/
    python tests/notebooks.py --run chapters/neuron.ipynb   run it first: its text outputs are written anew

Normal is: the metadata that a kernel needs and no more; of a cell's metadata its tags and what MyST-NB reads;
no empty cells; text outputs kept, with the cell's number as execution count: `pytest --nbval` compares them;
a cell that shows a picture, HTML or a widget has no outputs and no execution count: it is run, not compared.
"""

import argparse
import sys
from pathlib import Path

import nbformat

CHAPTERS = Path(__file__).parent.parent / "chapters"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = ("tags", "mystnb")


def normal(notebook):
    """The normal form of a notebook, as a new notebook."""
    cells, number = [], 0
    for old in notebook.cells:
        cell = nbformat.from_dict({**old, "source": "\n".join(map(str.rstrip, old.source.split("\n"))).strip("\n")})
        if not cell.source:
            continue
        cell.metadata = {key: old.metadata[key] for key in CELL_METADATA if old.metadata.get(key)}
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            number += 1
            cell.outputs = text_outputs(old.outputs, number)
            was_run = old.execution_count is not None or bool(cell.outputs)
            cell.execution_count = number if was_run and cell.outputs is not None else None
            cell.outputs = cell.outputs or []
        cells.append(cell)
    rename = {cell.id for cell in cells if "id" in cell}
    if len(rename) < len(cells):  # an id is missing or stands twice
        for i, cell in enumerate(cells):
            cell.id = f"cell-{i}"
    return nbformat.from_dict({"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5})


def text_outputs(outputs, number):
    """The outputs that can be compared on every machine, or None where one of them cannot."""
    kept = []
    for output in outputs:
        if output.output_type == "stream" and output.name == "stderr":
            continue  # warnings name the files of one machine
        if output.output_type == "stream":
            if kept and kept[-1]["output_type"] == "stream":
                kept[-1]["text"] += output.text
            else:
                kept.append({"output_type": "stream", "name": "stdout", "text": output.text})
        elif output.output_type == "error":
            lines = [f"{output.ename}: {output.evalue}"]  # the traceback names the files of one machine
            kept.append({"output_type": "error", "ename": output.ename, "evalue": output.evalue, "traceback": lines})
        elif set(output.data) == {"text/plain"}:
            text = {"output_type": output.output_type, "data": dict(output.data), "metadata": {}}
            kept.append(text | ({"execution_count": number} if output.output_type == "execute_result" else {}))
        else:
            return None
    return kept


def text(notebook):
    """The file that holds the notebook, as Jupyter writes it."""
    return nbformat.writes(notebook) + "\n"


def run(notebook, folder):
    """Run every cell in a new kernel. Raises CellExecutionError where a cell fails."""
    from nbclient import NotebookClient

    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()


def main():
    parser = argparse.ArgumentParser(description="Bring notebooks into their normal form.")
    parser.add_argument("files", nargs="*", type=Path, help="default: every notebook of chapters/")
    parser.add_argument("--run", action="store_true", help="run the notebooks first")
    arguments = parser.parse_args()
    for path in arguments.files or sorted(CHAPTERS.glob("*.ipynb")):
        if not path.is_file():
            sys.exit(f"{path}: there is no such notebook")
        before = path.read_text(encoding="utf-8")
        notebook = nbformat.reads(before, as_version=4)
        if arguments.run:
            print(f"Running {path}")
            run(notebook, path.parent)
        after = text(normal(notebook))
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(f"{path}: brought into its normal form")


if __name__ == "__main__":
    main()
