"""Play whole episodes in many grids at once, and compute what every decision cost.

Grids stand in batches, one a scenario or load, each stepped in a thread of its own: the kernel
releases the interpreter's lock. What a batch plays depends on its seeds alone, so the number of
threads changes no result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from panda_gym.benchmarking.rollout import Actor, rollout
from panda_gym.credit import Objective, external_costs, find_objective, own_costs
from panda_gym.credit.external_cost import attempt_costs, electricity_costs
from panda_gym.deprecated import old_names
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.observation import GRID_FEATURES, JOB_FEATURES, SITE_FEATURES
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import PolicyError
from panda_gym.simulator import EpisodeLog
from panda_gym.units import BYTES_PER_TB, SECONDS_PER_HOUR

Array = np.ndarray
Parts = tuple[Tensor, Tensor, Tensor, Tensor]
"""sites [E, F, S], job [E, J], grid [E, G], mask [E, S] on the learner's device."""


@dataclass(frozen=True)
class Credit:
    """What each of T decisions in E grids led to, once its episode was over.

    T is the number of decisions of the longest episode.
    """

    judged: Array
    """Whether the decision was made, and is about a judged job, bool[T, E].

    All of them, unless jobs arrive that are not judged (`Scenario.tail_jobs`). The other arrays
    are 0 where no decision was made.
    """
    own: Array
    """Cost of the decision's own job in the end, ln(bounded slowdown) by default, float32[T, E]."""
    external: Array
    """External cost, float32[T, E]; see `panda_gym.credit.external_cost`."""
    wan_tb: Array
    """What its attempt moved between sites, TB, float32[T, E]."""
    wasted_core_h: Array
    """Core hours that its attempt held without finishing, float32[T, E]."""
    electricity: Array
    """Weighted energy and emissions of its attempt, in units of the objective, float32[T, E]."""
    objective: Array
    """The objective of each grid's episode, mean ln(bounded slowdown) by default, float64[E]."""
    cost: Array
    """Mean cost of a decision about a judged job in each grid, float64[E]."""


