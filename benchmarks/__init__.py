"""Comparisons with other libraries, side by side in one run.

    python -m benchmarks                 all of them
    python -m benchmarks activations     one

Everything runs on one thread: the variables that say so are read when NumPy is loaded, so they are set here.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
