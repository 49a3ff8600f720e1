"""Fit and sample the arrival times of events, in the observed window and after it.

The process is a log-Gaussian Cox process with calendar effects (`rate`, `cycles`) plus
self-excitation (`excitation`). A `Path` is one seeded realisation: over the window it follows the
rate inferred from the window, after its end it forecasts. A path is read forward hour by hour and
never held as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generators.arrivals.cycles import Cycles
from generators.arrivals.excitation import DELAYS_S, Excitation, learn
from generators.arrivals.rate import Rate
from generators.errors import GeneratorError

HOUR_S = 3600.0
MOST_HOURS = 5 * 366 * 24
"""Longest window, hours."""
WEEK_H, DAY_H = 168, 24
ROUNDS = 2
"""Rounds of separating triggered from background events and refitting the background rate."""
WINDOW, ONWARD, EVENTS = range(3)


@dataclass(frozen=True)
class Arrivals:
    """A fitted process of events in time."""

    cycles: Cycles
    """The calendar."""
    rate: Rate
    """Rate of background events per hour."""
    excitation: Excitation
    """What events trigger."""
    first_s: float
    """First event seen, seconds since 1970."""
    last_s: float
    """End of the observed time, seconds since 1970."""

    @classmethod
    def fit(
        cls,
        seconds: np.ndarray,
        last_s: float,
        holidays: tuple[str, ...] = (),
        rng: np.random.Generator | None = None,
    ) -> Arrivals:
        """Return the process behind events.

        Args:
            seconds: when events happened, seconds since 1970, in any order, [n], n >= 1.
            last_s: end of the observed time, at least the last event.
            holidays: spans of days "MM-DD/MM-DD" that have a rate of their own.
            rng: of separating triggered from background events.

        Raises:
            GeneratorError: no observed time at all, or more than five years of it.
        """
        rng = rng or np.random.default_rng(0)
        times = np.sort(np.asarray(seconds, np.float64))
        _check_window(times, last_s)
        first = int(times[0] // HOUR_S)
        hours = int(last_s // HOUR_S) - first + 1
        cycles = Cycles(first, hours, holidays)
        exposure = _exposure(times[0], last_s, first, hours)
        hour = (times // HOUR_S).astype(np.int64) - first
        design, precision = cycles.design(np.arange(hours)), cycles.precision()
        own, excitation = np.ones(len(times), bool), Excitation(np.zeros(len(DELAYS_S)))
        for _ in range(ROUNDS):
            counts = np.bincount(hour[own], minlength=hours).astype(np.float64)
            rate = Rate.fit(counts, exposure, design, precision)
            level = np.exp(design @ rate.weights + rate.paths.sum(axis=0)) / HOUR_S
            # The first round's rate counts all events, the later ones' only background events.
            excitation, chance = learn(times, level[hour] / (1.0 - excitation.branching))
            if not excitation.branching:
                break
            own = rng.random(len(times)) >= chance
            own[0] = True
        return cls(cycles, rate, excitation, float(times[0]), float(last_s))

    def path(self, seed: int, replay: bool = False) -> Path:
        """Return one realisation of the process: same seed, same realisation.

        `replay` repeats the window (its last whole weeks, or days) for ever instead of going on
        after its end.
        """
        return Path(self, seed, replay)

    @property
    def period(self) -> int:
        """Hours that a replay repeats: whole weeks, else whole days, else all."""
        hours = self.cycles.hours
        unit = WEEK_H if hours >= WEEK_H else DAY_H if hours >= DAY_H else 1
        return hours // unit * unit

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs beside the holidays."""
        rate = {f"rate.{k}": a for k, a in self.rate.arrays().items()}
        span = np.array([self.first_s, self.last_s, self.cycles.first, self.cycles.hours])
        return {"excitation": self.excitation.weights, "span": span, **rate}

    @classmethod
    def restore(cls, arrays: dict[str, np.ndarray], holidays: tuple[str, ...]) -> Arrivals:
        """Return the process that `arrays` described."""
        first_s, last_s, first, hours = (float(x) for x in arrays["span"])
        rate = {k[5:]: a for k, a in arrays.items() if k.startswith("rate.")}
        return cls(
            Cycles(int(first), int(hours), holidays),
            Rate.restore(rate),
            Excitation(arrays["excitation"]),
            first_s,
            last_s,
        )


