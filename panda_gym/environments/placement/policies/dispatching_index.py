"""Place the job where it costs least, its own delay and that of later jobs counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Ranking
from panda_gym.environments.placement.policies.settings import at_least, positive
from panda_gym.errors import PolicyError

BOUND_S = 600.0
"""Run times below it count as this, as in the bounded slowdown."""


@dataclass(frozen=True)
class DispatchingIndex(Ranking):
    """Index of size-aware dispatching: the value function of an M/G/1 queue at each site.

    A job that adds x to a backlog u of a first-in-first-out queue of load rho delays later jobs by

        rho / (1 - rho) / E[S] (u x + x^2 / 2)

    in total (Hyytia, Penttinen and Aalto 2012, one step of policy iteration from a split by
    capacity). As Whittle's, the index of a site depends on that site alone. Here the job's own
    completion is divided by its ideal run time, and the delay of others by a typical one, so that
    the sum is the mean slowdown.

    NOTE[DIFF]: a site of k cores counts as one server of k times the speed, and rho and E[S] are
    settings, since a broker sees neither.

    load: rho, the load that the index supposes.
    mean_run_s: E[S], mean run time of a job.
    typical_run_s: harmonic mean of the run times, that delays of others are divided by.
    """

    load: float = 0.9
    mean_run_s: float = 7200.0
    typical_run_s: float = 1800.0

    def __post_init__(self) -> None:
        at_least("load", self.load, 0.0)
        if self.load >= 1.0:
            raise PolicyError("load below 1", repr(self.load), "pass for example load=0.9")
        positive("mean_run_s", self.mean_run_s)
        positive("typical_run_s", self.typical_run_s)

    def score(self, view: PlacementView) -> np.ndarray:
        cores = np.maximum(view.site("cores"), 1.0)
        run, wait = view.site("run"), view.site("wait")
        ideal = np.where(view.mask, run, np.inf).min(axis=1, keepdims=True)
        own = (view.site("transfer") + wait + run) / np.maximum(ideal, BOUND_S)
        added, backlog = run * view.job("cores") / cores, np.maximum(wait, 0.0)
        pressure = self.load / (1.0 - self.load) * cores / self.mean_run_s
        others = pressure * (backlog * added + added**2 / 2.0) / self.typical_run_s
        return -(own + others)
