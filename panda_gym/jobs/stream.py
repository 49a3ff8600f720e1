"""A stream of jobs as a structure of arrays, sorted by time; knows no platform and no policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

STATUSES: Final = ("finished", "failed", "cancelled", "closed")
"""What the codes of `JobStream.status` mean."""


@dataclass(frozen=True, eq=False)
class JobStream:
    """n jobs in order of arrival; everything random about a job is drawn already."""

    name: str
    """What the stream is called in reports."""
    origin: str
    """Where the jobs come from, repeated wherever results stand."""
    epoch: str
    """ISO time (UTC) of arrival_s == 0."""
    site_names: tuple[str, ...]
    """What `source` indexes."""
    levels: Mapping[str, tuple[str, ...]]
    """What the codes of `project`, `prodstep` and `datatype` mean."""
    arrival_s: np.ndarray
    """Arrival, float64[n], s since the epoch, non-decreasing."""
    cores: np.ndarray
    """Cores needed, int32[n], at least 1."""
    workload_true: np.ndarray
    """Work, float64[n], Gflop; no broker sees it."""
    workload_pred: np.ndarray
    """Work that a broker expects, float64[n], Gflop."""
    input_bytes: np.ndarray
    """Size of the input, float64[n], bytes."""
    input_files: np.ndarray
    """Files of the input, int32[n]."""
    dataset: np.ndarray
    """Which input it reads, int32[n], index >= 0."""
    source: np.ndarray
    """Site that held the data and ran the job, int16[n], index of `site_names`; -1 unknown."""
    status: np.ndarray
    """How the record ended, int8[n], index of STATUSES."""
    project: np.ndarray
    """Project, int16[n], index of levels["project"]."""
    prodstep: np.ndarray
    """Production step, int16[n], index of levels["prodstep"]."""
    datatype: np.ndarray
    """Data type, int16[n], index of levels["datatype"]."""
    noise_u: np.ndarray
    """Uniform of the run noise, float64[n] in [0, 1)."""
    failure_u: np.ndarray
    """Uniform of the failure, float64[n] in [0, 1)."""
    place_u: np.ndarray
    """Uniform of placements that are not the policy's (warm start), float64[n] in [0, 1)."""

    def __len__(self) -> int:
        return len(self.arrival_s)

    @property
    def total_gflop(self) -> float:
        """Work of all jobs together, Gflop."""
        return float(self.workload_true.sum())
