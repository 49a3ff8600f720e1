"""Failure rates of job classes and sites, estimated from how their records ended.

    hazard   share of failed records in the job's class (project, prodstep, datatype), shrunk
             towards the share in the whole stream, as if SHRINK more records had that share
    risk     failed records at a site / those that its jobs' hazards predict, shrunk towards 1
             in the same way; 1 at a site of the platform that the stream does not know

An attempt fails with probability hazard x risk (`panda_gym.simulator.failures`). Cancelled and
closed records are not failures of the job: the simulation produces those states itself.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from panda_gym.jobs.catalogue import catalogue
from panda_gym.jobs.fields import CATEGORIES, STATUSES
from panda_gym.jobs.stream import JobStream
from panda_gym.sites import Platform

SHRINK: Final = 20.0
"""Weight of the prior, in records."""


class FailureRates(NamedTuple):
    """Hazard of each job and risk of each site; an attempt fails with their product."""

    hazard: np.ndarray
    """Of each job of the stream, float64[n]."""
    risk: np.ndarray
    """Of each site of the platform, float64[S]."""


# A memo: both are immutable, and environments ask for the same pair at every reset.
@lru_cache(maxsize=4)
def failure_rates(stream: JobStream, platform: Platform) -> FailureRates:
    """Return the failure rates of a stream on a platform."""
    failed = (stream.status == STATUSES.index("failed")).astype(np.float64)
    base = float(failed.mean())
    classes = np.stack([getattr(stream, name) for name in CATEGORIES], axis=1)
    _, group = np.unique(classes, axis=0, return_inverse=True)
    group = group.ravel()
    found, count = np.bincount(group, weights=failed), np.bincount(group)
    hazard = ((found + SHRINK * base) / (count + SHRINK))[group]
    site = catalogue(stream, platform).sites[stream.source]
    here, sites = site >= 0, len(platform)
    seen = np.bincount(site[here], weights=failed[here], minlength=sites)
    expected = np.bincount(site[here], weights=hazard[here], minlength=sites)
    prior = SHRINK * base
    risk = (seen + prior) / (expected + prior) if base > 0.0 else np.ones(sites)
    hazard.setflags(write=False)
    risk.setflags(write=False)
    return FailureRates(hazard, risk)
