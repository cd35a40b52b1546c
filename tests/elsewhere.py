"""A stand-in for the arrays of CuPy and Dask."""

import numpy as np


class Elsewhere(np.lib.mixins.NDArrayOperatorsMixin):
    """An array that lives elsewhere, as those of CuPy and Dask do: it takes part in NumPy's functions, only with its
    like and with numbers, and must not be turned into an ndarray, looked into or written to."""

    def __init__(self, value):
        self.value = value

    shape = property(lambda self: self.value.shape)
    size = property(lambda self: self.value.size)
    ndim = property(lambda self: self.value.ndim)
    dtype = property(lambda self: self.value.dtype)

    def astype(self, dtype):
        return Elsewhere(self.value.astype(dtype))

    def __getitem__(self, key):
        return Elsewhere(self.value[key])

    def __array_ufunc__(self, ufunc, method, *arguments, **options):
        assert method == "__call__" and "out" not in options
        return Elsewhere(np.asarray(ufunc(*map(self.here, arguments), **options)))

    def __array_function__(self, function, types, arguments, options):
        return Elsewhere(np.asarray(function(*self.here(list(arguments)), **options)))

    def here(self, part):
        if isinstance(part, list):
            return [self.here(p) for p in part]
        assert not isinstance(part, np.ndarray) or part.ndim == 0, "mixed with an ndarray"
        return part.value if isinstance(part, Elsewhere) else part

    def __array__(self, *_, **__):
        raise AssertionError("turned into an ndarray")

    def __bool__(self):
        raise AssertionError("looked into")
