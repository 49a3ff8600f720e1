"""Write a logged episode as one HTML page that plays it without a network.

Names and texts of a log are data: in the page they are escaped, in the data they cannot end the
block that holds them, and the script writes them as text. A content security policy that names
the hash of the one script and the one style lets nothing else run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.environments.placement.rendering.cartogram import cartogram
from panda_gym.environments.placement.rendering.palette import INK, PRESSURE, PRESSURE_FULL
from panda_gym.episode_log import LoggedEpisode, read_log
from panda_gym.errors import SettingError, StreamError
from panda_gym.files import whole_file
from panda_gym.visualization.replay.scenes import Scenes, packed, scenes

WIDTH, HEIGHT = 1000.0, 660.0
"""Of the map, in its own units."""
FRAMES: Final = 480
MOST_FRAMES: Final = 5000


def write_replay(log: str | Path | LoggedEpisode, out: str | Path, frames: int = FRAMES) -> Path:
    """Write the page that plays a log, whole or not at all, and return its path.

    log: the file of an episode, or what `read_log` gave. frames: scenes on the slider.
    StreamError for what is no log, SettingError for a number of frames that is none.
    """
    if isinstance(frames, bool) or not 2 <= frames <= MOST_FRAMES:
        raise SettingError(f"frames in 2..{MOST_FRAMES}", repr(frames), f"pass frames={FRAMES}")
    episode = log if isinstance(log, LoggedEpisode) else read_log(log)
    if "platform" not in episode.about or len(episode.log) == 0:
        raise StreamError("a log with its platform and jobs", "one without", "write it with log=")
    text = page(episode, scenes(episode, frames))
    with whole_file(out) as aside:
        aside.write_text(text, encoding="utf-8")
    return Path(out)


def page(episode: LoggedEpisode, shown: Scenes) -> str:
    """The whole page."""
    parts = {name: _resource(name) for name in ("replay.css", "replay.js", "body.html")}
    style, script = parts["replay.css"], parts["replay.js"]
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )
    words = {key: escape(value, quote=True) for key, value in _words(episode).items()}
    body = parts["body.html"]
    for key, value in words.items():
        body = body.replace(f"{{{{{key}}}}}", value)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>Replay: {words["title"]}</title>'
        f"<style>{style}</style></head><body>{body}"
        f'<script type="application/json" id="data">{as_json(_data(episode, shown))}</script>'
        f"<script>{script}</script></body></html>\n"
    )


def as_json(data: Any) -> str:
    """JSON that cannot end the block of a page that holds it, nor be read as markup."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _words(episode: LoggedEpisode) -> dict[str, str]:
    about: Mapping[str, Any] = episode.about
    policy = about.get("policy") or "an unnamed policy"
    platform, stream = about["platform"]["name"], about["stream"]
    return {
        "title": f"{policy} on {platform}",
        "origin": f"Jobs: {stream['name']}. {stream['origin']}",
        "jobs": f"{len(episode.log):,} job attempts, {len(episode.site_names)} sites",
    }


def _data(episode: LoggedEpisode, shown: Scenes) -> dict[str, Any]:
    platform = episode.about["platform"]
    cores = episode.site_cores
    at, radius = cartogram(platform["region"], cores, WIDTH, HEIGHT)
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "names": platform["sites"],
        "region": platform["region"],
        "cores": cores.tolist(),
        "x": np.round(at[:, 0], 1).tolist(),
        "y": np.round(HEIGHT - at[:, 1], 1).tolist(),
        "r": np.round(radius, 1).tolist(),
        "clock_s": float(episode.about.get("clock_s", 0.0)),
        "times_s": np.round(shown.times_s, 1).tolist(),
        "sites": {name: packed(values) for name, values in shown.sites.items()},
        "totals": {name: packed(values) for name, values in shown.totals.items()},
        "flows": {name: packed(values) for name, values in shown.flows.items()},
        "has_site_events": shown.has_site_events,
        "ink": INK,
        "pressure": list(PRESSURE),
        "pressure_full": PRESSURE_FULL,
    }


def _resource(name: str) -> str:
    return (files("panda_gym.visualization.replay") / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """How a content security policy names an inline script or style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
