"""Rows that came together are drawn together, and the interval grows as their number shrinks."""

from __future__ import annotations

import numpy as np
import pytest

from metrics.blocks import GAP_S, blocks
from metrics.errors import MetricError
from metrics.resampling import poisson_weights, replicate
from metrics.tables import Sample, Schema

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


def test_tasks_widen_the_intervals_of_fidelity(make):
    from metrics import base, policy
    from metrics.base import Study
    from metrics.tables import read

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
