"""Policies that place the K pending jobs of one step together.

With `decisions=K`, a job that is placed first takes cores from the others. `PendingDecisions` holds
the jobs of one environment and books each placement, so that the completion expected of the rest
counts the work booked before. With one decision a step every joint policy is earliest completion.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Final, final

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Policy

Array = np.ndarray

TIE: Final = 1e-9
"""Relative size of the random number that breaks ties."""


class PendingBatch:
    """The pending decisions of E environments in natural units, decoded once: K jobs, S sites."""

    def __init__(self, views: Sequence[PlacementView]) -> None:
        self.cores = np.stack([view.job("cores")[:, 0] for view in views], axis=1)
        self.mask = np.stack([view.mask for view in views], axis=1)
        self.run, self.transfer, self.wait = (
            np.stack([view.site(name) for view in views], axis=1)
            for name in ("run", "transfer", "wait")
        )
        self.site_cores = np.maximum(views[0].site("cores"), 1.0)
        self.free_cores = views[0].site("free_cores")


class PendingDecisions:
    """The n pending jobs of one environment and its S sites."""

    def __init__(self, batch: PendingBatch, e: int, rng: np.random.Generator) -> None:
        ticket = rng.random(batch.mask.shape[1:])
        self.rows = np.flatnonzero(batch.cores[e] > 0.0)
        """Which of the K places hold a job: the last step of an episode may have fewer."""
        self.cores = batch.cores[e, self.rows]
        """Cores of each job, float64[n]."""
        self.ticket = ticket[self.rows]
        """Random numbers that break ties, float64[n, S] in [0, 1)."""
        self.mask = batch.mask[e, self.rows]
        """Where it may go, bool[n, S]."""
        self.run = batch.run[e, self.rows]
        """Predicted run time, float64[n, S], s."""
        self.transfer = batch.transfer[e, self.rows]
        """Stage-in time, float64[n, S], s."""
        self.wait = batch.wait[e, self.rows]
        """Wait before any of them is placed, float64[n, S], s."""
        self.site_cores = batch.site_cores[e]
        """Cores of each site, float64[S]."""
        idle = self.wait.min(axis=0, initial=np.inf) <= 0.0
        self.spare = batch.free_cores[e] * idle
        """Cores that are free and not promised, float64[S]."""
        self.work = np.zeros_like(self.spare)
        """Work booked in this step, float64[S], core s."""

    def completion(self) -> Array:
        """Expected time to completion of every job at every site, float64[n, S]; inf: illegal.

        A site's wait grows by the work booked there once its spare cores do not suffice.
        """
        behind = self.wait + self.work / self.site_cores
        wait = np.where(self.spare >= self.cores[:, None], self.wait, behind)
        total = (self.transfer + wait + self.run) * (1.0 + TIE * self.ticket)
        return np.where(self.mask, total, np.inf)

    def book(self, job: int, site: int) -> None:
        """Book job `job` at the site: its cores and its work."""
        self.spare[site] -= self.cores[job]
        self.work[site] += self.cores[job] * self.run[job, site]


class JointPolicy(Policy):
    """A policy that places all pending jobs of a step together."""

    @abstractmethod
    def assign(self, pending: PendingDecisions) -> Array:
        """Return a legal site for every pending job, int64[n]."""

    @final
    def reset(self, envs: int) -> None:
        """Nothing is remembered."""

    @final
    def choose(self, view: PlacementView, rng: np.random.Generator) -> Array:
        return self.choose_pending([view], rng)[:, 0]

    @final
    def choose_pending(self, views: Sequence[PlacementView], rng: np.random.Generator) -> Array:
        sites = np.stack([view.mask.argmax(axis=1) for view in views], axis=1)
        batch = PendingBatch(views)
        for e in range(len(sites)):
            pending = PendingDecisions(batch, e, rng)
            if len(pending.rows):
                sites[e, pending.rows] = self.assign(pending)
        return sites


def in_order(pending: PendingDecisions, order: Sequence[int] | Array) -> Array:
    """Place the jobs in that order, each where it is expected to complete first, int64[n]."""
    sites = np.zeros(len(pending.rows), dtype=np.int64)
    for job in order:
        sites[job] = pending.completion()[job].argmin()
        pending.book(job, sites[job])
    return sites


def by_extreme(pending: PendingDecisions, largest: bool) -> Array:
    """Place the job of the smallest (or largest) earliest completion first, until none is left."""
    sites, left = np.zeros(len(pending.rows), dtype=np.int64), list(range(len(pending.rows)))
    while left:
        completion = pending.completion()[left]
        earliest = completion.min(axis=1)
        at = int(earliest.argmax() if largest else earliest.argmin())
        job = left.pop(at)
        sites[job] = completion[at].argmin()
        pending.book(job, sites[job])
    return sites
