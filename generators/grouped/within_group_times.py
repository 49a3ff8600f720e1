"""When the rows of a batch come after its first: a Markov chain of gaps.

Rows of a batch follow each other at once, within seconds, or after a pause. A batch has a pace,
drawn given its size: the class of its median pause. The next gap depends on the pace, on whether
the first pause is over (a task's scouts are waited for, its bursts follow at the pace), on how many
rows came since the last pause (bursts have a length), on how many are still to come, and on the
size of the batch. The model is a table of counts, each context shrunk towards a coarser one (a
hierarchy of Dirichlet priors), so that no single batch is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

SHORT_S = 2.0
"""Gaps up to this, s, do not end a run."""
EDGES_S = np.concatenate([[0.0, 0.5, 1.5, 2.5], 4.0 * 1.6 ** np.arange(31)])
"""Upper ends of the bins of a gap, s; the first bin is "at once"."""
BINS = len(EDGES_S) + 1
INSIDE = 9
"""Quantiles kept of each bin."""
PACE, STEP = 10, 3.0
"""Classes of a batch's median pause, each `STEP` times as long; the first: no pause but one."""
STATES = 2 * PACE
"""States of a batch: its pace, before the first pause and after it."""
RUN = 64
"""Rows since the last pause that are distinguished one by one."""
LEFT = 8
"""Classes of the rows still to come, each twice as many."""
LARGE = np.array([20, 60, 200, 600])
"""Rows of a batch from which on its times differ: large ones lag at their end."""
SIZES = len(LARGE) + 1
WEIGHTS = (4.0, 12.0, 12.0)
"""Rows that the coarser context counts for, from coarse to fine."""
KEPT = 20
"""Rows from which on a finest context is kept; others are as the coarser ones say."""
UNIT = 65_535
"""Chances are kept in steps of one in so many."""


