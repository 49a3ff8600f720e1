"""Draw tasks: what all jobs of one submission have in common."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

import numpy as np

from panda_gym.records.reference import tables
from panda_gym.records.reference.clock import SECONDS, Clock
from panda_gym.records.reference.traits import draw_quantile, format_traits, site_traits

PROJECT_NAMES = tuple(name for name, _, _ in tables.PROJECTS)


@dataclass(frozen=True, eq=False)
class Tasks:
    """T tasks in the order of their submission; arrays of length T where not said otherwise."""

    start_s: np.ndarray
    """Submission, whole seconds since the start of the period."""
    jobs: np.ndarray
    """Number of jobs, at least 1."""
    project: np.ndarray
    """Index into PROJECT_NAMES."""
    prodstep: np.ndarray
    """Index into tables.PRODSTEPS."""
    datatype: np.ndarray
    """Index into the formats."""
    cores: np.ndarray
    """Cores of each job."""
    sites: np.ndarray
    """Sites that the jobs run at, int64[T, 4], first choice first, may repeat."""
    short: np.ndarray
    """Whether the jobs are short tests."""
    log_cpu: np.ndarray
    """ln CPU seconds of a full job at an average site, before the tail is thinned."""
    files: np.ndarray
    """Files of a full job, 0 where the task reads none."""
    file_bytes: np.ndarray
    """Mean bytes per file."""
    fail_score: np.ndarray
    """Normal score that the task's jobs share in failing."""
    close_score: np.ndarray
    """Normal score that the task's jobs share in being closed."""
    stopped_at: np.ndarray
    """Share of its jobs after which a task is stopped by its user; 1 for most."""
    user: np.ndarray
    """Index of the user."""
    number: np.ndarray
    """Number in the dataset's name: sample or run."""


def draw_tasks(
    rows: int, span: tuple[float, float], clock: Clock, cap: int, rng: np.random.Generator
) -> Tasks:
    """Draw tasks with `rows` jobs in total, submitted within a span of the clock's shares.

    Args:
        rows: number of jobs, at least 1.
        span: first and last share of the period's submissions, within [0, 1].
        clock: when submissions happen.
        cap: largest number of jobs in a task.
        rng: source of all draws.
    """
    jobs = _sizes(rows, cap, rng)
    n = len(jobs)
    start = np.sort(clock.second(rng.uniform(*span, n)))
    project = _projects(start / SECONDS, rng)
    datatype = _datatypes(project, rng)
    cores = _choose(np.array([share for _, share in tables.CORES]), n, rng)
    short = rng.random(n) < tables.SHORT_TASKS
    files, file_bytes, bytes_score = _input(project, rng)
    return Tasks(
        start_s=np.minimum(start.astype(np.int64), SECONDS - 1),
        jobs=jobs,
        project=project,
        prodstep=_prodsteps(project, rng),
        datatype=datatype,
        cores=np.array([count for count, _ in tables.CORES])[cores],
        sites=_choose(site_traits().share, (n, len(tables.SITES_PER_TASK)), rng),
        short=short,
        log_cpu=_log_cpu(short, datatype, cores > 0, bytes_score, rng),
        files=files,
        file_bytes=file_bytes,
        fail_score=rng.standard_normal(n),
        close_score=rng.standard_normal(n),
        stopped_at=np.where(rng.random(n) < tables.CANCELLED_TASKS, rng.random(n), 1.0),
        user=_choose(1.0 / np.arange(1, tables.USERS + 1), n, rng),
        number=rng.integers(300_000, 800_000, n),
    )


