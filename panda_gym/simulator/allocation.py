"""Allocate the state of a batch of grids: which arrays there are, and how long each one is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from panda_gym.errors import SettingError
from panda_gym.jit.layout import ArrayGroup, allocate, round_to_lines
from panda_gym.simulator.competing import CYCLE_BINS
from panda_gym.simulator.encoding import Encoding
from panda_gym.simulator.settings import Settings
from panda_gym.simulator.state import (
    ATTEMPT,
    AVAILABLE,
    BLOCK,
    CONSERVATIVE,
    DATASET,
    DISCIPLINES,
    ENTRY,
    EVENT,
    FLOW,
    GRID,
    GRID_ROWS,
    JOB,
    JOB_ROWS,
    JOB_SIZE,
    JOB_STATE,
    OUTCOME,
    PRIORITY,
    REPLICA,
    REQUEST,
    SITE,
    SITE_COUNTERS,
    SITE_ROWS,
    SITE_SIZE,
    SITE_STATIC,
    SITE_STATUS,
    SITE_STORAGE,
    TRANSFER,
    World,
)
from panda_gym.units import BYTES_PER_GB, BYTES_PER_MB, GFLOPS_PER_HS23

if TYPE_CHECKING:
    from panda_gym.sites import Platform

PHASE_BINS: Final = 1440
GUIDE_CELLS: Final = 1024
ROWS: Final = 512
"""Datasets of a grid with a cached row at the same time. In the default stream 99 of 100 jobs read
one of the 200 most recent datasets."""


def allocate_world(
    platform: Platform, batch: int, capacity: int, encoding: Encoding, settings: Settings
) -> World:
    """Return the state of `batch` grids of at most `capacity` jobs each, before any episode.

    SettingError unless the encoding has one scale for every row of the observation.
    """
    sizes = (encoding.sites, SITE_ROWS), (encoding.job, JOB_ROWS), (encoding.grid, GRID_ROWS)
    if any(len(scale) != len(rows) for scale, rows in sizes):
        raise SettingError(
            "one scale for every row", str([len(s) for s, _ in sizes]), "use the shipped encoding"
        )
    n, k = len(platform), int(settings.decisions)
    load = settings.competing
    angle = 2.0 * np.pi * (np.arange(PHASE_BINS) + 0.5) / PHASE_BINS
    attempts = capacity * settings.attempts
    static, slots = _site_static(platform, attempts, settings)
    rows = attempts + (capacity if settings.replicate else 0) + 1  # and the next job's
    per_byte = 1.0 / (platform.bandwidth_mbps * BYTES_PER_MB)
    delay = np.where(per_byte > 0.0, platform.latency_s, 0.0)  # an infinite rate: local
    scale = float(encoding.sites[SITE_ROWS.index("closeness")])
    link_costs = np.stack([delay, per_byte, platform.closeness / scale], axis=1)
    blocks = -(-n // BLOCK)
    features = len(SITE_ROWS) * n + len(JOB_ROWS) + len(GRID_ROWS)
    actions = n + (settings.defer_s is not None) + ((1 + 2 * n) if settings.replicate else 0)
    persistence = float(load.memory) if load else 0.0
    # The event queue holds one stage-in per row and one cancellation per job.
    queued = rows + (capacity if settings.cancellations else 0)
    returns = attempts if settings.attempts > 1 or settings.defer_s is not None else 0
    wide, guide, per = _guide(static)
    parts = _grid_parts(n, blocks, attempts, rows, slots + queued + returns, capacity, settings)
    parts += _request_parts(platform, attempts, rows, settings)
    memory, stride, state = allocate(batch, parts)
    state["site_storage"][:] = _site_storage(platform, settings)
    state["next_events"][:] = np.inf
    state["row_datasets"][:] = -1
    return World(
        site_static=static,
        sites_by_cores=wide,
        guide=guide,
        guide_cells=per,
        links=np.ascontiguousarray(np.stack([delay, per_byte], axis=1), dtype=np.float64),
        link_costs=np.ascontiguousarray(link_costs, dtype=np.float32),
        closeness=np.ascontiguousarray(platform.closeness),
        site_static32=np.stack([static["cores"], 1.0 / static["speed"]]).astype(np.float32),
        scales=np.concatenate(encoding).astype(np.float32),
        cycle=load.cycle() if load else np.ones(CYCLE_BINS),
        daily_phase=np.stack([np.sin(angle), np.cos(angle)], axis=1).astype(np.float32),
        staleness_s=float(settings.staleness_s),
        bound_s=float(settings.bound_s),
        top_speed=float(static["speed"].max()),
        interval_s=float(load.interval_s) if load else np.inf,
        persistence=persistence,
        innovation=math.sqrt(1.0 - persistence * persistence),
        spread=float(load.spread) if load else 0.0,
        total_cores=float(static["cores"].sum()),
        blocks=blocks,
        first_staged=slots,
        rules=settings.rules(attempts, slots + queued, np.asarray(platform.cores)),
        trace=load.shares() if load else np.zeros((0, 1)),
        memory=memory,
        stride=stride,
        dataset_size=_dataset_size(n),
        log=np.zeros((batch, int(settings.events)), EVENT),
        pending=np.full((batch, k), -1, np.int32),
        flat=np.zeros((batch, k, features), np.float32),
        mask=np.ones((batch, k, actions), np.int8),
        outcome=np.zeros((batch, k), OUTCOME),
        **state,
    )


def _grid_parts(
    n: int, blocks: int, attempts: int, rows: int, entries: int, capacity: int, settings: Settings
) -> list[ArrayGroup]:
    """The arrays of each grid, most used first; of length 1 where a mechanism is off."""
    stored, shared = settings.storage is not None, bool(settings.network and settings.network.level)
    grouped = stored or DISCIPLINES.index(settings.discipline) == PRIORITY
    kept = min(capacity, ROWS) if stored else 1
    words = -(-n // 64)
    times, steps = round_to_lines(4 * n) // 4, round_to_lines(n)

    def one(name: str, kind: Any, length: int, *shape: int) -> ArrayGroup:
        return ArrayGroup(length, {name: (np.dtype(kind), shape)})

    def records(length: int, size: int, **kinds: np.dtype) -> ArrayGroup:
        return ArrayGroup(length, {name: (kind, ()) for name, kind in kinds.items()}, size)

    return [
        ArrayGroup(None, {"grids": (GRID, ())}),
        ArrayGroup(
            None,
            {
                "block_leaders": (np.dtype("i4"), (blocks + blocks % 2,)),
                "next_events": (np.dtype("f8"), (blocks + blocks * BLOCK,)),
            },
        ),
        one("seen_queue", "f4", 2, n),
        records(
            n,
            SITE_SIZE,
            sites=SITE,
            site_status=SITE_STATUS,
            site_counters=SITE_COUNTERS,
            site_storage=SITE_STORAGE,
        ),
        one("heap", ENTRY, entries),
        one("flow_heap", ENTRY, rows if shared else 1),
        records(rows, JOB_SIZE, jobs=JOB, job_states=JOB_STATE, attempts=ATTEMPT),
        one("flows", FLOW, rows if shared else 1),
        ArrayGroup(
            capacity + 1 if grouped else 1,
            {"datasets": (DATASET, ()), "holders": (np.dtype("u8"), (3, words))},
            _dataset_size(n),
        ),
        one("pool", REPLICA, rows + attempts if stored else 1),
        one("transfers", TRANSFER, rows + attempts if stored else 1),
        one("row_datasets", "i4", kept),
        one("read_times", "f4", kept, times),
        one("read_closeness", "i1", kept, steps),
        one("replicas", "i2", 1 if stored else rows, 3),
    ]


def _request_parts(
    platform: Platform, attempts: int, rows: int, settings: Settings
) -> list[ArrayGroup]:
    """The arrays of requested wall times and reservations; of length 1 where they are off."""
    planned = DISCIPLINES.index(settings.discipline) == CONSERVATIVE
    runs = min(int(platform.cores.max()), attempts)
    held = min(int(settings.reservations), attempts)
    # Each reservation has two boundaries, and so have those made and the jobs started in a pass.
    boundaries, levels = runs + 2 * held, 1 + 3 * runs + 4 * held
    return [
        ArrayGroup(rows if settings.requests else 1, {"requests": (REQUEST, ())}),
        ArrayGroup(levels if planned else 1, {"available": (AVAILABLE, ())}),
        ArrayGroup(boundaries if planned else 1, {"boundaries": (ENTRY, ())}),
    ]


def _dataset_size(n: int) -> int:
    """Bytes of one dataset's records on a platform of n sites."""
    return round_to_lines(DATASET.itemsize + 3 * 8 * -(-n // 64))


def _site_storage(platform: Platform, settings: Settings) -> np.ndarray:
    """Quotas and network capacities; a capacity is at least the site's fastest link."""
    storages = np.zeros(len(platform), SITE_STORAGE)
    if settings.storage:
        storages["quota"] = np.floor(settings.storage.gb_per_core * BYTES_PER_GB * platform.cores)
    if settings.network:
        between = np.where(np.eye(len(platform), dtype=bool), 0.0, platform.bandwidth_mbps)
        fastest = np.maximum(between.max(axis=0), between.max(axis=1))
        per_core = settings.network.mbps_per_core * platform.cores
        storages["cap"] = np.maximum(per_core, fastest) * BYTES_PER_MB
    return storages


def _guide(static: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Number of sites by cores, int32[most + 1]; guide table, int32[cells + 2]; cells per capacity.

    The guide table (Chen and Asau, AIIE Transactions 6, 1974) says where in `cumulative` a search
    begins, one cell early.
    """
    cores, cumulative = np.sort(static["cores"]), static["cumulative"]
    wide = len(cores) - np.searchsorted(cores, np.arange(cores[-1] + 1))
    edges = (np.arange(GUIDE_CELLS + 2) - 1.0) * cumulative[-1] / GUIDE_CELLS
    guide = np.searchsorted(cumulative, edges, side="right")
    per = GUIDE_CELLS / float(cumulative[-1])
    return np.maximum(wide, 1).astype(np.int32), guide.astype(np.int32), per


def _site_static(platform: Platform, capacity: int, settings: Settings) -> tuple[np.ndarray, int]:
    """The constants of the sites, and the total length of their heaps of running jobs."""
    cores = np.asarray(platform.cores, dtype=np.int64)
    static = np.zeros(len(platform), SITE_STATIC)
    static["cores"], static["power"] = cores, platform.power
    static["speed"] = platform.power * GFLOPS_PER_HS23 * settings.efficiency
    static["disk_tb"] = platform.disk_tb
    static["share"] = settings.competing.mean if settings.competing else 0.0
    capacities = cores * platform.power
    static["by_cores"] = np.lexsort((np.arange(len(cores)), -capacities, -cores))
    static["cumulative"] = np.cumsum(capacities[static["by_cores"]])
    slots = np.cumsum(np.minimum(cores, capacity))
    static["first_run"][1:] = slots[:-1]
    return static, int(slots[-1])
