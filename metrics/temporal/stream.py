"""A table as a stream: every figure of time as a function of the days that are counted.

Days are the blocks of the bootstrap: what a figure would have been had other days come. A figure
with all weights 1 is the figure of the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metrics.tables.samples import Sample
from metrics.temporal import clock
from metrics.temporal.batches import Batches, BatchSums

LEVELS = 20
"""Commonest levels of a category whose bursts are looked at one by one."""


@dataclass(frozen=True)
class Frame:
    """What all streams of one comparison have in common."""

    time: str
    """Name of the time column."""
    start: float
    """First time that is looked at; earlier rows count for the first hour."""
    stop: float
    """Last time that is looked at."""
    shared: tuple[str, ...]
    """Categories that rows of a batch have in common."""
    levels: dict[str, np.ndarray]
    """For each category, the codes whose bursts are looked at one by one."""
    logged: tuple[str, ...]
    """Numbers whose variance between batches is looked at, after ln."""
    lows: np.ndarray
    """Least value of each of them in the reference, float64[len(logged)]."""


class Stream:
    """The rows of a sample in order of time.

    Parameters
    ----------
    sample
        Rows that all have a time.
    frame
        Window, categories and levels that the compared streams share.
    """

    def __init__(self, sample: Sample, frame: Frame) -> None:
        self.sample, self.frame = sample, frame
        self.seconds = np.sort(sample.number(frame.time))
        self.hours = clock.hourly_counts(self.seconds, frame.start, frame.stop)
        self.days = -(-len(self.hours) // 24)
        gaps = np.diff(self.seconds)
        self.gaps, self.gap_days = gaps, self._day(self.seconds[1:])
        self.batches = Batches.of(sample, frame.time, frame.shared)
        self.batch_days = self._day(self.batches.starts)
        self._sums = [self._batch_sums(i) for i in range(len(frame.logged))]
        self._products: np.ndarray | None = None

    def _day(self, seconds: np.ndarray) -> np.ndarray:
        """Return the block of each time, int[n]: days counted from the first hour."""
        return clock.hours_since(seconds, self.frame.start, self.frame.stop) // 24

    def counts(self) -> CountSums:
        """Return the hourly counts of all rows, one column."""
        return CountSums.of(self.hours[:, None])

    def level_counts(self, name: str) -> CountSums:
        """Return the hourly counts of the commonest levels of a category, a column each."""
        codes, kept = self.sample.category(name), self.frame.levels[name]
        place = np.full(len(self.sample.schema.levels[name]), -1)
        place[kept] = np.arange(len(kept))
        seconds = self.sample.number(self.frame.time)
        hours = clock.hours_since(seconds, self.frame.start, self.frame.stop)
        mine = place[codes] >= 0
        cells = hours[mine] * len(kept) + place[codes[mine]]
        counts = np.bincount(cells, minlength=len(self.hours) * len(kept))
        return CountSums.of(counts.reshape(len(self.hours), len(kept)).astype(np.float64))

    def autocorrelation(self, lags: int, weights: np.ndarray) -> np.ndarray:
        """Return the autocorrelation of hourly counts at lags 1 to `lags`, float64[lags].

        Products of counts belong to the day of their first hour (blocks of blocks, Künsch 1989).
        """
        if self._products is None or self._products.shape[1] != lags + 1:
            around = self.hours - self.hours.mean()
            products = np.zeros((len(around), lags + 1))
            for k in range(lags + 1):
                products[: len(around) - k, k] = around[: len(around) - k] * around[k:]
            self._products = _by_day(products)
        sums = weights @ self._products
        return sums[1:] / sums[0] if sums[0] > 0 else np.zeros(lags)

    def explained(self, i: int, weights: np.ndarray) -> float:
        """Return the share of the i-th logged number's variance that lies between batches."""
        return self._sums[i].explained(weights[self.batch_days])

    def rows_per_second(self) -> float:
        """Return the mean number of rows in the seconds that have any."""
        return len(self.seconds) / len(np.unique(np.floor(self.seconds)))

    def _batch_sums(self, i: int) -> BatchSums:
        values = self.logged(i)
        here = ~np.isnan(values)
        return BatchSums.of(values[here], self.batches.labels[here], len(self.batches.sizes))

    def logged(self, i: int) -> np.ndarray:
        """Return ln of the i-th logged number, float64[n], not below the reference's minimum.

        Where that minimum is not positive, it is ln(1 + x - min).
        """
        x, low = self.sample.number(self.frame.logged[i]), float(self.frame.lows[i])
        return np.log(np.maximum(x, low)) if low > 0 else np.log1p(np.maximum(x - low, 0.0))


@dataclass(frozen=True)
class CountSums:
    """Hourly counts in columns, summed by day."""

    hours: np.ndarray
    """float64[days], hours of each day that are looked at."""
    sums: np.ndarray
    """float64[days, columns], rows."""
    squares: np.ndarray
    """float64[days, columns], squared hourly counts."""

    @classmethod
    def of(cls, counts: np.ndarray) -> CountSums:
        """Return the sums of counts float64[hours, columns]."""
        return cls(_by_day(np.ones(len(counts))), _by_day(counts), _by_day(counts**2))

    def fano(self, weights: np.ndarray) -> np.ndarray:
        """Return the Fano factor of each column over the weighted days, float64[columns]."""
        hours = float(weights @ self.hours)
        mean, square = weights @ self.sums / hours, weights @ self.squares / hours
        return np.divide(square - mean**2, mean, out=np.zeros_like(mean), where=mean > 0)


def _by_day(hourly: np.ndarray) -> np.ndarray:
    """Return sums over each 24 hours of hourly numbers, float64[days, ...]."""
    return np.add.reduceat(hourly, np.arange(0, len(hourly), 24), axis=0)


class Steps:
    """The Kolmogorov-Smirnov distance of values from fixed other ones, by the values' weights."""

    def __init__(self, values: np.ndarray, reference: np.ndarray) -> None:
        line = np.concatenate([values, reference])
        self._order = np.argsort(line, kind="stable")
        self._last = np.flatnonzero(np.r_[np.diff(line[self._order]) > 0, True])
        self._real = np.full(len(reference), -1.0 / max(len(reference), 1))

    def distance(self, weights: np.ndarray) -> float:
        """Return sup |F - G| with the values weighted, float64[values]; 1 if none is left."""
        if not weights.sum() or not len(self._real):
            return 1.0
        mass = np.concatenate([weights / weights.sum(), self._real])[self._order]
        return float(np.abs(np.cumsum(mass)[self._last]).max())


def frame_of(reference: Sample, time: str, shared: Sequence[str]) -> Frame:
    """Return the frame that a reference stream sets: its window, levels and logged numbers."""
    schema, seconds = reference.schema, reference.number(time)
    logged = tuple(name for name in schema.numbers if name not in schema.times and name != time)
    lows = [float(np.nanmin(reference.number(name))) for name in logged]
    levels = {
        name: np.argsort(-np.bincount(reference.category(name)), kind="stable")[:LEVELS]
        for name in schema.categories
    }
    window = float(seconds.min()), float(seconds.max())
    return Frame(time, *window, tuple(shared), levels, logged, np.array(lows))
