"""Frames: right in type, faithful to the state, the same whatever was drawn before."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import RecordVideo, RenderCollection

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.environments.placement.env import PlacementEnv
from panda_gym.environments.placement.rendering.frame import HEIGHT, WIDTH, Painter, clock
from panda_gym.environments.placement.rendering.palette import PRESSURE, pressure, rgb, shade
from panda_gym.environments.placement.vector_env import PlacementVectorEnv
from tests.panda_gym.placements import PLATFORM, small

ID = "PandaGrid/Placement-v0"


@pytest.fixture
def env() -> PlacementEnv:
    env = PlacementEnv(render_mode="rgb_array", **small())
    env.reset(seed=1)
    for k in range(20):
        env.step(k % 4)
    return env


def test_gymnasium_finds_nothing_wrong() -> None:
    check_env(gymnasium.make(ID, render_mode="rgb_array", **small()).unwrapped)


def test_a_frame_is_an_image(env: PlacementEnv) -> None:
    frame = env.render()
    assert frame.shape == (HEIGHT, WIDTH, 3)
    assert frame.dtype == np.uint8
    assert frame.std() > 5.0


def test_frames_are_each_ones_own_and_show_that_time_passes(env: PlacementEnv) -> None:
    first = env.render()
    kept = first.copy()
    env.step(3)
    assert (env.render() != kept).any()
    np.testing.assert_array_equal(first, kept)


def test_a_frame_does_not_depend_on_the_frames_before_it(env: PlacementEnv) -> None:
    env.render()
    for k in range(10):
        env.step(k)
    fresh = Painter(PLATFORM).paint(env.batch.simulator, 0)
    np.testing.assert_array_equal(env.render(), fresh)


def test_drawing_changes_nothing(env: PlacementEnv) -> None:
    plain = PlacementEnv(**small())
    env.reset(seed=4)
    plain.reset(seed=4)
    for k in range(40):
        env.render()
        drawn, undrawn = env.step(k % 10), plain.step(k % 10)
        assert drawn[1] == undrawn[1]
        np.testing.assert_array_equal(drawn[0]["sites"], undrawn[0]["sites"])


def test_the_colour_in_the_middle_of_a_site_is_that_of_its_queue(env: PlacementEnv) -> None:
    painter = Painter(PLATFORM)
    painter.flows.set_visible(False)
    frame = painter.paint(env.batch.simulator, 0)
    sites = env.batch.simulator.world.sites[0]
    colours = 255.0 * shade(pressure(sites["committed_cores"], PLATFORM.cores))
    seen = 0
    for s, (x, y) in enumerate(painter.at):
        inner = painter.radius[s] * np.sqrt(sites["used"][s] / PLATFORM.cores[s])
        if inner > 14.0:  # below the country's code, and inside the coloured disc
            pixel = frame[int(HEIGHT - y + 9.0), int(x)]
            np.testing.assert_allclose(pixel, colours[s], atol=3.0)
            seen += 1
    assert seen >= 2


def test_levels_run_from_the_first_colour_to_the_last() -> None:
    ends = shade(pressure(np.array([0, 100]), np.array([1, 1])))
    np.testing.assert_allclose(ends, [rgb(PRESSURE[0]), rgb(PRESSURE[-1])])


def test_every_grid_of_a_vector_has_its_own_frame() -> None:
    vector = PlacementVectorEnv(2, render_mode="rgb_array", **small())
    vector.reset(seed=[1, 2])
    for k in range(10):
        vector.step(np.array([k, 0]))
    one, other = vector.render()
    assert one.shape == other.shape
    assert (one != other).any()


def test_wrappers_of_gymnasium_collect_the_frames() -> None:
    env = RenderCollection(gymnasium.make(ID, render_mode="rgb_array", **small(jobs=3)))
    env.reset(seed=0)
    for _ in range(3):
        env.step(0)
    frames = env.render()
    assert len(frames) == 4
    assert {frame.shape for frame in frames} == {(HEIGHT, WIDTH, 3)}


@pytest.mark.skipif(find_spec("moviepy") is None, reason="moviepy writes the films")
def test_record_video_writes_a_film(tmp_path: Path) -> None:
    env = RecordVideo(
        gymnasium.make(ID, render_mode="rgb_array", **small(jobs=5)), str(tmp_path),
        disable_logger=True,
    )  # fmt: skip
    env.reset(seed=0)
    for _ in range(5):
        env.step(0)
    env.close()
    assert [path.suffix for path in tmp_path.iterdir()] == [".mp4"]


def test_matplotlib_loads_with_the_first_frame_and_not_before() -> None:
    program = (
        "import sys; from panda_gym.environments.placement import env, rendering, vector_env;"
        "print('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_time_is_told_in_days_hours_and_minutes() -> None:
    assert clock(0.0) == "day 0  00:00"
    assert clock(86400.0 + 3 * 3600.0 + 7 * 60.0 + 59.0) == "day 1  03:07"
