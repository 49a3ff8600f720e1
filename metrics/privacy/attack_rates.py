"""Scores of attacks: success rates beside a control group's, ROC curves and power.

An attack is tried on training rows and, as a control, on held-out rows that the generator did not
see; only the difference is a leak (Giomi et al., PoPETs 2023, arXiv 2211.10459). Whatever is not
found is said with the smallest excess that would have been found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import norm

from metrics.base import Score, Study
from metrics.statistics.resampling import newcombe_upper, wilson

FPR_GRID = np.r_[0.001, 0.002, 0.005, 0.01, 0.02, np.arange(0.05, 1.0, 0.05)]
"""False-positive rates at which an attack's curve is kept for a figure."""


def excess_lower(k: int, n: int, k0: int, n0: int, alpha: float) -> float:
    """Return the one-sided lower bound of k/n - k0/n0 (Newcombe)."""
    return -newcombe_upper(k0, n0, k, n, alpha)


def least_found(k0: int, n0: int, n: int, alpha: float) -> float:
    """Return the smallest excess over a control rate k0/n0 that n trials would show; 1: none.

    That is the smallest k/n whose lower bound over the control is positive, less the control.
    """
    low, high = math.floor(k0 / n0 * n), n + 1
    while high - low > 1:
        middle = (low + high) // 2
        if excess_lower(middle, n, k0, n0, alpha) > 0:
            high = middle
        else:
            low = middle
    return max(0.0, high / n - k0 / n0) if high <= n else 1.0


def power(study: Study, id: str, least: float, found: bool) -> str:
    """Return whether a leak is shown and the least that would have been; keep it in the notes."""
    study.notes.setdefault("power", {})[id] = least
    word = "a leak is shown" if found else "no leak found at this power"
    return f"{word}, the smallest that would have been is an excess of {least:.2%}"


def rate_score(
    study: Study, id: str, hits: tuple[int, int], control: tuple[int, int], note: str
) -> Score:
    """Score k successes of n attacks on training rows; the reference is the control's rate.

    The bound is Newcombe's of the difference, the interval Wilson's. The smallest leak that would
    have been found is said in the note and kept in the study's notes under "power".
    """
    (k, n), (k0, n0) = hits, control
    found = excess_lower(k, n, k0, n0, study.alpha) > 0
    words = power(study, id, least_found(k0, n0, n, study.alpha), found)
    risk = max(0.0, (k / n - k0 / n0) / (1 - k0 / n0)) if k0 < n0 else 0.0
    note = f"{note}: {k} of {n}, control {k0} of {n0}, risk net of the control {risk:.2%}; {words}"
    low, high = wilson(k, n, study.alpha)
    ends = (low, high, k0 / n0, newcombe_upper(k, n, k0, n0, study.alpha))
    return Score(id, k / n, *ends, n, note=note, tail="count")


def normal_score(
    study: Study, id: str, value: float, error: float, chance: float, n: int, note: str
) -> Score:
    """Score an attack's figure with a normal error against its exact value under chance."""
    z, z_one = float(norm.ppf(1 - study.alpha / 2)), float(norm.ppf(1 - study.alpha))
    words = power(study, id, z_one * error, value - chance > z_one * error)
    ends = (max(0.0, value - z * error), min(1.0, value + z * error), chance)
    bound = value - chance + z_one * error
    note = f"{note}; chance is {chance:g}; {words}"
    return Score(id, value, *ends, bound, n, note=note)


def true_positives(
    outside: np.ndarray, inside: np.ndarray, rates: Sequence[float] | np.ndarray
) -> np.ndarray:
    """Return the share of members found at each false-positive rate, float64[rates].

    `outside` and `inside` are the attack's scores of non-members and members, higher for "member".
    Ties at the threshold are broken at random, in expectation.
    """
    line = np.unique(np.concatenate([outside, inside]))[::-1]
    fpr, tpr = (
        1 - np.searchsorted(np.sort(x), line, side="left") / len(x) for x in (outside, inside)
    )
    return np.interp(np.asarray(rates), np.r_[0.0, fpr], np.r_[0.0, tpr])


def rate_at(
    study: Study, id: str, outside: np.ndarray, inside: np.ndarray, fpr: float, note: str
) -> Score:
    """Score the share of members found at one false-positive rate, which is the reference.

    The threshold is itself estimated from the non-members: their number enters the bound.
    """
    share = float(true_positives(outside, inside, [fpr])[0])
    hits = (round(share * len(inside)), len(inside))
    return rate_score(study, id, hits, (round(fpr * len(outside)), len(outside)), note)


def curve(outside: np.ndarray, inside: np.ndarray) -> dict[str, list[float]]:
    """Return an attack's curve for a figure: shares of members found at `FPR_GRID`."""
    found = true_positives(outside, inside, FPR_GRID)
    return {
        "fpr": [round(float(v), 6) for v in FPR_GRID],
        "tpr": [round(float(v), 6) for v in found],
    }
