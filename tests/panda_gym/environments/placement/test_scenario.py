"""What an environment is built from: surrogates, streams, platforms, competing load."""

from __future__ import annotations

import json
import re
from dataclasses import asdict

import numpy as np
import pytest

from panda_gym.environments.placement.env import PlacementEnv
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import SettingError, SurrogateError
from panda_gym.simulator import Competing
from panda_gym.sites import load_platform
from panda_gym.surrogate import Surrogate
from tests.panda_gym.placements import PLATFORM, STREAM, small


def test_an_open_surrogate_makes_the_jobs(sealed: Surrogate):
    env = PlacementEnv(
        surrogate=sealed,
        stream_jobs=200,
        platform="small15",
        scale=1.0,
        jobs=20,
        warmup=30,
        running=0,
    )
    env.reset(seed=0)
    env.step(0)
    assert env.batch.stream.name == f"surrogate:{sealed.name}"
    assert len(env.batch.stream) == 200
    assert (env.episode_log().state == "finished")[:31].all()


def test_a_given_stream_wins_over_the_surrogate():
    env = PlacementEnv(**small(surrogate="no such thing"))
    assert env.batch.stream is STREAM


def test_an_unknown_surrogate_is_one_clear_error():
    with pytest.raises(SurrogateError):
        PlacementEnv(surrogate="no such thing")


def test_the_competing_load_may_be_a_share_a_table_or_nothing():
    assert Scenario(competing=None).competing_load() is None
    assert Scenario(competing=0.0).competing_load() is None
    assert Scenario(competing=0.3).competing_load() == Competing(mean=0.3)
    assert Scenario(competing={"mean": 0.3, "daily": 0.0}).competing_load() == Competing(0.3, 0.0)
    given = Competing(mean=0.2)
    assert Scenario(competing=given).competing_load() is given


def test_a_platform_may_be_a_name_or_an_object_and_is_scaled():
    whole = load_platform("small15")
    half = Scenario(platform="small15", scale=0.5).open_platform()
    assert half.cores.sum() == round(0.5 * whole.cores.sum())
    assert Scenario(platform=PLATFORM, scale=2.0).open_platform().cores.sum() == 2 * int(
        PLATFORM.cores.sum()
    )


def test_the_defaults_can_be_written_as_json():
    assert json.loads(json.dumps(asdict(Scenario())))["reward"] == "shaped_slowdown"


def test_a_mistyped_setting_names_the_nearest():
    with pytest.raises(SettingError, match="did you mean staleness_s"):
        Scenario.of(stale_s=3)


@pytest.mark.parametrize("platform", ["atlas150", "small15", "tiny4"])
def test_every_shipped_platform_works_at_its_default_scale(platform):
    env = PlacementEnv(platform=platform, jobs=5, warmup=5, running=0)
    env.reset(seed=0)
    *_, info = env.step(0)
    assert np.isfinite(info["reward_pred"])


def test_a_scale_without_room_for_a_job_names_one_that_has():
    settings = {"platform": "small15", "jobs": 5, "warmup": 5, "running": 0}
    with pytest.raises(SettingError, match="jobs of at most 6 cores") as found:
        PlacementEnv(scale=0.05, **settings)
    scale = float(re.search(r"scale=([0-9.]+)", str(found.value))[1])
    assert PlacementEnv(scale=scale, **settings).batch.platform.cores.max() == 8
