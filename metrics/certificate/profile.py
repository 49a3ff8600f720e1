"""Aggregates of the tables that a certificate keeps, so that figures need no tables.

Binned densities of the numbers, the commonest levels of the categories and the association
matrices, of train and of synthetic. A count of fewer than `LEAST_COUNT` rows is never kept, and
neither is the name of a level that rare nor an extreme value: a certificate may be published.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from metrics.base import Study
from metrics.fidelity.association import matrix, names_of, ranked
from metrics.tables.samples import Sample

LEAST_COUNT = 5
"""Rows below which a count is withheld."""
BINS = 48
"""Bins of a density."""
TOP = 5
"""Levels shown of each category."""
MATRIX_ROWS = 50_000
"""Rows that the matrices are computed on."""


def describe(study: Study) -> dict[str, Any]:
    """Return densities, top levels and matrices of train and synthetic, ready for JSON."""
    tables = {"train": study.train, "synthetic": study.synthetic}
    schema = study.train.schema
    return {
        "numbers": {name: _density(tables, name) for name in schema.numbers},
        "categories": {name: _top(tables, name) for name in schema.categories},
        "association": _matrices(study),
    }


def _density(tables: dict[str, Sample], name: str) -> dict[str, Any]:
    """Return bin edges from train's 1st to 99th percentile, and the share of rows per bin.

    The outer bins are open. Whole numbers and heavy tails are binned by log10(1 + x).
    """
    sample = tables["train"]
    values = sample.number(name)
    values = values[~np.isnan(values)]
    low, middle, high = np.quantile(values, [0.01, 0.5, 0.99])
    heavy = name not in sample.schema.times and low >= 0 and high > 10 * max(middle, 1e-9)
    is_log = bool(heavy or (name not in sample.schema.times and low >= 0 and high > 1000))
    ends = np.log10(1 + np.array([low, high])) if is_log else np.array([low, high])
    edges = np.linspace(*_outward(float(ends[0]), float(ends[1])), BINS + 1)
    scale = "time" if name in sample.schema.times else "log10(1+x)" if is_log else "linear"
    out: dict[str, Any] = {"scale": scale, "edges": [float(f"{e:.9g}") for e in edges]}
    for word, table in tables.items():
        x = table.number(name)
        x = x[~np.isnan(x)]
        x = np.log10(1 + np.maximum(x, 0)) if is_log else x
        bins = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, BINS - 1)
        out[word] = _withheld(np.bincount(bins, minlength=BINS), len(table))
    return out


def _outward(low: float, high: float) -> tuple[float, float]:
    """Return ends rounded outwards to two digits of the span, so that no value is given away."""
    span = high - low
    if span <= 0:
        return low - 0.5, high + 0.5
    step = 10.0 ** np.floor(np.log10(span) - 1)
    return float(np.floor(low / step) * step), float(np.ceil(high / step) * step)


def _withheld(counts: np.ndarray, n: int) -> list[float]:
    kept = np.where(counts < LEAST_COUNT, 0, counts)
    return [round(float(share), 6) for share in kept / n]


def _top(tables: dict[str, Sample], name: str) -> dict[str, Any]:
    """Return train's commonest levels with their share in each table, and the share of the rest."""
    levels = tables["train"].schema.levels[name]
    counts = {
        word: np.bincount(table.category(name), minlength=len(levels))
        for word, table in tables.items()
    }
    best = np.argsort(-counts["train"], kind="stable")[:TOP]
    best = best[counts["train"][best] >= LEAST_COUNT]
    out: dict[str, Any] = {"levels": [levels[i] for i in best]}
    for word, table in tables.items():
        out[word] = _withheld(counts[word][best], len(table))
        out[f"{word}_rest"] = round(1 - sum(out[word]), 6)
    return out


def _matrices(study: Study) -> dict[str, Any]:
    n = min(MATRIX_ROWS, len(study.train), len(study.synthetic))
    order = list(study.train.schema.order)
    names = names_of(study.train)
    place = [names.index(name) for name in order]
    out: dict[str, Any] = {"columns": order}
    for word, table in (("train", study.train), ("synthetic", study.synthetic)):
        drawn = table.draw(n, study.rng(f"profile/{word}"))
        entries = matrix(ranked(drawn, study.train))[np.ix_(place, place)]
        out[word] = [[round(float(v), 4) for v in row] for row in entries]
    return out
