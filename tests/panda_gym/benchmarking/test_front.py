"""The front of policies, against the definition; tables by classes of jobs, against plain means."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from panda_gym.benchmarking import BenchmarkTable, Row
from panda_gym.benchmarking.class_tables import class_tables
from panda_gym.benchmarking.front import front
from panda_gym.benchmarking.leaderboard import Section, markdown
from panda_gym.benchmarking.measures import MEASURES


def table(places: dict[str, tuple[float, float]], seeds: int = 3) -> BenchmarkTable:
    """Policies at these places of (ln slowdown, work-weighted turnaround)."""
    rows = [
        Row(
            policy, "day", seed, {m.name: 1.0 for m in MEASURES} | dict(zip(NAMES, at, strict=True))
        )
        for policy, at in places.items()
        for seed in range(seeds)
    ]
    return BenchmarkTable(tuple(rows), next(iter(places)))


NAMES = ("ln_slowdown", "weighted_turnaround")
PLACES = {
    "small": (1.0, 9.0), "middle": (2.0, 4.0), "large": (5.0, 3.0),
    "worse": (2.0, 5.0), "worst": (6.0, 9.0), "oracle:clairvoyant": (0.5, 0.5),
}  # fmt: skip


def test_members_are_beaten_by_no_policy_in_both() -> None:
    found = {point.policy: point for point in front(table(PLACES), "day")}
    assert [name for name, point in found.items() if point.member] == ["small", "middle", "large"]
    assert found["worse"].dominated_by == ("middle",)
    assert set(found["worst"].dominated_by) == {"small", "middle", "large", "worse"}


def test_an_oracle_is_shown_and_dominates_nobody() -> None:
    found = front(table(PLACES), "day")
    assert found[0].policy == "oracle:clairvoyant"
    assert found[0].oracle
    assert not found[0].member


def test_equal_policies_stand_on_the_front_together() -> None:
    found = front(table({"a": (1.0, 1.0), "b": (1.0, 1.0), "c": (1.0, 2.0)}), "day")
    assert [point.member for point in found] == [True, True, False]


def test_the_front_of_random_places_is_that_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    places = {f"p{k}": tuple(map(float, rng.integers(1, 6, 2))) for k in range(30)}
    found = {point.policy: point.member for point in front(table(places, seeds=1), "day")}  # type: ignore[arg-type]
    for one, member in found.items():
        beaten = any(
            all(a <= b for a, b in zip(places[other], places[one], strict=True))
            and places[other] != places[one]
            for other in places
        )
        assert member is not beaten


def test_a_table_of_an_older_release_has_no_front() -> None:
    rows = (Row("a", "day", 0, {"geometric_slowdown": 2.0, "mean_turnaround": 1.0}),)
    assert front(BenchmarkTable(rows, "a"), "day") == []
    assert class_tables(BenchmarkTable(rows, "a"), "day") == []


def test_the_leaderboard_names_the_front() -> None:
    text = markdown([Section("calm", table(PLACES), "panda-grid benchmark")])
    assert "work-weighted turnaround: `small`, `middle`, `large`." in text


def test_classes_are_averaged_over_the_seeds_that_have_them() -> None:
    values = [{"slowdown.cores.0": 2.0, "turnaround.cores.0": 3600.0}, {"slowdown.cores.0": 8.0}]
    values[1] |= {"turnaround.cores.0": 10_800.0, "slowdown.cores.2": 5.0}
    rows = [
        Row(policy, "day", seed, {m.name: 1.0 for m in MEASURES} | values[seed])
        for policy, seed in itertools.product(("a", "b"), range(2))
    ]
    found = class_tables(BenchmarkTable(tuple(rows), "a"), "day")
    slowdown, turnaround = found
    assert slowdown.head == ["policy", "1 core", "8 cores"]
    assert slowdown.body[0][1:] == [f"{math.sqrt(16.0):.3g}", "5"]
    assert turnaround.head == ["policy", "1 core"]
    assert float(turnaround.body[1][1]) == pytest.approx(2.0)
    assert "hours" in turnaround.caption
