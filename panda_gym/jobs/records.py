"""Make the fields of a stream from a table of job records.

The nine columns stand in `panda_gym.schema`. What they do not say is filled in by rule:

    cores     column `corecount` if there (missing or 0 counts as 1); else drawn: 1 core 97 %,
              8 cores 3 % (public records of 44,238 jobs: 96.9 % and 2.9 %)
    dataset   column `jeditaskid` if there: jobs of one task read one dataset; else jobs of one
              project, prodstep, datatype, site and day do
    requested column `maxwalltime` (s) if there; missing or 0: none
    pred      `workload_model.predict(table)` if a model is given, else column `workload_pred` if
              there, else the median workload of the job's project and datatype: a broker knows
              the class of a job, never its workload. At least 1 Gflop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from panda_gym.errors import StreamError, check_seed
from panda_gym.jobs.fields import (
    CATEGORIES,
    LEAST_PREDICTION,
    STATUSES,
    UNIFORMS,
    WorkloadPredictor,
)
from panda_gym.schema import NAMES

if TYPE_CHECKING:
    import pandas as pd

MULTI_CORE_SHARE: Final = 0.03
"""Share of 8-core jobs where the records do not say."""


def from_records(
    table: pd.DataFrame,
    *,
    workload_model: WorkloadPredictor | None = None,
    seed: int = 0,
    name: str = "records",
    origin: str | None = None,
) -> dict[str, Any]:
    """Return the fields of a stream of the table's jobs, in order of creation.

    Args:
        table: the nine columns, rows in any order; optionally `corecount`, `jeditaskid`,
            `maxwalltime`, `workload_pred`.
        workload_model: anything with `.predict(table) -> float64[n]` Gflop.
        seed: of the uniforms, and of the cores where they are drawn.
        name: what the stream is called in reports.
        origin: where the records come from; None takes `table.attrs["origin"]`, else "records".

    Raises:
        StreamError: a column is missing, or an entry cannot be used; says which.
    """
    rng = np.random.default_rng([check_seed(seed), len(NAMES)])
    _check_table(table)
    table = table.sort_values("creationtime", kind="stable", ignore_index=True)
    time = table["creationtime"].to_numpy().astype("datetime64[s]")
    draws = {key: rng.random(len(table)) for key in (*UNIFORMS, "cores")}
    source, site_names = _codes(table["computingsite"])
    coded = {key: _codes(table[key]) for key in CATEGORIES}
    return dict(
        name=name,
        origin=origin or str(table.attrs.get("origin", "records")),
        epoch=str(time[0]),
        site_names=site_names,
        levels={key: levels for key, (_, levels) in coded.items()},
        arrival_s=(time - time[0]).astype(np.float64),
        cores=_cores(table, draws.pop("cores")),
        workload_true=_numbers(table, "workload"),
        workload_pred=_prediction(table, workload_model),
        input_bytes=_numbers(table, "inputfilebytes"),
        input_files=_numbers(table, "ninputdatafiles"),
        dataset=_datasets(table, time),
        source=source,
        status=_status(table),
        requested_s=_requested(table),
        **{key: codes for key, (codes, _) in coded.items()},
        **draws,
    )


def _check_table(table: pd.DataFrame) -> None:
    missing = [key for key in NAMES if key not in getattr(table, "columns", ())]
    if missing:
        do = "load the records with panda_gym.load_records"
        raise StreamError("the nine columns of job records", f"no {', '.join(missing)}", do)
    if len(table) == 0:
        raise StreamError("at least one job record", "an empty table", "check the filter")
    if table["creationtime"].dtype.kind != "M":
        came = f"type {table['creationtime'].dtype}"
        raise StreamError("creationtime as datetime64 (naive UTC)", came, "parse the times")
    for key in NAMES:
        if table[key].isna().any():
            row = int(np.flatnonzero(table[key].isna())[0])
            raise StreamError(f"{key} in every row", f"none in row {row}", "drop or fill it in")


def _numbers(table: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column as float64[n], finite and not negative."""
    try:
        values = table[column].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise StreamError(f"numbers in column {column}", str(error), "convert them") from None
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        came = f"{values[row]:g} (job of {table['creationtime'].iloc[row]})"
        raise StreamError(f"{column} finite and >= 0", came, "drop or correct the record")
    return values


def _codes(column: pd.Series) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return codes, int64[n], and levels in alphabetical order."""
    levels, codes = np.unique(column.astype(str).to_numpy(dtype=object), return_inverse=True)
    return codes, tuple(str(level) for level in levels)


def _status(table: pd.DataFrame) -> np.ndarray:
    codes, levels = _codes(table["jobstatus"])
    unknown = [level for level in levels if level not in STATUSES]
    if unknown:
        raise StreamError(f"jobstatus among {STATUSES}", f"{unknown}", "drop unfinished jobs")
    return np.array([STATUSES.index(level) for level in levels])[codes]


def _cores(table: pd.DataFrame, uniform: np.ndarray) -> np.ndarray:
    if "corecount" not in table.columns:
        return np.where(uniform < MULTI_CORE_SHARE, 8, 1)
    known = table.assign(corecount=table["corecount"].fillna(1))
    return np.maximum(_numbers(known, "corecount"), 1)


def _requested(table: pd.DataFrame) -> np.ndarray:
    """Return the requested wall time, float64[n], s; 0: none."""
    if "maxwalltime" not in table.columns:
        return np.zeros(len(table))
    return _numbers(table.assign(maxwalltime=table["maxwalltime"].fillna(0)), "maxwalltime")


def _datasets(table: pd.DataFrame, time: np.ndarray) -> np.ndarray:
    """Return the number of the dataset of each job, int64[n], in order of first use."""
    import pandas as pd

    keys: list[Any] = [table[key].astype(str) for key in (*CATEGORIES, "computingsite")]
    keys.append(time.astype("datetime64[D]").astype(np.int64))
    by_class = pd.MultiIndex.from_arrays(keys)
    if "jeditaskid" not in table.columns:
        return pd.factorize(by_class)[0]
    # A job without a task reads what its class reads.
    task = table["jeditaskid"].astype(object)
    return pd.factorize(pd.Series(np.where(task.isna(), by_class.to_numpy(), task)))[0]


def _prediction(table: pd.DataFrame, model: WorkloadPredictor | None) -> np.ndarray:
    """Return the predicted workload, float64[n], Gflop."""
    if model is not None:
        values = np.asarray(model.predict(table), dtype=np.float64)
        if values.shape != (len(table),) or not np.isfinite(values).all():
            came = f"shape {values.shape}, NaN {np.isnan(values).sum()}"
            raise StreamError("one finite prediction a job", came, "check the workload model")
    elif "workload_pred" in table.columns:
        values = _numbers(table, "workload_pred")
    else:
        groups = [table[key].astype(str) for key in ("project", "datatype")]
        values = table["workload"].astype(np.float64).groupby(groups).transform("median")
    return np.maximum(np.asarray(values, dtype=np.float64), LEAST_PREDICTION)
