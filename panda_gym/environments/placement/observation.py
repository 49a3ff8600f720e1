"""Describe the observation of a broker: tables of features and their scales.

An observation is a dictionary of arrays with a leading batch axis E (absent in the single
environment):

    sites        float32 [E, len(SITE_FEATURES), S]   feature-major
    job          float32 [E, len(JOB_FEATURES)]       the job to be placed
    grid         float32 [E, len(GRID_FEATURES)]      the grid as a whole
    action_mask  int8    [E, S]                       1 where the job may go

Every feature is encoded by a fixed constant, so that nothing is fitted to a run: `linear` is
x / scale, `ratio` is x / (x + scale), which maps [0, inf) to [0, 1), costs one division, and
is inverted by `PlacementView`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from panda_gym.deprecated import old_names
from panda_gym.environments.base.features import Feature, position

Array = np.ndarray


# "counter": as old as the last refresh (staleness_s), plus what this broker placed since.
SITE_FEATURES: Final = (
    Feature("cores", "cores", "ratio", 1000.0, "job slots of the site"),
    Feature("power", "HS23/core", "linear", 30.0, "speed of one core"),
    Feature("free_cores", "cores", "ratio", 100.0, "counter: cores in nobody's use"),
    Feature("running", "jobs", "ratio", 100.0, "counter: this broker's running jobs"),
    Feature("activated", "jobs", "ratio", 100.0, "counter: waiting with their input staged"),
    Feature("assigned", "jobs", "ratio", 100.0, "counter: input still on its way"),
    Feature("queued_work", "core s", "ratio", 1e6, "counter: predicted work not yet started"),
    Feature("wait", "s", "ratio", 3600.0, "the broker's estimate of this job's wait for cores"),
    Feature("transfer", "s", "ratio", 600.0, "estimated time until this job's input is here"),
    Feature("run", "s", "ratio", 14400.0, "predicted run time of this job here"),
    Feature("local_share", "1", "linear", 1.0, "share of this job's input bytes here", most=1.0),
    Feature("closeness", "1", "linear", 11.0, "0 near .. 11 far: to the best replica", most=11.0),
    Feature("disk_free", "TB", "ratio", 1000.0, "free disk"),
    Feature("failure_rate", "1", "linear", 1.0, "recent share of failed jobs", most=1.0),
    Feature("online", "1", "linear", 1.0, "1 if the site takes jobs", most=1.0),
)

JOB_FEATURES: Final = (
    Feature("cores", "cores", "ratio", 8.0, "cores that the job needs"),
    Feature("workload_pred", "Gflop", "ratio", 1e5, "predicted workload"),
    Feature("input_bytes", "bytes", "ratio", 5e9, "size of the input"),
    Feature("input_files", "files", "ratio", 10.0, "number of input files"),
)

GRID_FEATURES: Final = (
    Feature("counter_age", "s", "ratio", 300.0, "time since the counters were refreshed"),
    Feature(
        "free_share", "1", "linear", 1.0, "counter: share of all cores in nobody's use", -1.0, 1.0
    ),
    Feature(
        "queued_share", "1", "ratio", 1.0, "counter: predicted queued work / core s in an hour"
    ),
    Feature("hour_sin", "1", "linear", 1.0, "time of day", -1.0, 1.0),
    Feature("hour_cos", "1", "linear", 1.0, "time of day", -1.0, 1.0),
    Feature("week_sin", "1", "linear", 1.0, "time of week", -1.0, 1.0),
    Feature("week_cos", "1", "linear", 1.0, "time of week", -1.0, 1.0),
    Feature("progress", "1", "linear", 1.0, "share of the episode's jobs already placed", most=1.0),
)


class PlacementView:
    """An observation in natural units, always with a batch axis; decoded when asked for."""

    def __init__(self, observation: Mapping[str, Array]) -> None:
        batched = observation["sites"].ndim == 3
        self._parts = {k: v if batched else np.asarray(v)[None] for k, v in observation.items()}

    def __len__(self) -> int:
        return len(self._parts["sites"])

    def site(self, name: str) -> Array:
        """Feature `name` of every site, float64[E, S]."""
        row = position(SITE_FEATURES, name)
        return SITE_FEATURES[row].decode(self._parts["sites"][:, row])

    def job(self, name: str) -> Array:
        """Feature `name` of the job to be placed, float64[E, 1]."""
        row = position(JOB_FEATURES, name)
        return JOB_FEATURES[row].decode(self._parts["job"][:, row, None])

    def grid(self, name: str) -> Array:
        """Feature `name` of the grid, float64[E, 1]."""
        row = position(GRID_FEATURES, name)
        return GRID_FEATURES[row].decode(self._parts["grid"][:, row, None])

    def codes(self, part: str) -> Array:
        """A part of the observation as it stands, float32 with a batch axis."""
        return self._parts[part]

    @property
    def mask(self) -> Array:
        """Where the job may go, bool[E, S]; deferral and actions on data are left out."""
        sites = self._parts["sites"].shape[-1]
        return self._parts["action_mask"][:, :sites].astype(bool)


__getattr__ = old_names(__name__)
