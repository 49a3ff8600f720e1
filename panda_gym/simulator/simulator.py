"""A batch of grids that run side by side on one platform; knows arrays, no environment protocol.

    simulator = Simulator(platform, batch=4, capacity=3000, encoding=..., settings=Settings())
    simulator.load(e, episode, seed=7)   # for every e
    simulator.begin()
    while not simulator.done.any():
        simulator.step(actions)          # writes simulator.flat, .mask and .outcome

Each grid is alone: what happens in it depends on its episode and actions, not on the batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from panda_gym.errors import SettingError, StreamError
from panda_gym.simulator.competing import CYCLE_BINS, Competing, widest
from panda_gym.simulator.kernel import BEGIN, DRAIN, STEP, run
from panda_gym.simulator.log import EpisodeLog, episode_log
from panda_gym.simulator.state import (
    BLOCK,
    ENTRY,
    GRID,
    GRID_ROWS,
    JOB,
    JOB_ROWS,
    OUTCOME,
    PLACE,
    SEEN_ROWS,
    SITE,
    SITE_ROWS,
    TRACK,
    World,
)
from panda_gym.units import BYTES_PER_MB, GFLOPS_PER_HS23

if TYPE_CHECKING:
    from panda_gym.jobs import Episode
    from panda_gym.sites import Platform

TIDE_BINS = 1440
CACHE_LINE = 64


class Encoding(NamedTuple):
    """Scales of the observation's features, in the order of the kernel's rows."""

    sites: np.ndarray
    """float32[len(SITE_ROWS)]"""
    job: np.ndarray
    """float32[len(JOB_ROWS)]"""
    grid: np.ndarray
    """float32[len(GRID_ROWS)]"""


@dataclass(frozen=True)
class Settings:
    """What holds for every episode of a simulator."""

    staleness_s: float = 300.0
    """The broker's counters are read at multiples of this time, s; 0: at every decision."""
    efficiency: float = 0.9
    """CPU efficiency: CPU time / (run time x cores)."""
    bound_s: float = 600.0
    """Bound of the bounded slowdown: shorter run times count as this, s."""
    competing: Competing | None = None
    """Work of others at every site; None: the broker is alone."""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("staleness_s", 0.0, 1e9), ("efficiency", 1e-3, 1.0), ("bound_s", 1e-3, 1e9),
        ):  # fmt: skip
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise SettingError(f"a number for {name}", repr(value), "pass a float")
            if not low <= value <= high:
                raise SettingError(f"{name} in [{low:g}, {high:g}]", f"{value:g}", "change it")


class Simulator:
    """E grids; `capacity` is the most jobs that an episode may have."""

    def __init__(
        self,
        platform: Platform,
        *,
        batch: int,
        capacity: int,
        encoding: Encoding,
        settings: Settings | None = None,
    ) -> None:
        if batch < 1 or capacity < 1:
            raise SettingError(
                "at least one grid and one job", f"{batch} and {capacity}", "raise them"
            )
        self.platform, self.settings = platform, settings or Settings()
        self._cores = np.asarray(platform.cores, dtype=np.int64)
        self._loaded = np.zeros(batch, dtype=bool)
        self._no_actions = np.zeros(0, dtype=np.int64)
        self.world = _world(platform, batch, capacity, encoding, self.settings)

    def __len__(self) -> int:
        return len(self.world.grids)

    @property
    def flat(self) -> np.ndarray:
        """The observation of every grid in one row, float32[E, F]; rewritten by each step."""
        return self.world.flat

    @property
    def mask(self) -> np.ndarray:
        """1 where the next job may go, int8[E, S]; rewritten by each step."""
        return self.world.mask

    @property
    def outcome(self) -> np.ndarray:
        """What each grid's last decision led to, OUTCOME[E]; rewritten by each step."""
        return self.world.outcome

    @property
    def done(self) -> np.ndarray:
        """Whether all jobs of the episode are placed, bool[E]."""
        return self.world.grids["cursor"] >= self.world.grids["jobs"]

    def load(self, e: int, episode: Episode, seed: int) -> None:
        """Give grid e its next episode; `seed` draws what belongs to sites, not to jobs."""
        w, n = self.world, len(episode)
        if not 0 < n <= w.jobs.shape[1]:
            raise StreamError(
                f"an episode of 1 to {w.jobs.shape[1]} jobs", f"{n}", "raise the capacity"
            )
        if episode.cores.max() > self._cores.max():
            raise StreamError(
                f"jobs of at most {self._cores.max()} cores, which some site has",
                f"one of {episode.cores.max()}",
                "take a larger scale or another platform",
            )
        w.sites[e]["widest"] = widest(self._cores, episode.cores)
        row = w.jobs[e]
        for field, values in (
            ("arrival", episode.arrival_s), ("workload_true", episode.workload_true),
            ("workload_pred", episode.workload_pred), ("input_bytes", episode.input_bytes),
            ("noise", episode.noise), ("place_u", episode.place_u), ("cores", episode.cores),
            ("input_files", episode.input_files),
        ):  # fmt: skip
            row[field][:n] = values
        w.replicas[e, :n] = episode.replicas
        grid = w.grids[e]
        grid["seed"], grid["clock_0"] = np.uint64(seed), episode.clock_s
        grid["jobs"], grid["warmup"] = n, episode.warmup
        self._loaded[e] = True

    def begin(self, first: int = 0, last: int | None = None) -> None:
        """Start the loaded episodes of grids first .. last - 1: warm start, first observation."""
        last = len(self) if last is None else last
        if not self._loaded[first:last].all():
            raise SettingError("an episode for every grid", "begin() before load()", "load first")
        run(self.world, self._no_actions, first, last, BEGIN)

    def step(self, actions: np.ndarray) -> None:
        """Place one job in every grid, int64[E], and let time run to its next arrival."""
        run(self.world, actions, 0, len(self), STEP)

    def drain(self, e: int) -> None:
        """Let grid e run, without further placements, until all its jobs have ended."""
        run(self.world, self._no_actions, e, e + 1, DRAIN)

    def log(self, e: int) -> EpisodeLog:
        """What has happened to the jobs of grid e so far."""
        return episode_log(self.world, e, self.settings.bound_s)


