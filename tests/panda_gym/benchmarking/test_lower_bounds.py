"""Lower bounds in a benchmark: below every policy on the same seed, stored, and said in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from panda_gym.benchmarking import benchmark
from panda_gym.benchmarking.leaderboard import Section, markdown
from panda_gym.benchmarking.lower_bounds import PLAN, distance
from tests.oracles.worlds import make_platform, make_stream

PLATFORM = make_platform(6, most_cores=12)
SETTINGS = {
    "platform": PLATFORM, "scale": 1.0, "jobs": 40, "warmup": 5, "running": 5, "load": 1.3,
}  # fmt: skip


def test_a_benchmark_with_the_plan_states_the_distance_to_the_bound(tmp_path: Path) -> None:
    stream = make_stream(PLATFORM, jobs=300)
    names = ["earliest_completion", "fastest", PLAN]
    table = benchmark(names, [stream], range(3), folder=tmp_path, **SETTINGS)
    name = table.streams[0]
    known = np.array([one["geometric_slowdown"] for one in table.provenance["lower_bound"][name]])
    for policy in names:
        assert (table.values(policy, "geometric_slowdown", name) >= known).all()
    said = distance(table, name)
    assert f"{np.exp(np.log(known).mean()):.3f}" in said
    assert said in markdown([Section("here", table, "command")])
    again = benchmark(names, [stream], range(3), folder=tmp_path, **SETTINGS)
    assert again.provenance["lower_bound"] == table.provenance["lower_bound"]


def test_without_the_plan_nothing_is_said() -> None:
    table = benchmark(["fastest"], [make_stream(PLATFORM, jobs=300)], [0], **SETTINGS)
    assert table.provenance["lower_bound"] == {}
    assert distance(table, table.streams[0]) == ""
