"""Arrival processes: Poisson, renewal, hour of week, or a recorded trace.

Times are in s after a start; the start is in s since Monday 00:00 UTC where the week matters.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final, final

import numpy as np

from panda_gym.distributions.base import Distribution, numbers
from panda_gym.distributions.parametric import ExponentiatedWeibull, best_fit
from panda_gym.distributions.samples import rising, usable
from panda_gym.errors import DistributionError
from panda_gym.units import SECONDS_PER_HOUR

Array = np.ndarray

HOURS: Final = 168
"""Hours of a week."""
FEW: Final = 50
"""Hours with fewer gaps use the pooled distribution, scaled to their own mean."""


class Arrivals(ABC):
    """Arrival process."""

    kind: ClassVar[str]
    """Name in a saved file and in the registry."""

    @abstractmethod
    def walk(self, rng: np.random.Generator, start_s: float, until_s: float, most: int) -> Array:
        """Draw arrival times in (start_s, until_s], float64[n]; stop soon after `most` of them."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as JSON data."""

    @final
    def until(self, rng: np.random.Generator, horizon_s: float, start_s: float = 0.0) -> Array:
        """Draw all arrivals within a horizon, float64[n], s after the start."""
        if not 0.0 < horizon_s < np.inf:
            raise DistributionError("a finite horizon above 0 s", repr(horizon_s), "pass s")
        times = self.walk(rng, start_s, start_s + horizon_s, np.iinfo(np.int64).max)
        return times - start_s

    @final
    def first(self, rng: np.random.Generator, n: int, start_s: float = 0.0) -> Array:
        """Draw the first n arrivals, float64[n], s after the start."""
        if n < 1:
            raise DistributionError("at least 1 arrival", f"{n}", "raise n")
        return self.walk(rng, start_s, np.inf, n)[:n] - start_s


