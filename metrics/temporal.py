"""Whether the rows lie in time as real ones do: cycles, bursts and batches.

The other metrics take rows as independent, as the paper does. A grid's jobs are not: they come
in cycles of day and week and in tasks of near-identical jobs within seconds. A generator that
draws rows independently keeps the cycles, if it keeps the time column, and loses the batches;
the scores here show how much. They are counts of a thinned stream, so that they are compared at
equal numbers of rows, and inform rather than grade. Knows the time column and the categories.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import norm

from metrics.base import Score, Study
from metrics.errors import MetricError
from metrics.fidelity import divergence
from metrics.resampling import centred, upper
from metrics.tables import Sample

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
LAGS = 168
"""Lags of the autocorrelation, hours: one week."""
LEAST_ROWS = 20
"""Rows below which no score of time is formed."""
GAP_EDGES_S = np.r_[0.0, np.geomspace(1.0, 1e6, 25), np.inf]
"""Bins of the time between successive rows, seconds."""


def hour_of_day(seconds: np.ndarray) -> np.ndarray:
    """Return the share of rows in each hour of the day (UTC), float64[24]."""
    return _shares((seconds // HOUR_S % 24).astype(int), 24)


def day_of_week(seconds: np.ndarray) -> np.ndarray:
    """Return the share of rows on each weekday, Monday first, float64[7]."""
    return _shares(((seconds // DAY_S + 3) % 7).astype(int), 7)  # 1 January 1970: a Thursday


def hourly_counts(seconds: np.ndarray, start: float, stop: float) -> np.ndarray:
    """Return the number of rows in each hour from `start` to `stop`, float64[hours]."""
    first, last = int(start // HOUR_S), int(stop // HOUR_S)
    hours = np.clip((seconds // HOUR_S).astype(int), first, last) - first
    return np.bincount(hours, minlength=last - first + 1).astype(float)


def autocorrelation(counts: np.ndarray, lags: int = LAGS) -> np.ndarray:
    """Return the autocorrelation of counts at lags 1 to `lags`, float64[lags] (Bartlett)."""
    around = counts - counts.mean()
    total = float(around @ around)
    if total == 0:
        return np.zeros(lags)
    return np.array([float(around[k:] @ around[:-k]) / total for k in range(1, lags + 1)])


def fano(counts: np.ndarray) -> float:
    """Return the Fano factor of counts, variance over mean: 1 for a Poisson process."""
    return float(counts.var() / counts.mean()) if counts.mean() > 0 else 0.0


def gaps(seconds: np.ndarray) -> np.ndarray:
    """Return the share of times between successive rows in each bin of `GAP_EDGES_S`."""
    return _shares(np.digitize(np.diff(np.sort(seconds)), GAP_EDGES_S) - 1, len(GAP_EDGES_S) - 1)


def batch_coherence(sample: Sample, time: str, columns: list[str]) -> float:
    """Return the share of successive rows in time that agree in every one of `columns`.

    Rows of one second are put in order of their categories, so that no tie is broken by chance.
    Rows drawn independently score the chance that any two rows agree.
    """
    codes = np.column_stack([sample.category(name) for name in columns])
    order = np.lexsort([*codes.T, np.floor(sample.number(time))])
    return float((codes[order][1:] == codes[order][:-1]).all(axis=1).mean())


def _shares(bins: np.ndarray, size: int) -> np.ndarray:
    return np.bincount(bins, minlength=size) / max(len(bins), 1)


def measure(study: Study) -> list[Score]:
    """Score the cycles, the memory, the burstiness and the batches of three tables' time column."""
    if study.time is None or study.time not in study.train.schema.numbers:
        raise MetricError("a time column", repr(study.time), "name it, or leave the part out")
    n = min(study.matched("temporal_rows"), len(study.train))
    kept = [_present(s, study.time) for s in (study.synthetic, study.holdout, study.train)]
    n = min(n, *map(len, kept))
    if n < LEAST_ROWS:
        raise MetricError(f"at least {LEAST_ROWS} rows with a time", str(n), "pass more rows")
    drawn = [s.draw(n, study.rng(f"time/{i}")) for i, s in enumerate(kept)]
    clock = [np.sort(s.number(study.time)) for s in drawn]
    start, stop = clock[2][0], clock[2][-1]
    counts = [hourly_counts(t, start, stop) for t in clock]
    study.notes["time"] = _notes(clock, counts)
    return [
        *_shapes(study, clock, n),
        *_memory(study, counts, n),
        *_bursts(study, clock, counts, n),
        *_batches(study, drawn, n),
    ]


