"""Equivalence tests of scores, corrected for their number by Holm's procedure.

A score passes when it is shown that its excess over the real-vs-real reference is below the
margin. The null hypothesis is that the excess reaches the margin; the burden of proof is the
synthetic table's. One test at level alpha is the same as asking that the upper confidence bound
stays within the margin. Over all graded scores Holm's procedure (1979) keeps the chance of a
single wrong "equivalent" below alpha, however the scores depend on each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from scipy.stats import norm

from metrics.base import Score
from metrics.errors import MetricError


def _normal(reach: float, alpha: float) -> float:
    return float(norm.sf(reach * norm.isf(alpha)))


def _count(reach: float, alpha: float) -> float:
    return float(alpha**reach)


def _dkw(reach: float, alpha: float) -> float:
    return float(alpha ** (reach * reach))


TAILS: dict[str, Callable[[float, float], float]] = {
    "normal": _normal,
    "count": _count,
    "dkw": _dkw,
}
"""How the error level of a bound falls as it is moved away from the value, by `Score.tail`.

The argument is the distance of the margin in units of the bound's own distance: 1 gives alpha.
A count with no event has the Poisson tail exp(-n x), which is `alpha ** reach`; D+ has the tail
exp(-2 n x^2) of Dvoretzky, Kiefer, Wolfowitz and Massart.
"""


def p_value(score: Score, alpha: float) -> float:
    """Return the p-value of "the excess of this score reaches its margin".

    It is alpha exactly where the bound, computed at level alpha, equals the margin. A score without
    a finite number gives 1: nothing is shown.
    """
    if score.margin is None:
        raise MetricError("a score with a margin", f"{score.id!r} without one", "grade it first")
    if score.tail not in TAILS:
        known = ", ".join(TAILS)
        raise MetricError(f"a tail of {score.id!r} ({known})", repr(score.tail), "correct it")
    room, spread = score.margin - score.excess, score.bound - score.excess
    if not (math.isfinite(room) and math.isfinite(spread)) or room <= 0:
        return 1.0
    if spread <= 0:
        return 0.0 if score.bound <= score.margin else 1.0
    return TAILS[score.tail](room / spread, alpha)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return Holm's adjusted p-values: those at most alpha are rejected at family level alpha."""
    adjusted: dict[str, float] = {}
    least, m = 0.0, len(p_values)
    for rank, (id, p) in enumerate(sorted(p_values.items(), key=lambda item: (item[1], item[0]))):
        least = max(least, min(1.0, (m - rank) * p))
        adjusted[id] = least
    return adjusted


def graded(scores: Sequence[Score], alpha: float, gates: Mapping[str, bool]) -> list[Score]:
    """Return the scores with `shown` set for those that are graded: a margin, in a gated part."""
    adjusted = adjusted_p(scores, alpha, gates)
    return [
        replace(score, shown=adjusted[score.id] <= alpha) if score.id in adjusted else score
        for score in scores
    ]


def adjusted_p(
    scores: Sequence[Score], alpha: float, gates: Mapping[str, bool]
) -> dict[str, float]:
    """Return Holm's adjusted p-value of each graded score: a margin, in a gated part."""
    own = [s for s in scores if s.margin is not None and gates[s.part]]
    return holm({score.id: p_value(score, alpha) for score in own})
