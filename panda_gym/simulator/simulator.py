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
from typing import TYPE_CHECKING, Any

import numpy as np

from panda_gym.errors import SettingError, StreamError, check_seed
from panda_gym.jit.layout import (
    ArrayLocation,
    aligned_zeros,
    location_of,
)
from panda_gym.simulator.address_table import FIELDS, table_of
from panda_gym.simulator.allocation import allocate_world
from panda_gym.simulator.competing import widest
from panda_gym.simulator.encoding import Encoding
from panda_gym.simulator.fork import redraw
from panda_gym.simulator.kernel import BEGIN, DRAIN, STEP, run
from panda_gym.simulator.log import EpisodeLog, episode_log
from panda_gym.simulator.settings import Settings
from panda_gym.simulator.snapshot import Snapshot, snapshot
from panda_gym.simulator.state import (
    PRIORITY,
    World,
)
from panda_gym.sites import Electricity

if TYPE_CHECKING:
    from panda_gym.jobs import Episode
    from panda_gym.sites import Platform


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
        self._electricity = Electricity.of(platform.region)
        self._no_actions = np.zeros((0, 1), dtype=np.int64)
        self._capacity = capacity
        self._datasets: list[np.ndarray] = [np.zeros(0, np.int64)] * batch
        self._projects: list[np.ndarray] = [np.zeros(0, np.int16)] * batch
        self._take(allocate_world(platform, batch, capacity, encoding, self.settings))

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
        bound_s, projects = self.settings.bound_s, self._projects[e]
        return episode_log(self.world, e, bound_s, projects, self._electricity)

    def events(self, e: int) -> np.ndarray:
        """Return the events of grid e up to now, EVENT[m]; see `panda_gym.simulator.log`."""
        return self.world.log[e, : int(self.world.grids[e]["events"])].copy()

    def events_lost(self, e: int) -> int:
        """Return the number of events of grid e that the buffer could not hold."""
        return int(self.world.grids[e]["events_lost"])

    def datasets(self, e: int) -> np.ndarray:
        """Return the stream's number of each dataset of grid e's episode, int64[D]."""
        return self._datasets[e]
