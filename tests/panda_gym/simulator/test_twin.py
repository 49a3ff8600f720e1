"""The kernel equals its SimPy twin, event for event, on small random worlds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panda_gym.observation import SITE_FEATURES
from panda_gym.simulator import Competing, Settings, Simulator
from tests.oracles.grid_twin import GridTwin
from tests.oracles.worlds import ENCODING, make_episode, make_platform

RULES = st.builds(
    Settings,
    staleness_s=st.sampled_from([0.0, 60.0, 300.0, 7.0]),
    efficiency=st.sampled_from([1.0, 0.9]),
    bound_s=st.sampled_from([10.0, 600.0]),
    competing=st.none()
    | st.builds(
        Competing,
        mean=st.sampled_from([0.2, 0.6, 0.9]),
        spread=st.sampled_from([0.0, 0.5]),
        memory=st.sampled_from([0.0, 0.9]),
        interval_s=st.sampled_from([100.0, 900.0]),
    ),
)


def parts_of(simulator: Simulator, e: int) -> dict[str, np.ndarray]:
    """The observation of grid e, split as the environment splits it."""
    n = len(simulator.platform)
    sites, rest = np.split(simulator.flat[e], [len(SITE_FEATURES) * n])
    return {
        "sites": sites.reshape(-1, n),
        "job": rest[:4],
        "grid": rest[4:],
        "action_mask": simulator.mask[e],
    }


def assert_seen_alike(simulator: Simulator, twin: GridTwin) -> None:
    expected = twin.observation()
    for name, found in parts_of(simulator, 0).items():
        np.testing.assert_allclose(found, expected[name], rtol=2e-5, atol=2e-6, err_msg=name)


def assert_outcomes_alike(simulator: Simulator, twin: GridTwin) -> None:
    for name, expected in twin.outcome.items():
        found = simulator.outcome[name][0]
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-6, err_msg=name)


def run_both(rules: Settings, sites: int, jobs: int, load: float, seed: int) -> None:
    platform = make_platform(sites, seed=seed, most_cores=8)
    episode = make_episode(platform, jobs=jobs, warmup=jobs // 3, load=load, seed=seed)
    simulator = Simulator(
        platform, batch=1, capacity=len(episode), encoding=ENCODING, settings=rules
    )
    simulator.load(0, episode, seed=seed)
    simulator.begin()
    twin = GridTwin(platform, episode, rules, seed)
    rng = np.random.default_rng(seed)
    for _ in range(jobs):
        assert_seen_alike(simulator, twin)
        action = int(rng.integers(-1, sites + 1))  # legal or not
        simulator.step(np.array([action]))
        twin.step(action)
        assert_outcomes_alike(simulator, twin)
    assert_seen_alike(simulator, twin)
    simulator.drain(0)
    twin.drain()
    log = simulator.log(0)
    for found, name in (
        (log.site, "site"),
        (log.activation_s, "activation"),
        (log.start_s, "start"),
        (log.end_s, "end"),
    ):
        np.testing.assert_array_equal(found, [getattr(job, name) for job in twin.jobs])


WORLDS = {
    "rules": RULES,
    "sites": st.integers(1, 6),
    "jobs": st.integers(3, 40),
    "load": st.sampled_from([0.3, 1.0, 3.0]),
    "seed": st.integers(0, 10_000),
}


@settings(max_examples=60, deadline=None)
@given(**WORLDS)
def test_kernel_equals_the_simpy_twin(rules, sites, jobs, load, seed):
    run_both(rules, sites, jobs, load, seed)


@pytest.mark.long
@settings(max_examples=3000, deadline=None)
@given(**WORLDS)
def test_kernel_equals_the_simpy_twin_on_many_worlds(rules, sites, jobs, load, seed):
    run_both(rules, sites, jobs, load, seed)
