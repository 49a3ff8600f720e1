"""Rows as points of Gower's distance: |difference| of ranks, 1 for a category that differs.

A missing number stands at the middle and, where train has missing ones, counts as a category of
its own. Columns come first, as the kernels of the attacks read them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from metrics.tables import scales
from metrics.tables.samples import Sample

Cloud = tuple[np.ndarray, np.ndarray]
"""Numbers float32[d, n] on the rank scale, and codes int32[c, n]."""


def cloud_of(sample: Sample, train: Sample, columns: Sequence[str]) -> Cloud:
    """Return the named columns of a sample, numbers on the rank scale of `train`."""
    schema = sample.schema
    numbers, codes = [], []
    for name in columns:
        if name in schema.levels:
            codes.append(sample.category(name))
            continue
        x = sample.number(name)
        missing = np.isnan(x)
        numbers.append(np.where(missing, 0.5, scales.fit("rank", train.number(name))(x)))
        if np.isnan(train.number(name)).any():
            codes.append(missing.astype(np.int32))
    n = len(sample)
    return (
        np.ascontiguousarray(np.reshape(numbers, (len(numbers), n)), dtype=np.float32),
        np.ascontiguousarray(np.reshape(codes, (len(codes), n)), dtype=np.int32),
    )