class Path:
    """One realisation of a process, read forward.

    Hours are counted from the window's first, 0; those from `Arrivals.cycles.hours` on lie after
    the window.
    """

    def __init__(self, arrivals: Arrivals, seed: int, replay: bool) -> None:
        self._model, self._seed, self._replay = arrivals, seed, replay
        self._seen = arrivals.rate.draw(np.random.default_rng([seed, WINDOW]))
        self._last, self._at = self._seen[:, -1].copy(), arrivals.cycles.hours
        self._waiting = np.empty(0)

    def events(self, start: int, stop: int) -> np.ndarray:
        """Return the sorted times of events in hours start to stop, seconds since 1970.

        Calls go forward: `start` is where the last call stopped. Whatever is asked in one piece
        or in several, each hour has its own random numbers and the events are the same.
        """
        times = [self._waiting]
        rates = self._rates(start, stop)
        for hour in range(start, stop):
            rng = np.random.default_rng([self._seed, EVENTS, hour])
            own = self._own(hour, rates[hour - start], rng)
            times += [own, self._model.excitation.offspring(own, rng)]
        drawn = np.sort(np.concatenate(times))
        end = (self._model.cycles.first + stop) * HOUR_S
        cut = int(np.searchsorted(drawn, end))
        self._waiting = drawn[cut:]
        return drawn[:cut]

    def _own(self, hour: int, rate: float, rng: np.random.Generator) -> np.ndarray:
        """Return background events of one hour; in the first, none before those seen."""
        model = self._model
        low = (model.cycles.first + hour) * HOUR_S
        high = low + HOUR_S
        if not self._replay:
            low = max(low, model.first_s) if hour == 0 else low
        share = max(high - low, 0.0) / HOUR_S
        return low + (high - low) * rng.random(rng.poisson(min(rate * share, 1e7)))

    def _rates(self, start: int, stop: int) -> np.ndarray:
        """Return the rate of background events in each hour, per hour."""
        model, hours = self._model, self._model.cycles.hours
        at = np.arange(start, stop)
        if self._replay:
            # The last `period` hours again and again, in step with the week.
            at = hours - model.period + (at - (hours - model.period)) % model.period
            return self._level(at, self._seen[:, at])
        paths = np.empty((2, len(at)))
        seen = at < hours
        paths[:, seen] = self._seen[:, np.maximum(at[seen], 0)]
        for i in np.flatnonzero(~seen):
            while self._at <= at[i]:
                rng = np.random.default_rng([self._seed, ONWARD, self._at])
                self._last = model.rate.onward(self._last, 1, rng)[:, 0]
                self._at += 1
            paths[:, i] = self._last
        return self._level(at, paths)

    def _level(self, at: np.ndarray, paths: np.ndarray) -> np.ndarray:
        design = self._model.cycles.design(at)
        return np.exp(np.clip(design @ self._model.rate.weights + paths.sum(axis=0), -40.0, 16.0))


def _check_window(times: np.ndarray, last_s: float) -> None:
    if not len(times) or last_s <= times[0]:
        raise GeneratorError(
            "times that differ", "none or one moment only", "give a column of times of a stream"
        )
    if last_s - times[0] > MOST_HOURS * HOUR_S:
        years = (last_s - times[0]) / HOUR_S / 24 / 365.25
        raise GeneratorError(
            "times within five years", f"{years:.0f} years", "cut the table to its latest years"
        )


def _exposure(first_s: float, last_s: float, first: int, hours: int) -> np.ndarray:
    """Return the part of each hour between the first event and the end, float64[hours]."""
    low = (first + np.arange(hours)) * HOUR_S
    part = np.minimum(low + HOUR_S, last_s) - np.maximum(low, first_s)
    return np.maximum(part / HOUR_S, 1e-3)
