"""Draw the reference workload as tables of the nine columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from panda_gym.errors import check_seed
from panda_gym.records.columns import kept_columns
from panda_gym.records.flops import workload_gflop
from panda_gym.records.reference import tables
from panda_gym.records.reference.jobs import Jobs, joined
from panda_gym.records.reference.stream import check_rows, job_blocks
from panda_gym.records.reference.tasks import PROJECT_NAMES
from panda_gym.records.reference.traits import format_traits, site_traits
from panda_gym.schema import NAMES, STATUSES

FIRST_TASK = 30_000_000
"""jeditaskid of a table's first task."""


def reference_records(n: int = 200_000, seed: int = 0, *, keep: Sequence[str] = ()) -> pd.DataFrame:
    """Draw a table of n job records from the reference workload: a stand-in, not PanDA data.

    Real dumps of PanDA are not public. This is a probabilistic model of 150 days of user analysis
    over the 150 sites of the platform `atlas150`, calibrated on public figures (each with its
    source in `tables`, each asserted within its tolerance by `calibration`):

    - tasks of near-identical jobs (same dataset, cores, files per job, CPU time up to 25 %), sent
      as scouts and bursts within seconds; submissions follow hour of day, day of week, holidays
      and autoregressive noise;
    - sites by a Zipf-Mandelbrot distribution ranked by their slots, up to four for a task;
    - failure by site, correlated within a task and within a site's day; tasks stopped by their
      users (cancelled); jobs closed by the system;
    - CPU time: a mixture of short and long log-normal parts with effects of task, site, core power
      and format; less where a job did not finish; a tail thinner than log-normal above 40,000 s;
    - input: whole files, bytes as the sum of their sizes, CPU time growing with files;
    - project, production step and format with long tails, shares that move over the period.

    Args:
        n: number of rows, at least 1. Below 100,000 rows tasks are cut to n/50 jobs.
        seed: same n and seed, same table.
        keep: extra columns: `corecount`, `cpuconsumptiontime`, `jeditaskid`, `maxwalltime`.

    Returns:
        The nine columns (and `keep`) with the dtypes of `check_table`, ordered by creation.
        `attrs["origin"]` is the sentence `STAND_IN`.

    Raises:
        RecordsError: n is not a whole number of at least 1, or `keep` names another column.
        SeedError: the seed is not a non-negative integer.
    """
    extras = kept_columns(keep)
    jobs = joined(list(job_blocks(n, seed)))
    return records_of(jobs, [column.name for column in extras])


def reference_blocks(n: int, seed: int = 0, *, keep: Sequence[str] = ()) -> Iterator[pd.DataFrame]:
    """Yield the rows of `reference_records(n, seed, keep=keep)` block by block."""
    extras = [column.name for column in kept_columns(keep)]
    check_rows(n), check_seed(seed)
    return (records_of(jobs, extras) for jobs in job_blocks(n, seed) if len(jobs))


def records_of(jobs: Jobs, keep: Sequence[str]) -> pd.DataFrame:
    """Return the nine columns and `keep` of drawn jobs; every level of a category is in use."""
    power = site_traits().power[jobs.site]
    columns: dict[str, Any] = {
        "creationtime": tables.START + jobs.created_s.astype("timedelta64[s]"),
        "computingsite": category(jobs.site, site_traits().names),
        "project": category(jobs.project, PROJECT_NAMES),
        "prodstep": category(jobs.prodstep, tables.PRODSTEPS),
        "datatype": category(jobs.datatype, format_traits().names),
        "ninputdatafiles": pd.array(jobs.files, dtype="Int64"),
        "inputfilebytes": pd.array(jobs.bytes, dtype="Int64"),
        "jobstatus": pd.Categorical.from_codes(jobs.status, categories=list(STATUSES)),
        "workload": workload_gflop(jobs.cores, power, jobs.cpu_s),
        "corecount": pd.array(jobs.cores, dtype="Int64"),
        "cpuconsumptiontime": pd.array(jobs.cpu_s, dtype="Int64"),
        "jeditaskid": pd.array(FIRST_TASK + jobs.task, dtype="Int64"),
        "maxwalltime": pd.array(np.zeros(len(jobs.cores), np.int64), dtype="Int64"),
    }
    table = pd.DataFrame({name: columns[name] for name in (*NAMES, *keep)})
    table.attrs["origin"] = tables.STAND_IN
    return table


def category(codes: np.ndarray, names: Sequence[str]) -> pd.Categorical:
    """Return categories for `codes` into `names`: sorted levels, only those in use."""
    used = np.unique(codes)
    levels = sorted(names[i] for i in used)
    position = np.zeros(len(names), dtype=np.int64)
    position[used] = [levels.index(names[i]) for i in used]
    return pd.Categorical.from_codes(position[codes], categories=levels)