def _present(sample: Sample, time: str) -> Sample:
    return sample.take(np.flatnonzero(~np.isnan(sample.number(time))))


def _shapes(study: Study, clock: list[np.ndarray], n: int) -> list[Score]:
    shapes: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
        "hour_of_day": (hour_of_day, "divergence of the daily cycle, bits"),
        "day_of_week": (day_of_week, "divergence of the weekly cycle, bits"),
        "interarrival": (gaps, "divergence of the times between successive rows, bits"),
    }
    return [
        _distance(study, id, [shape(t) for t in clock], clock, n, note)
        for id, (shape, note) in shapes.items()
    ]


def _distance(
    study: Study, id: str, shares: list[np.ndarray], clock: list[np.ndarray], n: int, note: str
) -> Score:
    """Score a divergence of shares from train's; interval by multinomial resampling."""
    rng = study.rng(f"time/{id}")
    value, floor = divergence(shares[0], shares[2]), divergence(shares[1], shares[2])
    draws = [
        np.array([divergence(d / n, shares[2]) for d in rng.multinomial(n, p / p.sum(), size=50)])
        for p in shares[:2]
    ]
    return _scored(study, id, value, floor, draws[0], draws[1], n, note)


def _scored(
    study: Study,
    id: str,
    value: float,
    floor: float,
    draws: np.ndarray,
    floors: np.ndarray,
    n: int,
    note: str,
) -> Score:
    low, high = centred(value, draws, study.alpha)
    bound = upper(value - floor, draws, floors, study.alpha)
    return Score(id, "temporal", value, max(low, 0.0), high, floor, bound, n, note=note)


