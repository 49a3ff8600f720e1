"""The privacy statement of a certificate: a leak, a trace, or nothing found at this power.

Equivalence asks whether an excess is small enough for a policy; this asks the other question,
whether there is any. Both are said, so that a trace within the margin is neither called a leak nor
hidden.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from metrics.base import Score
from metrics.statistics.equivalence import TAILS, holm

NO_LEAKS = ("k_anonymity", "rare_combinations")
"""Privacy scores that measure risk, not training rows."""


def privacy(scores: Sequence[Score], notes: Mapping[str, Any], alpha: float) -> dict[str, Any]:
    """Return the statement on privacy, the scores that show a trace, and the tests' power.

    `scores` are graded. A trace is an excess that is shown to be above zero, by Holm's procedure
    over the privacy scores of the whole table at level alpha.
    """
    if "dcr" not in notes:
        return {
            "statement": "Privacy was not measured.",
            "least_copy_leak": None,
            "traces": [],
            "power": {},
        }
    found = traces(scores, float(notes["dcr"]["ks_p"]), alpha)
    least = float(notes["dcr"]["least_copy_leak"])
    if notes["dcr"]["copy_leak_proven"]:
        word = "A leak was found: more rows are copies of training rows than chance explains."
    elif found:
        seen = ", ".join(f"{s.id} {s.value:.3g} (real rows {s.real_vs_real:.3g})" for s in found)
        within = all(score.passed is not False for score in found)
        word = f"A trace of the training rows was found: {seen}. It is "
        word += "within what the policy tolerates." if within else "more than the policy tolerates."
    else:
        word = f"No leak found at this power: exact copies of {100 * least:.2g}% of the rows or"
        word += " more would have been found. This does not show that there is none."
    ids = [score.id for score in found]
    return {
        "statement": word,
        "least_copy_leak": least,
        "traces": ids,
        "power": dict(notes.get("power", {})),
    }


def traces(scores: Sequence[Score], ks_p: float, alpha: float) -> list[Score]:
    """Return the privacy scores whose excess is shown to be above zero."""
    own = [s for s in scores if s.part == "privacy" and "." not in s.id and s.id not in NO_LEAKS]
    adjusted = holm({s.id: ks_p if s.id == "dcr_ks" else _p_none(s, alpha) for s in own})
    return [score for score in own if adjusted[score.id] <= alpha]


def _p_none(score: Score, alpha: float) -> float:
    """Return the p-value of "there is no excess": alpha where the bound's width equals it."""
    spread = score.bound - score.excess
    if not (math.isfinite(spread) and score.excess > 0):
        return 1.0
    return TAILS[score.tail](score.excess / spread, alpha) if spread > 0 else 0.0
