"""Draw the reference workload as a raw export of PanDA's job table.

The rows that pass the funnel are those of `reference_records(kept_rows(n), seed)`, in order;
between them stand rows that the funnel drops. Columns that are personal in PanDA hold placeholders.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from panda_gym.errors import check_seed
from panda_gym.records.reference import tables
from panda_gym.records.reference.jobs import Jobs, joined
from panda_gym.records.reference.stream import block_count, check_rows, job_blocks, noise
from panda_gym.records.reference.tasks import PROJECT_NAMES, kind_of
from panda_gym.records.reference.traits import format_traits, site_traits
from panda_gym.records.reference.workload import FIRST_TASK, category
from panda_gym.schema import STATUSES

FIRST_JOB: Final = 5_900_000_000
"""pandaid of a table's first job."""
FIRST_DROPPED_TASK: Final = 40_000_000
"""jeditaskid of the first task whose jobs the funnel drops."""

_KINDS: Final = tuple(kind for kind, _ in tables.DROPPED)
_PASSES: Final = len(_KINDS)
_LABELS: Final = ("user", "managed", "test")
_PROCESSING: Final = ("panda-client-jedi-run", "simul", "gangarobot-pft")


def kept_rows(n: int) -> int:
    """Rows of an export of n rows that pass the funnel: 80 %, at least one."""
    return max(round(tables.KEPT_SHARE * n), 1)


def reference_export(n: int = 200_000, seed: int = 0) -> pd.DataFrame:
    """Draw a raw export of n rows: a stand-in, not PanDA data (see `reference_records`).

    Columns and formats are those of PanDA's job table, `proddblock` holding the dataset's name;
    some values are missing. `produsername`, `jobname` and `destinationdblock` are there so that
    dropping them can be tried: they hold placeholders such as user0042.

    Raises:
        RecordsError: n is not a whole number of at least 1.
        SeedError: the seed is not a non-negative integer.
    """
    table = pd.concat(list(export_blocks(n, seed)), ignore_index=True)
    table.attrs["origin"] = tables.STAND_IN
    return table


def export_blocks(n: int, seed: int = 0) -> Iterator[pd.DataFrame]:
    """Yield the rows of `reference_export(n, seed)` block by block."""
    n, seed = check_rows(n), check_seed(seed)
    return _blocks(n, seed)


def _blocks(n: int, seed: int) -> Iterator[pd.DataFrame]:
    kept = kept_rows(n)
    blocks = block_count(kept)
    good = job_blocks(kept, seed)
    empty = iter([None] * blocks)
    bad = job_blocks(n - kept, seed, blocks=blocks, dropped=True) if n > kept else empty
    first = FIRST_JOB
    for block, (passing, dropped) in enumerate(zip(good, bad, strict=True)):
        jobs, kind = _merged(passing, dropped)
        if len(jobs):
            yield _raw(jobs, kind, first, noise(seed, block))
        first += len(jobs)


def _merged(passing: Jobs, dropped: Jobs | None) -> tuple[Jobs, np.ndarray]:
    """Both sets in order of creation, with each job's index into _KINDS (or _PASSES)."""
    kind = np.full(len(passing), _PASSES)
    if dropped is None:
        return passing, kind
    # A hash of the task's number, so that the jobs of a task are dropped for one reason.
    u = (dropped.task * 2654435761 % 2**32) / 2**32
    shares = np.cumsum([share for _, share in tables.DROPPED])
    kind = np.append(kind, np.minimum(np.searchsorted(shares, u, side="right"), _PASSES - 1))
    both = joined([passing, dropped])
    order = np.argsort(both.created_s, kind="stable")
    return both.take(order), kind[order]


