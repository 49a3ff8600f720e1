"""Marks of what a policy was fitted on, and who is ranked against whom."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from panda_gym.benchmarking import BenchmarkTable, Row, benchmark
from panda_gym.benchmarking.leaderboard import fair_ratio
from panda_gym.benchmarking.measures import MEASURES
from panda_gym.benchmarking.training_data import (
    LEAK,
    MARKS,
    NOT_FITTED,
    PAST,
    SAME,
    UNKNOWN,
    ZERO_SHOT,
    comparable,
    judged_part,
    mark,
)
from panda_gym.environments.placement import policies
from panda_gym.environments.placement.policies.tuned_weights import TunedWeights, write_fit
from panda_gym.errors import StreamError
from panda_gym.jobs import JobStream
from panda_gym.jobs.split import split
from panda_gym.provenance import named
from tests.oracles.worlds import make_platform, make_stream

PLATFORM = make_platform(5)
TRACE = make_stream(PLATFORM, jobs=3000)
PARTS = split(TRACE, 0.5)
SYNTHETIC = replace(TRACE, origin="synthetic jobs")


def fitted(folder: Path, stream: JobStream | None) -> Any:
    fit = TunedWeights({"queue": 1.0}, "atlas", stream=None if stream is None else named(stream))
    write_fit(folder / "weights.json", "fit", fit)
    return policies.create("tuned", weights=str(folder / "weights.json"))


@pytest.mark.parametrize(
    ("on", "judged", "expected"),
    [
        (PARTS[0], PARTS[1], PAST),
        (split(TRACE, 0.4)[0], PARTS[1], PAST),
        (split(TRACE, 0.6)[0], PARTS[1], LEAK),
        (TRACE, PARTS[1], LEAK),
        (PARTS[1], PARTS[0], LEAK),
        (TRACE, TRACE, LEAK),
        (SYNTHETIC, SYNTHETIC, SAME),
        (SYNTHETIC, TRACE, ZERO_SHOT),
        (make_stream(PLATFORM, jobs=300, seed=7), PARTS[1], ZERO_SHOT),
        (None, TRACE, UNKNOWN),
    ],
)
def test_a_mark_says_what_the_policy_knows_of_the_judged_jobs(
    on: JobStream | None, judged: JobStream, expected: str, tmp_path: Path
) -> None:
    assert mark(fitted(tmp_path, on), judged) == expected


def test_a_rule_without_numbers_is_not_fitted() -> None:
    assert mark(policies.create("random"), TRACE) == NOT_FITTED


@pytest.mark.parametrize("own", MARKS)
def test_an_agent_meets_rules_of_the_same_data_and_unfitted_ones(own: str) -> None:
    marks = {"agent": own, **{f"rule {one}": one for one in MARKS}}
    rules = [f"rule {one}" for one in MARKS]
    found = set(comparable(marks, "agent", rules))
    if own == LEAK:
        assert found == set()
    else:
        assert {f"rule {own}", f"rule {NOT_FITTED}"} <= found
        assert found <= {f"rule {own}", f"rule {NOT_FITTED}", f"rule {ZERO_SHOT}"}
        assert (f"rule {ZERO_SHOT}" in found) == (own in (ZERO_SHOT, NOT_FITTED))


def test_a_recorded_stream_is_judged_on_its_second_half() -> None:
    assert judged_part(TRACE).digest() == PARTS[1].digest()
    assert judged_part(TRACE, "whole") is TRACE
    assert judged_part(SYNTHETIC) is SYNTHETIC
    assert judged_part(make_stream(PLATFORM, jobs=300)).part is None
    with pytest.raises(StreamError, match="1,000 jobs"):
        judged_part(TRACE, 0.9)


def test_a_benchmark_marks_its_rows_and_says_which_jobs_are_judged(tmp_path: Path) -> None:
    table = benchmark(
        {"rule": "earliest_completion", "past": fitted(tmp_path, PARTS[0])},
        [TRACE], [0], platform=PLATFORM, scale=1.0, jobs=20, warmup=5, running=0, load=1.0,
    )  # fmt: skip
    assert table.marks() == {"rule": NOT_FITTED, "past": PAST}
    assert "1,500 jobs from" in table.provenance["streams"][TRACE.name]
    assert f"| past | {PAST} |" in table.to_markdown()
    table.to_json(tmp_path / "table.json")
    assert BenchmarkTable.from_json(tmp_path / "table.json").marks() == table.marks()


def test_an_agent_is_ranked_against_the_best_rule_of_the_same_data() -> None:
    values = {"agent": 2.0, "tuned@mine": 1.0, "tuned@other": 4.0, "random": 8.0}
    rows = tuple(
        Row(policy, "day", seed, {m.name: value for m in MEASURES})
        for policy, value in values.items()
        for seed in range(3)
    )
    marks = {"agent": ZERO_SHOT, "tuned@mine": PAST, "tuned@other": ZERO_SHOT, "random": NOT_FITTED}
    table = BenchmarkTable(rows, "random", {"fitted_on": {"day": marks}})
    assert fair_ratio(table, "agent", "day") == "0.500 [0.500, 0.500] * tuned@other"
    assert fair_ratio(table, "tuned@mine", "day") == "–"