def _sizes(rows: int, cap: int, rng: np.random.Generator) -> np.ndarray:
    """Jobs per task until they are `rows`; the last task is cut."""
    drawn = np.empty(0, dtype=np.int64)
    while drawn.sum() < rows:
        sizes = draw_quantile(tables.JOBS_PER_TASK, rng.random(rows // 40 + 8))
        drawn = np.concatenate([drawn, np.clip(np.rint(sizes).astype(np.int64), 1, cap)])
    total = np.cumsum(drawn)
    last = int(np.searchsorted(total, rows))
    drawn = drawn[: last + 1]
    drawn[last] -= total[last] - rows
    return drawn


def _choose(
    weights: np.ndarray, size: int | tuple[int, ...], rng: np.random.Generator
) -> np.ndarray:
    """Indices drawn in proportion to `weights`."""
    cumulative = np.cumsum(weights)
    drawn = np.searchsorted(cumulative, rng.random(size) * cumulative[-1], side="right")
    return np.minimum(drawn, len(weights) - 1)


def _choose_rows(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One index for each row of `weights` [n, k], in proportion to the row."""
    cumulative = np.cumsum(weights, axis=1)
    drawn = rng.random(len(weights)) * cumulative[:, -1]
    return np.minimum((cumulative <= drawn[:, None]).sum(axis=1), weights.shape[1] - 1)


def _projects(progress: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Projects, whose shares move over the period (generation turnover)."""
    share = np.array([row[1] for row in tables.PROJECTS])
    change = np.array([row[2] for row in tables.PROJECTS])
    return _choose_rows(share * np.exp(change * (progress[:, None] - 0.5)), rng)


def _datatypes(project: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    formats = format_traits()
    fresh = np.isin(project, [PROJECT_NAMES.index(name) for name in tables.NEW_PROJECTS])
    n = len(project)
    return np.where(fresh, _choose(formats.new, n, rng), _choose(formats.old, n, rng))


def _kinds(project: np.ndarray) -> np.ndarray:
    """`mc`, `data`, `user` or `group` of each project."""
    return np.array([kind_of(name) for name in PROJECT_NAMES])[project]


def kind_of(project: str) -> str:
    """`mc`, `data`, `user` or `group`: the letters that a project's name begins with."""
    return "".join(itertools.takewhile(str.isalpha, project))


def _prodsteps(project: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    kinds = _kinds(project)
    steps = np.full(len(project), tables.PRODSTEPS.index("unknown"))
    for kind, shares in tables.PRODSTEP_OF.items():
        steps = np.where(kinds == kind, _choose(np.array(shares), len(project), rng), steps)
    return steps


def _input(
    project: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Files of a full job, bytes per file, and the normal score of their product."""
    n = len(project)
    files = np.rint(draw_quantile(tables.FILES_PER_JOB, rng.random(n))).astype(np.int64)
    u = rng.random(n)
    file_bytes = np.where(
        _kinds(project) == "data",
        draw_quantile(tables.FILE_BYTES_DATA, u),
        draw_quantile(tables.FILE_BYTES_MC, u),
    )
    mean, sd = _size_moments()
    score = (np.log(files * file_bytes) - mean) / sd
    return np.where(rng.random(n) < tables.NO_INPUT, 0, files), file_bytes, score


@functools.lru_cache(maxsize=1)
def _size_moments() -> tuple[float, float]:
    """Mean and sd of ln bytes of a full job, by the tables of files and of simulated files."""
    ranks = (np.arange(1000) + 0.5) / 1000
    files = np.log(draw_quantile(tables.FILES_PER_JOB, ranks))
    size = np.log(draw_quantile(tables.FILE_BYTES_MC, ranks))
    return float(files.mean() + size.mean()), float(np.hypot(files.std(), size.std()))


def _log_cpu(
    short: np.ndarray,
    datatype: np.ndarray,
    multicore: np.ndarray,
    bytes_score: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """ln CPU seconds of a full job, so that all parts together have the sd of `CPU_LONG`."""
    formats, sites = format_traits(), site_traits()
    rest = tables.CPU_LONG[1] ** 2 - formats.share @ formats.cpu**2 - sites.share @ sites.cpu**2
    spread = np.sqrt(rest - tables.JOB_CPU_SD**2)
    tie = tables.CPU_WITH_BYTES
    score = tie * bytes_score + np.sqrt(1.0 - tie * tie) * rng.standard_normal(len(short))
    long = tables.CPU_LONG[0] + spread * score + formats.cpu[datatype]
    brief = tables.CPU_SHORT[0] + tables.CPU_SHORT[1] * rng.standard_normal(len(short))
    return np.where(short, brief, long + tables.MULTICORE_CPU * multicore)
