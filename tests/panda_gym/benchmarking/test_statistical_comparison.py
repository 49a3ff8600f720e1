"""Profiles, probabilities of improvement, normalised figures, headroom: against plain counting."""

from __future__ import annotations

import numpy as np
import pytest

from panda_gym.benchmarking import BenchmarkTable, Row
from panda_gym.benchmarking.fidelity import agreement
from panda_gym.benchmarking.leaderboard import Section, markdown
from panda_gym.benchmarking.measures import MEASURES
from panda_gym.benchmarking.statistical_comparison import (
    headroom,
    improvement,
    normalised_costs,
    normalised_reward,
    profiles,
)
from panda_gym.errors import PolicyError

LN = {"random": 2.0, "rule": 1.0, "agent": 0.9, "oracle:clairvoyant": 0.5}


def table(streams: tuple[str, ...] = ("a", "b"), seeds: int = 10) -> BenchmarkTable:
    """Four policies whose slowdowns share the luck of their worlds."""
    rng = np.random.default_rng(0)
    rows = []
    for stream in streams:
        luck = rng.normal(0.0, 0.5, seeds)
        for policy, ln in LN.items():
            for seed in range(seeds):
                own = np.exp(ln + luck[seed] + rng.normal(0.0, 0.05))
                values = {measure.name: float(own) for measure in MEASURES}
                values |= {"reward_pred": -float(np.log(own)), "cost": 0.1 * (1 + ln)}
                rows.append(Row(policy, stream, seed, values))
    return BenchmarkTable(tuple(rows), "rule")


def test_improvement_counts_worlds_won() -> None:
    found = table()
    wins = [
        found.values("agent", "geometric_slowdown", s)
        < found.values("rule", "geometric_slowdown", s)
        for s in found.streams
    ]
    interval = improvement(found, "agent", "geometric_slowdown")
    assert interval.value == pytest.approx(np.mean(wins))
    assert interval.low <= interval.value <= interval.high
    assert improvement(found, "rule", "geometric_slowdown").value == 0.5
    mirrored = improvement(found, "rule", "geometric_slowdown", against="agent")
    assert mirrored.value == pytest.approx(1.0 - interval.value)


def test_improvement_needs_a_better_end() -> None:
    with pytest.raises(PolicyError, match="better end"):
        improvement(table(), "agent", "utilisation")


def test_profiles_count_worlds_within_a_factor_of_the_best() -> None:
    found = table()
    by_policy = {one.policy: one for one in profiles(found, "geometric_slowdown", [1.0, 1.6, 9.0])}
    assert by_policy["oracle:clairvoyant"].share[0] == 1.0
    assert by_policy["random"].share.tolist() == [0.0, 0.0, 1.0]
    for stream in found.streams:
        best = found.values("oracle:clairvoyant", "geometric_slowdown", stream)
        ratio = found.values("agent", "geometric_slowdown", stream) / best
        assert (by_policy["agent"].share[1] == 1.0) == (ratio <= 1.6).all() or len(ratio) > 1
    for one in by_policy.values():
        assert (np.diff(one.share) >= 0.0).all()
        assert (one.low <= one.share).all()
        assert (one.share <= one.high).all()


def test_normalised_figures_have_their_fixed_points() -> None:
    found = table()
    for name, value in (("random", 0.0), ("rule", 1.0)):
        got = normalised_reward(found, name, "a", low="random", high="rule")
        assert got.value == pytest.approx(value)
    with pytest.raises(PolicyError, match="swap"):
        normalised_reward(found, "agent", "a", low="rule", high="random")
    costs = normalised_costs(found, "agent", "a")
    assert [round(interval.value, 3) for interval in costs.values()] == [1.9, 1.267, 0.95]


def test_headroom_is_against_the_best_of_the_rules() -> None:
    found = table()
    rules = ["random", "rule"]
    best, room = headroom(found, "oracle:clairvoyant", "geometric_slowdown", "a", rules)
    assert best == "rule"
    assert room.value == pytest.approx(1.0 - np.exp(0.5 - 1.0), abs=0.03)
    assert room.low <= room.value <= room.high


def test_the_leaderboard_ranks_and_names_its_command() -> None:
    text = markdown([Section("atlas", table(), "panda-grid benchmark --seeds 10")])
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    first = [line.split(" | ")[0].strip("| *") for line in lines[2:6]]
    assert first == ["oracle:clairvoyant", "agent", "rule", "random"]
    assert "    panda-grid benchmark --seeds 10" in text
    assert "The best heuristic, `random`, leaves" in text


def test_streams_that_rank_alike_agree_and_others_do_not() -> None:
    found = table(("real", "alike"))
    turned = [
        Row(row.policy, "turned", row.seed, {k: 1.0 / v for k, v in row.values.items()})
        for row in found.rows
        if row.stream == "real"
    ]
    both = BenchmarkTable((*found.rows, *turned), "rule")
    alike, other = agreement(both, "geometric_slowdown", "real")
    assert (alike.stream, other.stream) == ("alike", "turned")
    assert alike.tau.value == 1.0
    assert alike.regret.value == 0.0
    assert other.tau.value == -1.0
    assert other.regret.value > 1.0
