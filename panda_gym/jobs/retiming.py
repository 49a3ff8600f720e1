"""Replace the arrival times of a stream's jobs by draws of an arrival process."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from panda_gym.errors import check_seed
from panda_gym.jobs.episode import _time_of_week
from panda_gym.jobs.stream import JobStream


class ArrivalTimes(Protocol):
    """Anything that draws arrival times, such as `panda_gym.distributions.Arrivals`."""

    def first(self, rng: np.random.Generator, n: int, start_s: float = 0.0) -> np.ndarray:
        """Return the first n arrivals, float64[n], s after a start in s since Monday 00:00 UTC."""
        ...


def retimed(stream: JobStream, arrivals: ArrivalTimes, seed: int = 0) -> JobStream:
    """Return the same jobs in the same order, at arrival times drawn from `arrivals`."""
    begin = float(stream.arrival_s[0])
    rng = np.random.default_rng([check_seed(seed), 9])
    times = arrivals.first(rng, len(stream), _time_of_week(stream.epoch, begin))
    return replace(stream, arrival_s=begin + times)
