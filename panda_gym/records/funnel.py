"""Filter raw records into the nine columns, and count the rows that each filter drops."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from panda_gym.errors import RecordsError
from panda_gym.records.columns import check_table, kept_columns
from panda_gym.records.flops import site_power, workload_gflop
from panda_gym.schema import NAMES, STATUSES
from panda_gym.sites import Platform, load_platform

PLATFORM: Final = "atlas150"
"""Platform whose core power is taken unless another is given."""

NEEDED: Final = (
    "creationtime",
    "computingsite",
    "project",
    "prodstep",
    "datatype",
    "ninputdatafiles",
    "inputfilebytes",
    "jobstatus",
    "cpuconsumptiontime",
)
"""Columns of a raw table without which no record can be made."""


@dataclass(frozen=True)
class Filter:
    """One step of the funnel."""

    name: str
    """What the rows that pass have."""
    why: str
    """Why the others are dropped."""
    column: str | None
    """Column without which the filter is passed by all rows, and a note is made."""
    keeps: Callable[[pd.DataFrame], pd.Series]
    """Mask of the rows that pass."""


def _complete(raw: pd.DataFrame) -> pd.Series:
    return raw[list(NEEDED)].notna().all(axis=1)


def _positive(raw: pd.DataFrame) -> pd.Series:
    files, size = raw["ninputdatafiles"], raw["inputfilebytes"]
    return (raw["cpuconsumptiontime"] > 0) & (files >= 0) & ((files > 0) == (size > 0))


FILTERS: Final = (
    Filter(
        "user analysis",
        "production and tests are placed by other rules",
        "prodsourcelabel",
        lambda raw: raw["prodsourcelabel"].astype("str").str.lower() == "user",
    ),
    Filter(
        "DAOD input",
        "the names of other datasets have no common fields",
        "datatype",
        lambda raw: raw["datatype"].astype("str").str.startswith("DAOD"),
    ),
    Filter(
        "final status",
        "jobs that have not ended have no workload yet",
        "jobstatus",
        lambda raw: raw["jobstatus"].isin(STATUSES) | raw["jobstatus"].isna(),
    ),
    Filter("complete row", "a value is missing", None, _complete),
    Filter(
        "CPU time and sizes above zero",
        "no CPU time was used, or files and bytes contradict each other",
        None,
        _positive,
    ),
)
"""The funnel in order, after the gross count (arXiv 2410.07940, Fig. 3b)."""


@dataclass(frozen=True)
class FunnelStep:
    """How many rows are left after one filter."""

    name: str
    """Name of the filter; `gross` for the first."""
    why: str
    """Why rows were dropped."""
    rows: int
    """Rows left."""


@dataclass(frozen=True)
class Funnel:
    """Rows left after each filter, and what was assumed on the way."""

    steps: tuple[FunnelStep, ...]
    """From `gross` to the last filter."""
    notes: Mapping[str, int] = field(default_factory=dict)
    """Assumption and the number of rows that it touches."""

    @property
    def dropped(self) -> dict[str, int]:
        """Rows that each filter dropped, by its name."""
        pairs = itertools.pairwise(self.steps)
        return {f"not {later.name}": earlier.rows - later.rows for earlier, later in pairs}

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and dicts, for JSON."""
        return {"steps": [dict(vars(step)) for step in self.steps], "notes": dict(self.notes)}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Funnel:
        """Return the funnel that `to_dict` wrote."""
        return cls(tuple(FunnelStep(**step) for step in body["steps"]), dict(body["notes"]))

    def to_json(self) -> str:
        """Return JSON text."""
        return json.dumps(self.to_dict(), indent=2)

    def __str__(self) -> str:
        gross = max(self.steps[0].rows, 1)
        lines = [f"{s.name:<32}{s.rows:>12,}{s.rows / gross:>8.1%}" for s in self.steps]
        return "\n".join(lines + [f"  note: {name}: {n:,} rows" for name, n in self.notes.items()])


def apply_funnel(
    raw: pd.DataFrame,
    keep: Sequence[str] = (),
    platform: Platform | None = None,
    *,
    paper_formula: bool = False,
) -> tuple[pd.DataFrame, Funnel]:
    """Filter a raw table and compute the workload.

    The workload is core-seconds x core power. Core-seconds are wall time x cores where the wall
    time (`walltime`, or `starttime` and `endtime`) is known, else the CPU time as it is: PanDA sums
    it over the cores of a job. The notes say how many rows took which, and how the workload
    compares with `hs06sec` where the export has it.

    Args:
        raw: what `read_export` returns.
        keep: extra columns: `corecount`, `cpuconsumptiontime`, `jeditaskid`, `maxwalltime`.
        platform: where the core power of each site stands; `atlas150` by default. Sites that it
            does not know get its median power, and are counted in the notes.
        paper_formula: take cores x CPU time for the core-seconds, as arXiv 2410.07940 writes it;
            cores count twice where the CPU time is already summed over them.

    Returns:
        The nine columns (and `keep`) as by `check_table`, in the order of `raw`, and the funnel,
        which also stands in `attrs["funnel"]` as a dict.

    Raises:
        RecordsError: a column of `NEEDED` is missing, or no row passes.
    """
    extras = [column.name for column in kept_columns(keep)]
    missing = [name for name in NEEDED if name not in raw.columns]
    own = ("jeditaskid", "maxwalltime")
    missing += [name for name in extras if name in own and name not in raw.columns]
    if missing:
        raise RecordsError(
            "columns " + ", ".join(NEEDED) + " (project to datatype from a dataset name)",
            "an export without " + ", ".join(missing),
            "export those columns as well",
        )
    left, steps, notes = _filtered(raw)
    notes = {**raw.attrs.get("notes", {}), **notes}
    if not len(left):
        counts = ", ".join(f"{step.name} {step.rows}" for step in steps)
        raise RecordsError("at least one row that passes the filters", counts, "check the export")
    left = with_requests(_with_cores(left, notes), notes)
    left = _with_workload(left, notes, platform, paper_formula)
    table = check_table(left[[*NAMES, *extras]], extras)
    funnel = Funnel(tuple(steps), {name: n for name, n in notes.items() if n})
    kept = {name: value for name, value in raw.attrs.items() if name != "notes"}
    table.attrs = {**kept, "funnel": funnel.to_dict()}
    return table, funnel


