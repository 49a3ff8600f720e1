"""Rows that came together are drawn together, and the interval grows as their number shrinks."""

from __future__ import annotations

import numpy as np
import pytest

from metrics.errors import MetricError
from metrics.statistics.resampling import poisson_weights, replicate, replicate_both, upper_of_pairs
from metrics.tables.blocks import GAP_S, blocks, blocks_of_both
from metrics.tables.samples import Sample, Schema

SCHEMA = Schema(("t",), ("k",), frozenset({"t"}), frozenset(), {"k": ("a", "b")}, ("t", "k"), {})


def sample(seconds, codes, groups=None) -> Sample:
    numbers = np.asarray(seconds, float)[:, None]
    return Sample(SCHEMA, numbers, np.asarray(codes, np.int32)[:, None], groups)


def naive(seconds, codes) -> list[set[int]]:
    """Join every two rows of one level that a chain of gaps of at most GAP_S connects."""
    found = [{i} for i in range(len(seconds))]
    for i in range(len(seconds)):
        for j in range(i):
            if codes[i] == codes[j] and abs(seconds[i] - seconds[j]) <= GAP_S:
                a = next(s for s in found if i in s)
                b = next(s for s in found if j in s)
                if a is not b:
                    found.remove(b)
                    a |= b
    return sorted(found, key=min)


@pytest.mark.parametrize("seed", range(5))
def test_batches_are_chains_of_equal_rows(seed):
    rng = np.random.default_rng(seed)
    seconds, codes = rng.uniform(0, 2000, 60), rng.integers(2, size=60)
    found = blocks(sample(seconds, codes), "batch", "t")
    sets = sorted((set(np.flatnonzero(found == b)) for b in np.unique(found)), key=min)
    assert sets == naive(seconds, codes)


def test_days_groups_and_rows():
    seconds = [0, 10, 86_399, 86_400, np.nan, np.nan]
    rows = sample(seconds, [0, 1, 0, 1, 0, 0])
    assert blocks(rows, "day", "t").tolist() == [0, 0, 0, 1, 2, 3]
    assert blocks(rows, "row", "t") is None
    assert blocks(rows, "batch", None) is None
    named = sample(seconds, [0, 1, 0, 1, 0, 0], np.array([7, 7, 7, 3, 3, 9]))
    assert blocks(named, "batch", None).tolist() == [1, 1, 1, 0, 0, 2]
    with pytest.raises(MetricError, match="blocks"):
        blocks(rows, "weeks", "t")


def test_a_block_has_one_weight():
    labels = np.array([0, 1, 1, 2, 0])
    for weights in poisson_weights(5, 20, np.random.default_rng(0), labels):
        assert weights[0] == weights[4]
        assert weights[1] == weights[2]
        assert weights.any()


def test_copies_of_rows_in_blocks_leave_the_interval_as_it_was():
    """Ten copies of each row hold no more news than one; a bootstrap of rows thinks they do."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=400)
    often, labels = np.repeat(x, 10), np.repeat(np.arange(400), 10)

    def spread(values, labels):
        def mean(weights):
            return np.array([weights @ values / weights.sum()])

        return replicate(mean, len(values), 300, np.random.default_rng(2), labels)[1].std()

    assert spread(often, labels) == pytest.approx(spread(x, None), rel=0.15)
    assert spread(often, None) < 0.5 * spread(x, None)


@pytest.mark.parametrize("seed", range(3))
def test_batches_of_two_tables_are_those_of_all_their_rows(seed):
    rng = np.random.default_rng(seed)
    seconds, codes = rng.uniform(0, 2000, 60), rng.integers(2, size=60)
    a, b = (sample(seconds[part], codes[part]) for part in (slice(25), slice(25, None)))
    found = blocks_of_both(a, b, "batch", "t")
    sets = sorted((set(np.flatnonzero(found == k)) for k in np.unique(found)), key=min)
    assert sets == naive(seconds, codes)
    assert blocks_of_both(a, b, "row", "t") is None


def test_groups_of_two_tables_are_never_taken_for_one():
    a = sample([0, 1, 2], [0, 0, 0], np.array([4, 4, 9]))
    b = sample([0, 1], [0, 0], np.array([4, 9]))
    assert blocks_of_both(a, b, "batch", "t").tolist() == [0, 0, 1, 2, 3]


def split_means(seed: int) -> tuple[float, float, float]:
    """Split rows of uneven tasks at random; return the difference of the means and two bounds."""
    rng = np.random.default_rng(seed)
    tasks = np.repeat(np.arange(150), 1 + rng.poisson(8, 150) + 120 * (np.arange(150) == 0))
    x = rng.normal(size=150)[tasks] + (tasks == 0) * 4 + 0.3 * rng.normal(size=len(tasks))
    order = rng.permutation(len(x))
    x, tasks, n = x[order], tasks[order], len(x) // 2

    def mean(values):
        return lambda w: np.array([w @ values / w.sum()])

    sides = mean(x[:n]), mean(x[n:])
    gap = x[:n].mean() - x[n:].mean()
    bounds = []
    for labels in (tasks, np.concatenate([tasks[:n], 150 + tasks[n:]])):
        pairs = replicate_both(sides, (n, len(x) - n), 60, np.random.default_rng(seed), labels)
        (_, mine), (_, real) = pairs
        bounds.append(upper_of_pairs(gap, mine[:, 0], real[:, 0], 0.05))
    return gap, bounds[0], bounds[1]


def test_bounds_on_the_difference_of_a_random_split_hold_as_often_as_they_say():
    """The true difference is 0; drawn apart, a huge task in both makes the bound far too wide."""
    found = np.array([split_means(seed) for seed in range(150)])
    covered = (found[:, 1:] >= 0).mean(axis=0)
    assert 0.89 <= covered[0] <= 0.99
    assert covered[1] == 1.0
    widths = (found[:, 1:] - found[:, :1]).mean(axis=0)
    assert widths[1] > 2 * widths[0]


def test_tasks_widen_the_intervals_of_fidelity(make):
    from metrics import base
    from metrics.base import Study
    from metrics.certificate import policy
    from metrics.tables.samples import read

    tasks = make(300, 1)
    whole = tasks.iloc[np.repeat(np.arange(300), 20)].sample(frac=1, random_state=0)
    parts = {"train": whole[:2000], "holdout": whole[2000:4000], "synthetic": whole[4000:]}
    rules = policy.load("default")
    found = []
    for kind in ("row", "batch"):
        settings = {**rules.settings, **rules.quick, "blocks": kind}
        study = Study(**read(parts), target=None, time="creationtime", seed=0, settings=settings)
        (score,) = [s for s in base.load("wd")(study) if s.id == "wd.workload"]
        found.append(score.bound - score.excess)
    assert found[1] > 1.5 * found[0]
