"""Work of others that takes cores at every site; knows seeds and time, never the broker's jobs.

The share of a site's cores that others use is piecewise constant: its mean, times a daily
cycle, times 1 + spread x a first-order autoregressive process of unit variance. Draws are
hashes of (episode seed, site, number of the change), so that two policies on one seed meet the
same load, whatever they do. Cores are taken as they become free: running jobs are never
preempted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from panda_gym.errors import SettingError
from panda_gym.jit.compiled import inner, shared
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
    """How much of every site others use, and how that moves."""

    mean: float = 0.5
    """Mean share of a site's cores in use by others, in [0, 0.95]."""
    daily: float = 0.15
    """Relative amplitude of the daily cycle."""
    peak_hour: float = 14.0
    """Hour (UTC) of the daily peak."""
    spread: float = 0.2
    """Relative standard deviation of the autoregressive part."""
    memory: float = 0.95
    """Correlation from one change to the next."""
    interval_s: float = 900.0
    """Time between two changes at a site, s; sites change one after another."""
    trace: tuple[tuple[float, ...], ...] | None = None
    """Shares of the cores that others use, taken instead of the process: one row a change, with
    one number for all sites or one a site (site s reads s modulo the row's length); begun anew
    at its end."""

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
        """Share of the capacity that others take on the mean, with room left for wide jobs.

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


@inner
def normal(number: Any) -> float:
    """A nearly normal draw (Irwin-Hall of four) of mean 0 and variance 1 from 64 random bits."""
    total = np.int64(number & _LOW)
    total += np.int64((number >> _SIXTEEN) & _LOW)
    total += np.int64((number >> (_SIXTEEN + _SIXTEEN)) & _LOW)
    total += np.int64(number >> (_SIXTEEN + _SIXTEEN + _SIXTEEN))
    return (total - _SUM_MEAN) / _SUM_SD


@inner
def cores_of_others(w: Any, e: int, s: int, t: float) -> int:
    """Cores that others use at site s from time t on, by the site's autoregressive state.

    They leave room for the widest job that fits, or it might wait for ever.
    """
    place, site = w.places[s], w.sites[e, s]
    if len(w.trace) > 0:
        share = w.trace[site["changes"] % len(w.trace), s % w.trace.shape[1]]
        return max(0, min(int(share * place["cores"] + 0.5), place["cores"] - site["widest"]))
    bin_ = int((w.grids[e]["clock_0"] + t) / BIN_S) % CYCLE_BINS
    share = place["share"] * w.cycle[bin_] * (1.0 + w.spread * site["load"])
    cores = int(share * place["cores"] + 0.5)
    return max(0, min(cores, place["cores"] - site["widest"]))


@inner
def change_time(w: Any, s: int, k: int) -> float:
    """When change k >= 1 of site s comes, s; sites take turns within the interval."""
    return (k - 1 + (s + 1.0) / (len(w.places) + 1.0)) * w.interval_s


@shared
def begin_load(w: Any, e: int, s: int) -> None:
    """Set the competing load of a site at time 0 from the process's stationary law."""
    site = w.sites[e, s]
    site["changes"] = 0
    site["load"] = normal(bits(w.grids[e]["seed"], s, 0))
    site["change"] = change_time(w, s, 1)
    site["others"] = cores_of_others(w, e, s, 0.0)
    site["free"] = w.places[s]["cores"] - site["others"]


@inner
def change_load(w: Any, e: int, s: int) -> None:
    """Move the competing load of site s to its next level; free may fall below zero."""
    site = w.sites[e, s]
    k = site["changes"] + 1
    draw = normal(bits(w.grids[e]["seed"], s, k))
    site["load"] = w.persistence * site["load"] + w.innovation * draw
    site["changes"] = k
    level = cores_of_others(w, e, s, site["change"])
    site["free"] -= level - site["others"]
    site["others"] = level
    note(w, e, COMPETING_LOAD, site["change"], NOBODY, s, level, 0.0)
    site["change"] = change_time(w, s, k + 1)
