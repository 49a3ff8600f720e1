"""The present state of one grid in plain arrays, for rendering and analysis."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from panda_gym.simulator.state import DOWN, World


class Snapshot(NamedTuple):
    """One grid at one time; arrays are copies of shape [S]."""

    clock_s: float
    """Time, s."""
    jobs: int
    """Jobs of the episode."""
    next_job: int
    """Number of the next job of the stream to be placed."""
    unfinished: int
    """Jobs that have arrived and have not ended for good."""
    last_arrival_s: float
    """Arrival of the last job of the episode, s."""
    used_cores: np.ndarray
    """Cores of running jobs, int32[S]."""
    competing_cores: np.ndarray
    """Cores in competing use, int32[S]."""
    free_cores: np.ndarray
    """Idle cores, int32[S]; below 0: owed to competing work."""
    committed_cores: np.ndarray
    """Cores of jobs staging or waiting, int32[S]."""
    staging: np.ndarray
    """Jobs whose input is in transfer, int32[S]."""
    waiting: np.ndarray
    """Jobs in the queue, int32[S]."""
    down: np.ndarray
    """Whether the site is down, bool[S]."""


def snapshot(w: World, e: int) -> Snapshot:
    """Copy the present state of grid e."""
    grid, sites = w.grids[e], w.sites[e]
    jobs = int(grid["jobs"])
    return Snapshot(
        clock_s=float(grid["clock"]),
        jobs=jobs,
        next_job=int(grid["cursor"]),
        unfinished=int(grid["unfinished"]),
        last_arrival_s=float(w.jobs[e, jobs - 1]["arrival"]),
        used_cores=sites["used"].copy(),
        competing_cores=sites["competing_cores"].copy(),
        free_cores=sites["free"].copy(),
        committed_cores=sites["committed_cores"].copy(),
        staging=sites["assigned"].copy(),
        waiting=sites["activated"].copy(),
        down=w.site_status[e]["status"] == DOWN,
    )
