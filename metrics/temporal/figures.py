"""Named figures of time: distances of one stream from a reference stream.

All are distances, 0 at best. Those of `shares` count rows and vary with the rows (in batches);
those of `rhythm` are made of counts and spells and vary with the days.

NOTE[DIFF] The share of variance explained by batches is the intraclass correlation of rows that are
not alone, not eta squared, which tends to 1 as batches shrink to single rows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from metrics.errors import MetricError
from metrics.fidelity.columns import divergence
from metrics.statistics.resampling import Weighted
from metrics.tables.samples import Sample, read
from metrics.temporal import clock
from metrics.temporal.batches import shared_categories
from metrics.temporal.stream import Frame, Steps, Stream, frame_of

LEAST_ROWS = 20
"""Rows below which no figure of time is formed."""

Distance = Callable[[np.ndarray, np.ndarray], float]


def total_variation(p: np.ndarray, q: np.ndarray) -> float:
    """Return half of the sum of |p - q|: the largest difference of any event's probability."""
    return float(np.abs(p - q).sum() / 2)


SHARES: dict[str, tuple[str, Distance, str]] = {
    "hour_of_day": ("hour_of_day", divergence, "divergence of the daily cycle, bits"),
    "day_of_week": ("day_of_week", divergence, "divergence of the weekly cycle, bits"),
    "hour_of_week": ("hour_of_week", total_variation, "total variation of the hours of the week"),
    "daily": ("daily", total_variation, "total variation of the days of the period"),
}
"""Figures of shares: {id: (bins, distance, note)}."""