class ParallelEpisodes:
    """Grids of several scenarios, `num_envs` of each scenario.

    scenarios: settings of the environment, one mapping a batch; they must place the same number of
    jobs, one at a time. Where platforms differ in the number of sites, observations are filled up
    with sites of zeros that are not legal. to_end: whether the policy decides until all judged
    jobs have ended (`Scenario.judged_to_end`). objective: row of `panda_gym.credit.OBJECTIVES`, or
    its name.
    PolicyError where scenarios differ in jobs, or an action is more than one site.
    """

    def __init__(
        self,
        scenarios: Sequence[Mapping[str, Any]],
        num_envs: int,
        *,
        threads: int = 1,
        device: str = "cpu",
        to_end: bool = False,
        objective: str | Objective = "ln_slowdown",
    ) -> None:
        self.objective = find_objective(objective)
        found = [Scenario.of(**settings) for settings in scenarios]
        played = [one.judged_to_end() for one in found] if to_end else found
        self.batches = [PlacementBatch(one, num_envs) for one in played]
        self.num_envs, self.device = num_envs, torch.device(device)
        self._check()
        self.pool = ThreadPoolExecutor(threads) if threads > 1 else None
        first = self.batches[0]
        total, pinned = len(self), self.device.type == "cuda"
        self.sites = max(len(batch.platform) for batch in self.batches)
        self.jobs = first.scenario.jobs
        width = len(SITE_FEATURES) * self.sites + len(JOB_FEATURES) + len(GRID_FEATURES)
        self._flat = torch.zeros((total, width), pin_memory=pinned)
        self._mask = torch.zeros((total, self.sites), dtype=torch.int8, pin_memory=pinned)
        most = max(_most_decisions(batch) for batch in self.batches)
        self._rows = np.zeros((most, total), dtype=np.int32)
        self._judged = np.zeros((most, total), dtype=bool)
        self._cost_sums = np.zeros(total)

    def __len__(self) -> int:
        return self.num_envs * len(self.batches)

    def _check(self) -> None:
        first = self.batches[0]
        for batch in self.batches:
            scenario = batch.scenario
            if scenario.decisions > 1 or scenario.data_actions or scenario.defer:
                raise PolicyError("one site a decision", "other actions", "train with PPO instead")
            if scenario.jobs != first.scenario.jobs:
                raise PolicyError(
                    "scenarios of the same number of jobs",
                    f"{scenario.jobs} jobs beside {first.scenario.jobs}",
                    "give all the same jobs=",
                )

    def play(
        self, seeds: Sequence[Sequence[int]], choose: Callable[[int, Parts], Tensor]
    ) -> Credit:
        """Play one episode in every grid until its judged jobs have ended; return the credit.

        seeds: one a grid, batch by batch. choose: step and observation -> sites int64[E].
        """
        self._cost_sums[:], self._judged[:] = 0.0, False
        rollout(self.batches, seeds, _NetworkActor(self, choose), each=self._each)
        every = range(len(self.batches))
        found = [one for batch in self._each(self._credit, every) for one in batch]
        *series, objective, cost = zip(*found, strict=True)
        longest = max(len(one) for one in series[0])
        judged, own, external, wan, wasted, power = (_padded(one, longest) for one in series)
        totals = np.array(objective), np.array(cost)
        return Credit(judged, own, external, wan, wasted, power, *totals)

    def parts(self) -> Parts:
        """Return the observations of all grids on the learner's device."""
        flat = self._flat.to(self.device, non_blocking=True)
        mask = self._mask.to(self.device, non_blocking=True)
        n, j = len(SITE_FEATURES) * self.sites, len(JOB_FEATURES)
        sites = flat[:, :n].unflatten(1, (len(SITE_FEATURES), self.sites))
        return sites, flat[:, n : n + j], flat[:, n + j :], mask

    def observe(self, k: int, step: int) -> None:
        """Copy the observations of batch k, and note which job each grid decides on."""
        part, simulator = self._part(k), self.batches[k].simulator
        flat, parts = self._flat.numpy()[part], self.batches[k].parts
        if parts["sites"].shape[-1] == self.sites:
            np.copyto(flat, simulator.flat)
            np.copyto(self._mask.numpy()[part], simulator.mask)
        else:
            self._fill_up(flat, self._mask.numpy()[part], parts)
        if not simulator.done.all():
            self._rows[step, part] = simulator.pending[:, 0]
            self._judged[step, part] = simulator.judging

    def _fill_up(self, flat: Array, mask: Array, parts: Mapping[str, Array]) -> None:
        """Copy an observation of fewer sites, and leave the others 0."""
        n, count = len(SITE_FEATURES) * self.sites, parts["sites"].shape[-1]
        flat[:, :n].reshape(len(flat), -1, self.sites)[..., :count] = parts["sites"]
        flat[:, n : n + len(JOB_FEATURES)] = parts["job"]
        flat[:, n + len(JOB_FEATURES) :] = parts["grid"]
        mask[:, :count] = parts["action_mask"]

    def record(self, k: int, step: int) -> None:
        """Add the costs of decision `step` in batch k."""
        part = self._part(k)
        self._cost_sums[part] += np.where(self._judged[step, part], self.batches[k].cost(), 0.0)

    def _each(self, work: Callable[[int], Any], batches: Iterable[int]) -> Iterable[Any]:
        """Call `work` for every batch, in threads where there are any."""
        return self.pool.map(work, batches) if self.pool else map(work, batches)

    def _part(self, k: int) -> slice:
        """Where batch k stands among all grids."""
        return slice(k * self.num_envs, (k + 1) * self.num_envs)

    def _credit(self, k: int) -> list[tuple[Any, ...]]:
        return list(self._credits(k))

    def _credits(self, k: int) -> Iterator[tuple[Any, ...]]:
        """The fields of Credit, grid by grid."""
        batch, decided = self.batches[k], self.batches[k].simulator.decided
        for e in range(self.num_envs):
            log, at = batch.log(e, drain=False), k * self.num_envs + e
            rows, judged = self._rows[: decided[e], at], self._judged[: decided[e], at]
            own, external = own_costs(log, self.objective), self._external(batch, e, log)
            wan, wasted = log.moved_bytes / BYTES_PER_TB, log.wasted_s / SECONDS_PER_HOUR
            series = (own, external, wan, wasted, electricity_costs(log, self.objective))
            yield (
                judged.copy(),
                *(one[rows].astype(np.float32) for one in series),
                self._value(log, own),
                float(self._cost_sums[at]) / max(1, int(judged.sum())),
            )

    def _external(self, batch: PlacementBatch, e: int, log: EpisodeLog) -> Array:
        """External costs, float64[len(log)]; zeros where the objective does not weigh them."""
        if not self.objective.external:
            return np.zeros(len(log))
        return external_costs(batch.simulator, e, log, self.objective)

    def _value(self, log: EpisodeLog, own: Array) -> float:
        """The objective of an episode."""
        judged = log.judged
        spent = attempt_costs(log, self.objective)[judged[log.origin]].sum() / judged.sum()
        return float(own[judged].mean() + spent)


class _NetworkActor(Actor):
    """Sites chosen by a network, in one call for all batches."""

    def __init__(self, episodes: ParallelEpisodes, choose: Callable[[int, Parts], Tensor]) -> None:
        self.episodes, self.network = episodes, choose

    def choose(self, step: int) -> list[Array]:
        sites = self.network(step, self.episodes.parts()).cpu().numpy()
        return np.split(sites, len(self.episodes.batches))

    def observe(self, k: int, step: int) -> None:
        self.episodes.observe(k, step)

    def record(self, k: int, step: int) -> None:
        self.episodes.record(k, step)


def _most_decisions(batch: PlacementBatch) -> int:
    """Return how many decisions an episode can have, one an attempt."""
    scenario = batch.scenario
    return scenario.jobs if scenario.tail_jobs is None else batch.simulator.rows


def _padded(series: Sequence[Array], longest: int) -> Array:
    """Return one series a grid side by side, [T, E], with zeros after the shorter ones."""
    found = np.zeros((longest, len(series)), series[0].dtype)
    for e, one in enumerate(series):
        found[: len(one), e] = one
    return found


__getattr__ = old_names(__name__)
