"""Mechanisms through the faces: equal bit for bit, masks, dense and sparse rewards, costs."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import panda_gym
from panda_gym.environments.placement.env import PlacementEnv
from panda_gym.environments.placement.vector_env import PlacementVectorEnv
from panda_gym.errors import SettingError
from tests.panda_gym.placements import small

EVERYTHING = {
    "network": 1,
    "storage": {"gb_per_core": 1.0},
    "failures": {"scale": 3.0},
    "retries": True,
    "limits": {"activated_s": 3000.0},
    "outages": {"up_s": 6000.0},
    "cancellations": True,
    "pilot_s": 60.0,
}
FORMS = [
    {},
    {"defer": True},
    {"decisions": 3},
    {"data_actions": True, "defer": True},
    {"discipline": "easy"},
    {"discipline": "conservative", "requested_factor": 1.0, "kill_at_requested": True},
]


@pytest.mark.parametrize("form", FORMS)
def test_all_faces_are_the_same_grids_whatever_the_batch(form):
    settings = small(**EVERYTHING, **form)
    singles = [PlacementEnv(**settings) for _ in range(2)]
    vector, sb3 = PlacementVectorEnv(3, **settings), panda_gym.sb3_vec_env(2, seed=4, **settings)
    first, _ = vector.reset(seed=4)
    seen = sb3.reset()
    alone = [env.reset(seed=4 + e)[0] for e, env in enumerate(singles)]
    vector.action_space.seed(1)
    for _ in range(30):
        for e in range(2):
            for name, part in alone[e].items():
                np.testing.assert_array_equal(part, first[name][e])
                np.testing.assert_array_equal(part, seen[name][e])
        assert singles[0].action_masks().shape == vector.action_masks()[0].shape
        actions = vector.action_space.sample()
        first, rewards, _, done, infos = vector.step(actions)
        seen, paid, dones, each = sb3.step(actions[:2])
        for e in range(2):
            alone[e], one, _, ended, info = singles[e].step(actions[e])
            assert (one, ended) == (rewards[e], done[e])
            assert (np.float32(one), ended) == (paid[e], dones[e])
            costs = (infos["final_info"] if ended else infos)["costs"]
            assert info["costs"] == {k: v[e] for k, v in costs.items() if k[0] != "_"}
            assert each[e]["cost"] == info["cost"]
            if ended:
                alone[e] = singles[e].reset()[0]


@pytest.mark.parametrize("form", FORMS)
def test_gymnasium_finds_nothing_wrong(form):
    check_env(PlacementEnv(**small(**EVERYTHING, **form)), skip_render_check=True)


def test_data_placement_is_registered_and_moves_data():
    env = gymnasium.make("PandaGrid/DataPlacement-v0", **small(network=1)).unwrapped
    env.reset(seed=0)
    rng, moved = np.random.default_rng(0), 0.0
    for _ in range(40):
        mask = env.action_masks()
        assert mask.shape == (10 + 21,)
        ops = np.flatnonzero(mask[10:])
        op = int(ops[ops > 0][0]) if (ops > 0).any() else 0
        info = env.step(np.array([rng.choice(np.flatnonzero(mask[:10])), op]))[4]
        assert info["costs"]["illegal_action"] == 0.0
        moved += info["costs"]["wan_tb"]
    assert env.batch.simulator.world.grids["replications"][0] > 5
    assert moved > 0.0


@pytest.mark.parametrize("form", [{}, {"defer": True}, {"decisions": 4}])
def test_dense_and_sparse_versions_of_a_reward_give_the_same_return(form):
    """The integral of the jobs in the system, paid step by step, is the sum of their times in
    it; ln(slowdown) and work, paid as jobs end, are sums over the jobs that have ended."""
    totals, env = {}, None
    for name in ("jobs_in_system", "slowdown", "throughput"):
        env = PlacementEnv(**small(**EVERYTHING, **form, reward=name, warmup=0))
        env.reset(seed=3)
        env.action_space.seed(3)
        done, totals[name] = False, 0.0
        while not done:
            _, paid, _, done, _ = env.step(env.action_space.sample())
            totals[name] += paid
    log = env.episode_log(drain=False)
    placed, left = log.site >= 0, log.state_code >= 5
    before = np.where(log.attempt > 1, log.arrival_s - 600.0, log.arrival_s)
    until = np.where(left, log.end_s, log.now_s)
    assert totals["jobs_in_system"] == pytest.approx(-(until - before)[placed].sum() / 3600.0)
    last = [not (log.origin[j + 1 :] == log.origin[j]).any() for j in range(len(log))]
    over = left & np.array(last)
    born = log.arrival_s[log.origin]
    slow = np.maximum(1.0, (log.end_s - born) / np.maximum(log.ideal_s, log.bound_s))
    assert totals["slowdown"] == pytest.approx(-np.log(slow[over]).sum())
    fine = left & (log.state == "finished")
    speed = env.batch.simulator.world.site_static["speed"][log.site]
    work = log.cores * speed * (log.end_s - log.start_s)
    assert totals["throughput"] == pytest.approx(work[fine].sum() / 1e5)


def test_costs_name_what_went_wrong_and_add_up():
    env = PlacementEnv(**small(**EVERYTHING, jobs=300))
    env.reset(seed=0)
    env.action_space.seed(0)
    names = ("wan_tb", "wasted_core_h", "closures", "quota_tb", "illegal_action")
    total = dict.fromkeys(names, 0.0)
    for _ in range(300):
        info = env.step(env.action_space.sample())[4]
        assert info["costs"].keys() == set(names)
        assert info["cost"] == pytest.approx(sum(info["costs"].values()))
        for name, cost in info["costs"].items():
            total[name] += cost
    assert min(total[name] for name in names if name != "illegal_action") > 0.0


def test_a_job_may_be_deferred_for_an_hour_and_no_longer():
    env = PlacementEnv(**small(defer=True, load=0.02, jobs=20, warmup=0))
    env.reset(seed=0)
    deferred = 0
    while env.action_masks()[-1]:
        info = env.step(10)[4]
        assert info["site"] == -1
        deferred += 1
    assert env.step(10)[4]["costs"]["illegal_action"] == 1.0
    assert deferred >= 12


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"network": 7}, "level"),
        ({"network": {"levels": 1}}, "did you mean level"),
        ({"storage": "on"}, "storage"),
        ({"failures": {"early": 2.0}}, "early"),
        ({"decisions": 0}, "decisions"),
        ({"decisions": 2, "data_actions": True}, "one decision"),
        ({"discipline": "sjf"}, "discipline"),
        ({"reservations": 0}, "reservations"),
        ({"requested_factor": -1.0}, "requested_factor"),
        ({"kill_at_requested": 1}, "kill_at_requested"),
        ({"retries": {"delay_s": 10.0}}, "delay_s"),
    ],
)
def test_a_wrong_setting_is_one_clear_error(wrong, hint):
    with pytest.raises(SettingError, match=hint):
        PlacementEnv(**small(**wrong))


@pytest.mark.parametrize("action", [3, [1.0, 0.0], [1, 2, 3], None])
def test_a_joint_action_of_the_wrong_form_is_one_clear_error(action):
    env = PlacementEnv(**small(data_actions=True))
    env.reset(seed=0)
    with pytest.raises(SettingError, match="whole-numbered"):
        env.step(action)
