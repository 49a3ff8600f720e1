"""Scores of the time column of synthetic rows against real ones.

The other metrics take rows as independent, as the paper does. A grid's jobs are not: they come
in cycles of day and week and in tasks of near-identical jobs within seconds. A generator that
draws rows independently keeps the cycles, if it keeps the time column, and loses the batches. What
the best such generator would score is measured beside each figure: the training rows in shuffled
order, their times drawn one by one from train's own days and hours. The streams are thinned to
equal numbers of rows. The scores inform unless a policy grades them.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import norm

from metrics.base import Score, Study
from metrics.statistics.resampling import Weighted, centred, replicate, upper
from metrics.tables.samples import Sample
from metrics.temporal import clock, figures
from metrics.temporal.batches import batch_coherence
from metrics.temporal.stream import Stream

WORDS = ("synthetic", "holdout", "train")


def measure(study: Study) -> list[Score]:
    """Score the cycles, the memory, the bursts and the batches of three tables' time column."""
    kept = [figures.present(getattr(study, word), study.time) for word in WORDS]
    assert study.time is not None
    n = min(study.matched("temporal_rows"), *map(len, kept))
    drawn = [thinned(s, n, study.rng(f"time/{i}")) for i, s in enumerate(kept)]
    figures.check_rows(drawn)
    drawn.append(independent(drawn[2], study.time, study.rng("time/independent")))
    streams = figures.streams(drawn, drawn[2], study.time)
    lags = figures.lags_of(streams[2].frame)
    study.notes["time"] = _notes(streams, lags)
    notes = {id: note for id, (_, _, note) in figures.SHARES.items()}
    parts = [figures.shares(sample, streams[2]) for sample in drawn]
    sizes = [len(sample) for sample in drawn]
    blocks = [study.blocks(sample) for sample in drawn[:2]]
    scores = _distances(study, notes, parts, sizes, blocks, n)
    notes = figures.rhythm_notes(streams[2].frame, lags)
    parts = [figures.rhythm(stream, streams[2], lags) for stream in streams]
    sizes = [stream.days for stream in streams]
    scores += _distances(study, notes, parts, sizes, [None, None], n)
    return [*scores, *_coherence(study, drawn, n)]


def thinned(sample: Sample, n: int, rng: np.random.Generator) -> Sample:
    """Return about n rows: whole groups where there are groups, else any rows.

    A thinned group would be smaller than it is, and the more so the longer the table it is of.
    """
    if sample.groups is None or n >= len(sample):
        return sample.draw(n, rng)
    label = np.unique(sample.groups, return_inverse=True)[1]
    order = rng.permutation(int(label.max()) + 1)
    sizes = np.bincount(label)[order]
    kept = np.zeros(len(order), bool)
    kept[order[: max(int(np.searchsorted(np.cumsum(sizes), n, "right")), 1)]] = True
    return sample.take(np.flatnonzero(kept[label]))


def independent(sample: Sample, time: str, rng: np.random.Generator) -> Sample:
    """Return the rows as a generator of independent rows would at best: same days, same hours.

    Each row gets a time of its own: a day by the days' shares, an hour by the hours' shares on
    working days or at weekends, and any second of that hour.
    """
    seconds = sample.number(time)
    days = rng.permutation(np.floor(seconds / clock.DAY_S)) * clock.DAY_S
    free = clock.days_of_week(days) >= 5
    hours = np.empty(len(days))
    for weekend in (False, True):
        pool = clock.hours_of_day(seconds[(clock.days_of_week(seconds) >= 5) == weekend])
        mine = free == weekend
        hours[mine] = rng.choice(pool, size=int(mine.sum())) if len(pool) else 0
    numbers = sample.numbers.copy()
    drawn = days + clock.HOUR_S * hours + np.floor(rng.uniform(0, clock.HOUR_S, len(days)))
    numbers[:, sample.schema.numbers.index(time)] = drawn
    groups = None if sample.groups is None else np.arange(len(sample))
    return replace(sample, numbers=numbers, groups=groups)


def _distances(
    study: Study,
    notes: dict[str, str],
    parts: list[Weighted],
    sizes: list[int],
    blocks: list[np.ndarray | None],
    n: int,
) -> list[Score]:
    """Score distances of the synthetic stream; those of held-out rows are the reference."""
    times = int(study.settings["bootstrap"])
    first = next(iter(notes))
    (value, draws), (reference, references) = (
        replicate(parts[i], sizes[i], times, study.rng(f"time/{first}/{i}"), blocks[i])
        for i in range(2)
    )
    alone = parts[3](np.ones(sizes[3]))
    scores = []
    for i, (id, note) in enumerate(notes.items()):
        low, high = centred(float(value[i]), draws[:, i], study.alpha)
        bound = upper(float(value[i] - reference[i]), draws[:, i], references[:, i], study.alpha)
        ends = (max(low, 0.0), high, float(reference[i]), float(bound))
        words = f"{note}; rows drawn independently score {alone[i]:.3g}"
        scores.append(Score(id, float(value[i]), *ends, n, note=words))
    return scores


def _coherence(study: Study, drawn: list[Sample], n: int) -> list[Score]:
    """Score how much rarer successive rows agree in their categories than held-out ones."""
    columns = list(study.train.schema.categories)
    if not columns:
        return []
    assert study.time is not None
    mine, held, real, chance = (batch_coherence(s, study.time, columns) for s in drawn)
    note = (
        "share of successive rows equal in all categories; rows drawn independently score "
        f"{chance:.3g}, train {real:.3g}"
    )
    error = [float(np.sqrt(max(p * (1 - p), 1e-12) / n)) for p in (mine, held)]
    z, z_one = norm.ppf(1 - study.alpha / 2), norm.ppf(1 - study.alpha)
    bound = held - mine + z_one * math.hypot(*error)
    ends = (max(0.0, mine - z * error[0]), min(1.0, mine + z * error[0]))
    return [Score("batches", mine, *ends, held, bound, n, better="higher", note=note)]


def _notes(streams: list[Stream], lags: int) -> dict[str, Any]:
    """Return the curves that the report draws, of every table and of independent rows."""
    notes: dict[str, Any] = {"lags_h": list(range(1, lags + 1))}
    notes["batch_columns"] = list(streams[2].frame.shared)
    for word, stream in zip((*WORDS, "independent"), streams, strict=True):
        notes[word] = figures.describe(stream, lags)
    return notes
