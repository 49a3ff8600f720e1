"""Size interval task assignment: jobs of like size go to the same sites."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Policy
from panda_gym.environments.placement.policies.settings import positive

EDGES: Final = np.linspace(0.0, 20.0, 401)
"""Edges of the size classes: ln of the predicted workload in Gflop."""


@dataclass
class Sita(Policy):
    """SITA-E (Harchol-Balter, Crovella and Murta 1999): short and long jobs never share a queue.

    Legal sites stand in order of core speed, and each takes an interval of job sizes whose share of
    the work is its share of the capacity: the longest jobs run on the fastest cores. How the work
    is spread over sizes is counted from the jobs seen so far in the episode, from predictions.

    NOTE[DIFF]: the paper's hosts are alike and its size distribution is known.

    prior: weight of an even spread over ln size, in jobs of mean size; it counts until jobs are
        seen.
    """

    prior: float = 10.0
    work: np.ndarray = field(init=False, repr=False, compare=False)
    seen: int = field(default=0, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        positive("prior", self.prior)
        self.reset(1)

    def reset(self, envs: int) -> None:
        """Forget the jobs seen; work by size class is float64[E, classes], in Gflop."""
        self.work, self.seen = np.zeros((envs, len(EDGES) - 1)), 0

    def choose(self, view: PlacementView, rng: np.random.Generator) -> np.ndarray:
        size = np.maximum(view.job("workload_pred")[:, 0], 1.0)
        level = np.clip(np.searchsorted(EDGES, np.log(size), side="right") - 1, 0, len(EDGES) - 2)
        inside = np.clip((np.log(size) - EDGES[level]) / (EDGES[1] - EDGES[0]), 0.0, 1.0)
        self.work[np.arange(len(view)), level] += size
        self.seen += 1
        return _site_of(view, self._share(level, inside))

    def _share(self, level: np.ndarray, inside: np.ndarray) -> np.ndarray:
        """Share of the work that smaller jobs bring, float64[E] in [0, 1).

        inside: place of the job in its class, which is taken to be even in ln size.
        """
        rows, classes = np.arange(len(level)), self.work.shape[1]
        mean = self.work.sum(axis=1, keepdims=True) / self.seen
        spread = self.work + self.prior * mean / classes
        edges = np.cumsum(spread, axis=1)
        before = edges[rows, level] - spread[rows, level]
        return np.minimum((before + inside * spread[rows, level]) / edges[:, -1], 1.0 - 1e-12)


def _site_of(view: PlacementView, share: np.ndarray) -> np.ndarray:
    """The legal site whose interval of capacity, in order of speed, holds the share, int64[E]."""
    power, cores = view.site("power"), view.site("cores")
    order = np.lexsort((cores, power))
    capacity = np.take_along_axis(np.where(view.mask, cores * power, 0.0), order, axis=1)
    edges = np.cumsum(capacity, axis=1)
    place = (edges <= (share * edges[:, -1])[:, None]).sum(axis=1)
    return order[np.arange(len(view)), place]
