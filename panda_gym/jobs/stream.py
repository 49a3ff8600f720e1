"""A stream of jobs: one array a field, sorted by arrival, checked and read-only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from panda_gym.errors import StreamError
from panda_gym.jobs.fields import ARRAYS, CATEGORIES, FIELDS, STATUSES, WorkloadPredictor
from panda_gym.jobs.part import StreamPart

if TYPE_CHECKING:
    import pandas as pd

    from panda_gym.reading import Reading
    from panda_gym.surrogate import Surrogate


GUIDE_CELLS: Final = 4
"""Cells of `JobStream.run_time_guide` a job."""


@dataclass(frozen=True, eq=False)
class JobStream:
    """n jobs in order of arrival; checked when made, read-only afterwards.

    All random numbers of a job are drawn already, so every reader of the stream sees the same
    jobs. Episodes draw the three uniforms anew from their own seed. The fields, their types and
    limits stand in `panda_gym.jobs.fields`.

    Raises:
        StreamError: an array of another length or type, no job, jobs out of order, or a value out
            of range; the error names the field and the row.
    """

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
    """Work, float64[n], Gflop; hidden from brokers."""
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
    """Uniform of the warm start's placement, float64[n] in [0, 1)."""
    requested_s: np.ndarray = None  # type: ignore[assignment]
    """Requested wall time, float64[n], s, at whatever site the job runs; 0: none. None: zeros."""
    wall_times: bool = False
    """Whether work is recorded wall time x cores x power: episodes then replay the run times as
    recorded, without CPU efficiency and without noise."""
    reading: Reading | None = None
    """What the reader of the file took, dropped and assumed; None if there was no file."""
    part: StreamPart | None = None
    """Which part of a longer stream the jobs are; None: the whole."""

    def __post_init__(self) -> None:
        levels = {key: tuple(self.levels.get(key, ())) for key in CATEGORIES}
        object.__setattr__(self, "levels", levels)
        object.__setattr__(self, "site_names", tuple(self.site_names))
        if self.requested_s is None:
            object.__setattr__(self, "requested_s", np.zeros(len(self.arrival_s)))
        for field, kind in ARRAYS.items():
            object.__setattr__(self, field, _array(self, field, kind))
        _check(self)

    @classmethod
    def from_records(
        cls,
        table: pd.DataFrame,
        *,
        workload_model: WorkloadPredictor | None = None,
        seed: int = 0,
        name: str = "records",
        origin: str | None = None,
    ) -> JobStream:
        """Make a stream from a table of the nine columns; see `panda_gym.jobs.records`.

        Raises:
            StreamError: a column is missing, or an entry cannot be used.
        """
        from panda_gym.jobs.records import from_records

        return cls(
            **from_records(
                table, workload_model=workload_model, seed=seed, name=name, origin=origin
            )
        )

    @classmethod
    def from_swf(cls, path: str | Path, *, seed: int = 0, power: float = 10.0) -> JobStream:
        """Make a stream from a trace in Standard Workload Format; see `panda_gym.jobs.swf`.

        Raises:
            StreamError: unreadable, damaged (names the line), or without a job.
        """
        from panda_gym.jobs.swf import from_swf

        return cls(**from_swf(path, seed=seed, power=power))

    @classmethod
    def from_surrogate(
        cls, surrogate: Surrogate, jobs: int | None = None, seed: int = 0
    ) -> JobStream:
        """Make a stream from an opened surrogate; see `panda_gym.jobs.surrogates`.

        Raises:
            StreamError: `jobs` is less than 1.
        """
        from panda_gym.jobs.surrogates import from_surrogate

        return cls(**from_surrogate(surrogate, jobs, seed))

    @classmethod
    def load(cls, path: str | Path) -> JobStream:
        """Read what `save` wrote; StreamError if it is damaged."""
        from panda_gym.jobs.parquet import read_fields

        return cls(**read_fields(path))

    def save(self, path: str | Path) -> None:
        """Write the stream to Parquet, whole or not at all."""
        from panda_gym.jobs.parquet import write_fields

        write_fields(self.meta(), {field: getattr(self, field) for field in ARRAYS}, path)

    def __len__(self) -> int:
        return len(self.arrival_s)

    @property
    def total_gflop(self) -> float:
        """Work of all jobs together, Gflop."""
        return float(self.workload_true.sum())

    @cached_property
    def period_s(self) -> float:
        """Period of the stream when it is read past its end, s.

        The span plus one mean gap between jobs, so that the rate of arrivals stays; 1 s where all
        jobs arrive at once.
        """
        span = float(self.arrival_s[-1] - self.arrival_s[0])
        return span * len(self) / (len(self) - 1) if span > 0.0 else 1.0

    @cached_property
    def run_time_edges(self) -> np.ndarray:
        """Running sum of work / cores, float64[n]; see `residual_jobs`."""
        return np.cumsum(self.workload_true / self.cores)

    @cached_property
    def run_time_guide(self) -> np.ndarray:
        """Guide table of `run_time_edges`, int64[cells + 1].

        Entry k is the row from which to search for values in the k-th of `cells` equal parts
        (Chen and Asau, AIIE Transactions 6, 1974).
        """
        cells = GUIDE_CELLS * len(self)
        # One part earlier, as products round.
        parts = (np.arange(cells + 1) - 1.0) * (self.run_time_edges[-1] / cells)
        return np.minimum(np.searchsorted(self.run_time_edges, parts, side="right"), len(self) - 1)

    @cached_property
    def table(self) -> np.ndarray:
        """The arrays as one record a job, [n], for reading whole jobs at random rows."""
        found = np.empty(len(self), [(name, kind) for name, kind in ARRAYS.items()])
        for name in ARRAYS:
            found[name] = getattr(self, name)
        return found

    @cached_property
    def dataset_source(self) -> np.ndarray:
        """Site of most jobs of each dataset, int16[max(dataset) + 1]; -1 none.

        Ties go to the lower index.
        """
        home = np.full(int(self.dataset.max()) + 1, -1, dtype=np.int16)
        placed = self.source >= 0
        pairs = self.dataset[placed].astype(np.int64) << 16 | self.source[placed].astype(np.int64)
        pair, count = np.unique(pairs, return_counts=True)
        # Written in order of count, then of falling index: the last one to write stays.
        order = np.lexsort((-(pair & 0xFFFF), count))
        home[pair[order] >> 16] = pair[order] & 0xFFFF
        return home

    def rows(self, start: int, n: int) -> tuple[np.ndarray | slice, np.ndarray]:
        """Return the rows of a window and their arrivals, float64[n], which go on past the end."""
        size = len(self)
        start = int(start) % size
        if start + n <= size:
            return slice(start, start + n), self.arrival_s[start : start + n]
        turn, row = np.divmod(np.arange(start, start + n), size)
        return row, self.arrival_s[row] + turn * self.period_s

    def window(self, start: int, n: int) -> JobStream:
        """Return n jobs from job `start` on; past its end the stream repeats, shifted in time.

        Arrivals stay on the clock of `epoch`; they do not restart at 0.

        Raises:
            StreamError: n is less than 1.
        """
        if n < 1:
            raise StreamError("a window of at least 1 job", f"n={n}", "pass n >= 1")
        row, arrival = self.rows(start, n)
        return replace(
            self,
            **{f: getattr(self, f)[row] for f in ARRAYS if f != "arrival_s"},
            arrival_s=arrival,
        )

    def meta(self) -> dict[str, Any]:
        """Return what the stream says beside its arrays, as plain data."""
        return {
            "name": self.name,
            "origin": self.origin,
            "epoch": self.epoch,
            "site_names": list(self.site_names),
            "levels": {key: list(value) for key, value in self.levels.items()},
            **({"wall_times": True} if self.wall_times else {}),
            **({"part": str(self.part)} if self.part is not None else {}),
        }

    def digest(self) -> str:
        """Return the SHA-256 of the arrays and of `meta()`, hexadecimal.

        Requested wall times count where a job has one, so that other streams keep their digest.
        """
        sha = hashlib.sha256(json.dumps(self.meta(), sort_keys=True).encode())
        for field, kind in ARRAYS.items():
            if field == "requested_s" and not self.requested_s.any():
                continue
            # Little-endian whatever the machine.
            little = np.dtype(kind).newbyteorder("<")
            sha.update(np.ascontiguousarray(getattr(self, field), dtype=little).tobytes())
        return sha.hexdigest()


