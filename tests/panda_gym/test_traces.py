"""A public trace of a real grid through the environment: every job is accounted for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from panda_gym.environments.base.features import position
from panda_gym.environments.placement.env import PlacementEnv
from panda_gym.environments.placement.observation import SITE_FEATURES
from panda_gym.jobs import JobStream

LOG = "grid_trace/LCG-2005_188041jobs_170sites.swf.gz"
WAIT, RUN = (position(SITE_FEATURES, name) for name in ("wait", "run"))


@pytest.fixture(scope="module")
def stream(shared_data: Path) -> JobStream:
    return JobStream.from_swf(shared_data / LOG)


@pytest.fixture
def env(stream: JobStream) -> PlacementEnv:
    """At recorded times, on about as many cores (24,000) as the log's grid had."""
    return PlacementEnv(
        stream=stream, jobs=len(stream), warmup=0, load=None, scale=0.08, competing=None
    )


def assert_accounted_for(env: PlacementEnv, stream: JobStream) -> None:
    log = env.episode_log(drain=False)
    assert len(log) == len(stream) == 188_041
    states, counts = np.unique(log.state, return_counts=True)
    assert set(states) <= {"finished", "running", "activated"}  # no input is known to move
    assert counts.sum() == 188_041
    work = env.batch.scenario.efficiency * stream.total_gflop  # of CPU; the log has wall times
    assert log.workload_true.sum() == pytest.approx(work, rel=1e-12)
    assert (
        log.arrival_s[-1] - log.arrival_s[0] >= stream.arrival_s[-1] - stream.arrival_s[0] - 86400
    )
    finished = log.state == "finished"
    assert finished.mean() > 0.9
    drained = env.episode_log()
    assert set(drained.state) == {"finished"}
    rate = env.batch.simulator.world.site_static["speed"][drained.site] * drained.cores
    assert (drained.run_s * rate).sum() == pytest.approx(work, rel=1e-9)


def test_every_job_of_the_lcg_2005_trace_is_finished_running_or_queued(env, stream):
    env.reset(seed=0)
    simulator, action = env.batch.simulator, np.zeros(1, np.int64)
    sites = env.batch.parts["sites"][0]
    while not simulator.done[0]:
        action[0] = np.argmin(np.where(simulator.mask[0] > 0, sites[WAIT] + sites[RUN], 9.0))
        simulator.step(action)
    assert_accounted_for(env, stream)


@pytest.mark.long
def test_the_lcg_2005_trace_runs_through_the_environment_itself(env, stream):
    observation, _ = env.reset(seed=0)
    truncated = False
    while not truncated:
        allowed = observation["action_mask"] > 0
        sites = observation["sites"]
        action = int(np.argmin(np.where(allowed, sites[WAIT] + sites[RUN], 9.0)))
        observation, _, _, truncated, _ = env.step(action)
    assert_accounted_for(env, stream)
