"""Tables from hand-made rows: statistics, renderings, round trips."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from panda_gym.benchmarking import BenchmarkTable, Row
from panda_gym.benchmarking.measures import MEASURES
from panda_gym.errors import PolicyError

NASTY = "<b>x|y</b>"


def made(shift: float = 5.0, streams: tuple[str, ...] = ("day",)) -> BenchmarkTable:
    """`slow` is `fast` plus `shift` on worlds that differ far more than that."""
    worlds = np.random.default_rng(0).normal(100.0, 1.0, (len(streams), 10))
    rows = [
        Row(policy, stream, seed, {m.name: float(worlds[k, seed] + extra) for m in MEASURES})
        for policy, extra in (("fast", 0.0), ("slow", shift))
        for k, stream in enumerate(streams)
        for seed in range(10)
    ]
    return BenchmarkTable(tuple(rows), baseline="fast", provenance={"scenario": {"load": 0.95}})


def test_paired_differences_cancel_the_worlds() -> None:
    off = made(0.25).difference("slow", "mean_slowdown")
    assert (off.low, off.high) == pytest.approx((0.25, 0.25))
    assert not made(0.25).separated("fast", "slow", "mean_slowdown")
    assert made(5.0).separated("fast", "slow", "mean_slowdown")


def test_differences_can_be_taken_against_another_policy_and_over_all_streams() -> None:
    table = made(2.0, ("day", "night"))
    assert table.difference("fast", "wan", against="slow").value == pytest.approx(-2.0)
    assert table.difference("slow", "wan", stream="night").n == 10
    assert table.difference("slow", "wan").n == 20


def test_outcomes_are_two_tables_of_policies_by_worlds_and_lower_is_better() -> None:
    table = made(2.0, ("day", "night"))
    found = table.outcomes("mean_slowdown")
    assert list(found) == ["real", "synthetic"]
    for word, stream in (("real", "day"), ("synthetic", "night")):
        assert list(found[word].index) == ["fast", "slow"]
        assert list(found[word].columns) == list(range(10))
        for policy in table.policies:
            own = table.values(policy, "mean_slowdown", stream)
            np.testing.assert_array_equal(found[word].loc[policy], own)
    more = table.outcomes("throughput")["real"].loc["slow"]
    np.testing.assert_array_equal(more, -table.values("slow", "throughput", "day"))


@pytest.mark.parametrize(
    ("streams", "metric", "word"),
    [
        (("day", "night"), "beauty", "metric of this benchmark"),
        (("day", "night"), "utilisation", "ranks policies"),
        (("day",), "wan", "two streams"),
        (("a", "b", "c"), "wan", "two streams"),
    ],
)
def test_outcomes_that_cannot_be_told_are_one_clear_error(
    streams: tuple[str, ...], metric: str, word: str
) -> None:
    with pytest.raises(PolicyError, match=word):
        made(2.0, streams).outcomes(metric)


def test_markdown_has_a_line_a_policy_and_a_cell_a_metric() -> None:
    lines = made().to_markdown(["mean_slowdown", "wan"]).splitlines()
    assert lines[0].startswith("day: interquartile mean over 10 paired seeds [95%")
    assert [line.count("|") for line in lines[2:6]] == [5] * 4
    assert lines[4].startswith("| fast | – | 1")


def test_markdown_shows_paired_differences_to_the_baseline() -> None:
    lines = made(0.25).to_markdown(["wan"]).splitlines()
    assert lines[7].startswith("day: difference to fast on the same seeds")
    assert lines[-1] == "| slow | 0.25 [0.25, 0.25] * |"
    assert made(0.0).to_markdown(["wan"]).splitlines()[-1] == "| slow | 0 [0, 0] (±0) |"


def test_csv_has_every_policy_and_metric(tmp_path: Path) -> None:
    made().to_csv(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * len(MEASURES)
    slow = next(row for row in rows if (row["policy"], row["metric"]) == ("slow", "wan"))
    assert float(slow["low"]) <= float(slow["iqm"]) <= float(slow["high"])
    assert float(slow["difference"]) == pytest.approx(5.0)
    assert slow["difference_against"] == "fast"


def test_html_escapes_names() -> None:
    rows = tuple(Row(NASTY, NASTY, row.seed, row.values) for row in made().rows)
    text = BenchmarkTable(rows, NASTY).to_html()
    assert NASTY not in text
    assert "&lt;b&gt;x|y&lt;/b&gt;" in text


def test_markdown_keeps_bars_inside_cells() -> None:
    rows = tuple(Row("a|b", "s", row.seed, row.values) for row in made().rows[:10])
    assert "| a\\|b |" in BenchmarkTable(rows, "a|b").to_markdown()


def test_json_returns_what_was_written(tmp_path: Path) -> None:
    made().to_json(tmp_path / "table.json")
    assert BenchmarkTable.from_json(tmp_path / "table.json") == made()


@pytest.mark.parametrize("text", ["", "{}", "[1]"])
def test_a_damaged_json_is_one_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "table.json").write_text(text)
    with pytest.raises(PolicyError, match="to_json"):
        BenchmarkTable.from_json(tmp_path / "table.json")


def test_unknown_names_suggest_the_nearest() -> None:
    table = made(streams=("day", "night"))
    with pytest.raises(PolicyError, match="did you mean slow"):
        table.interval("slo", "wan", "day")
    with pytest.raises(PolicyError, match="did you mean mean_wait"):
        table.interval("slow", "mean_wai", "day")
    with pytest.raises(PolicyError, match="did you mean night"):
        table.interval("slow", "wan", "nigth")
    with pytest.raises(PolicyError, match="name one of day, night"):
        table.interval("slow", "wan")
    with pytest.raises(PolicyError, match="did you mean"):
        table.to_markdown(["mean_slow"])


def test_a_table_of_0_1_is_read_with_the_fairness_that_it_has(tmp_path: Path) -> None:
    made().to_json(tmp_path / "table.json")
    document = json.loads((tmp_path / "table.json").read_text())
    for row in document["rows"]:
        row["values"].pop("fairness_projects")
        row["values"]["fairness"] = row["values"].pop("fairness_sizes")
    (tmp_path / "old.json").write_text(json.dumps(document))
    table = BenchmarkTable.from_json(tmp_path / "old.json")
    assert "fairness_projects" not in table.metrics
    own = made().values("slow", "fairness_sizes")
    np.testing.assert_array_equal(table.values("slow", "fairness_sizes"), own)
    assert "fairness_sizes" in table.to_markdown()
