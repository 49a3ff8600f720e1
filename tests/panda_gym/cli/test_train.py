"""`panda-grid train`: each learner by its name, and bad input in one line."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from panda_gym import cli
from panda_gym.cli.app import BAD_INPUT
from panda_gym.jobs import JobStream
from panda_gym.training import TrainConfig
from tests.oracles.worlds import make_platform, make_stream


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("streams") / "jobs.parquet"
    made: JobStream = make_stream(make_platform(6), jobs=400)
    made.save(path)
    return path


def call(monkeypatch: pytest.MonkeyPatch, *words: Any) -> int:
    """The exit code of `panda-grid train` on a small grid."""
    small = ("--platform", "small15", "--scale", 1, "--jobs", 10, "--num-envs", 2)
    monkeypatch.setattr(sys, "argv", ["panda-grid", *map(str, ("train", *small, *words))])
    try:
        cli.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_difference_reward_learns_from_scenarios_and_loads_side_by_side(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stream: Path,
    tmp_path: Path,
) -> None:
    words = ("--algo", "difference_reward", "--scenario", "default@0.7", "--scenario", "default")
    code = call(
        monkeypatch, *words, "--stream", stream, "--steps", 80, "--hidden", 8, "--out", tmp_path
    )
    shown = capsys.readouterr().out
    assert code == 0
    assert "share of environment" in shown
    assert "evaluation" in shown
    assert (tmp_path / "agent" / "agent.json").is_file()


def test_a_curriculum_and_evaluations_by_flags(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stream: Path,
    tmp_path: Path,
) -> None:
    words = ("--load", 0.5, "--load", 1.0, "--evaluate-every", 1, "--stream", stream)
    assert call(monkeypatch, *words, "--steps", 128, "--out", tmp_path) == 0
    assert "evaluation" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("algo", "objective"),
    [
        ("maskable_ppo", "weighted_turnaround"),
        ("maskable_ppo", "ln_slowdown_weighted_turnaround"),
        ("difference_reward", "ln_slowdown_carbon"),
    ],
)
def test_an_objective_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stream: Path,
    tmp_path: Path,
    algo: str,
    objective: str,
) -> None:
    words = ("--algo", algo, "--objective", objective, "--stream", stream, "--steps", 64)
    assert call(monkeypatch, *words, "--out", tmp_path) == 0
    config = json.loads((tmp_path / "agent" / "agent.json").read_text())["provenance"]["config"]
    assert config["objective"] == objective
    assert config.get("gamma", 0.0) == 0.0


def test_settings_that_are_not_given_are_those_of_train(
    monkeypatch: pytest.MonkeyPatch, stream: Path, tmp_path: Path
) -> None:
    """The command and the Python function share their defaults: `TrainConfig`, the environment."""
    assert call(monkeypatch, "--stream", stream, "--steps", 64, "--out", tmp_path) == 0
    given = json.loads((tmp_path / "agent" / "agent.json").read_text())["provenance"]
    assert given["config"] == asdict(TrainConfig(steps=64, num_envs=2)) | {"loads": []}
    assert "reward" not in given["scenario"]


BAD = {
    "an unknown objective": (("--objective", "turnaround"), "mean_turnaround"),
    "an objective for a dqn that sees no episode end": (
        ("--algo", "dqn", "--objective", "ln_slowdown", "--jobs", 40, "--steps", 20),
        "lower --num-envs",
    ),
    "an unknown learner": (("--algo", "maskable-ppo"), "maskable_ppo"),
    "a limit for a learner without": (("--cost-limit", 1), "ppo_lagrangian"),
    "a limit for difference_reward": (
        ("--algo", "difference_reward", "--cost-limit", 1),
        "--cost-limit",
    ),
    "no limit for one with": (("--algo", "ppo_lagrangian"), "--cost-limit"),
    "a limit of nothing": (("--algo", "ppo_lagrangian", "--cost-limit", 0), "above 0"),
    "a device that is none": (("--device", "abacus"), "device"),
    "two scenarios for one": (("--scenario", "default", "--scenario", "calm"), "difference_reward"),
    "an unknown scenario": (("--scenario", "clam"), "calm"),
    "a domain for another learner": (("--domain", "scales"), "--algo difference_reward"),
    "a domain at one scale": (("--algo", "difference_reward", "--domain", "scales"), "--scale"),
    "an unknown network": (
        ("--algo", "difference_reward", "--network", "scale_free"),
        "scale_free_value",
    ),
    "a past of too few jobs": (("--until", 0.5), "1,000 jobs"),
    "a load that is none": (("--scenario", "calm@high"), "NAME@LOAD"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_said_in_one_line(
    case: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stream: Path,
    tmp_path: Path,
) -> None:
    words, said = BAD[case]
    assert call(monkeypatch, *words, "--stream", stream, "--out", tmp_path) == BAD_INPUT
    line = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(line) == 1
    assert said in line[0]
