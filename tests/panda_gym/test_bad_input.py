"""Bad input to every interface: a clear error, or the documented fallback with a cost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import panda_gym
from panda_gym.environments.placement.env import PlacementEnv
from panda_gym.environments.placement.vector_env import PlacementVectorEnv
from panda_gym.errors import InputError, PlatformError, SettingError
from tests.panda_gym.placements import PLATFORM, ROUGH, STREAM, small

GRIDS = 3


def single(**changes: Any) -> PlacementEnv:
    return PlacementEnv(**small(**changes))


def vector(**changes: Any) -> PlacementVectorEnv:
    return PlacementVectorEnv(num_envs=GRIDS, **small(**changes))


def sb3(**changes: Any) -> Any:
    return panda_gym.sb3_vec_env(GRIDS, **small(**changes))


INTERFACES = {"gymnasium": single, "vector": vector, "sb3": sb3}


def legal(interface: str) -> Any:
    return 0 if interface == "gymnasium" else np.zeros(GRIDS, dtype=np.int64)


@pytest.mark.parametrize("interface", INTERFACES)
def test_a_step_before_the_first_reset_is_refused(interface):
    with pytest.raises(SettingError, match="reset"):
        INTERFACES[interface]().step(legal(interface))


@pytest.mark.parametrize("interface", INTERFACES)
@pytest.mark.parametrize("bad", [np.nan, 0.0, "0", None])
def test_what_is_no_whole_number_is_refused_and_changes_nothing(interface, bad):
    env, same = INTERFACES[interface](), INTERFACES[interface]()
    for one in (env, same):
        one.seed(1) if interface == "sb3" else None
        one.reset() if interface == "sb3" else one.reset(seed=1)
    with pytest.raises(SettingError, match="whole-numbered"):
        env.step(bad if interface == "gymnasium" else np.array([bad] * GRIDS))
    found, expected = env.step(legal(interface))[0], same.step(legal(interface))[0]
    for part, values in found.items():
        np.testing.assert_array_equal(values, expected[part])


@pytest.mark.parametrize("interface", ["vector", "sb3"])
@pytest.mark.parametrize("shape", [(GRIDS + 1,), (GRIDS, 1), (), (0,)])
def test_actions_of_another_shape_are_refused(interface, shape):
    env = INTERFACES[interface]()
    env.reset()
    with pytest.raises(SettingError, match="shape"):
        env.step(np.zeros(shape, dtype=np.int64))


@pytest.mark.parametrize("interface", INTERFACES)
@pytest.mark.parametrize("action", [-1, 10, 2**62, -(2**63)])
def test_a_number_that_is_no_site_goes_to_the_fallback_and_costs(interface, action):
    env = INTERFACES[interface]()
    env.reset()
    asked = action if interface == "gymnasium" else np.full(GRIDS, action)
    infos = env.step(asked)[-1]
    first = infos[0] if interface == "sb3" else infos
    costs, sites = np.atleast_1d(first["costs"]["illegal_action"]), np.atleast_1d(first["site"])
    assert (costs == 1.0).all()
    assert (sites == np.argmax(PLATFORM.cores)).all()


@pytest.mark.parametrize("change", [{}, ROUGH])
def test_a_load_far_above_one_ends_in_long_queues_not_in_a_hang(change):
    env = PlacementEnv(**small(**change) | {"load": 10.0})
    env.reset(seed=0)
    for _ in range(40):
        paid, _, over, info = env.step(0)[1:]
        assert np.isfinite(paid)
        assert np.isfinite(info["cost"])
    assert over
    log = env.episode_log()
    assert np.isin(log.state[log.site >= 0], ("finished", "failed", "closed", "cancelled")).all()


def test_a_job_wider_than_every_site_is_refused_at_construction():
    wide = replace(STREAM, cores=np.full(len(STREAM), PLATFORM.cores.max() + 1, np.int32))
    with pytest.raises(SettingError, match="jobs of at most"):
        PlacementEnv(**small(stream=wide))


def test_a_platform_without_sites_cores_or_links_is_refused_at_construction():
    apart = PLATFORM.bandwidth_mbps.copy()
    apart[0, 1:] = 0.0  # a disconnected matrix of links
    for change in (
        {"bandwidth_mbps": apart},
        {"bandwidth_mbps": np.zeros_like(apart)},
        {"cores": np.zeros_like(PLATFORM.cores)},
        {"names": ()},
    ):
        with pytest.raises(PlatformError):
            replace(PLATFORM, **change)


def test_jobs_without_work_cannot_be_given_a_load_and_jobs_may_come_all_at_once():
    idle = replace(STREAM, workload_true=np.zeros(len(STREAM)))
    with pytest.raises(InputError):
        PlacementEnv(**small(stream=idle)).reset()
    together = replace(STREAM, arrival_s=np.zeros(len(STREAM)))
    recorded = PlacementEnv(**small(stream=together, load=None))
    recorded.reset(seed=0)
    assert np.isfinite(recorded.step(0)[1])


@pytest.mark.parametrize("jobs", [0, -1, 1.5, True, None])
def test_episodes_are_at_least_one_job(jobs):
    with pytest.raises(SettingError, match="jobs"):
        PlacementEnv(**small(jobs=jobs))


def test_an_input_larger_than_every_quota_is_read_through_and_costs():
    env = PlacementEnv(**small(**ROUGH) | {"storage": {"gb_per_core": 1e-6}})
    env.reset(seed=0)
    costs = [env.step(s % 10)[4]["costs"]["quota_tb"] for s in range(40)]
    assert sum(costs) > 0.0
