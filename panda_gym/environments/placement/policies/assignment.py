"""Assign all pending jobs at once by a mixed-integer program over predicted times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csr_array, hstack, identity

from panda_gym.environments.placement.policies.pending import (
    JointPolicy,
    PendingDecisions,
    by_extreme,
)
from panda_gym.environments.placement.policies.settings import at_least

BOUND_S = 600.0
"""Run times below it count as this, as in the bounded slowdown."""


@dataclass(frozen=True)
class Assignment(JointPolicy):
    """Minimum of the expected ln bounded slowdowns; cores beyond the spare ones are paid for.

        min  sum_js c_js x_js + sum_s p_s u_s
        s.t. sum_s x_js = 1,  u_s >= sum_j cores_j x_js - spare_s,  x binary,  u >= 0

    c_js is ln of the predicted slowdown of job j at site s, p_s what a core that is not spare adds
    to a mean pending job: it waits for the site's cores to work through it. Solved by HiGHS
    (scipy.optimize.milp).

    nearest: sites considered for each job, those of its lowest cost.
    gap: relative gap at which the solver may stop.
    """

    nearest: int = 12
    gap: float = 1e-3

    def __post_init__(self) -> None:
        at_least("nearest", self.nearest, 1)
        at_least("gap", self.gap, 0.0)

    def assign(self, pending: PendingDecisions) -> np.ndarray:
        completion = pending.completion()
        ideal = np.maximum(np.where(pending.mask, pending.run, np.inf).min(axis=1), BOUND_S)
        cost = np.log(np.maximum(completion / ideal[:, None], 1.0))
        width = min(int(self.nearest), cost.shape[1])
        near = np.argpartition(cost, width - 1, axis=1)[:, :width]
        job, site = np.repeat(np.arange(len(cost)), width), near.ravel()
        legal = np.isfinite(cost[job, site])
        job, site = job[legal], site[legal]
        if len(pending.rows) == 1:  # nothing to solve: the cheapest pair
            return site[[int((cost[0, site] + _overfill(pending, job, site)).argmin())]]
        return _solve(pending, cost[job, site], job, site, self.gap)


def _paid(
    pending: PendingDecisions, job: np.ndarray, site: np.ndarray, used: np.ndarray
) -> np.ndarray:
    """What a core beyond the spare ones costs at each of the sites `used`, float64[U]."""
    mean_run = pending.run[job, site].mean()
    return np.log1p(mean_run / pending.site_cores[used] / BOUND_S)


def _overfill(pending: PendingDecisions, job: np.ndarray, site: np.ndarray) -> np.ndarray:
    """What is paid for the cores that one job alone takes beyond the spare ones, by pair."""
    beyond = np.maximum(pending.cores[job] - pending.spare[site], 0.0)
    return beyond * _paid(pending, job, site, site)


def _solve(
    pending: PendingDecisions, cost: np.ndarray, job: np.ndarray, site: np.ndarray, gap: float
) -> np.ndarray:
    """The site of every job, int64[n], from the pairs (job, site) that are considered.

    Min-min's answer where the solver finds none.
    """
    used, place = np.unique(site, return_inverse=True)
    pairs = np.arange(len(job))
    once = coo_array((np.ones(len(job)), (job, pairs)))
    asked = coo_array((pending.cores[job], (place, pairs)))
    paid = _paid(pending, job, site, used)
    nothing = csr_array((once.shape[0], len(used)))
    found = milp(
        np.concatenate([cost, paid]),
        integrality=np.concatenate([np.ones(len(job)), np.zeros(len(used))]),
        bounds=Bounds(0.0, np.concatenate([np.ones(len(job)), np.full(len(used), np.inf)])),
        constraints=[
            LinearConstraint(hstack([once, nothing]), 1.0, 1.0),
            LinearConstraint(hstack([asked, -identity(len(used))]), -np.inf, pending.spare[used]),
        ],
        options={"mip_rel_gap": gap},
    )
    if found.x is None:
        return by_extreme(pending, largest=False)
    chosen = np.flatnonzero(found.x[: len(job)] > 0.5)
    sites = np.zeros(len(pending.rows), dtype=np.int64)
    sites[job[chosen]] = site[chosen]
    return sites
