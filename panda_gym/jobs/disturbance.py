"""Place an anomaly inside the window of every episode.

An anomaly of `panda_gym.jobs.anomalies` happens on a day of a stream, and most episodes would miss
it. A disturbance sets its beginning and its length as shares of the episode's time span. The load
is set by the window's ordinary jobs; the jobs that the anomaly adds come on top.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from panda_gym.errors import StreamError, nearest
from panda_gym.jobs.anomalies import ANOMALIES, with_anomaly
from panda_gym.jobs.fields import CATEGORIES
from panda_gym.jobs.stream import JobStream
from panda_gym.units import SECONDS_PER_DAY

TIMES: Final[Mapping[str, Callable[[float, float], dict[str, float]]]] = MappingProxyType(
    {
        "conference_rush": lambda begin, lasts: {"day": begin + lasts, "days": lasts},
        "campaign_start": lambda begin, lasts: {"day": begin},
        "site_outage": lambda begin, lasts: {"day": begin, "days": lasts},
        "broken_release": lambda begin, lasts: {
            "day": begin,
            "hours": 24.0 * lasts,
            "again_h": 12.0 * lasts,
        },
    }
)
"""Time settings of each anomaly, from the days at which it begins and for which it lasts."""


@dataclass(frozen=True)
class Disturbance:
    """An anomaly and its place in an episode."""

    name: str
    """Of the anomaly."""
    begin: float = 0.3
    """When it begins, as a share of the window's span."""
    lasts: float = 0.4
    """How long it lasts, likewise."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Its other settings, see `panda_gym.jobs.anomalies`."""

    def __post_init__(self) -> None:
        if self.name not in TIMES:
            hint = nearest(str(self.name), ANOMALIES)
            raise StreamError("the name of an anomaly", repr(self.name), hint)
        for key in ("begin", "lasts"):
            share = getattr(self, key)
            number = isinstance(share, int | float) and not isinstance(share, bool)
            if not number or not 0.0 <= share <= 1.0:
                raise StreamError(f"{key} as a share in [0, 1]", repr(share), f"pass {key}=0.3")

    @classmethod
    def of(cls, given: Any) -> Disturbance:
        """Return the disturbance of a name, or of a mapping of name, begin, lasts and settings."""
        if isinstance(given, cls):
            return given
        if isinstance(given, str):
            return cls(given)
        if not isinstance(given, Mapping) or "name" not in given:
            needed = "an anomaly as its name, or a mapping with a name"
            raise StreamError(needed, repr(given), "pass anomaly='conference_rush'")
        own = {key: given[key] for key in ("name", "begin", "lasts") if key in given}
        return cls(**own, settings={k: v for k, v in given.items() if k not in own})

    def of_window(
        self, stream: JobStream, start: int, n: int, hazard: np.ndarray
    ) -> tuple[JobStream, np.ndarray]:
        """Return the first n jobs of a window with this anomaly, and their hazards.

        Args:
            stream: the window is of n of its jobs from job `start` on; times are its own.
            hazard: probability that a job of the stream fails at a site of risk 1, by job; the
                same for all jobs of a class. It is 1 where the anomaly makes a job fail.
        """
        window = stream.window(start, n)
        first = float(window.arrival_s[0])
        window = replace(window, arrival_s=window.arrival_s - first)
        span = float(window.arrival_s[-1]) / SECONDS_PER_DAY
        times = TIMES[self.name](self.begin * span, self.lasts * span)
        changed = with_anomaly(window, self.name, **times, **self.settings).window(0, n)
        # Repeated jobs read their original datasets: an episode has no others.
        known_data = changed.dataset.astype(np.int64) % (int(window.dataset.max()) + 1)
        changed = replace(changed, arrival_s=changed.arrival_s + first, dataset=known_data)
        row, _ = stream.rows(start, n)
        known = dict(zip(_classes(window), hazard[row].tolist(), strict=True))
        own = np.array([known[key] for key in _classes(changed)])
        return changed, np.where(changed.failure_u == 0.0, 1.0, own)


def _classes(stream: JobStream) -> list[tuple[int, ...]]:
    return list(zip(*(getattr(stream, key).tolist() for key in CATEGORIES), strict=True))
