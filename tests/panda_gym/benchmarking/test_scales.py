"""Rankings of rules at several scales, from hand-made tables."""

from __future__ import annotations

import math

import pytest

from panda_gym.benchmarking import BenchmarkTable, Row
from panda_gym.benchmarking.scales import agreements, effect, markdown, smallest_that_agrees

FULL = {"tuned": 0.6, "earliest_completion": 0.7, "least_loaded": 1.0, "random": 2.0}
SWAPPED = {"tuned": 0.7, "earliest_completion": 0.6, "least_loaded": 1.0, "random": 2.0}
REVERSED = {name: -value for name, value in FULL.items()}


def made(logs: dict[str, float], scale: float) -> BenchmarkTable:
    """Two worlds a policy, e^+-0.1 times its geometric mean slowdown."""
    rows = [
        Row(policy, "day", seed, {"geometric_slowdown": math.exp(value + off)})
        for policy, value in logs.items()
        for seed, off in enumerate((-0.1, 0.1))
    ]
    return BenchmarkTable(tuple(rows), baseline="tuned", provenance={"scale": scale})


def test_taus_count_the_pairs_that_change_places() -> None:
    found = agreements({0.01: REVERSED, 0.1: SWAPPED, 1.0: FULL})
    assert found[0.01][1.0] == -1.0
    assert found[0.1][1.0] == pytest.approx(4 / 6)  # one of six pairs
    assert found[1.0][1.0] == 1.0
    assert math.isnan(agreements({0.1: {"tuned": 1.0, "random": 2.0}, 1.0: FULL})[0.1][1.0])


def test_the_smallest_scale_that_agrees_with_the_largest() -> None:
    assert smallest_that_agrees({0.01: REVERSED, 0.1: FULL, 1.0: FULL}) == 0.1
    assert smallest_that_agrees({0.01: REVERSED, 0.1: SWAPPED, 1.0: FULL}) == 1.0


def test_the_effect_is_the_distance_of_the_best_rule_to_others() -> None:
    found = effect(FULL)
    assert found.best == "tuned"
    assert found.to_median == pytest.approx(0.25)
    assert found.to_random == pytest.approx(1.4)
    assert math.isnan(effect({"tuned": 0.5, "sita": 0.6}).to_random)


def test_the_page_ranks_agents_beside_rules_but_not_among_them() -> None:
    tables = {
        0.01: made({**SWAPPED, "runs/agent": 0.5}, 0.01),
        1.0: made({**FULL, "runs/agent": 0.9}, 1.0),
    }
    page = markdown("atlas", tables, "day")
    assert "| runs/agent | 1.65 (0.905) | 2.46 (1.350) |" in page  # exp(-.1), exp(.3)
    assert "| 0.01 | 1.00 | 0.67 | earliest_completion |" in page
