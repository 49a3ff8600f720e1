"""Compilation of kernels with numba: linking, plain array access, layout, heap, random numbers."""