def _raw(jobs: Jobs, kind: np.ndarray, first: int, rng: np.random.Generator) -> pd.DataFrame:
    n = len(jobs)
    is_kind = {name: kind == i for i, name in enumerate(_KINDS)}
    label = np.select([is_kind["production"], is_kind["test"]], [1, 2], 0)
    outputs = 1 + rng.poisson(1.2, n)
    user = np.array([f"user{i:04d}" for i in range(tables.USERS)], dtype=object)[jobs.user]
    task = np.where(kind == _PASSES, FIRST_TASK, FIRST_DROPPED_TASK) + jobs.task
    failed = jobs.status == STATUSES.index("failed")
    columns: dict[str, Any] = {
        "pandaid": first + np.arange(n),
        "jeditaskid": task,
        "creationtime": tables.START + jobs.created_s.astype("timedelta64[s]"),
        "jobstatus": pd.Categorical.from_codes(
            np.where(is_kind["no CPU time"], STATUSES.index("closed"), jobs.status),
            categories=list(STATUSES),
        ),
        "prodsourcelabel": pd.Categorical.from_codes(label, categories=list(_LABELS)),
        "processingtype": pd.Categorical.from_codes(label, categories=list(_PROCESSING)),
        "produsername": user,
        "jobname": _joined(user, task, rng),
        "proddblock": _datasets(jobs, kind, user),
        "destinationdblock": _joined(user, task, rng),
        "computingsite": category(jobs.site, site_traits().names),
        "corecount": jobs.cores,
        "cpuconsumptiontime": _cpu_time(jobs, is_kind),
        "starttime": tables.START + jobs.created_s.astype("timedelta64[s]"),
        "endtime": tables.START + (jobs.created_s + jobs.cpu_s).astype("timedelta64[s]"),
        "ninputdatafiles": pd.array(jobs.files, dtype="Int64"),
        "inputfilebytes": _holes(jobs.bytes, is_kind["incomplete"] & (jobs.task % 2 == 1)),
        "noutputdatafiles": outputs,
        "outputfilebytes": np.rint(outputs * 1e8 * rng.lognormal(-0.5, 1.0, n)).astype(np.int64),
        "piloterrorcode": np.where(failed & (rng.random(n) < 0.5), 1201, 0),
        "exeerrorcode": np.where(failed & (rng.random(n) < 0.3), 65, 0),
        "ddmerrorcode": np.zeros(n, dtype=np.int64),
        "jobdispatchererrorcode": np.zeros(n, dtype=np.int64),
        "taskbuffererrorcode": np.where(jobs.status == STATUSES.index("closed"), 102, 0),
    }
    return pd.DataFrame(columns)


def _cpu_time(jobs: Jobs, is_kind: dict[str, np.ndarray]) -> pd.arrays.IntegerArray:
    values = np.where(is_kind["no CPU time"], 0, jobs.cpu_s)
    return _holes(values, is_kind["incomplete"] & (jobs.task % 2 == 0))


def _holes(values: np.ndarray, missing: np.ndarray) -> pd.arrays.IntegerArray:
    return pd.arrays.IntegerArray(values.astype(np.int64), missing.copy())


def _joined(user: np.ndarray, task: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Names such as user.user0042.30000017.004711."""
    serial = rng.integers(0, 10**6, len(user))
    parts = zip(user.tolist(), task.tolist(), serial.tolist(), strict=True)
    return np.array([f"user.{name}.{number}.{i:06d}" for name, number, i in parts], dtype=object)


def _datasets(jobs: Jobs, kind: np.ndarray, user: np.ndarray) -> pd.Categorical:
    """Name of each job's input dataset; one string a task."""
    key = np.stack([jobs.task, kind])
    _, at, back = np.unique(key, axis=1, return_index=True, return_inverse=True)
    names = [_dataset(jobs, i, int(kind[i]), user[i]) for i in at.tolist()]
    codes, levels = pd.factorize(np.array(names, dtype=object))
    return pd.Categorical.from_codes(codes[np.ravel(back)], categories=levels)


def _dataset(jobs: Jobs, i: int, kind: int, user: str) -> str:
    project, number = PROJECT_NAMES[jobs.project[i]], int(jobs.number[i])
    step, datatype = tables.PRODSTEPS[jobs.prodstep[i]], format_traits().names[jobs.datatype[i]]
    if kind < _PASSES and _KINDS[kind] in ("production", "other input"):
        shares = np.cumsum([share for _, _, share in tables.OTHER_INPUT])
        place = int(np.searchsorted(shares, number % 1000 / 1000 * shares[-1], side="right"))
        step, datatype, _ = tables.OTHER_INPUT[min(place, len(shares) - 1)]
    tags = (
        f"e{number % 7919}_s{3000 + number % 997}_r{10000 + number % 3989}_p{4000 + number % 1999}"
    )
    kind_of_project = kind_of(project)
    if kind_of_project in ("user", "group"):
        return f"{project}.{user}:{project}.{user}.{number}.{datatype}.v{number % 9}/"
    if step == "PhysCont":
        middle, tags = (
            f"period{'ABCDEFGHIKLM'[number % 12]}.physics_Main",
            f"grp22_v01_p{number % 1999}",
        )
    elif kind_of_project == "data":
        middle = f"00{number}.physics_Main"
    else:
        middle = f"{number}.sample{number % 211}"
    return f"{project}:{project}.{middle}.{step}.{datatype}.{tags}"
