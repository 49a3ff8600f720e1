"""Privacy of training rows: distances, copies and attacks."""

from __future__ import annotations

from metrics.privacy.distances import dcr, dcr_distances

__all__ = [
    "dcr",
    "dcr_distances",
]
