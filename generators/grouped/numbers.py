"""Numbers within batches: a typical value, a spread, and how single rows deviate.

A row's deviation is taken on the column's scale (`scales`) from its batch's median. Effects of that
median (a failed job of a long task lies farther below it), of the site or another category's level,
and of the deviations of the columns before it are removed (linear, pooled over all batches). The
residual, divided by the batch's own spread, is drawn for all columns together from pools of rows in
similar circumstances, with noise.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from generators.grouped.categories import shuffled
from generators.grouped.scales import Scale

POOL = 512
"""Rows kept of each kind of circumstances."""
BLUR = 0.03
"""Relative noise on what is kept, so that no row's own deviation stays."""
SHRINK = 50.0
"""Rows that "no effect" counts for in the effect of a level."""
SIZES = np.array([4, 10, 50])
"""Sizes of a batch from which on circumstances differ."""
TYPICAL = np.array([1, 2, 3, 5, 9])
"""The same for the first whole number's typical value."""


@dataclass(frozen=True)
class NumbersPart:
    """How d numbers behave within batches."""

    names: tuple[str, ...]
    """Of their columns in the table of batches."""
    scales: tuple[Scale, ...]
    """One a number."""
    absent: np.ndarray
    """bool[d], whether entries were missing."""
    slopes: np.ndarray
    """float64[d, d], deviation of a number by that of each before it."""
    leans: np.ndarray
    """float64[classes, d], deviation by how far the batch's typical value lies from `middle`."""
    middle: np.ndarray
    """float64[d], mean place of the rows' typical values."""
    spreads: np.ndarray
    """float64[classes, d], typical deviation in each class of circumstances by category."""
    effects: dict[int, np.ndarray]
    """For each category with effects (by place), float64[d, codes]."""
    pool: np.ndarray
    """float16[k, d], deviations kept."""
    start: np.ndarray
    """int64[kinds + 1], where each kind's begin in the pool."""
    classes: tuple[tuple[int, int], ...]
    """Categories that are circumstances: place and number of codes."""
    joint: tuple[tuple[int, int], ...]
    """Pairs of numbers that are 0 in the same rows."""

    @classmethod
    def fit(
        cls,
        names: list[str],
        columns: list[tuple[np.ndarray, np.ndarray]],
        codes: dict[int, tuple[np.ndarray, int]],
        tops: dict[int, np.ndarray],
        wide: list[int],
        label: np.ndarray,
        first: np.ndarray,
        rng: np.random.Generator,
    ) -> tuple[NumbersPart, dict[str, Any]]:
        """Return the part and its columns of the table of batches, b entries each.

        Args:
            names: of the columns.
            columns: values and missing entries of each number, batch by batch, [n] each.
            codes: codes and their number of each category that varies within batches, by place.
            tops: first choice of each batch in each of them, int64[b].
            wide: places of those whose levels have effects; the others are circumstances.
            label: batch of each row, int64[n].
            first: where each batch begins, int64[b + 1].
            rng: of the choice of what is kept, and its blur.
        """
        sizes = np.diff(first)
        scales = tuple(Scale.fit(values[~missing]) for values, missing in columns)
        typical = [_medians(v, m, label, first) for v, m in columns]
        scales = tuple(
            _positive(s, v[~m], t[label][~m])
            for s, (v, m), t in zip(scales, columns, typical, strict=True)
        )
        away = np.column_stack(
            [
                np.where(m, 0.0, s.of(v) - s.of(t[label]))
                for (v, m), s, t in zip(columns, scales, typical, strict=True)
            ]
            or [np.zeros((len(label), 0))]
        )
        classes = tuple((place, codes[place][1]) for place in codes if place not in wide)
        narrow = _class({place: codes[place][0] for place, _ in classes}, tops, classes, label)
        places, middle = _places(scales, typical, label)
        varies = _means(np.abs(away), label, sizes)[label] > 0
        leans = _leans(away, places, narrow, classes, varies)
        away = away - np.where(varies, leans[narrow] * places, 0.0)
        effects = {place: _effects(away, *codes[place], label, sizes) for place in wide}
        for place in wide:
            own = codes[place][0]
            away = away - (effects[place][:, own] - effects[place][:, own[first[:-1]]][:, label]).T
        slopes = _slopes(away, sizes[label] > 1)
        rest = away - away @ slopes.T
        spreads = _spreads(rest, narrow, classes, sizes[label] > 1)
        rest = rest / spreads[narrow]
        spread = np.sqrt(_means(rest**2, label, sizes))
        spread = np.where(spread < 1e-9, 0.0, spread)
        z = np.divide(rest, spread[label], out=np.zeros_like(rest), where=spread[label] > 0)
        kind, kinds = _kinds(narrow, classes, sizes, label, _lead(scales, typical))
        pool, start = _pools(z, kind, kinds, sizes[label] > 1, rng)
        absent = np.array([bool(m.any()) for _, m in columns], bool)
        part = cls(
            names=tuple(names),
            scales=scales,
            absent=absent,
            slopes=slopes,
            leans=leans,
            middle=middle,
            spreads=spreads,
            effects=effects,
            pool=pool,
            start=start,
            classes=classes,
            joint=_joint(columns),
        )
        table: dict[str, Any] = {}
        for k, name in enumerate(names):
            gone = np.bincount(label, columns[k][1], len(sizes)) / sizes
            table[name] = _column(typical[k], gone == 1.0)
            table[f"{name}.spread"] = spread[:, k]
            if absent[k]:
                table[f"{name}.missing"] = gone
        return part, table

    def draw(
        self,
        table: pd.DataFrame,
        codes: dict[int, np.ndarray],
        tops: dict[int, np.ndarray],
        sizes: np.ndarray,
        label: np.ndarray,
        rng: np.random.Generator,
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return values and missing entries of each number for all rows of drawn batches."""
        typical, gone = [], []
        for name, scale in zip(self.names, self.scales, strict=True):
            column = table[name]
            gone.append(column.isna().to_numpy())
            typical.append(column.fillna(0).to_numpy("int64" if scale.whole else "float64"))
        narrow = _class(codes, tops, self.classes, label)
        lead = _lead(self.scales, typical)
        kind, _ = _kinds(narrow, self.classes, sizes, label, lead)
        away = self._away(table, codes, kind, sizes, label, rng, narrow, typical)
        values = [scale.moved(typical[k][label], away[:, k]) for k, scale in enumerate(self.scales)]
        missing = [self._missing(table, k, gone[k], sizes, label, rng) for k in range(len(values))]
        for a, b in self.joint:
            none = (values[a] == 0) | (values[b] == 0)
            values[a], values[b] = np.where(none, 0, values[a]), np.where(none, 0, values[b])
        return list(zip(values, missing, strict=True))

    def _away(
        self,
        table: pd.DataFrame,
        codes: dict[int, np.ndarray],
        kind: np.ndarray,
        sizes: np.ndarray,
        label: np.ndarray,
        rng: np.random.Generator,
        narrow: np.ndarray,
        typical: list[np.ndarray],
    ) -> np.ndarray:
        """Return how far each row lies from what is typical, float64[n, d]."""
        count = np.diff(self.start)[kind]
        chosen = self.start[kind] + (rng.random(len(label)) * count).astype(np.int64)
        spread = np.column_stack(
            [table[f"{name}.spread"].to_numpy(float) for name in self.names]
            or [np.zeros((len(sizes), 0))]
        )
        away = self.pool[chosen] * spread[label] * self.spreads[narrow]
        for k in range(1, len(self.names)):
            away[:, k] += away[:, :k] @ self.slopes[k, :k]
        begin = np.cumsum(sizes) - sizes
        for place, effect in self.effects.items():
            own = codes[place]
            away += (effect[:, own] - effect[:, own[begin]][:, label]).T
        places, _ = _places(self.scales, typical, label, self.middle)
        away += np.where(spread[label] > 0, self.leans[narrow] * places, 0.0)
        away[(sizes == 1)[label]] = 0.0
        return away

    def _missing(
        self,
        table: pd.DataFrame,
        k: int,
        gone: np.ndarray,
        sizes: np.ndarray,
        label: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        if not self.absent[k]:
            return np.zeros(len(label), bool)
        share = np.where(gone, 1.0, table[f"{self.names[k]}.missing"].to_numpy(float))
        some = np.floor(share * sizes + rng.random(len(sizes)))
        # What has a typical value is not missing throughout.
        some = np.where(gone, sizes, np.minimum(some, sizes - 1))
        return shuffled(sizes, label, 0.0, rng) < some[label]


def _medians(
    values: np.ndarray, missing: np.ndarray, label: np.ndarray, first: np.ndarray
) -> np.ndarray:
    """Return the lower median of each batch's known values, 0 where there is none, [b]."""
    order = np.lexsort([values, missing, label])
    known = np.diff(first) - np.bincount(label, missing, len(first) - 1).astype(np.int64)
    return np.where(known > 0, values[order][first[:-1] + np.maximum(known - 1, 0) // 2], 0)


def _places(
    scales: tuple[Scale, ...],
    typical: list[np.ndarray],
    label: np.ndarray,
    middle: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return how far each row's typical values lie from their middle, [n, d], and the middle."""
    own = [scale.of(values) for scale, values in zip(scales, typical, strict=True)]
    places = np.column_stack([place[label] for place in own] or [np.zeros((len(label), 0))])
    middle = places.mean(axis=0) if middle is None else middle
    return places - middle, middle


def _leans(
    away: np.ndarray,
    places: np.ndarray,
    narrow: np.ndarray,
    classes: tuple[tuple[int, int], ...],
    varies: np.ndarray,
) -> np.ndarray:
    """Return the slope of deviations on typical values in each class, shrunk, [classes, d].

    Batches all of one value in a number (`varies` False, [n, d]) say nothing and stay so.
    """
    size = _size(classes)
    out = np.zeros((size, away.shape[1]))
    for k, rows in enumerate(varies.T):
        x, y, own = places[rows, k], away[rows, k], narrow[rows]
        count = np.maximum(np.bincount(own, minlength=size), 1)
        x = x - (np.bincount(own, x, size) / count)[own]
        square = np.bincount(own, x**2, size)
        shrink = SHRINK * float((x**2).mean() if len(x) else 0.0)
        out[:, k] = np.bincount(own, x * y, size) / np.maximum(square + shrink, 1e-12)
    return out


def _means(values: np.ndarray, label: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the mean of each column in each batch, float64[b, d]."""
    sums = [np.bincount(label, column, len(sizes)) / sizes for column in values.T]
    return np.column_stack(sums) if sums else np.zeros((len(sizes), 0))


def _effects(
    away: np.ndarray, codes: np.ndarray, size: int, label: np.ndarray, sizes: np.ndarray
) -> np.ndarray:
    """Return what each level adds to each number within a batch, shrunk, float64[d, codes]."""
    around = away - _means(away, label, sizes)[label]
    rows = (sizes > 1)[label]
    count = np.bincount(codes[rows], minlength=size)
    sums = [np.bincount(codes[rows], column[rows], size) for column in around.T]
    return np.array(sums).reshape(-1, size) / (count + SHRINK)


def _slopes(away: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the regression of each number on those before it, float64[d, d]."""
    d = away.shape[1]
    slopes = np.zeros((d, d))
    data = away[rows]
    if not len(data):
        return slopes
    for k in range(1, d):
        before = data[:, :k]
        gram = before.T @ before + (1e-6 * len(data)) * np.eye(k)
        slopes[k, :k] = np.linalg.solve(gram, before.T @ data[:, k])
    return slopes


def _lead(scales: tuple[Scale, ...], typical: list[np.ndarray]) -> np.ndarray | None:
    """Return the typical values of the first whole number that counts from 0, if any."""
    for scale, values in zip(scales, typical, strict=True):
        if scale.whole and scale.unit:
            return values
    return None


def _positive(scale: Scale, values: np.ndarray, typical: np.ndarray) -> Scale:
    """Return the scale with the least value of rows whose batch has a positive typical one."""
    own = values[typical > 0]
    return replace(scale, least=float(own.min())) if len(own) else scale


def _class(
    codes: dict[int, np.ndarray],
    tops: dict[int, np.ndarray],
    classes: tuple[tuple[int, int], ...],
    label: np.ndarray,
) -> np.ndarray:
    """Return each row's class: its own level and its batch's first choice, int64[n].

    A failed job lies elsewhere in a task that finished than in one that failed.
    """
    row = np.zeros(len(label), np.int64)
    for place, size in classes:
        row = (row * size + codes[place]) * size + tops[place][label]
    return row


def _size(classes: tuple[tuple[int, int], ...]) -> int:
    """Return the number of classes."""
    return int(np.prod([size**2 for _, size in classes], initial=1))


def _spreads(
    rest: np.ndarray, narrow: np.ndarray, classes: tuple[tuple[int, int], ...], rows: np.ndarray
) -> np.ndarray:
    """Return the root mean square of deviations in each class, near 1 where there are few."""
    size = _size(classes)
    whole = np.sqrt((rest[rows] ** 2).mean(axis=0)) if rows.any() else np.ones(rest.shape[1])
    whole = np.where(whole > 0, whole, 1.0)
    count = np.bincount(narrow[rows], minlength=size)[:, None]
    sums = [np.bincount(narrow[rows], column[rows] ** 2, size) for column in rest.T]
    square = np.array(sums).reshape(rest.shape[1], size).T
    return (
        np.maximum(np.sqrt((square + SHRINK * whole**2) / (count + SHRINK)), 1e-3 * whole) / whole
    )


def _kinds(
    narrow: np.ndarray,
    classes: tuple[tuple[int, int], ...],
    sizes: np.ndarray,
    label: np.ndarray,
    lead: np.ndarray | None,
) -> tuple[np.ndarray, int]:
    """Return each row's kind of circumstances, int64[n], and how many kinds there are."""
    kind = np.searchsorted(SIZES, sizes, "right")
    kinds = len(SIZES) + 1
    if lead is not None:
        kind = kind * (len(TYPICAL) + 1) + np.searchsorted(TYPICAL, lead, "right")
        kinds *= len(TYPICAL) + 1
    size = _size(classes)
    return kind[label] * size + narrow, kinds * size


def _pools(
    z: np.ndarray, kind: np.ndarray, kinds: int, rows: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return deviations kept, kind by kind, and where each kind's begin; none is left empty."""
    order = rng.permutation(np.flatnonzero(rows))
    order = order[np.argsort(kind[order], kind="stable")]
    begin = np.searchsorted(kind[order], np.arange(kinds + 1))
    anyone = rng.permutation(np.flatnonzero(rows))[:POOL]
    kept = [order[a : min(b, a + POOL)] for a, b in itertools.pairwise(begin)]
    kept = [own if len(own) >= 8 else np.concatenate([own, anyone[:32]]) for own in kept]
    start = np.concatenate([[0], np.cumsum([len(own) for own in kept])]).astype(np.int64)
    if not len(anyone):
        return np.zeros((1, z.shape[1]), np.float16), np.zeros(kinds + 1, np.int64)
    chosen = z[np.concatenate(kept)]
    blurred = chosen * (1.0 + BLUR * rng.standard_normal(chosen.shape))
    most = float(np.finfo(np.float16).max)
    return np.clip(blurred, -most, most).astype(np.float16), start


def _joint(columns: list[tuple[np.ndarray, np.ndarray]]) -> tuple[tuple[int, int], ...]:
    """Return the pairs of numbers without missing entries that are 0 in the same rows."""
    zero = [(v == 0) & ~m for v, m in columns]
    able = [k for k, (_, m) in enumerate(columns) if zero[k].any() and not m.any()]
    return tuple(
        (a, b) for a, b in itertools.combinations(able, 2) if np.array_equal(zero[a], zero[b])
    )


def _column(values: np.ndarray, missing: np.ndarray) -> Any:
    if values.dtype.kind == "i":
        column: Any = pd.array(values, dtype="Int64")
        column[missing] = pd.NA
        return column
    return np.where(missing, np.nan, values)
