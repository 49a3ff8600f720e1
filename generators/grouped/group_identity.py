"""Which of the recurring groups starts a batch: shares by part of the day, with short memory.

Users are active at their own hours, and a user who has just submitted tends to submit again. Shares
are counted, not learnt by the base generator: it is conditioned on the group and draws what that
group's batches are like. A batch either starts anew, by the shares of its part of the day, or
continues one of the last few (an urn with a short memory, after Pólya): sessions last for hours,
and the shares stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

SHRINK = 20.0
"""Batches that the whole day's shares count for in the shares of a part of the day."""
MOST_ECHO = 0.95
"""Largest chance that a batch goes on from one of the last few."""


@dataclass(frozen=True)
class GroupIdentity:
    """Shares of the recurring groups among the batches that begin in each part of the day."""

    levels: np.ndarray
    """int64[m], numbers of the groups, -1 for all that do not recur."""
    chance: np.ndarray
    """float64[parts, m], running sums of the shares; the last part is that of any time."""
    echo: float
    """Chance that a batch goes on from one of the last `reach`."""
    reach: int
    """How many batches back that may be, at least 1."""

    @classmethod
    def fit(cls, member: np.ndarray, part: np.ndarray | None, reach: int = 0) -> GroupIdentity:
        """Return the shares of the groups of batches.

        Args:
            member: group of each batch in order of time, int64[b].
            part: part of the day in which each began, int64[b], or None.
            reach: batches that are remembered; 0 forgets at once.
        """
        levels, code = np.unique(member, return_inverse=True)
        whole = np.bincount(code) / len(code)
        where = np.zeros(len(code), np.int64) if part is None else part
        cells = np.bincount(where * len(levels) + code, minlength=(where.max() + 1) * len(levels))
        counts = cells.reshape(-1, len(levels))
        shares = (counts + SHRINK * whole) / (counts.sum(axis=1, keepdims=True) + SHRINK)
        running = np.cumsum(np.vstack([shares, whole]), axis=1)
        reach = int(np.clip(reach, 0, len(code) - 1))
        echo = _echo(member, float(whole[levels >= 0] @ whole[levels >= 0]), reach)
        return cls(levels, running, echo, max(reach, 1))

    def draw(self, part: np.ndarray | None, n: int, rng: np.random.Generator) -> pd.Categorical:
        """Return the group of each of n batches, as a category; `part` as in `fit`, or None."""
        last = len(self.chance) - 1
        where = np.full(n, last) if part is None else np.minimum(part, last)
        drawn = (self.chance[where] <= rng.random((n, 1))).sum(axis=1)
        codes = np.minimum(drawn, len(self.levels) - 1)
        return pd.Categorical.from_codes(codes, categories=pd.Index(self.levels))

    def origins(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return the batch that each of n in order of time goes on from in the end, int64[n]."""
        at = np.arange(n)
        back = np.where(rng.random(n) < self.echo, rng.integers(1, self.reach + 1, n), 0)
        origin = np.where(at - back >= 0, at - back, at)
        while not np.array_equal(origin[origin], origin):
            origin = origin[origin]
        return origin

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs."""
        memory = np.array([self.echo, self.reach])
        return {"levels": self.levels, "chance": self.chance, "memory": memory}

    @classmethod
    def restore(cls, arrays: dict[str, np.ndarray]) -> GroupIdentity:
        """Return the shares that `arrays` described."""
        echo, reach = arrays["memory"]
        return cls(arrays["levels"], arrays["chance"], float(echo), int(reach))


def _echo(member: np.ndarray, chance: float, reach: int) -> float:
    """Return the chance of an echo under which batches agree as often as they do.

    If a is the agreement of a batch with any of the last k, an echo agrees with one of them for
    certain and with the others as often as these do among each other, about a:
    a = echo (1 / k + (1 - 1 / k) a) + (1 - echo) chance.
    """
    if not reach:
        return 0.0
    lags = range(1, reach + 1)
    same = [((member[k:] == member[:-k]) & (member[k:] >= 0)).mean() for k in lags]
    agree = float(np.mean(same))
    certain = 1.0 / reach + (1.0 - 1.0 / reach) * agree
    return float(np.clip((agree - chance) / max(certain - chance, 1e-9), 0.0, MOST_ECHO))
