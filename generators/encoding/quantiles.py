"""Map one numeric column to uniform ranks and back by its empirical distribution.

The randomised probability-integral transform: a value that occurs more than once owns an interval
of the distribution function and is sent to a uniform draw from it, so that the transformed column
is continuous whatever the ties; the way back is the full empirical quantile function, which
returns every tied value exactly and interpolates between values that occur once. (Rosenblatt
1952 for the transform; Brockwell 2007 for its randomised form.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

MARGIN = 0.02
"""Part of a tie's interval left free at each end, so that single precision stays inside it."""


@dataclass(frozen=True)
class Quantiles:
    """A monotone chain of knots (probability, value); flat where values tie."""

    p: np.ndarray
    """float64[k], probabilities, non-decreasing, in [0, 1]."""
    v: np.ndarray
    """int64[k] or float64[k], values, non-decreasing; two equal ones bound a tie's interval."""
    decimals: int | None = None
    """Decimal places that every float value had, None for as many as it likes."""

    @classmethod
    def fit(cls, values: np.ndarray, max_knots: int = 20_000) -> Quantiles:
        """Return the quantile function of `values`, [n], n >= 1, with at most `max_knots` knots.

        Beyond that many, both tails and the heaviest ties are kept knot by knot and the bulk is
        thinned evenly, which moves no quantile by more than about 2 / max_knots.
        """
        value, count = np.unique(values, return_counts=True)
        high = np.cumsum(count) / count.sum()
        low = np.concatenate([[0.0], high[:-1]])
        once = count == 1
        middle = (low + high) / 2
        p = np.stack([np.where(once, middle, low), high], axis=1)
        v = np.stack([value, value], axis=1)
        keep = np.stack([np.ones(len(value), bool), ~once], axis=1)
        weight = np.repeat(high - low, 2).reshape(-1, 2)[keep]
        p, v = p[keep], v[keep]
        if len(p) > max_knots:
            chosen = _thin(p, weight, max_knots)
            p, v = p[chosen], v[chosen]
        return cls(p, v, _decimals(value))

    def cdf(self, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a uniform draw from each value's interval of the distribution function, [n]."""
        left = np.searchsorted(self.v, values, "left")
        right = np.searchsorted(self.v, values, "right")
        low, high = self.below(values), self.p[np.maximum(right - 1, 0)]
        tied = right > left
        share = MARGIN + (1 - 2 * MARGIN) * rng.random(len(values))
        return np.where(tied, low + (high - low) * share, low)

    def below(self, values: np.ndarray) -> np.ndarray:
        """Return the probability strictly below each value, [n] in [0, 1]."""
        last = len(self.v) - 1
        left = np.searchsorted(self.v, values, "left")
        hi, lo = np.minimum(left, last), np.clip(left - 1, 0, last)
        step = self.v[hi].astype(np.float64) - self.v[lo].astype(np.float64)
        gone = np.asarray(values, np.float64) - self.v[lo].astype(np.float64)
        share = np.clip(np.divide(gone, step, out=np.zeros_like(gone), where=step > 0), 0, 1)
        between = self.p[lo] + (self.p[hi] - self.p[lo]) * share
        return np.where(left > last, 1.0, np.where(self.v[hi] == values, self.p[hi], between))

    def inverse(self, u: np.ndarray) -> np.ndarray:
        """Return the value at each probability, [n], within the least and greatest seen."""
        last = len(self.p) - 1
        right = np.searchsorted(self.p, u, "right")
        hi, lo = np.minimum(right, last), np.clip(right - 1, 0, last)
        step = self.p[hi] - self.p[lo]
        share = np.divide(u - self.p[lo], step, out=np.zeros(len(u)), where=step > 0)
        share = np.clip(share, 0.0, 1.0)
        if self.v.dtype == np.int64:
            return _between_integers(self.v[lo], self.v[hi], share)
        low, high = self.v[lo], self.v[hi]
        mixed = np.clip(low * (1 - share) + high * share, low, high)
        if self.decimals is not None:
            mixed = np.clip(np.round(mixed, self.decimals), self.v[0], self.v[-1])
        return np.where(low == high, low, mixed)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs."""
        none = -1 if self.decimals is None else self.decimals
        return {"p": self.p, "v": self.v, "decimals": np.array([none], np.int64)}

    @classmethod
    def restore(cls, arrays: dict[str, Any]) -> Quantiles:
        """Return the quantile function that `arrays` described."""
        decimals = int(arrays["decimals"][0])
        return cls(arrays["p"], arrays["v"], None if decimals < 0 else decimals)


def _between_integers(low: np.ndarray, high: np.ndarray, share: np.ndarray) -> np.ndarray:
    # Unsigned arithmetic wraps, so a range wider than int64 cannot overflow.
    base = low.view(np.uint64)
    span = high.view(np.uint64) - base
    step = np.rint(np.minimum(share * span.astype(np.float64), 1.8446744073709550e19))
    return (base + np.minimum(step.astype(np.uint64), span)).view(np.int64)


def _thin(p: np.ndarray, weight: np.ndarray, max_knots: int) -> np.ndarray:
    """Return sorted indices of the knots to keep: both tails, heavy ties, an even rest."""
    keep = np.zeros(len(p), bool)
    tail = max_knots // 20
    keep[:tail] = keep[-tail:] = True
    keep |= weight >= 4 / max_knots
    rest = np.flatnonzero(~keep)
    room = max(max_knots - int(keep.sum()), 2)
    if len(rest) > room:
        rest = rest[np.unique(np.linspace(0, len(rest) - 1, room).round().astype(np.int64))]
    keep[rest] = True
    return np.flatnonzero(keep)


def _decimals(values: np.ndarray) -> int | None:
    if values.dtype != np.float64 or np.abs(values).max() >= 1e12:
        return None
    return next((d for d in range(7) if np.array_equal(np.round(values, d), values)), None)
