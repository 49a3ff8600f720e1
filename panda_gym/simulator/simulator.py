"""A batch of independent grids on one platform.

    simulator = Simulator(platform, batch=4, capacity=3000, encoding=..., settings=Settings())
    simulator.load(e, episode, seed=7)   # for every e
    simulator.begin()
    while not simulator.done.any():
        simulator.step(actions)          # writes simulator.flat, .mask and .outcome

The result of a grid depends on its episode, seed and actions, not on the rest of the batch.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from panda_gym.errors import SettingError, StreamError, check_seed
from panda_gym.jit.layout import (
    ArrayGroup,
    ArrayLocation,
    aligned_zeros,
    allocate,
    location_of,
    round_to_lines,
)
from panda_gym.simulator.address_table import FIELDS, table_of
from panda_gym.simulator.competing import CYCLE_BINS, widest
from panda_gym.simulator.fork import redraw
from panda_gym.simulator.kernel import BEGIN, DRAIN, STEP, run
from panda_gym.simulator.log import EpisodeLog, episode_log
from panda_gym.simulator.settings import Settings
from panda_gym.simulator.snapshot import Snapshot, snapshot
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
    from panda_gym.jobs import Episode
    from panda_gym.sites import Platform

PHASE_BINS = 1440
GUIDE_CELLS = 1024
ROWS = 512
"""Datasets of a grid with a cached row at the same time. In the default stream 99 of 100 jobs read
one of the 200 most recent datasets."""


class Feature(Protocol):
    """A feature of the observation: a name and a scale."""

    @property
    def name(self) -> str:
        """Name of the row."""

    @property
    def scale(self) -> float:
        """Constant of the code."""


Features = Sequence[Feature]


class Encoding(NamedTuple):
    """Scales of the observation's features, in the order of the kernel's rows."""

    sites: np.ndarray
    """float32[len(SITE_ROWS)]"""
    job: np.ndarray
    """float32[len(JOB_ROWS)]"""
    grid: np.ndarray
    """float32[len(GRID_ROWS)]"""

    @classmethod
    def of(cls, sites: Features, job: Features, grid: Features) -> Encoding:
        """Return the scales of the observation's tables; SettingError unless they list the rows.

        Each table lists features with a `name` and a `scale`, in the order of the kernel's rows.
        """
        parts = []
        for table, rows in ((sites, SITE_ROWS), (job, JOB_ROWS), (grid, GRID_ROWS)):
            names = tuple(feature.name for feature in table)
            if names != rows:
                raise SettingError(f"the features {rows}", f"{names}", "list them in that order")
            parts.append(np.array([feature.scale for feature in table], dtype=np.float32))
        return cls(*parts)


class Simulator:
    """E grids on one platform; `capacity` is the most jobs of an episode."""

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
        self._no_actions = np.zeros((0, 1), dtype=np.int64)
        self._capacity = capacity
        self._datasets: list[np.ndarray] = [np.zeros(0, np.int64)] * batch
        self._projects: list[np.ndarray] = [np.zeros(0, np.int16)] * batch
        self._take(_allocate(platform, batch, capacity, encoding, self.settings))

    def _take(self, world: World) -> None:
        self.world, self._table = world, table_of(world)

    def copy(self) -> Simulator:
        """Return an independent simulator in the same state."""
        aside = object.__new__(Simulator)
        aside.__setstate__(self.__getstate__())
        return aside

    def fork(self, seed: int, ratios: np.ndarray, noise: np.ndarray) -> Simulator:
        """Return a copy with the same past and fresh draws for all that is still unseen.

        See `panda_gym.simulator.fork`. ratios: true over predicted work of past jobs, float64[m].
        noise: factors on run times, float64[m]. Grid e is drawn from (seed, e).
        """
        aside = self.copy()
        for e in range(len(self)):
            draw = int(np.random.SeedSequence([check_seed(seed), e]).generate_state(1)[0])
            redraw(aside.world, e, draw, ratios, noise)
        return aside

    def __deepcopy__(self, memo: dict[int, Any]) -> Simulator:
        return self.copy()

    def __getstate__(self) -> dict[str, Any]:
        """The state without memory addresses, so that a simulator can be pickled."""
        whole = self.world.memory
        parts = {
            name: part if FIELDS[name].step is None else location_of(part, whole)
            for name, part in self.world._asdict().items()
        }
        return vars(self) | {"world": parts, "_table": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._loaded, self._datasets = self._loaded.copy(), self._datasets.copy()
        self._projects = self._projects.copy()
        parts = dict(state["world"])
        memory = aligned_zeros(len(parts["memory"]))
        memory[:] = parts.pop("memory")
        found: dict[str, Any] = {
            name: part.of(memory) if isinstance(part, ArrayLocation) else copy.copy(part)
            for name, part in parts.items()
        }
        self._take(World(memory=memory, **found))

    def __len__(self) -> int:
        return len(self.world.grids)

    @property
    def flat(self) -> np.ndarray:
        """The observation of every grid in one row, float32[E, F]; rewritten by each step.

        With K > 1 decisions at once, float32[E, K, F].
        """
        return self._one(self.world.flat)

    @property
    def mask(self) -> np.ndarray:
        """1 where an action is legal, int8[E, A] or [E, K, A]; rewritten by each step.

        A: the sites, then deferral if it is on, then the actions on data if they are on.
        """
        return self._one(self.world.mask)

    @property
    def outcome(self) -> np.ndarray:
        """Outcome of each grid's last decisions, OUTCOME[E] or [E, K]; rewritten by each step.

        Sums until the next decision are in the last of the K.
        """
        return self._one(self.world.outcome)

    def _one(self, part: np.ndarray) -> np.ndarray:
        return part[:, 0] if part.shape[1] == 1 else part

    @property
    def done(self) -> np.ndarray:
        """Whether the policy has no more decisions to make, bool[E].

        So many decisions as the episode has jobs after the warm start; with further jobs that
        are not judged (`Episode.tail`), as many as it takes until all judged jobs have ended.
        """
        return self.world.grids["done"] > 0

    @property
    def decided(self) -> np.ndarray:
        """Decisions of each grid so far, int32[E]."""
        return self.world.grids["decided"].copy()

    @property
    def clock(self) -> np.ndarray:
        """Time of each grid, float64[E], s."""
        return self.world.grids["clock"].copy()

    @property
    def pending(self) -> np.ndarray:
        """Rows of the jobs that wait for a decision, int64[E, K]; -1: none."""
        return self.world.pending.astype(np.int64)

    @property
    def judging(self) -> np.ndarray:
        """Whether the pending decision of each grid is about a judged job, bool[E].

        With several decisions at once, the first of them counts.
        """
        w, first = self.world, np.maximum(self.world.pending[:, 0], 0)
        origin = w.attempts["origin"][np.arange(len(self)), first]
        of_judged = (origin >= w.grids["warmup"]) & (origin < w.grids["judged"])
        return of_judged & (w.pending[:, 0] >= 0)

    @property
    def rows(self) -> int:
        """Most rows (job attempts) of a log."""
        return self.world.jobs.shape[1] - 1  # the last row is for the next job

    def week_time(self, e: int) -> float:
        """Return the time of the start of grid e's episode since Monday 00:00 UTC, s."""
        return float(self.world.grids[e]["clock_0"])

    def network(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what transfers take their rates from.

        Latency, s, and rate, bytes/s, of every link, float64[S, S] (source, destination); capacity
        of every site, outgoing and incoming each, bytes/s, float64[S].
        """
        per_byte = self.world.links[:, 1, :]
        rate = np.divide(1.0, per_byte, out=np.full_like(per_byte, np.inf), where=per_byte > 0.0)
        return self.world.links[:, 0, :].copy(), rate, self.world.site_storage["cap"][0].copy()

    def snapshot(self, e: int) -> Snapshot:
        """Return the present state of grid e in plain arrays."""
        return snapshot(self.world, e)

    def load(self, e: int, episode: Episode, seed: int) -> None:
        """Load the next episode of grid e; `seed` seeds the draws of sites (load, outages).

        StreamError if it has more jobs than the capacity, or a job that fits no site.
        """
        w, n = self.world, len(episode)
        if not 0 < n <= self._capacity:
            raise StreamError(
                f"an episode of 1 to {self._capacity} jobs", f"{n}", "raise the capacity"
            )
        if episode.cores.max() > self._cores.max():
            raise StreamError(
                f"jobs of at most {self._cores.max()} cores, which some site has",
                f"one of {episode.cores.max()}",
                "take a larger scale or another platform",
            )
        w.sites[e]["widest"] = widest(self._cores, episode.cores)
        self._load_jobs(e, episode, 0)
        self._load_attempts(e, episode)
        self._load_datasets(e, episode)
        self._load_next(e, episode.next_job, float(episode.arrival_s[-1]))
        grid = w.grids[e]
        grid["seed"], grid["clock_0"] = np.uint64(seed), episode.clock_s
        grid["jobs"], grid["warmup"] = n, episode.warmup
        self._projects[e] = np.asarray(episode.project, dtype=np.int16)
        grid["judged"] = n - (episode.tail or 0)
        grid["until_ended"], grid["done"] = episode.tail is not None, 0
        self._loaded[e] = True

    def _load_jobs(self, e: int, episode: Episode, first: int) -> None:
        """Write the jobs into the rows from `first` on."""
        w, rows = self.world, slice(first, first + len(episode))
        for field, values in (
            ("arrival", episode.arrival_s), ("workload_true", episode.workload_true),
            ("workload_pred", episode.workload_pred), ("input_bytes", episode.input_bytes),
            ("noise", episode.noise), ("place_u", episode.place_u), ("cores", episode.cores),
            ("input_files", episode.input_files),
        ):  # fmt: skip
            w.jobs[e][field][rows] = values
        if w.rules[0]["storage"] == 0:
            w.replicas[e, rows] = episode.replicas

    def _load_next(self, e: int, job: Episode | None, now: float) -> None:
        """Write the job after the episode into the last row: only an observation reads it."""
        w, row = self.world, self.rows
        w.grids[e]["next_job"] = -1 if job is None else row
        if job is None:
            return
        self._load_jobs(e, job, row)
        w.jobs["arrival"][e, row] = w.attempts["first_arrival"][e, row] = now
        if w.rules[0]["storage"] > 0:
            self._load_next_dataset(e, job, row)

    def _load_next_dataset(self, e: int, job: Episode, row: int) -> None:
        """Number the dataset of the next job: as in the episode, else one more."""
        w, found = self.world, self._datasets[e]
        number = int(np.searchsorted(found, job.dataset[0]))
        if number == len(found) or found[number] != job.dataset[0]:
            number = len(found)
            w.datasets[e, number]["bytes"] = np.floor(job.input_bytes[0])
            w.datasets[e, number]["primary"] = job.replicas[0]
            w.grids[e]["datasets"] = number + 1
            self._datasets[e] = np.append(found, job.dataset[0])
        read = job.input_bytes[0] > 0.0
        w.jobs["dataset"][e, row] = number
        w.jobs["input_bytes"][e, row] = w.datasets[e, number]["bytes"] if read else 0.0

    def _load_attempts(self, e: int, episode: Episode) -> None:
        """Write the first attempts of the jobs: draw keys and failure hazards."""
        w, n = self.world, len(episode)
        rows, failures = w.attempts[e], self.settings.failures
        rows["first_arrival"][:n] = episode.arrival_s
        rows["key"][:n] = (episode.failure_u * 2.0**53).astype(np.uint64)
        rows["origin"][:n] = np.arange(n)
        rows["attempt"][:n] = 1
        w.jobs[e]["user_jobs"][:n] = 0
        if self.settings.requests:
            w.requests[e]["wall"][:n] = episode.requested_s
        if failures is not None:
            rows["hazard"][:n] = failures.scale * episode.hazard
            w.site_status[e]["risk"] = episode.risk

    def _load_datasets(self, e: int, episode: Episode) -> None:
        """Write the datasets of the episode, numbered from 0, where the settings use them.

        With storage on, a job reads its whole dataset. Its size is the mean input of the
        episode's jobs that read it, so that the total input bytes stay the same.
        """
        w, n, rules = self.world, len(episode), self.world.rules[0]
        if rules["storage"] == 0 and rules["discipline"] != PRIORITY:
            return
        found, first, number = np.unique(episode.dataset, return_index=True, return_inverse=True)
        self._datasets[e] = found
        w.grids[e]["datasets"] = len(found)
        w.jobs[e]["dataset"][:n] = number
        table, size = w.datasets[e, : len(found)], episode.input_bytes
        table["jobs"] = 0
        if rules["storage"] == 0:
            return
        reads = size > 0.0
        total = np.bincount(number, weights=size, minlength=len(found))
        readers = np.bincount(number, weights=reads, minlength=len(found))
        table["bytes"] = np.floor(total / np.maximum(readers, 1.0))
        # Jobs that run when the episode begins have no catalogue entry.
        table["primary"] = episode.replicas[first]
        w.jobs[e]["input_bytes"][:n] = np.where(reads, table["bytes"][number], 0.0)

    def begin(self, first: int = 0, last: int | None = None) -> None:
        """Start the loaded episodes of grids first .. last - 1: warm start, first observation."""
        last = len(self) if last is None else last
        if not self._loaded[first:last].all():
            raise SettingError("an episode for every grid", "begin() before load()", "load first")
        run(self._table, self._no_actions, first, last, BEGIN)

    def step(self, actions: np.ndarray, first: int = 0, last: int | None = None) -> None:
        """Place the pending jobs of grids first .. last - 1 and advance to their next decisions.

        Shape: int64[E], or [E, K] for K jobs at once, or [E, 2 K] with actions on data, which
        follow the sites. Several threads may step disjoint ranges at the same time.
        """
        last = len(self) if last is None else last
        run(self._table, actions.reshape(len(self), -1), first, last, STEP)

    def drain(self, e: int) -> None:
        """Run grid e, without placements, until all its placed jobs have ended.

        A retry or a deferred job that arrives in that time stays unplaced ("pending" in the log).
        """
        run(self._table, self._no_actions, e, e + 1, DRAIN)

    def log(self, e: int) -> EpisodeLog:
        """Return the log of grid e up to now."""
        return episode_log(self.world, e, self.settings.bound_s, self._projects[e])

    def events(self, e: int) -> np.ndarray:
        """Return the events of grid e up to now, EVENT[m]; see `panda_gym.simulator.log`."""
        return self.world.log[e, : int(self.world.grids[e]["events"])].copy()

    def events_lost(self, e: int) -> int:
        """Return the number of events of grid e that the buffer could not hold."""
        return int(self.world.grids[e]["events_lost"])

    def datasets(self, e: int) -> np.ndarray:
        """Return the stream's number of each dataset of grid e's episode, int64[D]."""
        return self._datasets[e]


def _allocate(
    platform: Platform, batch: int, capacity: int, encoding: Encoding, settings: Settings
) -> World:
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
        rules=settings.rules(attempts, slots + queued),
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
