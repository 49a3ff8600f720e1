"""The competing load: cores of every site in use by work that the broker does not place.

The share of a site's cores in competing use is piecewise constant: its mean, times a daily cycle,
times 1 + spread x a first-order autoregressive process of unit variance. Draws are hashes of
(episode seed, site, number of the change), so that two policies on one seed meet the same load.
Competing work takes cores as they become free: it never preempts a running job.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from panda_gym.errors import SettingError
from panda_gym.jit.compiled import inline, no_inline
from panda_gym.jit.counter_rng import bits
from panda_gym.simulator.events import COMPETING_LOAD, NOBODY, note
from panda_gym.simulator.ranges import check_ranges

CYCLE_BINS: Final = 96
BIN_S: Final = 86400.0 / CYCLE_BINS

_LOW, _SIXTEEN = np.uint64(0xFFFF), np.uint64(16)
# Four uniform 16-bit numbers: mean of the sum 2 (2^16 - 1), variance 4 (2^32 - 1) / 12.
_SUM_MEAN: Final = 2.0 * 65535.0
_SUM_SD: Final = math.sqrt((2.0**32 - 1.0) / 3.0)


@dataclass(frozen=True)
class Competing:
    """The competing load of every site: its mean, daily cycle and fluctuation."""

    mean: float = 0.5
    """Mean share of a site's cores in competing use, in [0, 0.95]."""
    daily: float = 0.15
    """Relative amplitude of the daily cycle."""
    peak_hour: float = 14.0
    """Hour (UTC) of the daily peak."""
    spread: float = 0.2
    """Relative standard deviation of the autoregressive part."""
    memory: float = 0.95
    """Correlation from one change to the next."""
    interval_s: float = 900.0
    """Time between two changes at a site, s; the sites change in turn."""
    trace: tuple[tuple[float, ...], ...] | None = None
    """Recorded shares that replace the process: one row per change, of one number for all sites or
    one per site (site s reads s modulo the row's length). The trace repeats at its end."""

    def __post_init__(self) -> None:
        limits = {
            "mean": (0.0, 0.95), "daily": (0.0, 1.0), "peak_hour": (0.0, 24.0),
            "spread": (0.0, 1.0), "memory": (0.0, 0.9999), "interval_s": (1.0, 1e9),
        }  # fmt: skip
        check_ranges(self, "competing", limits)
        if self.trace is not None:
            self.shares()

    def shares(self) -> np.ndarray:
        """The trace, float64[T, 1 or S]; T is 0 where there is none."""
        if self.trace is None:
            return np.zeros((0, 1))
        try:
            found = np.array(self.trace, dtype=np.float64)
        except (TypeError, ValueError):
            found = np.zeros(0)
        if found.ndim != 2 or not found.size or not ((found >= 0.0) & (found <= 0.95)).all():
            raise SettingError(
                "competing trace as rows of shares in [0, 0.95]", "something else", "correct it"
            )
        return found

    def cycle(self) -> np.ndarray:
        """Factor on the mean in each quarter of an hour of the day, float64[96], of mean 1."""
        hour = (np.arange(CYCLE_BINS) + 0.5) * 24.0 / CYCLE_BINS
        return 1.0 + self.daily * np.cos(2.0 * np.pi * (hour - self.peak_hour) / 24.0)

    def mean_share(self, cores: np.ndarray, power: np.ndarray, widths: np.ndarray) -> float:
        """Mean share of the capacity in competing use, cores left for the widest jobs taken off.

        Shape: cores, power [S] of the sites, widths [any] the cores of the jobs.
        """
        rows = self.shares()
        mean = rows.mean(axis=0)[np.arange(len(cores)) % rows.shape[1]] if len(rows) else self.mean
        taken = np.minimum(mean * cores, cores - widest(cores, widths))
        return float(np.sum(np.maximum(taken, 0.0) * power) / np.sum(cores * power))


def widest(cores: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Cores of the widest job that fits each site, int64[S]; 0 where none does."""
    known = np.concatenate([[0], np.flatnonzero(np.bincount(widths))])
    return known[np.searchsorted(known, cores, side="right") - 1].astype(np.int64)


@inline
def normal(number: Any) -> float:
    """A nearly normal draw (Irwin-Hall of four) of mean 0 and variance 1 from 64 random bits."""
    total = np.int64(number & _LOW)
    total += np.int64((number >> _SIXTEEN) & _LOW)
    total += np.int64((number >> (_SIXTEEN + _SIXTEEN)) & _LOW)
    total += np.int64(number >> (_SIXTEEN + _SIXTEEN + _SIXTEEN))
    return (total - _SUM_MEAN) / _SUM_SD


@inline
def competing_cores(w: Any, e: int, s: int, t: float) -> int:
    """Cores in competing use at site s from time t on, by the site's autoregressive state.

    Competing work leaves cores for the widest job that fits; else that job could wait for ever.
    """
    site = w.sites[e, s]
    return competing_level(w, e, s, t, site["load_changes"], site["load"])


@inline
def competing_level(w: Any, e: int, s: int, t: float, change: int, load: float) -> int:
    """Cores in competing use at site s after that change, at time t, for an AR(1) state `load`."""
    static = w.site_static[s]
    if len(w.trace) > 0:
        share = w.trace[change % len(w.trace), s % w.trace.shape[1]]
    else:
        bin_ = int((w.grids[e]["clock_0"] + t) / BIN_S) % CYCLE_BINS
        share = static["share"] * w.cycle[bin_] * (1.0 + w.spread * load)
    cores = int(share * static["cores"] + 0.5)
    return max(0, min(cores, static["cores"] - w.sites[e, s]["widest"]))


@inline
def change_time(w: Any, s: int, k: int) -> float:
    """Time of change k >= 1 of site s, s; the sites change in turn within the interval."""
    return (k - 1 + (s + 1.0) / (len(w.site_static) + 1.0)) * w.interval_s


@no_inline
def begin_load(w: Any, e: int, s: int) -> None:
    """Draw the competing load of a site at time 0 from the stationary distribution."""
    site = w.sites[e, s]
    site["load_changes"] = 0
    site["load"] = normal(bits(w.grids[e]["seed"], s, 0))
    site["load_change"] = change_time(w, s, 1)
    site["competing_cores"] = competing_cores(w, e, s, 0.0)
    site["free"] = w.site_static[s]["cores"] - site["competing_cores"]


@inline
def change_load(w: Any, e: int, s: int) -> None:
    """Set the competing load of site s to its next level; `free` may fall below zero."""
    site = w.sites[e, s]
    k = site["load_changes"] + 1
    draw = normal(bits(w.grids[e]["seed"], s, k))
    site["load"] = w.persistence * site["load"] + w.innovation * draw
    site["load_changes"] = k
    level = competing_cores(w, e, s, site["load_change"])
    site["free"] -= level - site["competing_cores"]
    site["competing_cores"] = level
    note(w, e, COMPETING_LOAD, site["load_change"], NOBODY, s, level, 0.0)
    site["load_change"] = change_time(w, s, k + 1)
