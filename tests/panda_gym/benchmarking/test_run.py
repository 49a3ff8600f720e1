"""Benchmarks on a small grid: paired worlds, resumption, bad input."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import panda_gym
from panda_gym.benchmarking import BenchmarkTable, benchmark
from panda_gym.benchmarking import run as running
from panda_gym.environments.placement import policies
from panda_gym.environments.placement.env import PlacementEnv
from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Memoryless
from panda_gym.errors import PolicyError, SeedError, SettingError, StreamError
from panda_gym.jobs import JobStream
from tests.oracles.worlds import make_platform, make_stream

PLATFORM = make_platform(6)
SCENARIO: dict[str, Any] = {
    "platform": PLATFORM,
    "scale": 1.0,
    "jobs": 40,
    "warmup": 30,
    "running": 0,
}
RULES = ["random", "earliest_completion"]


@pytest.fixture(scope="module")
def stream() -> JobStream:
    return make_stream(PLATFORM, jobs=400)


class Spy(Memoryless):
    """Takes the first or the last legal site and remembers the jobs that it saw."""

    def __init__(self, last: bool) -> None:
        self.last, self.jobs = last, []  # type: tuple[bool, list[np.ndarray]]

    def choose(self, view: PlacementView, rng: np.random.Generator) -> np.ndarray:
        self.jobs.append(view.codes("job").copy())
        mask = view.mask[:, ::-1] if self.last else view.mask
        first = mask.argmax(axis=1)
        return mask.shape[1] - 1 - first if self.last else first


class Answers(Memoryless):
    """Answers what it is told to."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def choose(self, view: PlacementView, rng: np.random.Generator) -> Any:
        return self.answer


class Raw(policies.Policy):
    """Not even whole numbers: `choose` is bypassed, as a policy of other people's might."""

    def reset(self, envs: int) -> None: ...

    def choose(self, view: PlacementView, rng: np.random.Generator) -> np.ndarray:
        return np.zeros((len(view), 2))


def rewards(table: BenchmarkTable, policy: str) -> list[float]:
    return table.values(policy, "reward_pred").tolist()


def test_policies_meet_the_same_jobs(stream: JobStream) -> None:
    low, high = Spy(last=False), Spy(last=True)
    table = benchmark({"low": low, "high": high}, [stream], range(3), **SCENARIO)
    np.testing.assert_array_equal(np.stack(low.jobs), np.stack(high.jobs))
    assert rewards(table, "low") != rewards(table, "high")


def test_a_world_is_the_environment_reset_with_its_seed(stream: JobStream) -> None:
    table = benchmark(["least_loaded"], [stream], [5, 9], **SCENARIO)
    env = PlacementEnv(stream=stream, reward="predicted", **SCENARIO)
    policy = policies.create("least_loaded")
    for row in table.rows:
        observation, _ = env.reset(seed=row.seed)
        total, done = 0.0, False
        while not done:
            action = policy.act(observation, np.random.default_rng(0))
            observation, reward, _, done, _ = env.step(action)
            total += float(reward)
        log = env.episode_log()
        judged = slice(SCENARIO["warmup"], None)
        assert row.values["reward_pred"] == pytest.approx(total / 40)
        assert row.values["mean_slowdown"] == pytest.approx(log.bounded_slowdown[judged].mean())
        assert row.values["mean_wait"] == pytest.approx(log.wait_s[judged].mean())
        assert row.values["wan"] == pytest.approx(log.moved_bytes[judged].sum() / 1e12)


def test_the_same_benchmark_twice_is_the_same(stream: JobStream) -> None:
    first = benchmark(RULES, [stream], range(3), **SCENARIO)
    assert benchmark(RULES, [stream], range(3), **SCENARIO).rows == first.rows


def test_a_table_of_several_streams_and_policies_by_any_kind_of_name(
    stream: JobStream, tmp_path: Path
) -> None:
    stream.save(tmp_path / "jobs.parquet")
    seen: list[tuple[int, int, str]] = []
    table = panda_gym.benchmark(
        ["random", policies.create("fastest"), "panda_production@scaled"],
        {"memory": stream, "file": tmp_path / "jobs.parquet"},
        seeds=[1, 2],
        baseline="fastest",
        progress=lambda *word: seen.append(word),
        **SCENARIO,
    )
    assert table.policies == ("random", "fastest", "panda_production@scaled")
    assert table.streams == ("memory", "file")
    assert table.baseline == "fastest"
    for policy in table.policies:
        np.testing.assert_array_equal(
            table.values(policy, "mean_wait", "memory"), table.values(policy, "mean_wait", "file")
        )
    assert seen[-1][:2] == (2 * 3 * 40, 2 * 3 * 40)
    assert table.provenance["streams"]["memory"] == stream.origin


