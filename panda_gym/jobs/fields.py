"""What a stream holds: its arrays, their types and codes; knows no job and no source of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

STATUSES: Final = ("finished", "failed", "cancelled", "closed")
"""What the codes of `JobStream.status` mean."""

CATEGORIES: Final = ("project", "prodstep", "datatype")

ARRAYS: Final = {
    "arrival_s": np.float64,
    "cores": np.int32,
    "workload_true": np.float64,
    "workload_pred": np.float64,
    "input_bytes": np.float64,
    "input_files": np.int32,
    "dataset": np.int32,
    "source": np.int16,
    "status": np.int8,
    "project": np.int16,
    "prodstep": np.int16,
    "datatype": np.int16,
    "noise_u": np.float64,
    "failure_u": np.float64,
    "place_u": np.float64,
}
"""The arrays of a stream and their types, in the order of its fields."""

ABOUT: Final = ("name", "origin", "epoch", "site_names", "levels")
"""What a stream says beside its arrays."""

LEAST_PREDICTION: Final = 1.0
"""Smallest predicted workload, Gflop, so that its logarithm is finite."""


class WorkloadPredictor(Protocol):
    """Anything that predicts a workload from a table of the nine columns."""

    def predict(self, table: pd.DataFrame) -> np.ndarray:
        """Predicted workload, float64[n], Gflop."""
        ...
