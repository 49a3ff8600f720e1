"""Draw jobs in blocks, in order of time and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from panda_gym.errors import RecordsError, check_seed
from panda_gym.records.reference import tables
from panda_gym.records.reference.clock import SECONDS, clock
from panda_gym.records.reference.jobs import Jobs, draw_jobs, joined
from panda_gym.records.reference.tasks import draw_tasks
from panda_gym.records.reference.traits import site_traits

BLOCK_ROWS: Final = 100_000
"""Jobs drawn at a time; part of the model, since each block has its own random numbers."""

_SHARED, _JOBS, _DROPPED, _NOISE = range(4)


def check_rows(n: Any) -> int:
    """Return `n` as an int; RecordsError unless it is a whole number of at least 1."""
    if isinstance(n, bool) or not hasattr(n, "__index__") or int(n) < 1:
        raise RecordsError("a number of rows of at least 1", repr(n), "pass for example n=200_000")
    return int(n)


def block_count(n: int) -> int:
    """Return the number of blocks in which n jobs are drawn."""
    return -(-n // BLOCK_ROWS)


def job_blocks(
    n: int, seed: int, *, blocks: int | None = None, dropped: bool = False
) -> Iterator[Jobs]:
    """Yield n jobs in blocks, each ordered by creation and none earlier than the block before.

    A block's tasks are submitted in its share of the period. Jobs that a task creates after the
    block's end wait for a later block, so memory is bounded by a block and what tasks spread.

    Args:
        n: number of jobs, at least 1.
        seed: same n and seed, same jobs.
        blocks: number of blocks, by default `block_count(n)`.
        dropped: draw the jobs that the funnel drops: independent of the others, under the same
            noise of the clock and the same incidents at sites.
    """
    n, seed = check_rows(n), check_seed(seed)
    blocks = blocks or block_count(n)
    shared = _rng(seed, _SHARED)
    times = clock(shared)
    incidents = shared.standard_normal((len(site_traits().names), tables.DAYS))
    cap = max(n // tables.SMALLEST_NUMBER_OF_TASKS, 1)
    edges = np.round(np.linspace(0, n, blocks + 1)).astype(np.int64)
    waiting: Jobs | None = None
    first_task = 0
    for block in range(blocks):
        rng = _rng(seed, _DROPPED if dropped else _JOBS, block)
        span = (block / blocks, (block + 1) / blocks)
        rows = int(edges[block + 1] - edges[block])
        if rows:
            tasks = draw_tasks(rows, span, times, cap, rng)
            drawn = draw_jobs(tasks, first_task, incidents, rng)
            first_task += len(tasks.jobs)
            waiting = joined([waiting, drawn]) if waiting is not None else drawn
        if waiting is None:
            continue
        waiting = waiting.take(np.argsort(waiting.created_s, kind="stable"))
        last = block == blocks - 1
        end = SECONDS if last else int(times.second(np.array(span[1])))
        cut = int(np.searchsorted(waiting.created_s, end))
        yield waiting.take(np.arange(cut))
        waiting = waiting.take(np.arange(cut, len(waiting)))


def noise(seed: int, block: int) -> np.random.Generator:
    """Return random numbers of a block, for columns outside the nine."""
    return _rng(seed, _NOISE, block)


def _rng(seed: int, *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
