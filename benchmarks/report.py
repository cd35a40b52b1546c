"""The tables of a run: printed as they come, and written to a file when the run is complete."""

import platform
from datetime import date
from importlib import metadata
from pathlib import Path

import numpy as np

COMPARED = ["numpy", "scipy", "scikit-learn", "autograd", "jax", "torch", "numdifftools", "ipywidgets", "matplotlib"]
HEAD = """# How fast, how small

Written by `make bench`; do not edit. It is the result of one run, with nnlib and its peers measured in turn.

- A **ratio** is that of two medians: nnlib's time over the peer's, so below 1 nnlib is faster. The **spread** is the
  smallest and the largest ratio within one pair of timings: where it is wide, the machine was not quiet.
- Everything that computes is kept to one core, and in double precision unless a row says otherwise.
- A **goal** stands beside the rows that have one; what is missed says `MISSED`. `python -m benchmarks NAME` repeats a
  table, with NAME a file of this folder.

"""


class Report:
    """What was measured, and what was left out."""

    def __init__(self):
        self.tables, self.left_out = [], []

    def add(self, title, header, rows):
        """Print a table of texts, and keep it."""
        self.tables.append((title, header, list(rows)))
        print(f"\n{title}\n")
        print(lines_up(header, self.tables[-1][2]), flush=True)

    def leave_out(self, what):
        """Note what could not be compared, and why."""
        if what not in self.left_out:
            self.left_out.append(what)

    def text(self):
        """The whole of it in Markdown."""
        cells = [cell for _, _, rows in self.tables for row in rows for cell in row]
        reached, missed = (sum(cell.endswith(word) for cell in cells) for word in ("reached", "MISSED"))
        summary = f"\nGoals reached: {reached}; missed: {missed}.\n"
        return HEAD + machine() + summary + "".join(map(as_markdown, self.tables))


def lines_up(header, rows):
    """The first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = []
    for row in [header, ["-" * width for width in widths], *rows]:
        first, *others = zip(row, widths, strict=True)
        lines.append("  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]).rstrip())
    return "\n".join(lines) + "\n"


def as_markdown(table):
    title, header, rows = table
    lines = [header, [":--", *["--:"] * (len(header) - 1)], *rows]
    return f"\n## {title}\n\n" + "".join("| " + " | ".join(line) + " |\n" for line in lines)


def machine():
    """The day, the processor, the system, and the versions of what was compared."""
    exp = np.lib.introspect.opt_func_info(func_name="^exp$")["exp"]["dd"]["current"]
    versions = []
    for name in COMPARED:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return (
        f"{date.today()}, {processor()}, {platform.system()} {platform.machine()}, Python {platform.python_version()}. "
        f"NumPy's exp runs on {exp}.\nVersions: {', '.join(versions)}.\n"
    )


def processor():
    """What the system calls its processor."""
    information = Path("/proc/cpuinfo")  # platform.processor() is empty on Linux
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"
