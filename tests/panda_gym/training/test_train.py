"""Training on a small grid: it learns, resumes exactly, leaves no trace, refuses bad input."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from panda_gym.environments.placement.policies import create
from panda_gym.environments.placement.policies.learned import CARD, Learned, load_agent
from panda_gym.errors import PolicyError, SeedError, SettingError
from panda_gym.training import TrainConfig, Training, train
from panda_gym.training.checkpoint import FILE, Checkpoint
from panda_gym.training.curve import CurvePoint, read_curve
from panda_gym.training.evaluation import HeldOut
from tests.oracles.observations import observation
from tests.oracles.worlds import make_platform, make_stream

PLATFORM = make_platform(6)
SCENARIO: dict[str, Any] = {
    "platform": PLATFORM,
    "stream": make_stream(PLATFORM, jobs=400),
    "scale": 1.0,
    "jobs": 20,
    "warmup": 30,
}
SMALL = TrainConfig(
    steps=48,
    num_envs=2,
    rollout_steps=4,
    batch_size=4,
    hidden=8,
    critic=8,
    checkpoint_every=2,
    renew_every=4,
)
"""Six rollouts; episodes end and worlds begin anew in between."""


class Stop(Exception):
    """Raised in the middle of a run."""


def stop_at(steps: int) -> Callable[[int, int, str], None]:
    def progress(done: int, total: int, message: str) -> None:
        if done == steps:
            raise Stop

    return progress


def timeless(points: tuple[CurvePoint, ...]) -> list[CurvePoint]:
    return [replace(p, environment_s=0.0, choosing_s=0.0, learning_s=0.0) for p in points]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Training:
    """A run that was never stopped."""
    return train(tmp_path_factory.mktemp("runs") / "whole", SMALL, scenario=SCENARIO)


def same(a: Path, b: Path) -> bool:
    left, right = load_agent(a).state_dict(), load_agent(b).state_dict()
    return all(torch.equal(left[name], right[name]) for name in left)


def test_an_agent_comes_with_its_provenance_and_curve(whole: Training) -> None:
    card = json.loads((whole.agent / CARD).read_text())["provenance"]
    assert card["config"]["steps"] == 48
    assert card["scenario"]["stream"].startswith("JobStream:")
    assert set(card["versions"]) >= {"torch", "sb3-contrib", "panda-grid-gym"}
    assert [point.steps for point in whole.curve] == [8, 16, 24, 32, 40, 48]
    assert card["curve"] == [[point.steps, point.reward] for point in whole.curve]
    assert read_curve(whole.agent.parent / "curve.csv") == list(whole.curve)
    assert sum(whole.share.values()) == pytest.approx(1.0)


def test_a_trained_agent_is_a_policy_for_any_number_of_sites(whole: Training) -> None:
    policy = create("learned", folder=whole.agent.parent)
    for sites in (6, 50):
        batch = observation(0, sites=sites)
        chosen = policy(batch, np.random.default_rng(0))
        assert batch["action_mask"][np.arange(5), chosen].all()
    assert whole.policy() == Learned(whole.agent)


@pytest.mark.parametrize("steps", [16, 24, 32, 40])
def test_a_stopped_run_ends_as_one_that_never_stopped(
    whole: Training, tmp_path: Path, steps: int
) -> None:
    with pytest.raises(Stop):
        train(tmp_path, SMALL, scenario=SCENARIO, progress=stop_at(steps))
    resumed = train(tmp_path, SMALL, scenario=SCENARIO)
    assert same(resumed.agent, whole.agent)
    assert timeless(resumed.curve) == timeless(whole.curve)


@pytest.mark.long
def test_a_killed_run_ends_as_one_that_never_stopped(whole: Training, tmp_path: Path) -> None:
    code = (
        "import os, signal\n"
        "from tests.panda_gym.training.test_train import SCENARIO, SMALL, train\n"
        "kill = lambda done, total, word: done == 40 and os.kill(os.getpid(), signal.SIGKILL)\n"
        f"train({str(tmp_path)!r}, SMALL, scenario=SCENARIO, progress=kill)\n"
    )
    root = Path(__file__).parents[3]
    ended = subprocess.run([sys.executable, "-c", code], cwd=root, env=dict(os.environ))
    assert ended.returncode == -signal.SIGKILL
    assert not (tmp_path / "agent").exists()
    assert same(train(tmp_path, SMALL, scenario=SCENARIO).agent, whole.agent)


def test_a_finished_run_is_not_run_again(whole: Training, tmp_path: Path) -> None:
    out = whole.agent.parent
    before = (out / FILE).read_bytes()
    assert timeless(train(out, SMALL, scenario=SCENARIO).curve) == timeless(whole.curve)
    assert (out / FILE).read_bytes() == before


def test_same_seed_same_agent_and_another_seed_another(whole: Training, tmp_path: Path) -> None:
    again = train(tmp_path / "again", SMALL, scenario=SCENARIO)
    other = train(tmp_path / "other", replace(SMALL, seed=1), scenario=SCENARIO)
    assert same(again.agent, whole.agent)
    assert not same(other.agent, whole.agent)


def test_the_agent_learns(tmp_path: Path) -> None:
    config = TrainConfig(
        steps=6144, num_envs=16, rollout_steps=16, batch_size=64, hidden=16, learning_rate=3e-3
    )
    rewards = [point.reward for point in train(tmp_path, config, scenario=SCENARIO).curve]
    # Rewards are minus the logarithm of a ratio of at least one, so 0 is out of reach: what the
    # drawing policy loses falls by more than 40 % (here by 55 %).
    assert np.mean(rewards[-6:]) > 0.6 * np.mean(rewards[:3])


def test_global_generators_are_left_as_they_were(tmp_path: Path) -> None:
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002
    threads = torch.get_num_threads()
    train(tmp_path, replace(SMALL, steps=8), scenario=SCENARIO)
    assert torch.equal(torch.get_rng_state(), torch_state)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    assert torch.get_num_threads() == threads


def test_a_run_of_other_settings_is_refused(whole: Training) -> None:
    with pytest.raises(PolicyError, match=r"config\.gamma"):
        train(whole.agent.parent, replace(SMALL, gamma=0.9), scenario=SCENARIO)
    with pytest.raises(PolicyError, match=r"scenario\.load"):
        train(whole.agent.parent, SMALL, scenario={**SCENARIO, "load": 0.5})


def test_a_damaged_checkpoint_is_refused(whole: Training, tmp_path: Path) -> None:
    data = (whole.agent.parent / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(data[: len(data) // 2])
    with pytest.raises(PolicyError, match="a checkpoint"):
        train(tmp_path, SMALL, scenario=SCENARIO)


def test_a_checkpoint_returns_what_was_written(tmp_path: Path) -> None:
    written = Checkpoint({"a": torch.arange(3.0)}, {"steps": 7, "text": "é"})
    written.write(tmp_path / FILE)
    read = Checkpoint.read(tmp_path / FILE)
    assert read.state == written.state
    assert torch.equal(read.tensors["a"], written.tensors["a"])


NAMED = {"algo": "learner", "cost_limit": "cost limit"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 0),
        ("num_envs", 1.5),
        ("epochs", True),
        ("gamma", 1.5),
        ("learning_rate", float("nan")),
        ("ent_coef", "0"),
        ("algo", "sarsa"),
        ("evaluate_every", -1),
        ("loads", (0.5, float("nan"))),
        ("cost_limit", 0.1),
    ],
)
def test_bad_settings_are_refused(name: str, value: Any) -> None:
    with pytest.raises(PolicyError, match=NAMED.get(name, name)):
        TrainConfig(**{name: value})


def test_a_wrong_seed_is_refused() -> None:
    with pytest.raises(SeedError):
        TrainConfig(seed=-1)


def test_steps_are_rounded_up_to_whole_rollouts() -> None:
    assert TrainConfig(steps=9, num_envs=2, rollout_steps=4).total_steps == 16


def test_tensorboard_is_written_on_demand(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    train(tmp_path, replace(SMALL, steps=16), scenario=SCENARIO, tensorboard=True)
    assert list((tmp_path / "tensorboard").glob("events*"))


@pytest.mark.parametrize("algo", ["ppo", "a2c", "dqn"])
def test_every_learner_trains_an_agent_that_names_legal_sites(tmp_path: Path, algo: str) -> None:
    config = replace(SMALL, algo=algo, memory_steps=64)
    done = train(tmp_path, config, scenario=SCENARIO)
    assert [point.steps for point in done.curve] == [8, 16, 24, 32, 40, 48]
    assert all(np.isfinite(point.value_loss or 0.0) for point in done.curve)
    batch = observation(0, sites=9)
    chosen = done.policy()(batch, np.random.default_rng(0))
    assert batch["action_mask"][np.arange(5), chosen].all()
    assert {point.cost for point in done.curve} != {None}


def test_ppo_with_the_mask_in_its_policy_is_maskable_ppo(tmp_path: Path, whole: Training) -> None:
    done = train(tmp_path, replace(SMALL, algo="ppo"), scenario=SCENARIO)
    ours, theirs = (load_agent(one.agent).state_dict() for one in (done, whole))
    for name in ours:  # masks that are -1e8 and masks that are asked for differ by rounding
        torch.testing.assert_close(ours[name], theirs[name], atol=1e-3, rtol=1e-2)


LAGRANGIAN = replace(SMALL, algo="ppo_lagrangian", cost_limit=1.0)


def test_a_limit_that_costs_nothing_leaves_the_agent_as_it_is(
    tmp_path: Path, whole: Training
) -> None:
    done = train(tmp_path, LAGRANGIAN, scenario=SCENARIO)
    assert same(done.agent, whole.agent)
    assert {point.multiplier for point in done.curve} == {0.0}


def test_a_limit_below_what_was_reached_is_said_and_the_agent_kept(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="a cost limit that training comes to"):
        train(tmp_path, replace(LAGRANGIAN, cost_limit=1e-9), scenario=SCENARIO)
    assert (tmp_path / "agent" / CARD).is_file()


def test_a_stopped_run_under_a_limit_ends_as_one_that_never_stopped(tmp_path: Path) -> None:
    config = replace(LAGRANGIAN, cost_limit=5e-4)
    agents = []
    for name, stopped in (("whole", False), ("stopped", True)):
        out = tmp_path / name
        for progress in [stop_at(24), None] if stopped else [None]:
            with suppress(Stop, PolicyError):
                train(out, config, scenario=SCENARIO, progress=progress)
        agents.append(out / "agent")
    assert same(*agents)


CURRICULUM = replace(SMALL, loads=(0.5, 1.2), evaluate_every=2, evaluate_envs=2, renew_every=100)


def test_a_curriculum_changes_the_load_in_the_middle(tmp_path: Path, whole: Training) -> None:
    assert [CURRICULUM.stage(k) for k in range(6)] == [0, 0, 0, 1, 1, 1]
    assert [CURRICULUM.begins(k) for k in range(6)] == [True, False, False, True, False, False]
    done = train(tmp_path / "whole", CURRICULUM, scenario=SCENARIO)
    other = train(tmp_path / "other", replace(CURRICULUM, loads=(0.5,)), scenario=SCENARIO)
    assert done.curve[0].reward == other.curve[0].reward
    assert done.curve[3].reward != other.curve[3].reward


@pytest.mark.parametrize("steps", [16, 24, 32])
def test_a_stopped_curriculum_ends_as_one_that_never_stopped(tmp_path: Path, steps: int) -> None:
    whole = train(tmp_path / "whole", CURRICULUM, scenario=SCENARIO)
    with pytest.raises(Stop):
        train(tmp_path / "stopped", CURRICULUM, scenario=SCENARIO, progress=stop_at(steps))
    resumed = train(tmp_path / "stopped", CURRICULUM, scenario=SCENARIO)
    assert timeless(resumed.curve) == timeless(whole.curve)
    assert same(resumed.agent, whole.agent)


def test_the_agent_of_the_best_evaluation_is_kept(tmp_path: Path) -> None:
    done = train(tmp_path, replace(SMALL, evaluate_every=1, evaluate_envs=2), scenario=SCENARIO)
    found = [point.evaluation for point in done.curve]
    assert None not in found
    held_out = HeldOut([SCENARIO], 2)
    assert held_out.evaluate(load_agent(done.agent)) == max(f for f in found if f is not None)


def test_an_unknown_learner_is_answered_with_the_nearest() -> None:
    with pytest.raises(PolicyError, match="maskable_ppo"):
        TrainConfig(algo="maskable-ppo")


def test_an_agent_of_another_observation_is_refused(whole: Training, tmp_path: Path) -> None:
    shutil.copytree(whole.agent, tmp_path / "agent")
    card = json.loads((tmp_path / "agent" / CARD).read_text())
    card["features"]["sites"].pop()
    (tmp_path / "agent" / CARD).write_text(json.dumps(card))
    with pytest.raises(PolicyError, match="this observation"):
        load_agent(tmp_path / "agent")


def test_a_full_disk_leaves_the_last_checkpoint(
    tmp_path: Path, whole: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = []

    def full(*given: Any, **named: Any) -> None:
        writes.append(1)
        if len(writes) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        save_file(*given, **named)

    monkeypatch.setattr("panda_gym.training.checkpoint.save_file", full)
    with pytest.raises(OSError, match="No space left"):
        train(tmp_path, SMALL, scenario=SCENARIO)
    assert Checkpoint.read(tmp_path / FILE).state["steps"] == 16
    assert not (tmp_path / "agent").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [FILE, "curve.csv"]
    monkeypatch.undo()
    assert same(train(tmp_path, SMALL, scenario=SCENARIO).agent, whole.agent)


def test_learners_take_an_objective_and_a_stopped_run_ends_the_same(tmp_path: Path) -> None:
    """Difference rewards replace the reward; whole runs and resumed ones give one agent."""
    config = replace(SMALL, gamma=0.0)
    plain = train(tmp_path / "plain", config, scenario=SCENARIO)
    given = replace(config, objective="mean_turnaround")
    whole = train(tmp_path / "whole", given, scenario=SCENARIO)
    assert not same(whole.agent, plain.agent)
    with pytest.raises(Stop):
        train(tmp_path / "stopped", given, scenario=SCENARIO, progress=stop_at(16))
    resumed = train(tmp_path / "stopped", given, scenario=SCENARIO)
    assert same(resumed.agent, whole.agent)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"objective": "mean_turnaround", "gamma": 0.5}, "gamma=0"),
        ({"objective": "mean_turnarond", "gamma": 0.0}, "mean_turnaround"),
    ],
)
def test_an_objective_that_cannot_be_is_one_clear_error(given: Any, word: str) -> None:
    with pytest.raises((PolicyError, SettingError), match=word):
        TrainConfig(**given)


DQN = replace(SMALL, algo="dqn", gamma=0.0, steps=160, memory_steps=160, renew_every=1000)


def test_dqn_learns_difference_rewards_once_an_episode_has_ended(tmp_path: Path) -> None:
    """Twenty jobs in two grids: the sixth rollout is the first after the end of an episode."""
    given = replace(DQN, objective="ln_slowdown")
    done = train(tmp_path / "given", given, scenario=SCENARIO)
    losses = [point.value_loss for point in done.curve]
    assert losses[:4] == [None] * 4
    assert all(np.isfinite(loss or np.nan) for loss in losses[4:])
    plain = train(tmp_path / "plain", DQN, scenario=SCENARIO)
    assert not same(done.agent, plain.agent)


@pytest.mark.parametrize("changes", [{"memory_steps": 39}, {"steps": 40}])
def test_dqn_with_an_objective_wants_whole_episodes(tmp_path: Path, changes: Any) -> None:
    given = replace(DQN, objective="ln_slowdown", **changes)
    with pytest.raises(PolicyError, match="an episode of each environment, 40"):
        train(tmp_path, given, scenario=SCENARIO)


def test_ppo_lagrangian_penalises_difference_rewards(tmp_path: Path) -> None:
    """A limit that costs nothing changes nothing; one that binds does."""
    given = replace(SMALL, gamma=0.0, objective="ln_slowdown")
    plain = train(tmp_path / "plain", given, scenario=SCENARIO)
    free = replace(given, algo="ppo_lagrangian", cost_limit=1.0)
    assert same(train(tmp_path / "free", free, scenario=SCENARIO).agent, plain.agent)
    with pytest.raises(PolicyError, match="a cost limit that training comes to"):
        train(tmp_path / "bound", replace(free, cost_limit=1e-9), scenario=SCENARIO)
    assert not same(tmp_path / "bound" / "agent", plain.agent)