def test_a_trace_file_is_a_stream(tmp_path: Path) -> None:
    lines = [f"{k} {60 * k} 0 {600 + k} 1 -1 -1 1 -1 -1 1 {k % 3} 1 1 1 1 -1 -1" for k in range(80)]
    (tmp_path / "small.swf").write_text("; a trace\n" + "\n".join(lines) + "\n")
    table = benchmark(["random"], tmp_path / "small.swf", [0], **SCENARIO)
    assert table.streams == ("small.swf",)


def test_a_finished_cell_is_not_run_again(
    stream: JobStream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {"rule": "earliest_completion", "broken": Answers([6, 6])}
    with pytest.raises(PolicyError, match="legal"):
        benchmark(broken, [stream], range(2), folder=tmp_path, **SCENARIO)
    assert len(list(tmp_path.iterdir())) == 1
    first = benchmark(["earliest_completion"], [stream], range(2), **SCENARIO)
    monkeypatch.setattr(running, "play", None)
    again = benchmark(["earliest_completion"], [stream], range(2), folder=tmp_path, **SCENARIO)
    assert again.rows == first.rows


def test_a_damaged_cell_is_run_again(stream: JobStream, tmp_path: Path) -> None:
    first = benchmark(["random"], [stream], [3], folder=tmp_path, **SCENARIO)
    (cell,) = tmp_path.iterdir()
    cell.write_text(cell.read_text()[:40])
    assert benchmark(["random"], [stream], [3], folder=tmp_path, **SCENARIO).rows == first.rows


def test_another_scenario_is_another_cell(stream: JobStream, tmp_path: Path) -> None:
    for load in (0.5, 0.9):
        benchmark(["random"], [stream], [3], folder=tmp_path, **SCENARIO, load=load)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("answer", [[6, 0], [-1, 0], [0], [0, 0, 0]])
def test_an_illegal_answer_is_one_clear_error(stream: JobStream, answer: list[int]) -> None:
    with pytest.raises(PolicyError, match="policy 'bad'"):
        benchmark({"bad": Answers(answer)}, [stream], [0, 1], **SCENARIO)


def test_an_answer_of_another_shape_is_refused(stream: JobStream) -> None:
    with pytest.raises(PolicyError, match="2 whole numbers"):
        benchmark({"raw": Raw()}, [stream], [0, 1], **SCENARIO)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"policies": ["leastloaded"]}, PolicyError, "did you mean least_loaded"),
        ({"policies": []}, PolicyError, "at least one policy"),
        ({"policies": ["random", "random"]}, PolicyError, "'random' twice"),
        ({"policies": [3]}, PolicyError, "agent's folder"),
        ({"policies": ["random@scaled"]}, PolicyError, "constant_scale"),
        ({"streams": []}, StreamError, "at least one stream"),
        ({"streams": [7]}, StreamError, "surrogate's name"),
        ({"baseline": "randon"}, PolicyError, "did you mean random"),
        ({"seeds": []}, SeedError, "at least one"),
        ({"seeds": [1, 1]}, SeedError, "differ"),
        ({"seeds": [0.5]}, SeedError, "non-negative integer"),
        ({"lod": 0.9}, SettingError, "did you mean load"),
        ({"surrogate": "default"}, PolicyError, "streams="),
    ],
)
def test_bad_input_is_one_clear_error(
    stream: JobStream, changes: Mapping[str, Any], error: type[Exception], words: str
) -> None:
    given = {"policies": ["random"], "streams": [stream], "seeds": [0], **SCENARIO, **changes}
    with pytest.raises(error, match=words):
        benchmark(**given)


def test_oracles_and_weights_are_contestants_under_names_of_their_own(
    stream: JobStream, tmp_path: Path
) -> None:
    names = ["earliest_completion", "tuned@atlas", "oracle:true_completion"]
    table = benchmark(names, [stream], range(2), folder=tmp_path, **SCENARIO)
    assert table.policies == tuple(names)
    assert table.provenance["policies"]["oracle:true_completion"]["name"] == names[2]
    assert len(table.provenance["policies"]["tuned@atlas"]["settings"]["row"]) > 10
    done: list[int] = []
    again = benchmark(
        names, [stream], range(2), folder=tmp_path,
        progress=lambda at, total, message: done.append(at), **SCENARIO,
    )  # fmt: skip
    assert again.rows == table.rows
    with pytest.raises(PolicyError, match="clairvoyant"):
        benchmark(["oracle:clairvoyan"], [stream], range(2), **SCENARIO)


def test_several_jobs_are_placed_at_once(stream: JobStream) -> None:
    """40 jobs, seven at a time: the last turn has five."""
    table = benchmark(["min_min", "round_robin"], [stream], range(2), decisions=7, **SCENARIO)
    assert len(table.rows) == 4
    with pytest.raises(PolicyError, match="2 x 7 whole numbers"):
        benchmark({"short": Answers(np.zeros(3, int))}, [stream], range(2), decisions=7, **SCENARIO)
    masked = Answers(np.full(2, 99))
    with pytest.raises(PolicyError, match="site 99 in environment 0"):
        benchmark({"masked": masked}, [stream], range(2), decisions=7, **SCENARIO)
