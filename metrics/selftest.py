"""The judge judged: planted cases whose verdict is known, tried in every certification.

A leak of copies must be found, interpolated rows must fail privacy, independent columns must fail
fidelity, and fresh real rows must pass. A certificate whose judge missed one of them fails,
whatever the table under test scored. Knows one study; never a generator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from metrics.association import matrix, matrix_distance, ranked
from metrics.base import Study
from metrics.policy import Policy
from metrics.privacy import (
    copies_lower,
    exact_copies,
    holdout_distances,
    ks_leak,
    training_space,
)
from metrics.tables import Sample

COPY_LEAK = 0.005
"""Share of training rows that is planted among held-out ones."""
FALSE_ALARM = 0.001
"""Error level at which fresh real rows are tried, so that the judge seldom fails by bad luck."""
ROWS = 5_000
"""Rows of a planted case."""

Case = Callable[[Study, Policy], tuple[bool, str]]


def run(study: Study, policy: Policy) -> dict[str, dict[str, Any]]:
    """Return, for each planted case, whether the judge judged rightly and what it saw."""
    results = {}
    for name, case in CASES.items():
        try:
            passed, reason = case(study, policy)
        except Exception as error:  # a judge that crashes has not shown that it judges
            passed, reason = False, f"{type(error).__name__}: {error}"
        results[name] = {"passed": bool(passed), "reason": reason}
    return results


def copy_leak(study: Study, policy: Policy) -> tuple[bool, str]:
    """Plant training rows among one half of the held-out rows; the other half is the control."""
    rng = study.rng("self-test/copies")
    order = rng.permutation(len(study.holdout))
    half = len(order) // 2
    leaky, control = study.holdout.take(order[:half]), study.holdout.take(order[half:])
    planted = max(1, round(COPY_LEAK * half))
    natural = int(exact_copies(leaky.take(np.arange(planted, half)), study.train).sum())
    chance = int(exact_copies(control, study.train).sum())
    low = copies_lower(natural + planted, half, chance, len(control), study.alpha)
    word = "found" if low > 0 else "not found: the held-out rows are too few for this power"
    return low > 0, f"{planted} training rows planted among {half} held-out rows were {word}"


def interpolation(study: Study, policy: Policy) -> tuple[bool, str]:
    """Interpolate between training rows of equal categories, as SMOTE does; must fail privacy."""
    rows = _interpolated(training_space(study).reference, study.rng("self-test/interpolation"))
    if len(rows) < 100:
        return True, "not applicable: hardly two training rows share their categories"
    d, critical, _ = ks_leak(
        training_space(study).nearest(rows), holdout_distances(study), study.alpha
    )
    margin = policy.margin("dcr_ks") or 0.0
    right = d + critical > margin and d > critical
    return right, f"rows between training rows score D+ = {d:.3g} (critical {critical:.3g})"


def independence(study: Study, policy: Policy) -> tuple[bool, str]:
    """Permute every column of real rows on its own; must fail fidelity."""
    rng = study.rng("self-test/independence")
    margin = policy.margin("diff_corr") or 0.0
    value, floor = _correlations(study, lambda rows: _permuted(rows, rng))
    seen = f"independent columns score diff-CORR {value:.3g}, real rows {floor:.3g}"
    columns = len(study.train.schema.order)
    own = matrix(ranked(study.train.draw(ROWS, rng), study.train))
    strength = (np.abs(own).sum() - columns) / columns**2
    if strength <= margin + floor:
        return True, "not applicable: the real table's own columns are nearly independent"
    return value - floor > margin, seen


def fresh_draw(study: Study, policy: Policy) -> tuple[bool, str]:
    """Take held-out rows for synthetic ones; must pass fidelity and privacy."""
    margin = policy.margin("diff_corr") or np.inf
    value, floor = _correlations(study, lambda rows: rows)
    distances = study.rng("self-test/fresh").permutation(holdout_distances(study))
    half = len(distances) // 2
    d, critical, _ = ks_leak(distances[:half], distances[half:], FALSE_ALARM)
    seen = f"fresh real rows score diff-CORR {value:.3g} (others {floor:.3g}), D+ = {d:.3g}"
    return value - floor <= margin and d <= critical, seen


CASES: dict[str, Case] = {
    "copy_leak": copy_leak,
    "interpolation": interpolation,
    "independence": independence,
    "fresh_draw": fresh_draw,
}
"""The planted cases by name."""


def _correlations(study: Study, change: Callable[[Sample], Sample]) -> tuple[float, float]:
    """Return diff-CORR to train of changed held-out rows, and of other ones left alone."""
    rng = study.rng("self-test/correlations")
    order = rng.permutation(len(study.holdout))
    n = min(len(order) // 2, len(study.train), ROWS)
    samples = [study.train.draw(n, rng), study.holdout.take(order[n : 2 * n])]
    changed = change(study.holdout.take(order[:n]))
    real, floor, value = (matrix(ranked(s, study.train)) for s in (*samples, changed))
    return matrix_distance(value, real, "entry"), matrix_distance(floor, real, "entry")


def _permuted(rows: Sample, rng: np.random.Generator) -> Sample:
    return Sample(rows.schema, rng.permuted(rows.numbers, axis=0), rng.permuted(rows.codes, axis=0))


def _interpolated(train: Sample, rng: np.random.Generator) -> Sample:
    """Return rows on the line between neighbours in (categories, numbers) order."""
    order = np.lexsort([*train.numbers.T, *train.codes.T])
    same = (train.codes[order[1:]] == train.codes[order[:-1]]).all(axis=1)
    start = np.flatnonzero(same)
    start = np.sort(rng.choice(start, size=min(ROWS, len(start)), replace=False))
    a, b = train.take(order[start]), train.take(order[start + 1])
    share = rng.random((len(start), 1))
    return Sample(train.schema, a.numbers + share * (b.numbers - a.numbers), a.codes)
