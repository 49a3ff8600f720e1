"""Measures of a hand-made episode, worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from panda_gym.benchmarking.measures import MEASURES, Outcomes, measure


@pytest.fixture
def run() -> Outcomes:
    """A warm-start job and three judged ones on two cores; bound 10 s."""
    return Outcomes(
        judged=np.array([False, True, True, True]),
        arrival_s=np.array([0.0, 100.0, 150.0, 300.0]),
        start_s=np.array([0.0, 120.0, 200.0, 300.0]),
        end_s=np.array([200.0, 220.0, 205.0, 400.0]),
        ideal_s=np.array([80.0, 60.0, 4.0, 100.0]),
        cores=np.array([1, 1, 1, 2]),
        project=np.array([0, 0, 1, 1]),
        size=np.array([3, 0, 1, 0]),
        input_bytes=np.array([5e12, 1e12, 2e12, 0.0]),
        moved_bytes=np.array([5e12, 0.0, 2e12, 0.0]),
        remote=np.array([True, False, True, False]),
        of_judged=np.array([False, True, True, True]),
        placed=np.array([True, True, True, True]),
        at_black_hole=np.array([True, False, True, False]),
        reward_pred=np.array([-1.0, -2.0, -3.0]),
        reward_true=np.array([-2.0, -2.0, -5.0]),
        cost=np.array([0.0, 0.5, 1.0]),
        total_cores=2.0,
        bound_s=10.0,
        last_end_s=np.array([200.0, 220.0, 205.0, 400.0]),
        finished=np.ones(4, dtype=bool),
        wasted_s=np.zeros(4),
        work=np.array([7.0, 1.0, 2.0, 5.0]),
        run_s=np.array([200.0, 100.0, 4.0, 100.0]),
        energy_kwh=np.array([9.0, 0.5, 0.25, 1.0]),
        carbon_kg=np.array([9.0, 0.1, 0.2, 0.4]),
    )


def test_measures_are_as_worked_out_by_hand(run: Outcomes) -> None:
    slowdowns = [120 / 60, 55 / 10, 1.0]
    means = [slowdowns[0], (slowdowns[1] + slowdowns[2]) / 2]
    sizes = [(slowdowns[0] + slowdowns[2]) / 2, slowdowns[1]]
    own = [120 / 100, 55 / 10, 1.0]
    expected = {
        "mean_slowdown": sum(slowdowns) / 3,
        "geometric_slowdown": np.prod(np.array(slowdowns) ** (1 / len(slowdowns))),
        "ln_slowdown": np.log(slowdowns).mean(),
        "ln_slowdown_feitelson": np.log(own).mean(),
        "p99_slowdown": np.quantile(slowdowns, 0.99),
        "p99_turnaround": np.quantile([120, 55, 100], 0.99),
        "drain_time": 400 - 300,
        "black_hole": 1 / 3,
        "energy": 1.75,
        "carbon": 0.7,
        "p95_slowdown": np.quantile(slowdowns, 0.95),
        "mean_turnaround": (120 + 55 + 100) / 3,
        "weighted_turnaround": (1 * 120 + 2 * 55 + 5 * 100) / 8,
        "mean_wait": (20 + 50 + 0) / 3,
        "p50_wait": 20,
        "p95_wait": np.quantile([20, 50, 0], 0.95),
        "throughput": 3 / (200 / 3600),  # the warm start's job and two more end in 100 .. 300
        "utilisation": (100 + 100 + 5 + 0) / (2 * 200),
        "wan": 2.0,
        "remote_share": 0.5,
        "fairness_projects": sum(means) ** 2 / (2 * sum(m * m for m in means)),
        "fairness_sizes": sum(sizes) ** 2 / (2 * sum(m * m for m in sizes)),
        "reward_pred": -2.0,
        "reward_true": -3.0,
        "reward_gap": 1.0,
        "unfinished": 0.0,
        "wasted": 0.0,
        "cost": 0.5,
    }
    assert measure(run) == pytest.approx(expected)


def test_a_retried_job_counts_once_and_ends_with_its_last_attempt(run: Outcomes) -> None:
    # The second judged job failed after 5 s; its retry, another row, held a core from 250 to 290.
    more = {
        "judged": False, "arrival_s": 240.0, "start_s": 250.0, "end_s": 290.0, "ideal_s": 4.0,
        "cores": 1, "project": 1, "size": 1, "input_bytes": 2e12, "moved_bytes": 1e12,
        "remote": True, "of_judged": True, "last_end_s": 290.0, "finished": False,
        "wasted_s": 0.0, "work": 2.0, "run_s": 40.0, "energy_kwh": 0.5, "carbon_kg": 0.3,
        "placed": True, "at_black_hole": False,
    }  # fmt: skip
    rows = {name: np.append(getattr(run, name), value) for name, value in more.items()}
    rows["last_end_s"][2] = 290.0
    rows["wasted_s"][2], rows["run_s"][2] = 5.0, 40.0
    found, before = measure(replace(run, **rows)), measure(run)
    assert found["mean_turnaround"] == pytest.approx((120 + 140 + 100) / 3)
    assert found["wan"] == pytest.approx(before["wan"] + 1.0)
    assert found["mean_wait"] == before["mean_wait"]
    assert found["throughput"] == before["throughput"]
    assert found["utilisation"] == pytest.approx(before["utilisation"] + 40 / 400)
    assert found["wasted"] == pytest.approx(5 / 3600)
    own = np.log([120 / 100, 140 / 40, 1.0]).mean()
    assert found["ln_slowdown_feitelson"] == pytest.approx(own)
    assert found["energy"] == pytest.approx(before["energy"] + 0.5)
    assert found["carbon"] == pytest.approx(before["carbon"] + 0.3)
    assert (before["black_hole"], found["black_hole"]) == pytest.approx((1 / 3, 1 / 4))
    rows["finished"][2] = False
    lost = measure(replace(run, **rows))
    assert lost["unfinished"] == pytest.approx(1 / 3)
    assert lost["throughput"] == pytest.approx(before["throughput"] * 2 / 3)


def test_a_job_that_joined_a_transfer_read_remotely_and_moved_nothing(run: Outcomes) -> None:
    moved = np.array([5e12, 0.0, 0.0, 0.0])
    found = measure(replace(run, moved_bytes=moved))
    assert (found["wan"], found["remote_share"]) == (0.0, 0.5)


def test_a_job_that_never_started_waited_until_it_left(run: Outcomes) -> None:
    start = run.start_s.copy()
    start[3] = np.nan
    assert measure(replace(run, start_s=start))["mean_wait"] == pytest.approx((20 + 50 + 100) / 3)


def test_every_measure_says_unit_and_meaning(run: Outcomes) -> None:
    assert len({entry.name for entry in MEASURES}) == len(MEASURES)
    assert all(entry.unit and entry.meaning for entry in MEASURES)
    assert all(math.isfinite(value) for value in measure(run).values())


def test_fairness_compares_projects_and_sizes_each_on_its_own(run: Outcomes) -> None:
    even = replace(run, last_end_s=run.arrival_s + 2.0 * np.maximum(run.ideal_s, run.bound_s))
    found = measure(even)
    assert (found["fairness_projects"], found["fairness_sizes"]) == (1.0, 1.0)
    late = even.last_end_s.copy()
    late[1] += 1000.0  # the only judged job of project 0; of size 0, as the last job
    found = measure(replace(even, last_end_s=late))
    assert found["fairness_projects"] < 1.0
    same = measure(replace(even, last_end_s=late, size=np.zeros(4, dtype=int)))
    assert same["fairness_sizes"] == 1.0
    assert same["fairness_projects"] == found["fairness_projects"]