def bins_of(word: str, seconds: np.ndarray, frame: Frame) -> tuple[np.ndarray, int]:
    """Return each row's bin and the number of bins of one kind of shares."""
    if word == "hour_of_day":
        return clock.hours_of_day(seconds), 24
    if word == "day_of_week":
        return clock.days_of_week(seconds), 7
    if word == "hour_of_week":
        return clock.hours_of_week(seconds), 168
    first, last = int(frame.start // clock.DAY_S), int(frame.stop // clock.DAY_S)
    days = np.clip((seconds // clock.DAY_S).astype(np.int64), first, last) - first
    return days, last - first + 1


def shares(sample: Sample, real: Stream) -> Weighted:
    """Return the figures of `SHARES` as a function of the weights of a sample's rows."""
    frame, parts = real.frame, []
    for word, distance, _ in SHARES.values():
        bins, size = bins_of(word, sample.number(frame.time), frame)
        known = clock.shares(bins_of(word, real.seconds, frame)[0], size)
        parts.append((bins, size, known, distance))

    def figures(weights: np.ndarray) -> np.ndarray:
        counts = [np.bincount(bins, weights, size) for bins, size, _, _ in parts]
        return np.array(
            [d(c / weights.sum(), q) for c, (_, _, q, d) in zip(counts, parts, strict=True)]
        )

    return figures


def rhythm_notes(frame: Frame, lags: int) -> dict[str, str]:
    """Return the ids of the figures of `rhythm` in order, and what each means."""
    by = "mean relative error of the Fano factors of hourly counts of the commonest {}"
    notes = {
        "fano": "relative error of the Fano factor (variance over mean) of hourly counts",
        **{f"fano_by.{name}": by.format(name) for name in frame.levels},
        "autocorrelation": f"mean error of the autocorrelation of hourly counts, lags 1 to {lags}",
        **{
            f"autocorrelation_{k}": f"error of the autocorrelation of hourly counts at lag {k} h"
            for k in (1, 24)
            if k <= lags
        },
        "interarrival_ks": "Kolmogorov-Smirnov distance of the times between successive rows",
        "batch_size_ks": "Kolmogorov-Smirnov distance of the number of rows in a batch",
    }
    share = "error of the share of variance of ln {} that lies between batches"
    return notes | {f"batch_share.{name}": share.format(name) for name in frame.logged}


def rhythm(stream: Stream, real: Stream, lags: int) -> Weighted:
    """Return the figures of `rhythm_notes` as a function of the weights of the stream's days."""
    frame, even = real.frame, np.ones(real.days)
    fanos = [(stream.counts(), real.counts().fano(even))]
    fanos += [(stream.level_counts(n), real.level_counts(n).fano(even)) for n in frame.levels]
    memory = real.autocorrelation(lags, even)
    steps = Steps(stream.gaps, real.gaps), Steps(_float(stream), _float(real))
    apart = [real.explained(i, even) for i in range(len(frame.logged))]

    def figures(weights: np.ndarray) -> np.ndarray:
        errors = np.abs(stream.autocorrelation(lags, weights) - memory)
        single = [errors[k - 1] for k in (1, 24) if k <= lags]
        own = [stream.explained(i, weights) for i in range(len(frame.logged))]
        return np.array([
            *(_relative(sums.fano(weights), known) for sums, known in fanos),
            errors.mean(),
            *single,
            steps[0].distance(weights[stream.gap_days]),
            steps[1].distance(weights[stream.batch_days]),
            *(abs(a - b) for a, b in zip(own, apart, strict=True)),
        ])  # fmt: skip

    return figures


def _float(stream: Stream) -> np.ndarray:
    return stream.batches.sizes.astype(np.float64)


def _relative(mine: np.ndarray, known: np.ndarray) -> float:
    """Return the mean of |mine / known - 1| where there is something known."""
    here = known > 0
    return float(np.abs(mine[here] / known[here] - 1).mean()) if here.any() else 0.0


def lags_of(frame: Frame) -> int:
    """Return the number of lags that the window allows, at most a week."""
    hours = int(frame.stop // clock.HOUR_S) - int(frame.start // clock.HOUR_S) + 1
    lags = min(clock.LAGS, hours // 2)
    if lags < 1:
        raise MetricError("times that span two hours", "less", "leave the temporal part out")
    return lags


def present(sample: Sample, time: str | None) -> Sample:
    """Return the rows that have a time; an error where the table has no such column."""
    if time is None or time not in sample.schema.numbers:
        raise MetricError("a time column", repr(time), "name it, or leave the part out")
    return sample.take(np.flatnonzero(~np.isnan(sample.number(time))))


def time_figures(
    table: pd.DataFrame,
    reference: pd.DataFrame,
    *,
    time: str = "creationtime",
    group: str | None = None,
) -> dict[str, float]:
    """Return every figure of time of a whole table against a whole reference, {id: distance}.

    Nothing is thinned: counts are those of the tables, so that both should cover periods of equal
    length and rate. `group` names the column of tasks; without it batches are found. The ids are
    those of the certificate's temporal scores: `fano`, `autocorrelation_1`, `autocorrelation_24`,
    `hour_of_week`, `batch_size_ks`, `interarrival_ks`, `batch_share.workload` and others.
    """
    tables = read({"reference": reference, "table": table}, group)
    rows = [present(tables[word], time) for word in ("table", "reference")]
    check_rows(rows)
    mine, real = streams(rows, rows[1], time)
    lags = lags_of(real.frame)
    ids = [*SHARES, *rhythm_notes(real.frame, lags)]
    values = [
        *shares(rows[0], real)(np.ones(len(rows[0]))),
        *rhythm(mine, real, lags)(np.ones(mine.days)),
    ]
    return {id: float(value) for id, value in zip(ids, values, strict=True)}


def check_rows(rows: list[Sample]) -> None:
    """Refuse samples with too few rows that have a time."""
    least = min(map(len, rows))
    if least < LEAST_ROWS:
        raise MetricError(f"at least {LEAST_ROWS} rows with a time", str(least), "pass more rows")


def streams(rows: list[Sample], reference: Sample, time: str) -> list[Stream]:
    """Return samples as streams in the frame of a reference."""
    shared = shared_categories(reference, time)
    return list(map(partial(Stream, frame=frame_of(reference, time, shared)), rows))


def describe(stream: Stream, lags: int) -> dict[str, object]:
    """Return a stream's own figures and curves for a reader: shares, memory, bursts, batches."""
    even, seconds, frame = np.ones(stream.days), stream.seconds, stream.frame
    memory = stream.autocorrelation(lags, even)
    quantiles = np.linspace(0.02, 0.98, 49)
    return {
        **{
            word: _rounded(clock.shares(*bins_of(word, seconds, frame)))
            for word, _, _ in SHARES.values()
        },
        "autocorrelation": _rounded(memory),
        "fano": round(float(stream.counts().fano(even)[0]), 6),
        "rows_per_second": round(stream.rows_per_second(), 6),
        "mean_batch": round(float(stream.batches.sizes.mean()), 6),
        "gap_quantiles_s": _rounded(np.quantile(stream.gaps, quantiles)),
        "batch_share": {
            name: round(stream.explained(i, even), 6) for i, name in enumerate(frame.logged)
        },
    }


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(v), 6) for v in values]
