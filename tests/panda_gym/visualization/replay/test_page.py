"""The page of a replay: whole, closed to the network, and right in a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from panda_gym.environments.placement.env import PlacementEnv
from panda_gym.environments.placement.rendering.palette import INK, rgb
from panda_gym.episode_log import LoggedEpisode, read_log
from panda_gym.errors import SettingError, StreamError
from panda_gym.visualization.replay import write_replay
from panda_gym.visualization.replay.page import as_json
from panda_gym.visualization.replay.scenes import packed, scenes
from tests.panda_gym.placements import PLATFORM, small

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
EVIL = "</script><img src=x onerror=document.title='hacked'><b id='bad'>&amp;\u2028"
FRAMES = 60


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> LoggedEpisode:
    """An episode at level "events" whose names try to be markup."""
    path = tmp_path_factory.mktemp("log") / "run.parquet"
    platform = replace(PLATFORM, names=(EVIL, *PLATFORM.names[1:]))
    env = PlacementEnv(log=path, log_level="events", **small(platform=platform))
    env.reset(seed=2)
    for k in range(40):
        env.step(k % 7)
    return read_log(path)


@pytest.fixture(scope="module")
def page(episode: LoggedEpisode, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_replay(episode, tmp_path_factory.mktemp("page") / "replay.html", FRAMES)


def data_of(page: Path) -> dict[str, Any]:
    found = re.search(r'id="data">(.*?)</script>', page.read_text(), flags=re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def unpacked(part: dict[str, str]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(part["data"]), dtype=f"<{part['kind']}")


def browse(page: Path, folder: Path, *options: str, at: str = "") -> str:
    """What Chromium, headless, prints."""
    address = f"{page.as_uri()}{at}"
    command = [
        str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--user-data-dir={folder / 'profile'}", "--window-size=1440,960",
        "--virtual-time-budget=2000", *options, address,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def text_of(dom: str, name: str) -> str:
    found = re.search(rf'id="{name}"[^>]*>([^<]*)<', dom)
    assert found is not None, name
    return found[1]


def test_the_data_are_the_scenes(page: Path, episode: LoggedEpisode) -> None:
    data, shown = data_of(page), scenes(episode, FRAMES)
    np.testing.assert_allclose(data["times_s"], shown.times_s, atol=0.05)
    for part, arrays in (("sites", shown.sites), ("totals", shown.totals), ("flows", shown.flows)):
        assert data[part].keys() == arrays.keys()
        for name, values in arrays.items():
            np.testing.assert_array_equal(unpacked(data[part][name]), values.ravel())


def test_nothing_is_asked_of_the_network_and_only_the_pages_own_script_runs(page: Path) -> None:
    text = page.read_text()
    linked = re.findall(r"\b(?:src|href)\s*=\s*(\S+?)[\s>]", text.split("<script", 1)[0])
    assert linked == ['"data:,"']
    assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttpRequest|eval\(", text)
    scripts = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert "default-src 'none'" in text


def test_names_are_data(page: Path) -> None:
    text = page.read_text()
    assert "<img" not in text
    assert "<b id='bad'" not in text
    assert data_of(page)["names"][0] == EVIL


def test_json_in_a_page_comes_back_as_it_was() -> None:
    thing = {"a": EVIL, "b": [1, 2.5, None, "ü"]}
    assert json.loads(as_json(thing)) == thing
    assert not set("<>&\u2028\u2029") & set(as_json(thing))


@pytest.mark.parametrize("top", [0, 255, 256, 65_535, 65_536, 2**32 - 1])
def test_packed_numbers_come_back_as_they_were(top: int) -> None:
    values = np.array([[0, 1], [top, top // 2]])
    np.testing.assert_array_equal(unpacked(packed(values)), values.ravel())


@needs_browser
def test_a_browser_shows_each_time_as_the_log_has_it(
    page: Path, episode: LoggedEpisode, tmp_path: Path
) -> None:
    shown, log = scenes(episode, FRAMES), episode.log
    for share, t in ((0.0, 0), (0.5, round(0.5 * (FRAMES - 1))), (1.0, FRAMES - 1)):
        dom = browse(page, tmp_path, "--dump-dom", at=f"#t={share}")
        assert 'data-ready="yes"' in dom
        assert "<title>Replay:" in dom
        now = shown.times_s[t]
        assert text_of(dom, "running") == f"{shown.sites['running'][t].sum():,}"
        assert text_of(dom, "waiting") == f"{shown.sites['waiting'][t].sum():,}"
        assert text_of(dom, "finished") == f"{np.count_nonzero(log.end_s <= now):,}"
        minutes = int(now // 60)
        assert text_of(dom, "clock").endswith(f"{minutes // 60 % 24:02d}:{minutes % 60:02d}")
        rows = dom.split('<tbody id="rows">')[1].split("</tbody>")[0]
        assert rows.count("<tr>") == len(PLATFORM)
        assert "&lt;img src=x" in rows  # the evil name, as text
        assert "<img" not in dom.split("<script")[0]


@needs_browser
def test_a_browser_draws_the_map(page: Path, tmp_path: Path) -> None:
    shot = tmp_path / "shot.png"
    browse(page, tmp_path, f"--screenshot={shot}", at="#t=0.3")
    pixels = imread(shot)[:, :, :3]
    for name, least in (("disc", 1_000), ("running", 100), ("waiting", 100)):
        near = np.abs(pixels - rgb(INK[name])).max(axis=2) < 0.02
        assert near.sum() > least, name


def test_bad_input_is_one_clear_error(episode: LoggedEpisode, tmp_path: Path) -> None:
    for frames in (1, 0, -3, 10**6, True):
        with pytest.raises(SettingError, match="frames"):
            write_replay(episode, tmp_path / "x.html", frames)
    with pytest.raises(StreamError, match="log of an episode"):
        write_replay(tmp_path / "nowhere.parquet", tmp_path / "x.html")
    with pytest.raises(StreamError, match="platform"):
        write_replay(LoggedEpisode(episode.log), tmp_path / "x.html")
    assert not list(tmp_path.glob("*.html"))
