"""What one episode meets: a window of a stream brought onto a platform; knows no policy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Episode:
    """n = warmup + jobs jobs in order of arrival, with their draws and their replicas."""

    warmup: int
    """The first so many jobs are placed before the policy takes over."""
    load: float
    """Offered load: work / (span x capacity x (1 - competing_mean))."""
    arrival_s: np.ndarray
    """Arrival, float64[n], s, the first at 0, non-decreasing."""
    clock_s: float
    """Time of the week (s since Monday 00:00 UTC) at arrival_s == 0, for daily cycles."""
    cores: np.ndarray
    """Cores needed, int32[n]."""
    workload_true: np.ndarray
    """Work, float64[n], Gflop."""
    workload_pred: np.ndarray
    """Work that a broker expects, float64[n], Gflop."""
    input_bytes: np.ndarray
    """Size of the input, float64[n], bytes."""
    input_files: np.ndarray
    """Files of the input, int32[n]."""
    dataset: np.ndarray
    """Which input it reads, int32[n]."""
    source: np.ndarray
    """Site of the platform that held the data, int16[n], -1 unknown."""
    replicas: np.ndarray
    """Sites of the platform that hold the dataset, int16[n, 3]; -1 none."""
    status: np.ndarray
    """How the record ended, int8[n]."""
    project: np.ndarray
    """Project code, int16[n]."""
    prodstep: np.ndarray
    """Production step code, int16[n]."""
    datatype: np.ndarray
    """Data type code, int16[n]."""
    noise: np.ndarray
    """Factor on the run time, float64[n], median 1."""
    noise_u: np.ndarray
    """The uniform behind `noise`, float64[n] in [0, 1)."""
    failure_u: np.ndarray
    """Uniform of the failure, float64[n] in [0, 1)."""
    place_u: np.ndarray
    """Uniform of the warm start's placement, float64[n] in [0, 1)."""

    def __len__(self) -> int:
        return len(self.arrival_s)