@dataclass(frozen=True)
class WithinGroupTimes:
    """The distribution of the gaps within a batch; running sums over bins in steps of `UNIT`."""

    pace: np.ndarray
    """float64[sizes, pace], running sums of the chances of each pace."""
    by_left: np.ndarray
    """uint16[states x left x sizes, bins], by the rows still to come."""
    by_run: np.ndarray
    """uint16[states x run, bins], by the rows since the last pause."""
    kept: np.ndarray
    """int64[k], the finest contexts that are kept."""
    own: np.ndarray
    """uint16[k, bins], of these."""
    inside: np.ndarray
    """float64[bins, INSIDE], quantiles of the gaps within each bin, s."""

    @classmethod
    def fit(cls, seconds: np.ndarray, first: np.ndarray) -> WithinGroupTimes:
        """Return the distribution of the gaps of batches.

        Args:
            seconds: times of the rows, batch by batch and sorted within each, [n].
            first: where each batch begins, int64[b + 1].
        """
        sizes = np.diff(first)
        within = np.ones(len(seconds), bool)
        within[first[:-1]] = False
        label = np.repeat(np.arange(len(sizes)), sizes)[within]
        gaps = np.diff(seconds, prepend=seconds[:1])[within]
        place = np.arange(len(seconds))[within] - first[label]
        pauses, run = _memory(gaps, place)
        large = np.searchsorted(LARGE, sizes, "right")
        pace = _paces(gaps, pauses, label, len(sizes))
        state = _state(pace[label], pauses)
        bins = bin_of(gaps)
        codes = state, run, _left_class(sizes[label] - place), large[label]
        seen = int(bins.max(initial=0)) + 1
        by_left, by_run, kept, own = _tables(bins, codes, seen)
        inside = _insides(gaps, bins)[:seen]
        return cls(_shares(pace, large), by_left, by_run, kept, own, inside)

    @cached_property
    def chance(self) -> np.ndarray:
        """Running sums of the chances in each finest context, float32[contexts, bins]."""
        state, run, left, large = np.unravel_index(
            np.arange(STATES * RUN * LEFT * SIZES), (STATES, RUN, LEFT, SIZES)
        )
        sums = self.by_run[state * RUN + run].astype(np.float32)
        sums += self.by_left[(state * LEFT + left) * SIZES + large]
        sums /= 2 * UNIT
        sums[self.kept] = self.own / np.float32(UNIT)
        return sums

    def draw(self, sizes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the seconds of each row after its batch's first, float64[sum of sizes].

        All batches are walked side by side, those with most rows first.
        """
        order = np.argsort(-sizes, kind="stable")
        counts, out = sizes[order], np.zeros(int(sizes.sum()))
        base = (np.cumsum(sizes) - sizes)[order]
        large = np.searchsorted(LARGE, counts, "right")
        pace = (self.pace[large] <= rng.random((len(sizes), 1))).sum(axis=1)
        pace = np.minimum(pace, PACE - 1)
        pauses, run = np.zeros(len(sizes), np.int64), np.zeros(len(sizes), np.int64)
        offset = np.zeros(len(sizes))
        for place in range(1, int(sizes.max(initial=0))):
            m = int(np.searchsorted(-counts, -place, "left"))
            state, left = _state(pace[:m], pauses[:m]), _left_class(counts[:m] - place)
            context = _finest(state, np.minimum(run[:m], RUN - 1), left, large[:m])
            gap = self._gap(context, rng.random(m), rng.random(m))
            paused = gap > SHORT_S
            pauses[:m] += paused
            run[:m] = np.where(paused, 0, run[:m] + 1)
            offset[:m] += gap
            out[base[:m] + place] = offset[:m]
        return out

    def _gap(self, context: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        drawn = (self.chance[context] <= u[:, None].astype(np.float32)).sum(axis=1)
        drawn = np.minimum(drawn, len(self.inside) - 1)
        at = v * (INSIDE - 1)
        low = np.minimum(at.astype(np.int64), INSIDE - 2)
        a, b = self.inside[drawn, low], self.inside[drawn, low + 1]
        return a + (b - a) * (at - low)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def restore(cls, arrays: dict[str, np.ndarray]) -> WithinGroupTimes:
        """Return the distribution that `arrays` described."""
        return cls(**arrays)


def bin_of(gaps: np.ndarray) -> np.ndarray:
    """Return the bin of each gap, int64[n]."""
    return np.searchsorted(EDGES_S, gaps, "left")


def _paces(gaps: np.ndarray, pauses: np.ndarray, label: np.ndarray, n: int) -> np.ndarray:
    """Return the class of the lower median of each of n batches' pauses but the first, int64[n]."""
    later = (gaps > SHORT_S) & (pauses > 0)
    own, batch = gaps[later], label[later]
    count = np.bincount(batch, minlength=n)
    middle = np.cumsum(count) - count + np.maximum(count - 1, 0) // 2
    has, out = count > 0, np.zeros(n, np.int64)
    pause = own[np.lexsort([own, batch])][middle[has]]
    out[has] = np.clip(np.log(pause / SHORT_S) / np.log(STEP) + 1, 1, PACE - 1)
    return out


def _shares(pace: np.ndarray, large: np.ndarray) -> np.ndarray:
    """Return running sums of the chances of a pace given the class of size, [sizes, pace]."""
    counts = np.bincount(large * PACE + pace, minlength=SIZES * PACE).reshape(SIZES, PACE)
    return np.cumsum(_towards(counts, _whole(counts.sum(axis=0)), WEIGHTS[0]), axis=1)


def _state(pace: np.ndarray, pauses: np.ndarray) -> np.ndarray:
    """Return the state of a batch by its pace and how many pauses it had, int64[n]."""
    return 2 * pace + (pauses > 0)


def _left_class(left: np.ndarray) -> np.ndarray:
    """Return the class of the number of rows still to come, from 1 on."""
    return np.minimum(np.log2(np.maximum(left, 1)), LEFT - 1).astype(np.int64)


def _memory(gaps: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pauses of its batch before each gap and the rows since the last, [n] each."""
    n = len(gaps)
    at = np.arange(n)
    begin = at - (place - 1)
    paused = np.where(gaps > SHORT_S, at, -1)
    before = np.concatenate([[-1], np.maximum.accumulate(paused)[:-1]]) if n else paused
    run = np.where(before >= begin, at - before - 1, at - begin)
    total: np.ndarray = np.cumsum(gaps > SHORT_S) - (gaps > SHORT_S)
    pauses: np.ndarray = total - total[np.minimum(begin, max(n - 1, 0))]
    return pauses, np.minimum(run, RUN - 1)


def _finest(state: np.ndarray, run: np.ndarray, left: np.ndarray, large: np.ndarray) -> np.ndarray:
    return ((state * RUN + run) * LEFT + left) * SIZES + large


def _tables(bins: np.ndarray, codes: tuple[np.ndarray, ...], seen: int) -> tuple[np.ndarray, ...]:
    """Return `by_left`, `by_run`, `kept` and `own` of gaps in `seen` bins.

    Args:
        bins: of each gap, int64[n].
        codes: state, rows since the last pause, class of those to come, class of size, [n] each.
        seen: number of bins.
    """
    state, run, left, large = codes

    def counts(code: np.ndarray, size: int) -> np.ndarray:
        return np.bincount(code * seen + bins, minlength=size * seen).reshape(size, seen)

    whole = _whole(np.bincount(bins, minlength=seen))
    by_left = counts((state * LEFT + left) * SIZES + large, STATES * LEFT * SIZES)
    by_left = _towards(by_left, whole, WEIGHTS[0])
    by_run = _towards(counts(state * RUN + run, STATES * RUN), whole, WEIGHTS[1])
    kept, code, often = np.unique(_finest(*codes), return_inverse=True, return_counts=True)
    fine, chosen = counts(code, len(kept)), often >= KEPT
    kept, fine = kept[chosen], fine[chosen]
    s, r, le, la = np.unravel_index(kept, (STATES, RUN, LEFT, SIZES))
    # What is between: the mean of what the run and what the rows to come say.
    coarse = 0.5 * by_run[s * RUN + r] + 0.5 * by_left[(s * LEFT + le) * SIZES + la]
    own = _towards(fine, coarse, WEIGHTS[2])
    return _running(by_left), _running(by_run), kept, _running(own)


def _whole(counts: np.ndarray) -> np.ndarray:
    """Return shares, none of them 0."""
    return (counts + 1e-3) / (counts + 1e-3).sum()


def _towards(counts: np.ndarray, coarse: np.ndarray, weight: float) -> np.ndarray:
    total = counts.sum(axis=1, keepdims=True)
    return (counts + weight * coarse) / (total + weight)


def _running(chances: np.ndarray) -> np.ndarray:
    """Return running sums in steps of `UNIT`, uint16."""
    return np.rint(np.cumsum(chances, axis=1) * UNIT).astype(np.uint16)


def _insides(gaps: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Return quantiles of the gaps in each bin; of an empty one its ends."""
    out = np.zeros((BINS, INSIDE))
    edges = np.concatenate([[0.0], EDGES_S, EDGES_S[-1:]])
    for k in range(1, BINS):
        own = gaps[bins == k]
        few = np.array([edges[k], edges[k + 1]])
        out[k] = np.quantile(own if len(own) else few, np.linspace(0, 1, INSIDE))
    return out