def _world(
    platform: Platform, batch: int, capacity: int, encoding: Encoding, settings: Settings
) -> World:
    sizes = (encoding.sites, SITE_ROWS), (encoding.job, JOB_ROWS), (encoding.grid, GRID_ROWS)
    if any(len(scale) != len(rows) for scale, rows in sizes):
        raise SettingError(
            "one scale for every row", str([len(s) for s, _ in sizes]), "use the shipped encoding"
        )
    n = len(platform)
    load = settings.competing
    turn = 2.0 * np.pi * (np.arange(TIDE_BINS) + 0.5) / TIDE_BINS
    places, slots = _places(platform, capacity, settings)
    per_byte = 1.0 / (platform.bandwidth_mbps * BYTES_PER_MB)
    delay = np.where(per_byte > 0.0, platform.latency_s, 0.0)  # an infinite rate: at hand
    scale = float(encoding.sites[SITE_ROWS.index("closeness")])
    lanes = np.stack([delay, per_byte, platform.closeness / scale], axis=1)
    blocks = -(-n // BLOCK)
    features = len(SITE_ROWS) * n + len(JOB_ROWS) + len(GRID_ROWS)
    memory = float(load.memory) if load else 0.0
    return World(
        places=places,
        lanes=np.ascontiguousarray(lanes, dtype=np.float32),
        places32=np.stack([places["cores"], 1.0 / places["speed"]]).astype(np.float32),
        scales=np.concatenate(encoding).astype(np.float32),
        cycle=load.cycle() if load else np.ones(CYCLE_BINS),
        tides=np.stack([np.sin(turn), np.cos(turn)], axis=1).astype(np.float32),
        staleness_s=float(settings.staleness_s),
        bound_s=float(settings.bound_s),
        top_speed=float(places["speed"].max()),
        interval_s=float(load.interval_s) if load else np.inf,
        memory=memory,
        innovation=math.sqrt(1.0 - memory * memory),
        spread=float(load.spread) if load else 0.0,
        total_cores=float(places["cores"].sum()),
        blocks=blocks,
        first_staged=slots,
        grids=np.zeros(batch, GRID),
        sites=_aligned((batch, n), SITE),
        jobs=_aligned((batch, capacity), JOB),
        tracks=_aligned((batch, capacity), TRACK),
        replicas=np.zeros((batch, capacity, 3), np.int16),
        heap=_aligned((batch, slots + capacity), ENTRY),
        events=np.full((batch, blocks + blocks * BLOCK), np.inf),
        seen=np.zeros((batch, len(SEEN_ROWS), n), np.float32),
        flat=np.zeros((batch, features), np.float32),
        mask=np.ones((batch, n), np.int8),
        outcome=np.zeros(batch, OUTCOME),
    )


def _aligned(shape: tuple[int, int], kind: np.dtype) -> np.ndarray:
    """Zeros that begin on a cache line, so that a record of 64 bytes touches only one."""
    size = shape[0] * shape[1] * kind.itemsize
    memory = np.zeros(size + CACHE_LINE, np.uint8)
    skip = -memory.ctypes.data % CACHE_LINE
    return memory[skip : skip + size].view(kind).reshape(shape)


def _places(platform: Platform, capacity: int, settings: Settings) -> tuple[np.ndarray, int]:
    """The sites, and how many entries their heaps of running jobs may need together."""
    cores = np.asarray(platform.cores, dtype=np.int64)
    places = np.zeros(len(platform), PLACE)
    places["cores"], places["power"] = cores, platform.power
    places["speed"] = platform.power * GFLOPS_PER_HS23 * settings.efficiency
    places["disk_tb"] = platform.disk_tb
    places["share"] = settings.competing.mean if settings.competing else 0.0
    capacities = cores * platform.power
    places["by_cores"] = np.lexsort((np.arange(len(cores)), -capacities, -cores))
    places["cumulative"] = np.cumsum(capacities[places["by_cores"]])
    slots = np.cumsum(np.minimum(cores, capacity))
    places["first_run"][1:] = slots[:-1]
    return places, int(slots[-1])
