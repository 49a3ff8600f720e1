"""Fidelity of synthetic rows: columns, associations, detection, coverage, tails."""

from __future__ import annotations

from metrics.fidelity.association import association_matrix, diff_corr
from metrics.fidelity.columns import jsd, jsd_by_column, wd, wd_by_column
from metrics.fidelity.detection import c2st

__all__ = [
    "association_matrix",
    "c2st",
    "diff_corr",
    "jsd",
    "jsd_by_column",
    "wd",
    "wd_by_column",
]
