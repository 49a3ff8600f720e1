"""The fields of a stream of jobs: one table of their types, limits and meanings.

Dtypes, the check of a stream, its columns in Parquet, the record a job in memory and the hash of a
stream all follow the order and the types of `FIELDS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from panda_gym.schema import CATEGORIES, STATUSES

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ABOUT", "ARRAYS", "CATEGORIES", "FIELDS", "STATUSES", "UNIFORMS", "Field"]


@dataclass(frozen=True)
class Field:
    """One array of a stream, with a value a job."""

    name: str
    """Name of the array."""
    dtype: Any
    """NumPy type of its values."""
    unit: str
    """Unit, empty for none."""
    low: float | None
    """Smallest allowed value."""
    below: float | str | None
    """Every value is below this: a number, or the name of what the values index."""
    meaning: str
    """What it says of a job."""


FIELDS: Final = (
    Field("arrival_s", np.float64, "s", None, None, "arrival, since the epoch"),
    Field("cores", np.int32, "cores", 1, None, "cores needed"),
    Field("workload_true", np.float64, "Gflop", 0, None, "work"),
    Field("workload_pred", np.float64, "Gflop", 0, None, "work that a broker expects"),
    Field("input_bytes", np.float64, "bytes", 0, None, "size of the input"),
    Field("input_files", np.int32, "files", 0, None, "files of the input"),
    Field("dataset", np.int32, "", 0, None, "which input the job reads"),
    Field("source", np.int16, "", -1, "site_names", "site that held the data and ran the job"),
    Field("status", np.int8, "", 0, "STATUSES", "how the record ended"),
    *(Field(name, np.int16, "", 0, name, "class of the job") for name in CATEGORIES),
    Field("noise_u", np.float64, "", 0, 1, "uniform of the run-time noise"),
    Field("failure_u", np.float64, "", 0, 1, "uniform of the failure"),
    Field("place_u", np.float64, "", 0, 1, "uniform of the warm start's placement"),
    Field("requested_s", np.float64, "s", 0, None, "requested wall time, 0: none"),
)
"""The arrays of a stream, in the order in which they are stored and hashed."""

ARRAYS: Final = {field.name: field.dtype for field in FIELDS}
"""NumPy type of each array, in order."""

UNIFORMS: Final = ("noise_u", "failure_u", "place_u")
"""Arrays that an episode draws anew from its own seed."""

ABOUT: Final = ("name", "origin", "epoch", "site_names", "levels")
"""What a stream says beside its arrays."""

LEAST_PREDICTION: Final = 1.0
"""Smallest predicted workload, Gflop, so that its logarithm is finite."""


class WorkloadPredictor(Protocol):
    """Anything that predicts a workload from a table of the nine columns."""

    def predict(self, table: pd.DataFrame) -> np.ndarray:
        """Return the predicted workload, float64[n], Gflop."""
        ...
