"""Classes of jobs: tenths by work and classes by cores, against plain loops."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from panda_gym.benchmarking.job_classes import CLASSES, cores_class, measured_by_class, work_decile


def run(work: list[float], cores: list[int]) -> Any:
    """Judged jobs with these works and cores; job k has turnaround 100 k and slowdown k + 1."""
    count = len(work)
    return SimpleNamespace(
        judged=np.ones(count, bool),
        work=np.array(work),
        cores=np.array(cores),
        slowdown=lambda: np.arange(count) + 1.0,
        turnaround=lambda: 100.0 * np.arange(count),
    )


def test_tenths_hold_as_many_jobs_each_in_order_of_work() -> None:
    rng = np.random.default_rng(0)
    work = rng.permutation(40).astype(float).tolist()
    found = work_decile(run(work, [1] * 40))
    assert np.bincount(found).tolist() == [4] * 10
    assert [int(w) // 4 for w in work] == found.tolist()


def test_equal_work_is_told_apart_by_arrival() -> None:
    assert work_decile(run([5.0] * 10, [1] * 10)).tolist() == list(range(10))


def test_classes_by_cores_meet_at_their_edges() -> None:
    cores = [1, 2, 4, 7, 8, 9, 64]
    assert cores_class(run([1.0] * 7, cores)).tolist() == [0, 1, 1, 1, 2, 3, 3]


def test_figures_of_a_class_are_those_of_its_jobs() -> None:
    found = measured_by_class(run(list(range(10)), [1, 1, 8, 1, 1, 1, 1, 1, 1, 8]))
    assert found["turnaround.cores.2"] == pytest.approx((200 + 900) / 2)
    assert found["slowdown.cores.2"] == pytest.approx(math.sqrt(3 * 10))
    assert found["slowdown.work.9"] == pytest.approx(10.0)


def test_a_class_without_a_job_has_no_value() -> None:
    found = measured_by_class(run([1.0, 2.0, 3.0], [1, 1, 1]))
    assert "slowdown.cores.0" in found
    assert not any(key.startswith(("slowdown.cores.1", "slowdown.cores.2")) for key in found)
    assert sum(key.startswith("slowdown.work.") for key in found) == 3
    assert all(math.isfinite(value) for value in found.values())


def test_every_class_has_a_label() -> None:
    jobs = run(list(range(20)), [1, 2, 8, 9] * 5)
    for classes in CLASSES:
        assert classes.of(jobs).max() == len(classes.labels) - 1
