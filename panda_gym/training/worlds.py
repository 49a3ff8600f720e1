"""Whole episodes in many grids at once, and what every decision cost; knows no learner.

Grids stand in shards, one a scenario or load, each stepped in a thread of its own: the kernel
lets go of the interpreter's lock. What a shard plays depends on its seeds alone, so the number
of threads changes nothing.
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
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.observation import GRID_FEATURES, JOB_FEATURES, SITE_FEATURES
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import PolicyError
from panda_gym.training.external_cost import external_costs, own_costs
from panda_gym.units import BYTES_PER_TB, SECONDS_PER_HOUR

Array = np.ndarray
Parts = tuple[Tensor, Tensor, Tensor, Tensor]
"""sites [E, F, S], job [E, J], grid [E, G], mask [E, S] on the learner's device."""


@dataclass(frozen=True)
class Credit:
    """What the decisions of T steps in E grids led to."""

    own: Array
    """ln(bounded slowdown) of the decision's own job in the end, float32[T, E]."""
    external: Array
    """What it cost the others, float32[T, E]; see `marginal`."""
    wan_tb: Array
    """What its attempt moved between sites, TB, float32[T, E]."""
    wasted_core_h: Array
    """Core hours that its attempt held in vain, float32[T, E]."""
    objective: Array
    """Mean ln(bounded slowdown) of each grid's jobs, float64[E]."""
    cost: Array
    """Mean cost a decision of each grid, float64[E]."""


class Worlds:
    """Grids of several scenarios on one platform, `num_envs` in each shard.

    scenarios: settings of the environment, one mapping a shard; they must place the same number of
    jobs, one at a time.
    """

    def __init__(
        self,
        scenarios: Sequence[Mapping[str, Any]],
        num_envs: int,
        *,
        threads: int = 1,
        device: str = "cpu",
    ) -> None:
        self.shards = [PlacementBatch(Scenario.of(**settings), num_envs) for settings in scenarios]
        self.num_envs, self.device = num_envs, torch.device(device)
        self._check()
        self.pool = ThreadPoolExecutor(threads) if threads > 1 else None
        first = self.shards[0]
        total, pinned = len(self), self.device.type == "cuda"
        self.sites = len(first.platform)
        self.jobs = first.scenario.jobs
        width = len(SITE_FEATURES) * self.sites + len(JOB_FEATURES) + len(GRID_FEATURES)
        self._flat = torch.zeros((total, width), pin_memory=pinned)
        self._mask = torch.zeros((total, self.sites), dtype=torch.int8, pin_memory=pinned)
        self._rows = np.zeros((self.jobs, total), dtype=np.int32)
        self._spent = np.zeros(total)

    def __len__(self) -> int:
        return self.num_envs * len(self.shards)

    def _check(self) -> None:
        first = self.shards[0]
        for shard in self.shards:
            scenario = shard.scenario
            same = len(shard.platform) == len(first.platform)
            if scenario.decisions > 1 or scenario.data_actions or scenario.defer:
                raise PolicyError("one site a decision", "other actions", "train with PPO instead")
            if scenario.jobs != first.scenario.jobs or not same:
                raise PolicyError(
                    "scenarios of the same platform and number of jobs",
                    f"{scenario.jobs} jobs beside {first.scenario.jobs}",
                    "give all the same jobs= and platform=",
                )

    def play(
        self, seeds: Sequence[Sequence[int]], choose: Callable[[int, Parts], Tensor]
    ) -> Credit:
        """Play one episode in every grid to its last job's end.

        seeds: one a grid, shard by shard. choose: step and observation -> sites int64[E].
        """
        self._spent[:] = 0.0
        rollout(self.shards, seeds, _Drawing(self, choose), each=self._each)
        found = [part for shard in self._each(self._settle, self._all()) for part in shard]
        *each, objective, cost = zip(*found, strict=True)
        own, external, wan, wasted = (np.stack(one, axis=1) for one in each)
        return Credit(own, external, wan, wasted, np.array(objective), np.array(cost))

    def _all(self) -> range:
        return range(len(self.shards))

    def _each(self, work: Callable[[int], Any], shards: Iterable[int]) -> Iterable[Any]:
        return self.pool.map(work, shards) if self.pool else map(work, shards)

    def _part(self, k: int) -> slice:
        return slice(k * self.num_envs, (k + 1) * self.num_envs)

    def observe(self, k: int, step: int) -> None:
        """Copy what the brokers of shard k see, and note which job each decides on."""
        part, simulator = self._part(k), self.shards[k].simulator
        np.copyto(self._flat.numpy()[part], simulator.flat)
        np.copyto(self._mask.numpy()[part], simulator.mask)
        if step < self.jobs:
            self._rows[step, part] = simulator.pending[:, 0]

    def record(self, k: int) -> None:
        """Add the cost of the last decision in shard k."""
        self._spent[self._part(k)] += self.shards[k].cost()

    def parts(self) -> Parts:
        """What the brokers of all grids see, on the learner's device."""
        flat = self._flat.to(self.device, non_blocking=True)
        mask = self._mask.to(self.device, non_blocking=True)
        n, j = len(SITE_FEATURES) * self.sites, len(JOB_FEATURES)
        sites = flat[:, :n].unflatten(1, (len(SITE_FEATURES), self.sites))
        return sites, flat[:, n : n + j], flat[:, n + j :], mask

    def _settle(self, k: int) -> list[tuple[Any, ...]]:
        return list(self._credits(k))

    def _credits(self, k: int) -> Iterator[tuple[Any, ...]]:
        """The fields of Credit, grid by grid."""
        shard = self.shards[k]
        for e in range(self.num_envs):
            log = shard.log(e, drain=False)
            rows = self._rows[:, k * self.num_envs + e]
            own, external = own_costs(log), external_costs(shard.simulator, e, log)
            placed = (log.attempt == 1) & (np.arange(len(log)) >= log.warmup) & (log.site >= 0)
            wan, wasted = log.moved_bytes / BYTES_PER_TB, log.wasted_s / SECONDS_PER_HOUR
            yield (
                *(one[rows].astype(np.float32) for one in (own, external, wan, wasted)),
                float(own[placed].mean()),
                float(self._spent[k * self.num_envs + e]) / self.jobs,
            )


class _Drawing(Actor):
    """Sites drawn by a network for all shards at once."""

    def __init__(self, worlds: Worlds, choose: Callable[[int, Parts], Tensor]) -> None:
        self.worlds, self.drawn = worlds, choose

    def choose(self, step: int) -> list[Array]:
        sites = self.drawn(step, self.worlds.parts()).cpu().numpy()
        return np.split(sites, len(self.worlds.shards))

    def observe(self, k: int, step: int) -> None:
        self.worlds.observe(k, step)

    def record(self, k: int, step: int) -> None:
        self.worlds.record(k)
