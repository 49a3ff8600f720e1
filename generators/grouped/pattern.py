"""When the rows of a batch come after its first: a chain of gaps; knows times, never columns.

Rows of a batch follow each other at once, within seconds, or after a pause. The next gap depends
on the last pause (a batch has its own pace), on how many rows came since it (bursts have a
length), and on how many are still to come. The law is a table of counts, each context drawn
towards a coarser one (a hierarchy of Dirichlet priors), so that no single batch is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHORT_S = 2.0
"""Gaps up to this, s, do not end a run."""
EDGES_S = np.concatenate([[0.0, 0.5, 1.5, 2.5], 4.0 * 1.6 ** np.arange(31)])
"""Upper ends of the bins of a gap, s; the first bin is "at once"."""
BINS = len(EDGES_S) + 1
INSIDE = 9
"""Quantiles kept of each bin."""
PACE = 8
"""Classes of the last pause."""
STATES = 2 * PACE - 1
"""States of a batch: no pause yet, one of each class, or more than one, the last of each class.

The first pause differs: a task's scouts are waited for, its bursts follow at a pace.
"""
RUN = 64
"""Rows since the last pause that are told apart one by one."""
LEFT = 8
"""Classes of the rows still to come."""
WEIGHTS = (4.0, 12.0, 12.0)
"""Rows that the coarser context counts for, from coarse to fine."""


@dataclass(frozen=True)
class Pattern:
    """The law of the gaps within a batch."""

    chance: np.ndarray
    """float32[contexts, bins], running sums of the chances of each bin."""
    inside: np.ndarray
    """float64[bins, INSIDE], quantiles of the gaps within each bin, s."""

    @classmethod
    def fit(cls, seconds: np.ndarray, first: np.ndarray) -> Pattern:
        """Return the law of the gaps of batches.

        Args:
            seconds: times of the rows, batch by batch and sorted within each, [n].
            first: where each batch begins, int64[b + 1].
        """
        within = np.ones(len(seconds), bool)
        within[first[:-1]] = False
        gaps = np.diff(seconds, prepend=seconds[:1])[within]
        sizes = np.diff(first)
        place = (np.arange(len(seconds)) - np.repeat(first[:-1], sizes))[within]
        left = (np.repeat(sizes, sizes)[within] - place).astype(np.int64)
        bins = bin_of(gaps)
        state, run = _memory(gaps, place)
        return cls(_chances(bins, _contexts(state, run, left)), _insides(gaps, bins))

    def draw(self, sizes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the seconds of each row after its batch's first, float64[sum of sizes].

        All batches are walked side by side, those with most rows first.
        """
        order = np.argsort(-sizes, kind="stable")
        counts, out = sizes[order], np.zeros(int(sizes.sum()))
        base = (np.cumsum(sizes) - sizes)[order]
        last_pause, pauses = np.zeros(len(sizes)), np.zeros(len(sizes), np.int64)
        run, offset = np.zeros(len(sizes), np.int64), np.zeros(len(sizes))
        for place in range(1, int(sizes.max(initial=0))):
            m = int(np.searchsorted(-counts, -place, "left"))
            state = _state(last_pause[:m], pauses[:m])
            finest = _finest(state, np.minimum(run[:m], RUN - 1), _left_class(counts[:m] - place))
            gap = self._gap(finest, rng.random(m), rng.random(m))
            paused = gap > SHORT_S
            last_pause[:m] = np.where(paused, gap, last_pause[:m])
            pauses[:m] += paused
            run[:m] = np.where(paused, 0, run[:m] + 1)
            offset[:m] += gap
            out[base[:m] + place] = offset[:m]
        return out

    def _gap(self, context: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        drawn = (self.chance[context] <= u[:, None].astype(np.float32)).sum(axis=1)
        drawn = np.minimum(drawn, BINS - 1)
        at = v * (INSIDE - 1)
        low = np.minimum(at.astype(np.int64), INSIDE - 2)
        a, b = self.inside[drawn, low], self.inside[drawn, low + 1]
        return a + (b - a) * (at - low)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs; chances in steps of 1 / 65,535."""
        whole = np.rint(self.chance.astype(np.float64) * 65_535).astype(np.uint16)
        return {"chance": whole, "inside": self.inside}

    @classmethod
    def restore(cls, arrays: dict[str, np.ndarray]) -> Pattern:
        """Return the law that `arrays` described."""
        return cls((arrays["chance"] / 65_535.0).astype(np.float32), arrays["inside"])


def bin_of(gaps: np.ndarray) -> np.ndarray:
    """Return the bin of each gap, int64[n]."""
    return np.searchsorted(EDGES_S, gaps, "left")


def _state(pause: np.ndarray, pauses: np.ndarray) -> np.ndarray:
    """Return the state of a batch by its last pause and how many it had, int64[n]."""
    steps = np.floor(np.log(np.maximum(pause, SHORT_S) / SHORT_S) / np.log(5.0)) + 1
    pace = np.clip(steps, 1, PACE - 1).astype(np.int64)
    return np.where(pauses == 0, 0, np.where(pauses == 1, pace, pace + PACE - 1))


def _left_class(left: np.ndarray) -> np.ndarray:
    """Return the class of the number of rows still to come, from 1 on."""
    return np.minimum(np.log2(np.maximum(left, 1)), LEFT - 1).astype(np.int64)


def _memory(gaps: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return before each gap the state of its batch and the rows since the last pause, [n] each."""
    n = len(gaps)
    at = np.arange(n)
    begin = at - (place - 1)
    paused = np.where(gaps > SHORT_S, at, -1)
    before = np.concatenate([[-1], np.maximum.accumulate(paused)[:-1]]) if n else paused
    has = before >= begin
    pause = np.where(has, gaps[np.maximum(before, 0)], 0.0)
    run = np.where(has, at - before - 1, at - begin)
    total: np.ndarray = np.cumsum(gaps > SHORT_S) - (gaps > SHORT_S)
    pauses: np.ndarray = total - total[np.minimum(begin, max(n - 1, 0))]
    return _state(pause, pauses), np.minimum(run, RUN - 1)


def _finest(state: np.ndarray, run: np.ndarray, left: np.ndarray) -> np.ndarray:
    return (state * RUN + run) * LEFT + left


def _contexts(state: np.ndarray, run: np.ndarray, left: np.ndarray) -> list[tuple[np.ndarray, int]]:
    """Return the contexts of each gap from coarse to fine, with how many there are."""
    none = np.zeros_like(state)
    rows = _left_class(left)
    return [
        (none, 1),
        (state * LEFT + rows, STATES * LEFT),
        ((state > 0) * RUN + run, 2 * RUN),
        (_finest(state, run, rows), STATES * RUN * LEFT),
    ]


def _chances(bins: np.ndarray, contexts: list[tuple[np.ndarray, int]]) -> np.ndarray:
    """Return running sums of the chances in each finest context, float32[contexts, bins]."""
    counts = [
        np.bincount(code * BINS + bins, minlength=size * BINS).reshape(size, BINS)
        for code, size in contexts
    ]
    whole = (counts[0][0] + 1e-3) / (counts[0][0] + 1e-3).sum()
    by_left = _towards(counts[1], whole[None, :], WEIGHTS[0])
    by_run = _towards(counts[2], whole[None, :], WEIGHTS[1])
    state, run, left = np.unravel_index(np.arange(contexts[3][1]), (STATES, RUN, LEFT))
    # What is between: the mean of what the run and what the rows to come say.
    coarse = 0.5 * by_run[(state > 0) * RUN + run] + 0.5 * by_left[state * LEFT + left]
    fine = _towards(counts[3], coarse, WEIGHTS[2])
    return np.cumsum(fine, axis=1).astype(np.float32)


def _towards(counts: np.ndarray, coarse: np.ndarray, weight: float) -> np.ndarray:
    total = counts.sum(axis=1, keepdims=True)
    return (counts + weight * coarse) / (total + weight)


def _insides(gaps: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Return quantiles of the gaps in each bin; of an empty one its ends."""
    out = np.zeros((BINS, INSIDE))
    edges = np.concatenate([[0.0], EDGES_S, EDGES_S[-1:]])
    for k in range(1, BINS):
        own = gaps[bins == k]
        few = np.array([edges[k], edges[k + 1]])
        out[k] = np.quantile(own if len(own) else few, np.linspace(0, 1, INSIDE))
    return out
