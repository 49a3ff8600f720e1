"""PandaGrid/Pipelines-v0: one physics with the simulator, in both interfaces, true rewards."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.environments.pipeline import policies
from panda_gym.errors import PipelineError, PolicyError, SettingError
from panda_gym.pipelines.kernel import BEGIN
from panda_gym.pipelines.simulation import drive, history_of

NAME = "PandaGrid/Pipelines-v0"
SMALL = {"models": 5, "days": 6.0, "age_days": 4.0, "arrivals_per_day": 3.0}


def play(env, name, seed=0):
    """Run an episode; returns its rewards and last info."""
    policy, rng = policies.create(name), np.random.default_rng(seed)
    observation, info = env.reset(seed=seed)
    rewards, done = [], False
    while not done:
        action = int(policy({k: v[None] for k, v in observation.items()}, rng)[0])
        assert env.get_wrapper_attr("action_masks")()[action]
        observation, reward, terminated, done, info = env.step(action)
        assert not terminated
        rewards.append(reward)
    return rewards, info


@pytest.mark.parametrize("name", policies.names())
def test_returns_add_up_to_quality_hours_minus_cost(name):
    env = gymnasium.make(NAME, reward="net", **SMALL)
    _, first = env.reset(seed=1)
    assert first["cost"] == 0.0
    rewards, info = play(env, name, 1)
    assert info["clock_s"] == 6 * 86_400.0
    ran = env.get_wrapper_attr("history")()
    figures = ran.summary()
    assert sum(rewards) == pytest.approx(figures["quality_hours"] - figures["cost"], rel=1e-9)
    counts = ran.counts()
    assert counts.pop("requested") == sum(counts.values()) == info["runs"]
    pending = int((ran.models["pending"] >= 0).sum())
    assert info["requests"] == info["runs"] + info["merged"] + pending


def test_the_default_return_is_that_of_net_but_for_a_constant():
    gaps = []
    for name in ("accept", "defer", "random"):
        returns = {}
        for reward in ("lost", "net"):
            env = gymnasium.make(NAME, reward=reward, weight_spread=0.5, **SMALL)
            returns[reward] = sum(play(env, name, 1)[0])
        weight = env.unwrapped.batch._plan.models["weight"].sum()
        gaps.append(returns["net"] - weight * returns["lost"])
    assert gaps == pytest.approx([weight * 24.0 * SMALL["days"]] * 3)


def test_accepting_at_once_is_the_simulation_without_an_agent():
    env = gymnasium.make(NAME, **SMALL | {"arrivals_per_day": 0.0}).unwrapped
    play(env, "accept", 3)
    batch = env.batch
    general = batch._plan.general.copy()
    general["agent_decides"], general["review"] = 0, 0.0
    plan, state = batch._plan._replace(general=general), batch._state
    again = state._replace(**{f: getattr(state, f).copy() for f in state._fields})
    again, *_ = drive(plan, again, np.full(1, BEGIN, np.int8), np.zeros(1, np.int64))
    alone = history_of(batch.operations, plan, again, 0)
    played = env.history()
    assert len(alone) == len(played) > 5
    np.testing.assert_allclose(played.tasks["end"], alone.tasks["end"], rtol=1e-12)


def test_a_batch_is_its_members_bit_for_bit():
    envs = gymnasium.make_vec(NAME, num_envs=3, **SMALL)
    singles = [gymnasium.make(NAME, **SMALL) for _ in range(3)]
    many, _ = envs.reset(seed=[5, 1, 9])
    ones = [env.reset(seed=seed)[0] for env, seed in zip(singles, (5, 1, 9), strict=True)]
    policy, rng, ended = policies.create("random"), np.random.default_rng(2), 0
    for _ in range(120):
        for e, one in enumerate(ones):
            for part in one:
                np.testing.assert_array_equal(many[part][e], one[part], err_msg=part)
        actions = policy(many, rng)
        many, rewards, _, dones, infos = envs.step(actions)
        for e, env in enumerate(singles):
            ones[e], reward, _, done, info = env.step(int(actions[e]))
            assert (reward, done) == (rewards[e], dones[e])
            if done:
                ended += 1
                assert infos["final_info"]["runs"][e] == info["runs"]
                ones[e], _ = env.reset()
    assert ended >= 3


def test_delays_change_the_load_that_comes():
    runs = {}
    for name in ("accept", "defer"):
        env = gymnasium.make(NAME, **SMALL)
        _, info = play(env, name, 0)
        runs[name] = (info["requests"], info["runs"])
    assert runs["defer"][1] == 0
    assert runs["accept"][0] > runs["defer"][0]


def test_models_may_be_retrained_unasked_and_not_twice_at_once():
    env = gymnasium.make(NAME, **SMALL | {"arrivals_per_day": 0.0, "age_days": 0.0})
    observation, _ = env.reset(seed=0)
    places = observation["places"].shape[1]
    *_, info = env.step(2 * places + 1)
    assert info["runs"] == 1
    assert not env.get_wrapper_attr("action_masks")()[2 * places : 3 * places].any()
    *_, info = env.step(2 * places)
    assert info["costs"]["illegal_action"] == 1.0
    assert info["cost"] == info["costs"]["compute"] + 1.0
    assert info["runs"] == 1
    task = env.get_wrapper_attr("history")().tasks
    assert 1 in task["cluster"]


def test_grid_sites_help_a_full_cluster():
    busy = {"models": 16, "training_slots": 1, "days": 12.0, "arrivals_per_day": 0.0}
    quality = {
        name: sum(play(gymnasium.make(NAME, reward="quality", **busy), name)[0])
        for name in ("accept", "soonest", "defer")
    }
    assert quality["soonest"] > quality["accept"] > quality["defer"]


def test_bad_settings_are_one_clear_error():
    for settings, named in (
        ({"model": 3}, "did you mean models"),
        ({"reward": "cash"}, "reward"),
        ({"days": 0}, "days"),
        ({"sites": 99}, "beside the home site"),
        ({"models": 0}, "models"),
        ({"drift": "linaer"}, "did you mean linear"),
    ):
        with pytest.raises(SettingError, match=named):
            gymnasium.make(NAME, **settings)
    with pytest.raises(PipelineError, match="below 1"):
        gymnasium.make(NAME, staleness=2.0)
    with pytest.raises(PolicyError, match="did you mean accept"):
        policies.create("acept")


def test_a_step_out_of_turn_is_one_clear_error():
    env = gymnasium.make(NAME, **SMALL).unwrapped
    with pytest.raises(SettingError, match="reset"):
        env.step(0)


def test_an_episode_that_ends_leaves_the_infos_of_the_others():
    """Fleets of other lengths of play: what one's end begins must not wipe the other's info."""
    envs = gymnasium.make_vec(NAME, num_envs=2, **SMALL)
    alone = gymnasium.make(NAME, **SMALL)
    envs.reset(seed=[3, 8])
    alone.reset(seed=8)
    rng, ends = np.random.default_rng(0), 0
    while ends == 0:
        actions = rng.integers(0, envs.single_action_space.n, 2)
        *_, dones, infos = envs.step(actions)
        *_, done, info = alone.step(int(actions[1]))
        if done:
            envs.reset(seed=[3, 8])
            alone.reset(seed=8)
            continue
        assert infos["reward_net"][1] == info["reward_net"]
        assert infos["cost"][1] == info["cost"]
        ends += int(dones[0])