def _filtered(raw: pd.DataFrame) -> tuple[pd.DataFrame, list[FunnelStep], dict[str, int]]:
    left, steps, notes = raw, [FunnelStep("gross", "", len(raw))], {}
    for step in FILTERS:
        if step.column is not None and step.column not in left.columns:
            notes[f"{step.name} not checked, no column {step.column}"] = len(left)
        else:
            left = left[step.keeps(left).fillna(False).astype(bool)]
        steps.append(FunnelStep(step.name, step.why, len(left)))
    return left, steps, notes


def _with_cores(left: pd.DataFrame, notes: dict[str, int]) -> pd.DataFrame:
    """Fill in the cores of each job; PanDA leaves them empty or 0 for a single core."""
    if "corecount" not in left.columns:
        notes["cores taken as 1"] = len(left)
        return left.assign(corecount=1)
    known = (left["corecount"] >= 1).fillna(False).astype(bool)
    if not known.all():
        notes["cores taken as 1"] = int((~known).sum())
    return left.assign(corecount=left["corecount"].where(known, 1))


def with_requests(left: pd.DataFrame, notes: dict[str, int]) -> pd.DataFrame:
    """Fill in 0, none, for requested wall times that are not known."""
    if "maxwalltime" not in left.columns:
        return left
    known = (left["maxwalltime"] >= 0).fillna(False).astype(bool)
    notes["no requested wall time"] = int((~known).sum())
    return left.assign(maxwalltime=left["maxwalltime"].where(known, 0))


def _with_workload(
    left: pd.DataFrame, notes: dict[str, int], platform: Platform | None, paper_formula: bool
) -> pd.DataFrame:
    power, known = site_power(left["computingsite"], platform or load_platform(PLATFORM))
    if not known.all():
        notes["site unknown to the platform, median power taken"] = int((~known).sum())
    cores, seconds = _core_seconds(left, notes, paper_formula)
    workload = workload_gflop(cores, power, seconds)
    _compare(workload, left, notes)
    return left.assign(workload=workload)


def _core_seconds(
    left: pd.DataFrame, notes: dict[str, int], paper_formula: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the two factors of each job's core-seconds: cores, and seconds of each."""
    cores = left["corecount"].to_numpy(np.float64)
    cpu_s = left["cpuconsumptiontime"].to_numpy(np.float64)
    if paper_formula:
        notes["core-seconds are cores x CPU time (the paper's formula)"] = len(left)
        return cores, cpu_s
    wall_s = _wall_seconds(left)
    walled = wall_s > 0.0
    notes["core-seconds are wall time x cores"] = int(walled.sum())
    notes["core-seconds are the CPU time as it is"] = int((~walled).sum())
    notes["CPU time above wall time x cores"] = int((walled & (cpu_s > wall_s * cores)).sum())
    return np.where(walled, cores, 1.0), np.where(walled, wall_s, cpu_s)


def _wall_seconds(left: pd.DataFrame) -> np.ndarray:
    """Return the wall time of each job, float64[n] s; NaN where it is not known."""
    wall_s = np.full(len(left), np.nan)
    if {"starttime", "endtime"} <= set(left.columns):
        span = left["endtime"] - left["starttime"]
        wall_s = span.dt.total_seconds().to_numpy(np.float64, na_value=np.nan)
    if "walltime" in left.columns:
        stated = left["walltime"].to_numpy(np.float64, na_value=np.nan)
        wall_s = np.where(stated > 0.0, stated, wall_s)
    return wall_s


def _compare(workload: np.ndarray, left: pd.DataFrame, notes: dict[str, int]) -> None:
    """Note the median ratio of the workload to hs06sec, where an export has it."""
    if "hs06sec" not in left.columns:
        return
    stated = left["hs06sec"].to_numpy(np.float64, na_value=np.nan)
    known = stated > 0.0
    if known.any():
        ratio = float(np.median(workload[known] / stated[known]))
        notes[f"hs06sec known, median of workload / hs06sec {ratio:.2f}"] = int(known.sum())
