"""Number of jobs in each state at given times.

An attempt is staging from its placement, waiting from its activation and running from when it
took its cores, each until the next of these or its end. Counts at time t hold what happened up
to and at t.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from panda_gym.simulator import EpisodeLog

Array = np.ndarray

STAGES: Final = ("staging", "waiting", "running")


def spans(log: EpisodeLog) -> dict[str, tuple[Array, Array]]:
    """Return when each attempt enters and leaves each of STAGES, float64[n] each, s; nan: never.

    Times after `log.now_s` are nan: they have not happened.
    """
    times = log.placed_s, log.activation_s, log.starting_s, log.end_s
    entered, ready, begun, end = (np.where(t <= log.now_s, t, np.nan) for t in times)
    return {
        "staging": _span(entered, np.fmin(ready, end)),
        "waiting": _span(ready, np.fmin(begun, end)),
        "running": _span(begun, end),
    }


def _span(enter: Array, leave: Array) -> tuple[Array, Array]:
    """A stage that was never entered is never left: an attempt may end before it waits or runs."""
    return enter, np.where(np.isnan(enter), np.nan, leave)


def counts(log: EpisodeLog, times: Array) -> dict[str, Array]:
    """Return jobs in each of STAGES on the whole grid and cores in use, float64[T] each."""
    found = {stage: _inside(*span, None, times) for stage, span in spans(log).items()}
    cores = log.cores.astype(np.float64)
    return {**found, "cores": _inside(*spans(log)["running"], cores, times)}


def by_site(log: EpisodeLog, times: Array, sites: int) -> dict[str, Array]:
    """Return jobs in each of STAGES at each site, cores in use and wanted, float64[T, S] each.

    times: non-decreasing, float64[T], s. `cores` are those of running jobs, `wanted` those of
    jobs staging or waiting.
    """
    cores, one = log.cores.astype(np.float64), np.ones(len(log))
    during = spans(log)
    found = {stage: _grid(log.site, *span, one, times, sites) for stage, span in during.items()}
    held = {stage: _grid(log.site, *span, cores, times, sites) for stage, span in during.items()}
    return {**found, "cores": held["running"], "wanted": held["staging"] + held["waiting"]}


def _inside(enter: Array, leave: Array, weight: Array | None, times: Array) -> Array:
    """Sum of the weights (default 1) of the attempts inside the stage, float64[T]."""
    return _up_to(enter, weight, times) - _up_to(leave, weight, times)


def _up_to(when: Array, weight: Array | None, times: Array) -> Array:
    """Sum of the weights of the events up to each time; nan never happens."""
    order = np.argsort(when)  # nan comes last
    total = np.concatenate(
        [[0.0], np.cumsum(np.ones(len(when)) if weight is None else weight[order])]
    )
    return total[np.searchsorted(when[order], times, side="right")]


def _grid(
    site: Array, enter: Array, leave: Array, weight: Array, times: Array, sites: int
) -> Array:
    """The same at each site, float64[T, S]."""
    change = np.zeros((len(times) + 1, sites))
    for when, sign in ((enter, 1.0), (leave, -1.0)):
        rows = np.flatnonzero(~np.isnan(when) & (site >= 0))
        first = np.searchsorted(times, when[rows], side="left")  # the first time that shows it
        np.add.at(change, (first, site[rows]), sign * weight[rows])
    return np.cumsum(change[:-1], axis=0)
