"""Expand tasks into jobs: creation time, site, CPU time, input and final status of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from scipy.special import ndtri

from panda_gym.records.reference import tables
from panda_gym.records.reference.clock import SECONDS
from panda_gym.records.reference.tasks import Tasks
from panda_gym.records.reference.traits import site_traits
from panda_gym.schema import STATUSES


@dataclass(frozen=True, eq=False)
class Jobs:
    """n jobs; every array has length n."""

    created_s: np.ndarray
    """Creation, whole seconds since the start of the period."""
    task: np.ndarray
    """Number of the job's task, from 0 through all blocks."""
    site: np.ndarray
    """Index of the site."""
    project: np.ndarray
    """Index of the project."""
    prodstep: np.ndarray
    """Index of the production step."""
    datatype: np.ndarray
    """Index of the format."""
    files: np.ndarray
    """Input files."""
    bytes: np.ndarray
    """Input bytes; 0 where there are no files, at least 1 otherwise."""
    status: np.ndarray
    """Index into STATUSES."""
    cores: np.ndarray
    """Cores."""
    cpu_s: np.ndarray
    """CPU time, whole seconds, at least 1."""
    user: np.ndarray
    """Index of the user."""
    number: np.ndarray
    """Number in the dataset's name."""

    def __len__(self) -> int:
        return len(self.created_s)

    def take(self, rows: np.ndarray) -> Jobs:
        """Return the jobs at `rows` (indices or mask), in that order."""
        return Jobs(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def joined(parts: Sequence[Jobs]) -> Jobs:
    """Return the jobs of all parts, one after the other."""
    names = [field.name for field in fields(Jobs)]
    return Jobs(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def draw_jobs(
    tasks: Tasks, first_task: int, incidents: np.ndarray, rng: np.random.Generator
) -> Jobs:
    """Draw all jobs of `tasks`, ordered by creation.

    Args:
        tasks: what the jobs of a task have in common.
        first_task: number of the first of these tasks.
        incidents: normal score of failing at each site on each day, float64[S, days].
        rng: source of all draws.
    """
    task = np.repeat(np.arange(len(tasks.jobs)), tasks.jobs)
    rank = np.arange(len(task)) - np.repeat(np.cumsum(tasks.jobs) - tasks.jobs, tasks.jobs)
    created = _created(tasks, task, rank, rng)
    choice = np.searchsorted(np.cumsum(tables.SITES_PER_TASK[:-1]), rng.random(len(task)))
    site = tasks.sites[task, choice]
    files = _files(tasks.files[task], rng)
    status = _status(tasks, task, rank, site, incidents[site, created // 86400], rng)
    jobs = Jobs(
        created_s=created,
        task=first_task + task,
        site=site,
        project=tasks.project[task],
        prodstep=tasks.prodstep[task],
        datatype=tasks.datatype[task],
        files=files,
        bytes=_bytes(files, tasks.file_bytes[task], rng),
        status=status,
        cores=tasks.cores[task],
        cpu_s=_cpu_s(tasks, task, site, files, status, rng),
        user=tasks.user[task],
        number=tasks.number[task],
    )
    return jobs.take(np.argsort(created, kind="stable"))


def _created(
    tasks: Tasks, task: np.ndarray, rank: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Scouts first, then bursts of jobs within a second, then stragglers one by one."""
    n_tasks, n = len(tasks.jobs), len(task)
    burst = np.maximum(rank - tables.SCOUTS, 0) // tables.BURST
    wait = rng.exponential(tables.SCOUT_DELAY_S, n_tasks)[task]
    gap = rng.exponential(tables.BURST_GAP_S, n_tasks)[task]
    offset = np.where(rank < tables.SCOUTS, 0.0, wait + burst * gap)
    offset += rng.random(n) < 0.1  # a burst often straddles the turn of a second
    share, delay = tables.STRAGGLER
    late = (rng.random(n) < share) & (rank > 0)
    offset += np.where(late, rng.exponential(delay, n), 0.0)
    # What would pass the end of the period is drawn closer to the submission.
    left = (SECONDS - 1 - tasks.start_s).astype(np.float64)
    longest = np.zeros(n_tasks)
    np.maximum.at(longest, task, offset)
    squeeze = np.minimum(1.0, left / np.maximum(longest, 1.0))
    return tasks.start_s[task] + np.floor(offset * squeeze[task]).astype(np.int64)


def _files(full: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Files of each job: as many as a full job of its task, or a part of them."""
    part = 1 + np.floor(rng.random(len(full)) * full).astype(np.int64)
    partial = rng.random(len(full)) < tables.PARTIAL_JOBS
    return np.where(partial, np.minimum(part, full), full)


def _bytes(files: np.ndarray, mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sum of the sizes of the files, whose relative sd is `FILE_SD`."""
    scatter = tables.FILE_SD * rng.standard_normal(len(files)) / np.sqrt(np.maximum(files, 1))
    size = np.rint(files * mean * np.maximum(1.0 + scatter, 0.05)).astype(np.int64)
    return np.where(files > 0, np.maximum(size, 1), 0)


def _status(
    tasks: Tasks,
    task: np.ndarray,
    rank: np.ndarray,
    site: np.ndarray,
    incident: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Codes of STATUSES: stopped by the user, closed by the system, failed, or finished."""
    own = rng.standard_normal((2, len(task)))
    of_task, of_day = tables.FAILURE_CORRELATIONS
    score = np.sqrt(of_task) * tasks.fail_score[task] + np.sqrt(of_day) * incident
    score += np.sqrt(1.0 - of_task - of_day) * own[0]
    failed = score < ndtri(site_traits().failure)[site]
    share, correlation = tables.CLOSED
    score = np.sqrt(correlation) * tasks.close_score[task] + np.sqrt(1.0 - correlation) * own[1]
    closed = score < ndtri(share)
    cancelled = rank >= np.maximum(tasks.stopped_at * tasks.jobs, 1)[task]
    codes = [STATUSES.index(name) for name in ("cancelled", "closed", "failed")]
    return np.select([cancelled, closed, failed], codes, STATUSES.index("finished"))


def _cpu_s(
    tasks: Tasks,
    task: np.ndarray,
    site: np.ndarray,
    files: np.ndarray,
    status: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """CPU seconds: more with more files; less where the job did not finish."""
    n = len(task)
    part = np.log(np.maximum(files, 1) / np.maximum(tasks.files[task], 1)) * tables.CPU_PER_FILES
    log_cpu = tasks.log_cpu[task] + tables.JOB_CPU_SD * rng.standard_normal(n)
    log_cpu += np.where(tasks.short[task], 0.0, site_traits().cpu[site] + part)
    stopped = status != STATUSES.index("finished")
    log_cpu += np.where(stopped, np.log(rng.uniform(0.05, 1.0, n)), 0.0)
    early = (status == STATUSES.index("failed")) & (rng.random(n) < tables.EARLY_FAILURES)
    mean, sd = tables.CPU_SHORT
    log_cpu = np.where(early, np.minimum(log_cpu, mean + sd * rng.standard_normal(n)), log_cpu)
    beyond = np.maximum(log_cpu - tables.CPU_KNEE, 0.0)
    return np.maximum(np.rint(np.exp(log_cpu - beyond + np.log1p(beyond))), 1).astype(np.int64)
