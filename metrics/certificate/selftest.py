"""Known-answer cases: tables whose verdict is known, evaluated in every certification.

A leak of copies must be found, interpolated rows must fail privacy, independent columns must fail
fidelity, and fresh real rows must pass with the best grade; and the held-out rows, which are the
control, must not stand among the synthetic ones. They go through the same metrics and
margins as the table under test, on fewer rows. Where one is answered wrongly no certificate is
issued, whatever the table under test scored. Efficacy is left out, since fits of a few thousand
rows say nothing of those on all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from metrics import base
from metrics.base import Score, Study
from metrics.certificate.policy import Policy
from metrics.errors import NotApplicable
from metrics.fidelity.association import matrix, ranked
from metrics.privacy.copies import holdout_seen
from metrics.privacy.distances import copies_lower, exact_copies, training_space
from metrics.statistics.equivalence import graded
from metrics.tables.samples import Sample

COPY_LEAK = 0.005
"""Share of training rows that is mixed into held-out ones."""
ROWS = 5_000
"""Rows of a known-answer case, and of every comparison made on it."""
ATTACKS = 300
"""Attacks of a kind made on a known-answer case."""
SLACK = 4.0
"""Widths of a bound that must fit in a margin so that real rows are within it for certain."""
NOT_TRIED = ("efficacy",)
"""Parts whose metrics are not tried."""

Case = Callable[[Study, Policy], tuple[bool, str]]


def run(study: Study, policy: Policy) -> dict[str, dict[str, Any]]:
    """Return, for each known-answer case, whether it was answered rightly, and the evidence."""
    results = {}
    for name, case in CASES.items():
        try:
            passed, reason = case(study, policy)
        except Exception as error:  # a crash is a wrong answer
            passed, reason = False, f"{type(error).__name__}: {error}"
        results[name] = {"passed": bool(passed), "reason": reason}
    return results


def copy_leak(study: Study, policy: Policy) -> tuple[bool, str]:
    """Mix training rows into one half of the held-out rows; the other half is the control."""
    rng = study.rng("self-test/copies")
    half, control = _halves(study, len(study.holdout), "self-test/copies")
    n = len(half)
    copied = max(1, round(COPY_LEAK * n))
    leaky = _joined(half.take(np.arange(copied, n)), study.train.draw(copied, rng))
    copies, chance = (int(exact_copies(rows, study.train).sum()) for rows in (leaky, control))
    low = copies_lower(copies, n, chance, len(control), study.alpha)
    margin = policy.margin("exact_copies")
    tolerated = margin is not None and copies / n - chance / len(control) <= margin
    word = "found and failed"
    if low <= 0:
        word = "not found: the held-out rows are too few for this power"
    elif tolerated:
        word = f"found, but the policy's margin ({margin:.2%}) lets them pass"
    return (
        low > 0 and not tolerated,
        f"{copied} training rows mixed into {n} held-out rows were {word}",
    )


def interpolation(study: Study, policy: Policy) -> tuple[bool, str]:
    """Interpolate between training rows of equal categories, as SMOTE does; must fail privacy."""
    space = training_space(study)
    rows = _interpolated(space.reference, study.rng("self-test/interpolation"))
    if len(rows) < 100:
        return True, "not applicable: hardly two training rows share their categories"
    control = study.holdout.draw(ROWS, study.rng("self-test/interpolation/control"))
    case = replace(_small(study), train=study.train, holdout=control, synthetic=rows)
    case.shared["training_space"] = space
    found = _evaluate(case, policy, ["dcr"])
    failed = [s for s in found if _beyond_chance(s)]
    seen = _seen(failed) if failed else "passed privacy"
    return bool(failed), f"rows between training rows: {seen}"


def independence(study: Study, policy: Policy) -> tuple[bool, str]:
    """Permute every column of real rows on its own; must fail fidelity."""
    rng = study.rng("self-test/independence")
    margin = policy.margin("diff_corr") or 0.0
    own = matrix(ranked(study.train.draw(ROWS, rng), study.train))
    columns = len(study.train.schema.order)
    strength = (np.abs(own).sum() - columns) / columns**2
    if strength <= 2 * margin:
        return True, "not applicable: the real table's own columns are nearly independent"
    rows, control = _halves(study, ROWS, "self-test/independence/rows")
    case = replace(
        _small(study), train=study.train, holdout=control, synthetic=_permuted(rows, rng)
    )
    failed = [s for s in _evaluate(case, policy, ["diff_corr"]) if _beyond_chance(s)]
    return bool(failed), f"independent columns: {_seen(failed) if failed else 'passed fidelity'}"


def fresh_draw(study: Study, policy: Policy) -> tuple[bool, str]:
    """Take held-out rows for synthetic ones; must pass, with the best grade that power allows."""
    rows, control = _halves(study, ROWS, "self-test/fresh")
    case = replace(_small(study), train=study.train, holdout=control, synthetic=rows)
    case.shared["training_space"] = training_space(study)
    names = [
        name
        for name, metric in base.METRICS.items()
        if policy.parts[metric.part] and metric.part not in NOT_TRIED
    ]
    found = [s for s in _evaluate(case, policy, names) if s.margin is not None]
    wrong = [s for s in found if s.grade > _best(s)]
    worst = max((s.grade for s in found), default="F")
    if wrong or not found:
        return False, f"fresh real rows did not pass as they should: {_seen(wrong)}"
    few = "" if worst == "A" else f", the best for certain that {len(rows):,} rows can show"
    return True, f"fresh real rows passed all {len(found)} graded scores, grade {worst}{few}"


def unseen_holdout(study: Study, policy: Policy) -> tuple[bool, str]:
    """Compare synthetic with held-out rows: where these were published, they control nothing."""
    seen, reason = holdout_seen(study)
    return not seen, reason


CASES: dict[str, Case] = {
    "copy_leak": copy_leak,
    "interpolation": interpolation,
    "independence": independence,
    "fresh_draw": fresh_draw,
    "unseen_holdout": unseen_holdout,
}
"""The known-answer cases by name."""


def _best(score: Score) -> str:
    """Return the worst grade that a real table may get by chance, given how wide the bound is.

    A bound of normal width is 1.6 standard errors. About as wide as the margin, the rows show
    nothing either way and any grade may come; many times as wide, no number of rows that is tried
    here could meet the margin, and no grade is right.
    """
    width = score.bound - score.excess
    if score.margin is None:
        return "-"
    limits = {"A": score.margin / (2 * SLACK), "B": score.margin / SLACK}
    limits |= {"C": score.margin / 1.5, "F": 3 * score.margin}
    return next((grade for grade, limit in limits.items() if width <= limit), "")


def _beyond_chance(score: Score) -> bool:
    """Return whether a score fails, and not for want of rows alone."""
    return score.passed is False and score.excess > score.bound - score.excess


def _small(study: Study) -> Study:
    """Return the study with settings for known-answer cases, and with notes of its own."""
    settings = {name: _lesser(name, value) for name, value in study.settings.items()}
    return replace(study, settings=settings, notes={}, shared={}, loss=None)


def _lesser(name: str, value: Any) -> Any:
    if name == "privacy_reference_rows":
        return value
    limit = ROWS if name.endswith("_rows") else ATTACKS if name.endswith("_attacks") else None
    return value if limit is None else min(value, limit)


def _evaluate(study: Study, policy: Policy, names: Iterable[str]) -> list[Score]:
    """Return the scores of these metrics, graded by the policy as one family."""
    scores: list[Score] = []
    for name in names:
        try:
            scores += base.load(name)(study)
        except NotApplicable:
            continue
    scored = [replace(score, margin=policy.margin(score.id)) for score in scores]
    return graded(scored, policy.alpha, policy.parts)


def _seen(scores: Iterable[Score]) -> str:
    words = [
        f"{s.id} {s.value:.3g} (real vs real {s.real_vs_real:.3g}, grade {s.grade})" for s in scores
    ]
    return ", ".join(words) or "no graded score"


def _halves(study: Study, rows: int, word: str) -> tuple[Sample, Sample]:
    """Return two draws of held-out rows without a row in common, at most `rows` each."""
    order = study.rng(word).permutation(len(study.holdout))
    n = min(len(order) // 2, rows)
    return study.holdout.take(order[:n]), study.holdout.take(order[n : 2 * n])


def _joined(a: Sample, b: Sample) -> Sample:
    return Sample(
        a.schema, np.concatenate([a.numbers, b.numbers]), np.concatenate([a.codes, b.codes])
    )


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