def _memory(study: Study, counts: list[np.ndarray], n: int) -> list[Score]:
    """Score the mean absolute difference of the autocorrelations from train's."""
    lags = min(LAGS, len(counts[0]) // 2)
    if lags < 1:
        raise MetricError("times that span two hours", "less", "leave the temporal part out")

    def distance(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.abs(autocorrelation(a, lags) - autocorrelation(b, lags)).mean())

    def block_draws(series: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return np.array([distance(_thinned(series, rng), counts[2]) for _ in range(30)])

    value, floor = distance(counts[0], counts[2]), distance(counts[1], counts[2])
    draws = [block_draws(c, study.rng(f"time/acf/{i}")) for i, c in enumerate(counts[:2])]
    note = f"mean difference of the autocorrelation of hourly counts, lags 1 to {lags} h"
    return [_scored(study, "autocorrelation", value, floor, draws[0], draws[1], n, note)]


def _thinned(counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return counts redrawn around themselves: what counting noise alone would change."""
    return rng.poisson(counts).astype(float)


def _bursts(study: Study, clock: list[np.ndarray], counts: list[np.ndarray], n: int) -> list[Score]:
    """Score |ln of the ratio of Fano factors| of hourly counts and of counts by second."""
    found = []
    by_second = [np.unique(np.floor(t), return_counts=True)[1].astype(float) for t in clock]
    for id, series, word in (
        ("fano", [fano(c) for c in counts], "of the Fano factors of hourly counts"),
        ("batch_size", [float(c.mean()) for c in by_second], "of the rows per second that has any"),
    ):
        gap = [abs(float(np.log(max(s, 1e-9) / max(series[2], 1e-9)))) for s in series[:2]]
        # Days are the blocks: their spread says how far one number for the whole can move.
        spread = _day_spread(id, clock[:2], study)
        note = f"|ln ratio| {word}: synthetic {series[0]:.3g}, train {series[2]:.3g}"
        found.append(_scored(study, id, gap[0], gap[1], spread[0], spread[1], n, note))
    return found


def _day_spread(id: str, clock: list[np.ndarray], study: Study) -> list[np.ndarray]:
    """Return replicates of ln(statistic) under resampled days, for two time columns."""
    out = []
    for i, seconds in enumerate(clock):
        rng = study.rng(f"time/{id}/{i}")
        days = np.split(seconds, np.flatnonzero(np.diff(seconds // DAY_S)) + 1)
        table = np.array([_day_sums(id, day) for day in days])
        picks = rng.integers(len(days), size=(50, len(days)))
        out.append(np.log(np.maximum(_combine(id, table[picks].sum(axis=1)), 1e-9)))
    return out


def _day_sums(id: str, day: np.ndarray) -> tuple[float, float, float]:
    """Return (units, sum, sum of squares) of a day's counts by hour or by second."""
    if id == "fano":
        counts = np.bincount((day // HOUR_S % 24).astype(int), minlength=24).astype(float)
    else:
        counts = np.unique(np.floor(day), return_counts=True)[1].astype(float)
    return float(len(counts)), float(counts.sum()), float(counts @ counts)


def _combine(id: str, sums: np.ndarray) -> np.ndarray:
    units, total, squares = sums.T
    mean = total / units
    return (squares / units - mean**2) / mean if id == "fano" else mean


def _batches(study: Study, drawn: list[Sample], n: int) -> list[Score]:
    """Score how much rarer successive rows agree in their categories than in train."""
    columns = list(study.train.schema.categories)
    if not columns:
        return []
    assert study.time is not None
    mine, held, real = (batch_coherence(s, study.time, columns) for s in drawn)
    shuffled = _independent(drawn[2], study)
    chance = batch_coherence(shuffled, study.time, columns)
    note = (
        "share of successive rows equal in all categories; a generator of independent rows "
        f"scores about {chance:.3g}, train {real:.3g}"
    )
    error = [float(np.sqrt(max(p * (1 - p), 1e-12) / n)) for p in (mine, held)]
    z, z_one = norm.ppf(1 - study.alpha / 2), norm.ppf(1 - study.alpha)
    bound = held - mine + z_one * math.hypot(*error)
    ends = (max(0.0, mine - z * error[0]), min(1.0, mine + z * error[0]))
    return [Score("batches", "temporal", mine, *ends, held, bound, n, better="higher", note=note)]


def _independent(sample: Sample, study: Study) -> Sample:
    """Return the sample with its times dealt out anew: same cycles, no batches."""
    assert study.time is not None
    numbers = sample.numbers.copy()
    at = sample.schema.numbers.index(study.time)
    numbers[:, at] = study.rng("time/independent").permutation(numbers[:, at])
    return Sample(sample.schema, numbers, sample.codes)


def _notes(clock: list[np.ndarray], counts: list[np.ndarray]) -> dict:
    """Return the curves that the report draws: shares and autocorrelations, synthetic and real."""
    lags = min(LAGS, len(counts[0]) // 2)
    notes: dict[str, Any] = {"lags_h": list(range(1, lags + 1))}
    for word, t, c in zip(("synthetic", "holdout", "train"), clock, counts, strict=True):
        notes[word] = {
            "hour_of_day": [round(float(v), 6) for v in hour_of_day(t)],
            "day_of_week": [round(float(v), 6) for v in day_of_week(t)],
            "autocorrelation": [round(float(v), 6) for v in autocorrelation(c, lags)],
            "fano": round(fano(c), 6),
        }
    return notes
