"""Record which attempt each decision placed, and settle decisions when their episode is over.

A decision is settled once: its episode has ended, its job has come to its end and so have those
whose waits it changed. Its reward is then the difference reward.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.credit.difference_reward import check_one_site, difference_rewards
from panda_gym.credit.objectives import Objective
from panda_gym.simulator import Simulator

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Settled:
    """n decisions whose consequences are known, each exactly once, in order of env and decision."""

    env: Array
    """Number of the grid, int64[n]."""
    episode: Array
    """Number of the grid's episode, from 0, int64[n]."""
    decision: Array
    """Number of the decision within its episode, from 0, int64[n]."""
    reward: Array
    """Difference reward, float64[n]."""
    judged: Array
    """Whether the decision was about a judged job (`Scenario.tail_jobs`), bool[n]."""

    def __len__(self) -> int:
        return len(self.env)

    def pairs(self) -> list[tuple[int, float]]:
        """Return (decision, reward) of every settled decision, in order of env and decision."""
        return list(zip(self.decision.tolist(), self.reward.tolist(), strict=True))


class CreditRecorder:
    """Decisions of E grids that are not settled yet, and those settled since the last `take`.

    SettingError where a decision is more than one site, or external costs are not known.
    """

    def __init__(self, simulator: Simulator, objective: Objective) -> None:
        check_one_site(simulator.settings, objective)
        self.objective = objective
        shape = len(simulator), simulator.rows
        self._rows = np.zeros(shape, np.int32)
        self._judged = np.zeros(shape, bool)
        self._count = np.zeros(len(simulator), np.int64)
        self._episode = np.zeros(len(simulator), np.int64)
        self._settled: list[tuple[Array, ...]] = []

    def record(self, simulator: Simulator, which: Array | None = None) -> None:
        """Note the jobs about which the grids `which`, bool[E] (None: all), decide now."""
        which = np.ones(len(simulator), bool) if which is None else which
        grids = np.flatnonzero(which & (simulator.pending[:, 0] >= 0))
        at = self._count[grids]
        self._rows[grids, at] = simulator.pending[grids, 0]
        self._judged[grids, at] = simulator.judging[grids]
        self._count[grids] += 1

    def begin(self, simulator: Simulator, e: int) -> None:
        """Settle the episode of grid e, which a new one replaces."""
        self.settle(simulator, e)
        self._episode[e] += 1

    def settle(self, simulator: Simulator, e: int) -> None:
        """Let the placed jobs of grid e end and settle the decisions of its episode.

        The episode is over then: it takes no further decision.
        """
        n = int(self._count[e])
        if n:
            simulator.drain(e)
            rewards = difference_rewards(simulator, e, simulator.log(e), self.objective)
            grid, episode = np.full(n, e), np.full(n, self._episode[e])
            rows, judged = self._rows[e, :n], self._judged[e, :n].copy()
            self._settled.append((grid, episode, np.arange(n), rewards[rows], judged))
        self._count[e] = 0

    def episode(self, e: int) -> int:
        """Return the number of the episode that grid e plays, from 0."""
        return int(self._episode[e])

    def take(self) -> Settled:
        """Return the decisions settled since the last call; they are forgotten here."""
        empty = (np.zeros(0, np.int64),) * 3 + (np.zeros(0), np.zeros(0, bool))
        found, self._settled = [empty, *self._settled], []
        return Settled(*(np.concatenate(part) for part in zip(*found, strict=True)))
