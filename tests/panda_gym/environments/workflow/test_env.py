"""PandaGrid/Workflow-v0: one physics with the simulator, in both interfaces, and honest rewards."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.environments.workflow import policies
from panda_gym.environments.workflow.observation import WorkflowView
from panda_gym.errors import SettingError, WorkflowError
from panda_gym.workflows import Pool, random_workflow, simulate
from panda_gym.workflows.degrees import residual_degrees
from panda_gym.workflows.summit import SUMMIT16, summit_workflow

NAME = "PandaGrid/Workflow-v0"


def play(env, act, seed=0):
    """Run an episode; returns its rewards and last info."""
    observation, info = env.reset(seed=seed)
    rewards, done = [], False
    while not done:
        observation, reward, done, truncated, info = env.step(act(observation))
        rewards.append(reward)
        assert not truncated
    return rewards, info


def by(name, seed=0):
    """A policy as a function of a single observation."""
    policy, rng = policies.create(name), np.random.default_rng(seed)
    return lambda o: int(policy({k: v[None] for k, v in o.items()}, rng)[0])


@pytest.mark.parametrize("workflow", ["ddmd", "ddmd_authors", "cdg1", "cdg2"])
@pytest.mark.parametrize("rule", ["fifo", "upward_rank", "longest_first"])
@pytest.mark.parametrize("granularity", ["set", "task"])
def test_a_policy_gives_the_list_schedule(workflow, rule, granularity):
    env = gymnasium.make(NAME, workflow=workflow, granularity=granularity, gap_s=6.91)
    _, info = play(env, by(rule))
    flow = summit_workflow(workflow)
    from panda_gym.workflows import Overheads

    listed = simulate(flow, SUMMIT16, priority=rule, overheads=Overheads(gap_s=6.91))
    assert info["clock_s"] == pytest.approx(listed.ttx_s, rel=1e-12)
    played = env.get_wrapper_attr("execution")()
    np.testing.assert_allclose(played.stop, listed.stop, rtol=1e-12)


def test_the_policy_case():
    times = {
        rule: play(gymnasium.make(NAME, workflow="ddmd"), by(rule))[1]["clock_s"]
        for rule in policies.names()
    }
    assert times["sequential"] == 1575.0
    assert times["fifo"] == 1267.5
    ranked = ("upward_rank", "upward_rank_earliest_finish", "masking_aware")
    assert [times[rule] for rule in ranked] == [1232.5] * 3
    assert min(times.values()) >= 1205.0


@pytest.mark.parametrize("platform", ["summit16", "small15"])
def test_rewards_add_up_to_what_they_say(platform):
    flow = random_workflow("layered", 4, tasks=60)
    env = gymnasium.make(NAME, workflow=flow, platform=platform, reward="makespan")
    rewards, info = play(env, by("random", 1))
    assert sum(rewards) == pytest.approx(-info["clock_s"] / info["t_seq_s"])
    env = gymnasium.make(NAME, workflow=flow, platform=platform, reward="work")
    rewards, info = play(env, by("random", 1))
    run = env.get_wrapper_attr("execution")()
    # Work is unfinished until its task ends.
    area = float(np.dot(flow.mean_s[flow.task_set()], run.stop))
    assert sum(rewards) == pytest.approx(-area / (flow.mean_s.sum() * info["t_seq_s"]))


@pytest.mark.parametrize("shape", ["layered", "ddmd", "montage"])
def test_residual_degrees_are_those_of_a_recomputation(shape):
    size = {"layered": {"tasks": 25, "layers": 5}, "ddmd": {"simulations": 12}, "montage": {}}
    flow = random_workflow(shape, 7, **size[shape])
    pool = Pool("p", nodes=3, threads=64, gpus=4)
    env = gymnasium.make(NAME, workflow=flow, platform=pool, slots=25)
    act = by("random", 3)
    observation, _ = env.reset(seed=0)
    done, seen = False, 0
    while not done:
        view, state = WorkflowView(observation), env.unwrapped.batch._state
        sets = state.sets[0]
        free = np.stack([state.nodes[name][0] for name in ("threads", "gpus", "memory")], axis=1)
        expected = residual_degrees(flow, pool, sets["unstarted"], sets["unfinished"], free)
        assert view.graph("doa_dep")[0, 0] == pytest.approx(expected.doa_dep, abs=1e-3)
        assert view.graph("doa_res")[0, 0] == pytest.approx(expected.doa_res, abs=1e-3)
        assert view.graph("wla")[0, 0] == pytest.approx(expected.wla, abs=1e-3)
        seen += 1
        observation, _, done, _, _ = env.step(act(observation))
    assert seen > 3


@pytest.mark.parametrize(
    "settings",
    [
        {"workflow": "ddmd"},
        {"workflow": "random:forkjoin", "platform": "small15", "variants": 3},
        {"workflow": "random:layered", "granularity": "task", "variants": 2, "mode": "tasks"},
        {},
        {"workflow": "random:layered", "platform": "small15"},
    ],
)
def test_a_batch_is_its_members_bit_for_bit(settings):
    envs = gymnasium.make_vec(NAME, num_envs=3, **settings)
    singles = [gymnasium.make(NAME, **settings) for _ in range(3)]
    many, _ = envs.reset(seed=[5, 1, 9])
    ones = [env.reset(seed=seed)[0] for env, seed in zip(singles, (5, 1, 9), strict=True)]
    policy, rng = policies.create("random"), np.random.default_rng(2)
    for _ in range(60):
        for e, one in enumerate(ones):
            for part in one:
                np.testing.assert_array_equal(many[part][e], one[part], err_msg=part)
        actions = policy(many, rng)
        many, rewards, dones, _, _ = envs.step(actions)
        for e, env in enumerate(singles):
            ones[e], reward, done, _, _ = env.step(int(actions[e]))
            assert (reward, done) == (rewards[e], dones[e])
            if done:
                ones[e], _ = env.reset()


def test_the_seed_draws_graph_and_durations():
    returns = {}
    for rule in ("fifo", "upward_rank"):
        env = gymnasium.make(NAME, reward="makespan")
        runs = [(play(env, by(rule), seed), env.unwrapped.batch.workflow(0)) for seed in range(8)]
        returns[rule] = [sum(rewards) for (rewards, _), _ in runs]
        graphs = [(len(flow), tuple(flow.tasks), tuple(flow.mean_s)) for _, flow in runs]
        assert len(set(graphs)) == len(set(returns[rule])) == 8
        again = sum(play(gymnasium.make(NAME, reward="makespan"), by(rule), 5)[0])
        assert again == returns[rule][5]
    assert sum(a != b for a, b in zip(*returns.values(), strict=True)) >= 4


def test_variants_are_a_library_of_which_the_seed_draws():
    env = gymnasium.make(NAME, workflow="random:campaign", variants=3)
    names = set()
    for seed in range(12):
        env.reset(seed=seed)
        names.add(env.unwrapped.batch.workflow(0).name)
    assert names == {"campaign-0", "campaign-1", "campaign-2"}


def test_hold_lets_time_pass_and_the_mask_forbids_waiting_for_nothing():
    env = gymnasium.make(NAME, workflow="ddmd")
    observation, _ = env.reset(seed=0)
    hold = env.action_space.n - 1
    # Nothing runs at the start: there is nothing to wait for.
    assert observation["action_mask"][hold] == 0
    env.step(0)
    # The second simulations run, the first aggregation is ready.
    observation, _, _, _, info = env.step(0)
    before = info["clock_s"]
    assert observation["action_mask"][hold] == 1
    *_, info = env.step(hold)
    assert info["clock_s"] > before


def test_a_masked_action_never_raises_and_costs():
    env = gymnasium.make(NAME, workflow="ddmd")
    env.reset(seed=0)
    *_, info = env.step(env.action_space.n - 1)
    assert info["cost"] == 1.0
    assert info["costs"] == {"illegal_action": 1.0}
    *_, info = env.step(0)
    assert info["costs"] == {"illegal_action": 0.0}, "a cost is that of its step"


def test_bad_settings_are_one_clear_error():
    for settings, named in (
        ({"workflows": "ddmd"}, "did you mean workflow"),
        ({"workflow": "ddm"}, "did you mean ddmd"),
        ({"platform": "small16"}, "small15"),
        ({"slots": 0}, "slots"),
        ({"reward": "speed"}, "reward"),
        ({"granularity": "sets"}, "did you mean set"),
        ({"variants": 0}, "variants"),
    ):
        with pytest.raises(SettingError, match=named):
            gymnasium.make(NAME, **settings)
    with pytest.raises(WorkflowError, match="gpus"):
        gymnasium.make(NAME, workflow="ddmd", platform="small15")
    with pytest.raises(WorkflowError, match="512 task sets"):
        gymnasium.make(NAME, workflow=random_workflow("layered", 0, tasks=600))


def test_a_step_out_of_turn_is_one_clear_error():
    env = gymnasium.make(NAME, workflow="cdg1").unwrapped
    with pytest.raises(SettingError, match="reset"):
        env.step(0)
    env.reset(seed=0)
    with pytest.raises(SettingError, match="has ended"):
        env.execution()


def test_the_last_observation_allows_an_action():
    env = gymnasium.make(NAME, workflow="cdg1")
    observation, _ = env.reset(seed=0)
    done = False
    while not done:
        assert observation["action_mask"].any()
        action = int(np.flatnonzero(observation["action_mask"])[0])
        observation, _, done, _, _ = env.step(action)
    assert observation["action_mask"].any()