def _array(stream: JobStream, field: str, kind: type) -> np.ndarray:
    """Return a field as a read-only array of its type, n long, without NaN."""
    given = np.asarray(getattr(stream, field))
    where = f"{field} of stream {stream.name!r}"
    expected = (len(stream.arrival_s),)
    if given.shape != expected:
        raise StreamError(f"{where} of shape {expected}", f"{given.shape}", "give one a job")
    if given.dtype.kind not in "fiu":
        raise StreamError(f"numbers as {where}", f"type {given.dtype}", "convert them")
    if given.dtype.kind == "f" and not np.isfinite(given).all():
        row = int(np.flatnonzero(~np.isfinite(given))[0])
        raise StreamError(f"finite {where}", f"{given[row]} in row {row}", "fill it in or drop it")
    if given.dtype != kind and kind is not np.float64 and len(given):
        most, least = given.max(), given.min()
        if max(most, -least) > np.iinfo(kind).max or (given != np.rint(given)).any():
            needed = f"whole numbers up to {np.iinfo(kind).max} as {where}"
            raise StreamError(needed, f"{least:g}..{most:g}", "recode or round them")
    array: np.ndarray = given.astype(kind, copy=given.flags.writeable)
    array.setflags(write=False)
    return array


def _check(stream: JobStream) -> None:
    """Refuse an empty or unsorted stream, and values out of range."""
    if len(stream) == 0:
        raise StreamError("at least one job", "an empty stream", "check the records or the filter")
    late = np.diff(stream.arrival_s) < 0
    if late.any():
        row = int(np.flatnonzero(late)[0]) + 1
        came = f"an earlier arrival in row {row}"
        raise StreamError("jobs in order of arrival", came, "sort them by arrival_s")
    levels = {"site_names": stream.site_names, "STATUSES": STATUSES, **stream.levels}
    for field in FIELDS:
        if field.low is not None:
            high = len(levels[field.below]) if isinstance(field.below, str) else field.below
            _check_range(field.name, getattr(stream, field.name), field.low, high)


def _check_range(field: str, values: np.ndarray, low: float, high: float | None) -> None:
    """Refuse values outside [low, high); None: no upper limit."""
    if values.min() >= low and (high is None or values.max() < high):
        return
    needed = f"{field} >= {low}" + ("" if high is None else f" and < {high}")
    wrong = (values < low) | (values >= (np.inf if high is None else high))
    row = int(np.flatnonzero(wrong)[0])
    raise StreamError(needed, f"{values[row]:g} in row {row}", "correct the record")
