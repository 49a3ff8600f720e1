"""Compilation of kernels with numba.

- `compiled`: the decorators `inline`, `no_inline` and `entry_decorator`, and the cache's stamp;
- `mode`: which mode is taken (linked, plain, interpreted), and the versions that were tested;
- `address_table`, `fields`: pass a named tuple of arrays to a kernel as one address;
- `layout`: where the arrays of a batch lie in memory;
- `heap`, `counter_rng`: heaps and random numbers for kernels.

Only this package uses internals of numba and llvmlite, and within it only `linked`.
"""
