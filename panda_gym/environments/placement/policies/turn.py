"""The jobs of one turn that are placed together; knows the broker's estimates, never an order.

Where K jobs are placed at once (`decisions=K`), what is placed first takes cores from the others.
A `Turn` holds one environment's jobs and books each placement, so that the completion expected of
the rest is that behind it. With one decision at a time every planner here is earliest completion.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Final, final

import numpy as np

from panda_gym.environments.placement.observation import View
from panda_gym.environments.placement.policies.base import Policy

Array = np.ndarray

TIE: Final = 1e-9
"""Relative size of what decides among equals."""


class Turns:
    """The turns of E environments in natural units, decoded once: K jobs, S sites."""

    def __init__(self, views: Sequence[View]) -> None:
        self.cores = np.stack([view.job("cores")[:, 0] for view in views], axis=1)
        self.mask = np.stack([view.mask for view in views], axis=1)
        self.run, self.transfer, self.wait = (
            np.stack([view.site(name) for view in views], axis=1)
            for name in ("run", "transfer", "wait")
        )
        self.site_cores = np.maximum(views[0].site("cores"), 1.0)
        self.free_cores = views[0].site("free_cores")


class Turn:
    """The n jobs of one environment's turn, S sites."""

    def __init__(self, turns: Turns, e: int, rng: np.random.Generator) -> None:
        ticket = rng.random(turns.mask.shape[1:])
        self.rows = np.flatnonzero(turns.cores[e] > 0.0)
        """Which of the K places of the turn hold a job: the last turn may have fewer."""
        self.cores = turns.cores[e, self.rows]
        """Cores of each job, float64[n]."""
        self.ticket = ticket[self.rows]
        """What decides among equals, float64[n, S] in [0, 1)."""
        self.mask = turns.mask[e, self.rows]
        """Where it may go, bool[n, S]."""
        self.run = turns.run[e, self.rows]
        """Predicted run time, float64[n, S], s."""
        self.transfer = turns.transfer[e, self.rows]
        """Stage-in time, float64[n, S], s."""
        self.wait = turns.wait[e, self.rows]
        """Wait before the turn, float64[n, S], s."""
        self.site_cores = turns.site_cores[e]
        """Cores of each site, float64[S]."""
        idle = self.wait.min(axis=0, initial=np.inf) <= 0.0
        self.spare = turns.free_cores[e] * idle
        """Cores that are free and not promised, float64[S]."""
        self.work = np.zeros_like(self.spare)
        """Work booked in this turn, float64[S], core s."""

    def completion(self) -> Array:
        """Expected time to completion of every job at every site, float64[n, S]; inf: illegal.

        A site's wait grows by the work booked there once its spare cores do not suffice.
        """
        behind = self.wait + self.work / self.site_cores
        wait = np.where(self.spare >= self.cores[:, None], self.wait, behind)
        total = (self.transfer + wait + self.run) * (1.0 + TIE * self.ticket)
        return np.where(self.mask, total, np.inf)

    def book(self, job: int, site: int) -> None:
        """Job `job` of the turn goes to the site."""
        self.spare[site] -= self.cores[job]
        self.work[site] += self.cores[job] * self.run[job, site]


class Planner(Policy):
    """Places the jobs of a turn together."""

    @abstractmethod
    def assign(self, turn: Turn) -> Array:
        """Return a legal site for every job of the turn, int64[n]."""

    @final
    def reset(self, envs: int) -> None:
        """Nothing is remembered."""

    @final
    def choose(self, view: View, rng: np.random.Generator) -> Array:
        return self.choose_turn([view], rng)[:, 0]

    @final
    def choose_turn(self, views: Sequence[View], rng: np.random.Generator) -> Array:
        sites = np.stack([view.mask.argmax(axis=1) for view in views], axis=1)
        turns = Turns(views)
        for e in range(len(sites)):
            turn = Turn(turns, e, rng)
            if len(turn.rows):
                sites[e, turn.rows] = self.assign(turn)
        return sites


def in_order(turn: Turn, order: Sequence[int] | Array) -> Array:
    """Each job in turn to the site where it is expected to complete first, int64[n]."""
    sites = np.zeros(len(turn.rows), dtype=np.int64)
    for job in order:
        sites[job] = turn.completion()[job].argmin()
        turn.book(job, sites[job])
    return sites


def by_extreme(turn: Turn, largest: bool) -> Array:
    """The job whose earliest completion is smallest (or largest) first, until none is left."""
    sites, left = np.zeros(len(turn.rows), dtype=np.int64), list(range(len(turn.rows)))
    while left:
        completion = turn.completion()[left]
        earliest = completion.min(axis=1)
        at = int(earliest.argmax() if largest else earliest.argmin())
        job = left.pop(at)
        sites[job] = completion[at].argmin()
        turn.book(job, sites[job])
    return sites
