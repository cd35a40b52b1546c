"""Run the benchmarks: all of them, or those that are named. A complete run is written to benchmarks/README.md."""

import importlib
import sys
from pathlib import Path

from benchmarks.report import Report

# Modules of this folder; `main(report)` of each adds tables to the report.
BENCHMARKS = ["activations", "losses", "matrix_calculus", "chain_rule", "network", "live_figures"]
RESULT = Path(__file__).parent / "README.md"


def main(names):
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        sys.exit(f"benchmarks: there is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    report = Report()
    for name in names or BENCHMARKS:
        importlib.import_module(f"benchmarks.{name}").main(report)
    for what in report.left_out:
        print(f"NOT COMPARED: {what}")
    if report.left_out:
        sys.exit("Some comparisons were left out, so nothing was written.")
    if not names:
        RESULT.write_text(report.text(), encoding="utf-8")
        print(f"The tables are in {RESULT.relative_to(Path.cwd())}.")


if __name__ == "__main__":
    main(sys.argv[1:])
