"""How many jobs are in each state at a time, against counting them one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panda_gym.environments.placement.env import PlacementEnv
from panda_gym.episode_log.occupancy import STAGES, by_site, counts, spans
from tests.panda_gym.placements import PLATFORM, ROUGH, small


def played(seed: int, steps: int, **settings: object) -> PlacementEnv:
    env = PlacementEnv(**small(**settings))
    rng = np.random.default_rng(seed)
    env.reset(seed=seed)
    for _ in range(steps):
        env.step(int(rng.integers(0, 10)))
    return env


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), steps=st.integers(0, 40), share=st.floats(0.0, 1.2))
def test_it_is_what_one_counts_one_by_one(seed: int, steps: int, share: float) -> None:
    log = played(seed, steps).episode_log(drain=False)
    times = np.array([0.0, share * log.now_s, log.now_s])
    found, at = counts(log, times), by_site(log, times, len(PLATFORM))
    for k, t in enumerate(times):
        t = min(t, log.now_s) if k == 2 else t
        for stage, (enter, leave) in spans(log).items():
            inside = [j for j in range(len(log)) if enter[j] <= t and not leave[j] <= t]
            assert found[stage][k] == len(inside)
            for s in range(len(PLATFORM)):
                assert at[stage][k, s] == sum(log.site[j] == s for j in inside)
            if stage == "running":
                assert found["cores"][k] == sum(log.cores[j] for j in inside)


def test_at_the_logs_own_time_it_is_the_state_of_the_grid() -> None:
    env = played(3, 25)
    log, sites = env.episode_log(drain=False), env.batch.simulator.world.sites[0]
    at = by_site(log, np.array([log.now_s]), len(PLATFORM))
    for stage, name in zip(STAGES, ("assigned", "activated", "running"), strict=True):
        np.testing.assert_array_equal(at[stage][0], sites[name])
    np.testing.assert_array_equal(at["cores"][0], sites["used"])


@pytest.mark.parametrize("stage", [*STAGES, "cores"])
def test_sites_add_up_to_the_grid(stage: str) -> None:
    log = played(5, 40).episode_log()
    times = np.linspace(0.0, log.now_s, 17)
    whole = counts(log, times)[stage]
    np.testing.assert_allclose(by_site(log, times, len(PLATFORM))[stage].sum(axis=1), whole)
    assert whole[-1] == 0.0


@pytest.mark.parametrize("limit_s", [600.0, 43_200.0])
def test_attempts_that_end_early_leave_no_trace_where_they_never_were(limit_s: float) -> None:
    limits = {"assigned_s": limit_s, "activated_s": limit_s}
    log = played(2, 40, **{**ROUGH, "limits": limits}).episode_log()
    if limit_s == 600.0:
        assert "closed" in log.state
    times = np.linspace(0.0, log.now_s, 41)
    for values in by_site(log, times, len(PLATFORM)).values():
        assert (values >= 0.0).all()
        assert not values[-1].any()
    for values in counts(log, times).values():
        assert (values >= 0.0).all()