@dataclass(frozen=True)
class Renewal(Arrivals):
    """Renewal process: independent gaps of one distribution; Poisson if it is exponential."""

    kind: ClassVar[str] = "renewal"
    gap: Distribution
    """Distribution of the gaps, s."""

    def walk(self, rng: np.random.Generator, start_s: float, until_s: float, most: int) -> Array:
        block = min(most, 65_536)
        parts, now, count = [np.zeros(0)], start_s, 0
        while now <= until_s and count < most:
            parts.append(now + np.cumsum(self.gap.sample(rng, block)))
            now, count = float(parts[-1][-1]), count + block
        times = np.concatenate(parts)
        return times[times <= until_s]

    def to_dict(self) -> dict[str, Any]:
        from panda_gym.distributions.saved import plain

        return {"gap": plain(self.gap)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Renewal:
        """Return the process of JSON data; DistributionError if the parameters are invalid."""
        from panda_gym.distributions.saved import from_plain

        gap = from_plain(data.get("gap"))
        if not isinstance(gap, Distribution):
            raise DistributionError("a distribution of gaps", repr(data)[:60], "fit it again")
        return cls(gap)


@dataclass(frozen=True, eq=False)
class HourOfWeek(Arrivals):
    """Arrival process whose gaps that start in hour h of the week follow distribution h.

    NOTE[DIFF] A heavy tail fitted to a few hundred gaps may have no finite mean. The gaps of an
    hour are cut at its longest recorded gap and scaled to the recorded mean; otherwise the total
    count misses the trace by tens of per cent.
    """

    kind: ClassVar[str] = "hour_of_week"
    gaps: tuple[Distribution, ...]
    """Distribution of gaps of each of the 168 hours; hour 0 is Monday 00:00 to 01:00 UTC."""
    ceiling: Array
    """float64[168]: probability at which the distribution of an hour is cut."""
    scale: Array
    """float64[168]: factor on the gaps of an hour."""

    def __post_init__(self) -> None:
        for name in ("ceiling", "scale"):
            value = np.array(getattr(self, name), dtype=np.float64)
            if value.shape != (HOURS,) or not np.isfinite(value).all() or (value <= 0.0).any():
                raise DistributionError(
                    f"{HOURS} numbers above 0 as {name}", repr(value)[:60], "fit again"
                )
            object.__setattr__(self, name, value)
        if len(self.gaps) != HOURS or (self.ceiling > 1.0).any():
            raise DistributionError(
                f"{HOURS} distributions, cut at up to 1", f"{len(self.gaps)}", "fit them again"
            )

    def draw(self, rng: np.random.Generator, hour: int, n: int) -> Array:
        """Draw n gaps that start in an hour of the week, float64[n], s."""
        u = rng.random(n) * self.ceiling[hour]
        return self.gaps[hour].quantile(u) * self.scale[hour]

    @cached_property
    def mean_s(self) -> Array:
        """Mean gap of every hour, float64[168], s."""
        u = (np.arange(4096) + 0.5) / 4096.0
        means = [g.quantile(u * c).mean() for g, c in zip(self.gaps, self.ceiling, strict=True)]
        return np.array(means) * self.scale

    def walk(self, rng: np.random.Generator, start_s: float, until_s: float, most: int) -> Array:
        parts, now, count = [np.zeros(0)], start_s, 0
        while now <= until_s and count < most:
            hour = int(now // SECONDS_PER_HOUR) % HOURS
            end = (now // SECONDS_PER_HOUR + 1.0) * SECONDS_PER_HOUR
            block = int(1.3 * (end - now) / self.mean_s[hour]) + 4
            times = now + np.cumsum(self.draw(rng, hour, block))
            # The first arrival past the hour is kept, since its gap started within the hour.
            inside = int(np.searchsorted(times, end)) + 1
            parts.append(times[:inside])
            now, count = float(parts[-1][-1]), count + len(parts[-1])
        times = np.concatenate(parts)
        return times[times <= until_s]

    def to_dict(self) -> dict[str, Any]:
        from panda_gym.distributions.saved import plain

        return {
            "gaps": [plain(gap) for gap in self.gaps],
            "ceiling": self.ceiling.tolist(),
            "scale": self.scale.tolist(),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> HourOfWeek:
        """Return the process of JSON data; DistributionError if the parameters are invalid."""
        from panda_gym.distributions.saved import from_plain

        if set(data) != {"gaps", "ceiling", "scale"}:
            raise DistributionError("gaps, ceiling and scale", str(sorted(data)), "fit it again")
        gaps = tuple(from_plain(gap) for gap in data["gaps"])
        if not all(isinstance(gap, Distribution) for gap in gaps):
            raise DistributionError("distributions of gaps", "others", "fit it again")
        return cls(gaps, data["ceiling"], data["scale"])

    @classmethod
    def fit(cls, times: Any, start_s: float = 0.0) -> HourOfWeek:
        """Fit to arrival times in s; `start_s` is the time of the week at time 0."""
        clock = rising(times) + start_s
        gap = np.maximum(np.diff(clock), 1e-6)
        hour = (clock[:-1] // SECONDS_PER_HOUR).astype(np.int64) % HOURS
        count = np.bincount(hour, minlength=HOURS)
        mean = np.bincount(hour, gap, minlength=HOURS) / np.maximum(count, 1)
        mean = np.where(count > 0, mean, gap.mean())
        pooled = best_fit(usable(gap / mean[hour], "gaps"))
        hours = [_fit_hour(gap[hour == h], pooled, float(mean[h])) for h in range(HOURS)]
        gaps, ceiling, scale = zip(*hours, strict=True)
        return cls(gaps, np.array(ceiling), np.array(scale))


def _fit_hour(gaps: Array, pooled: Distribution, mean: float) -> tuple[Distribution, float, float]:
    """Return the distribution, ceiling and scale of an hour's gaps."""
    own = len(gaps) >= FEW and gaps.min() < gaps.max()
    distribution = best_fit(gaps) if own else pooled
    ceiling = max(float(distribution.cdf(np.array(gaps.max() if own else 50.0))), 1e-3)
    u = (np.arange(4096) + 0.5) / 4096.0 * ceiling
    return distribution, ceiling, mean / float(distribution.quantile(u).mean())


@dataclass(frozen=True, eq=False)
class Trace(Arrivals):
    """Recorded trace, replayed from its beginning and repeated at its end."""

    kind: ClassVar[str] = "trace"
    gaps: Array
    """float64[n]: gaps in s, the first from the start of the replay."""

    def __post_init__(self) -> None:
        value = np.array(self.gaps, dtype=np.float64)
        fine = value.ndim == 1 and len(value) > 0 and np.isfinite(value).all()
        if not fine or (value < 0.0).any() or value.sum() <= 0.0:
            raise DistributionError(
                "gaps of a trace, not negative", repr(value)[:60], "record it again"
            )
        object.__setattr__(self, "gaps", value)

    def walk(self, rng: np.random.Generator, start_s: float, until_s: float, most: int) -> Array:
        span = float(self.gaps.sum())
        repeats = min(-(-most // len(self.gaps)), int(min((until_s - start_s) / span, 1e9)) + 1)
        times = start_s + np.cumsum(np.tile(self.gaps, repeats))
        return times[times <= until_s]

    def to_dict(self) -> dict[str, Any]:
        return {"gaps": self.gaps.tolist()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Trace:
        """Return the trace of JSON data; DistributionError if its gaps are invalid."""
        return cls(data.get("gaps", ()))

    @classmethod
    def fit(cls, times: Any) -> Trace:
        """Record arrival times in s; the mean gap precedes the first."""
        times = np.sort(np.asarray(times, dtype=np.float64).ravel())
        if len(times) < 2 or not np.isfinite(times).all() or times[0] == times[-1]:
            raise DistributionError(
                "two finite arrivals apart in time", f"{len(times)}", "a longer trace"
            )
        gap = np.diff(times)
        return cls(np.concatenate([[gap.mean()], gap]))


def poisson(mean_gap_s: float) -> Renewal:
    """Return a Poisson process of this mean gap, s."""
    from panda_gym.distributions.parametric import Exponential

    numbers("poisson", {"mean_gap_s": mean_gap_s}, "mean_gap_s")
    return Renewal(Exponential(mean_gap_s))


def fit_arrivals(times: Any, model: str = "hour_of_week", start_s: float = 0.0) -> Arrivals:
    """Fit an arrival process, one of `MODELS`, to arrival times in s.

    `start_s` is the time of the week at time 0. Raises DistributionError if the model is unknown
    or the times are too few or not finite.
    """
    from panda_gym.distributions.parametric import Exponential
    from panda_gym.errors import nearest

    if model not in MODELS:
        raise DistributionError("a model of arrivals", repr(model), nearest(str(model), MODELS))
    if model == "hour_of_week":
        return HourOfWeek.fit(times, start_s)
    if model == "trace":
        return Trace.fit(times)
    gaps = np.maximum(np.diff(rising(times)), 1e-6)
    return Renewal((Exponential if model == "poisson" else ExponentiatedWeibull).fit(gaps))


MODELS: Final = ("poisson", "exponentiated_weibull", "hour_of_week", "trace")
"""Models that `fit_arrivals` fits."""
