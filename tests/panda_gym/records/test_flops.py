"""Workload = cores x power x CPU time."""

from __future__ import annotations

import numpy as np
import pytest

from panda_gym.errors import RecordsError
from panda_gym.records.flops import site_power, workload_gflop
from panda_gym.sites import load_platform


def test_workload_is_the_product_row_by_row():
    rng = np.random.default_rng(0)
    cores, power, cpu = rng.integers(1, 9, 20), rng.uniform(5, 25, 20), rng.uniform(1, 1e5, 20)
    slow = [float(c) * float(p) * float(t) for c, p, t in zip(cores, power, cpu, strict=True)]
    np.testing.assert_allclose(workload_gflop(cores, power, cpu), slow, rtol=1e-15)


@pytest.mark.parametrize("cpu", [-1.0, np.nan, np.inf])
def test_impossible_cpu_times_are_refused(cpu):
    with pytest.raises(RecordsError, match="CPU time"):
        workload_gflop([1], [10.0], [cpu])


def test_unknown_sites_get_the_median_power_and_are_told():
    platform = load_platform("tiny4")
    power, known = site_power([platform.names[2], "Nowhere", platform.names[0]], platform)
    median = np.median(platform.power)
    assert power.tolist() == [platform.power[2], median, platform.power[0]]
    assert known.tolist() == [True, False, True]
