"""Alpha-precision and beta-recall: are synthetic rows typical of real ones, and do they cover them?

Alpha-precision and beta-recall (Alaa et al., ICML 2022, arXiv 2102.08921). Rows become points;
the alpha-support of a table is the ball around its centre that holds a share alpha of its rows.

alpha-precision   P(alpha): share of synthetic rows in the alpha-support of the real ones. It
                  should be alpha; the score is 1 - 2 * integral |P(alpha) - alpha|, 1 at best.
                  Rows that are too typical lower it as well as rows that are off.
beta-recall       R(beta): share of real rows whose nearest synthetic row lies within the distance
                  of their own k-th nearest real row, and in the synthetic beta-support. The score
                  is 1 - 2 * integral |R(beta) - beta|. A dropped mode lowers it.
NOTE[DIFF] The paper learns the embedding with a one-class network. Here it is fixed: normal scores
of numbers and shares of levels, decorrelated by the real rows. It needs no training, so that two
runs agree, and the reference has the same blind spots.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from metrics.base import Score, Study
from metrics.errors import MetricError
from metrics.statistics.resampling import Weighted, centred, replicate, upper
from metrics.tables import scales
from metrics.tables.samples import Sample

NEIGHBOURS = 5
"""k: a real row counts as covered within the distance of its k-th nearest real row."""
LEVELS = 20
"""Commonest levels of a category that have a coordinate of their own."""
DIMENSIONS = 16
"""Most coordinates kept."""
GRID = (np.arange(100) + 0.5) / 100
"""Values of alpha and beta."""
LEAST_ROWS = 50
"""Rows below which a support says nothing."""


@dataclass(frozen=True)
class Embedding:
    """Rows as points, decorrelated and scaled by real rows."""

    train: Sample
    """The rows that the scales are fitted on."""
    numbers: tuple[scales.Scale, ...]
    """Rank scale of each number."""
    levels: tuple[np.ndarray, ...]
    """The codes of each category that have a coordinate."""
    centre: np.ndarray
    """float64[p], mean of the raw coordinates."""
    axes: np.ndarray
    """float64[p, q], from raw coordinates to points."""

    @classmethod
    def fit(cls, train: Sample) -> Embedding:
        """Fit scales, levels and axes on real rows."""
        numbers = tuple(scales.fit("rank", x) for x in train.numbers.T)
        levels = tuple(np.argsort(-np.bincount(c), kind="stable")[:LEVELS] for c in train.codes.T)
        raw = _raw(train, numbers, levels)
        centre = raw.mean(axis=0)
        spread, axes = np.linalg.eigh(np.cov(raw - centre, rowvar=False).reshape(raw.shape[1], -1))
        kept = np.flatnonzero(spread > 1e-6 * max(spread.max(), 1e-300))[::-1][:DIMENSIONS]
        return cls(train, numbers, levels, centre, axes[:, kept] / np.sqrt(spread[kept]))

    def points(self, sample: Sample) -> np.ndarray:
        """Return float64[n, q]."""
        return (_raw(sample, self.numbers, self.levels) - self.centre) @ self.axes


def _raw(
    sample: Sample, numbers: tuple[scales.Scale, ...], levels: tuple[np.ndarray, ...]
) -> np.ndarray:
    """Return normal scores of numbers (0 where missing), missing flags and level flags."""
    missing = np.isnan(sample.numbers)
    ranks = [f(np.nan_to_num(x)) for f, x in zip(numbers, sample.numbers.T, strict=True)]
    scores = [norm.ppf(np.clip(r, 1e-4, 1 - 1e-4)) for r in ranks]
    scores = [np.where(gone, 0.0, s) for s, gone in zip(scores, missing.T, strict=True)]
    flags = [c[:, None] == own for c, own in zip(sample.codes.T, levels, strict=True)]
    return np.column_stack([*scores, missing.astype(float), *(f.astype(float) for f in flags)])


def precision_levels(synthetic: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Return the least alpha whose real support holds each synthetic point, float64[n]; inf: none.

    Distances are to the centre of `real`.
    """
    centre = real.mean(axis=0)
    radii = np.sort(np.linalg.norm(real - centre, axis=1))
    inside = np.searchsorted(radii, np.linalg.norm(synthetic - centre, axis=1), side="left")
    return np.where(inside < len(radii), (inside + 1) / len(radii), np.inf)


def recall_levels(synthetic: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Return the least beta whose synthetic support covers each real point; inf: none does."""
    from sklearn.neighbors import NearestNeighbors

    own = NearestNeighbors(n_neighbors=NEIGHBOURS + 1).fit(real)
    reach = own.kneighbors(real)[0][:, NEIGHBOURS]
    distance, at = NearestNeighbors(n_neighbors=1).fit(synthetic).kneighbors(real)
    levels = precision_levels(synthetic, synthetic)[at[:, 0]]
    return np.where(distance[:, 0] <= reach, levels, np.inf)


def evenness(levels: np.ndarray, weights: np.ndarray) -> float:
    """Return 1 - 2 * integral over a of |share of levels up to a - a|."""
    order = np.argsort(levels, kind="stable")
    mass = np.concatenate([[0.0], np.cumsum(weights[order])]) / weights.sum()
    share = mass[np.searchsorted(levels[order], GRID, side="right")]
    return float(1 - 2 * np.abs(share - GRID).mean())


def measure(study: Study) -> list[Score]:
    """Score alpha-precision and beta-recall; the reference scores held-out rows."""
    n = min(study.matched("coverage_rows"), len(study.train))
    if n < LEAST_ROWS:
        raise MetricError(f"at least {LEAST_ROWS} rows in each table", str(n), "pass more rows")
    rows = {
        word: getattr(study, word).draw(n, study.rng(f"coverage/{word}"))
        for word in ("train", "synthetic", "holdout")
    }
    embedding = Embedding.fit(rows["train"])
    points = {word: embedding.points(sample) for word, sample in rows.items()}
    return [_score(study, id, points, rows) for id in SCORES]


SCORES = {
    "alpha_precision": (
        precision_levels,
        "evenness of synthetic rows over the supports of real ones (arXiv 2102.08921), 1 at best",
    ),
    "beta_recall": (
        recall_levels,
        "evenness of real rows covered by the supports of synthetic ones (arXiv 2102.08921)",
    ),
}
"""The scores: {id: (levels, note)}."""


def _score(study: Study, id: str, points: dict[str, np.ndarray], rows: dict[str, Sample]) -> Score:
    levels, note = SCORES[id]
    found = {}
    for word in ("synthetic", "holdout"):
        counted = rows["train" if id == "beta_recall" else word]
        found[word] = replicate(
            _statistic(levels(points[word], points["train"])),
            len(counted),
            int(study.settings["bootstrap"]),
            study.rng(f"{id}/{word}"),
            study.blocks(counted),
        )
    (value, draws), (reference, references) = (
        (float(v[0]), d[:, 0]) for v, d in (found["synthetic"], found["holdout"])
    )
    low, high = centred(value, draws, study.alpha)
    bound = upper(reference - value, draws, references, study.alpha)
    ends = (low, min(1.0, high), reference, bound)
    return Score(id, value, *ends, len(rows["synthetic"]), better="higher", note=note)


def _statistic(levels: np.ndarray) -> Weighted:
    return lambda weights: np.array([evenness(levels, weights)])
