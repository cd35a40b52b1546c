"""Run the benchmarks: all of them, or those that are named."""

import importlib
import sys

# Modules of this folder; `main()` of each prints a table and returns whether no peer was missing.
BENCHMARKS = ["activations", "losses", "live_figures"]


def main(names):
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        sys.exit(f"benchmarks: there is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    complete = [importlib.import_module(f"benchmarks.{name}").main() for name in names or BENCHMARKS]
    if not all(complete):
        sys.exit("Some comparisons were left out: see NOT COMPARED above.")


if __name__ == "__main__":
    main(sys.argv[1:])
