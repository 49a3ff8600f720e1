"""Turn a logged episode into scenes: the state of every site at given times.

At level "events" a scene also holds the cores of competing load and the sites that are down. At
level "jobs" it holds what follows from the times of the jobs alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from panda_gym.episode_log import LoggedEpisode
from panda_gym.episode_log.occupancy import by_site, spans
from panda_gym.simulator import KINDS, EpisodeLog

Array = np.ndarray

BEYOND: Final = 1.25
"""The last scene is at most so many times as late as the last placement: some jobs run for days."""
MOST_FLOWS: Final = 250
"""Flows of a scene: the pairs of sites with most inputs on their way."""
STATUS: Final = {"site_down": 0, "site_brown": 1, "site_up": 2}
"""Kinds of events that change a site's status, and what it is then."""
UP: Final = 2


@dataclass(frozen=True, eq=False)
class Scenes:
    """T scenes of S sites; arrays are whole numbers."""

    times_s: Array
    """float64[T], s."""
    sites: dict[str, Array]
    """int64[T, S] each: cores used, cores wanted by the queue, jobs running, waiting, staging,
    ended (so far), competing (cores; all 0 where unknown), status (0 down, 1 brown-out, 2 up)."""
    totals: dict[str, Array]
    """int64[T] each: arrived, finished, failed (in whatever way) so far, moved_gb."""
    flows: dict[str, Array]
    """Flows of scene t are entries first[t] .. first[t + 1] - 1 of source, target, inputs."""
    has_site_events: bool
    """Whether the log holds competing load and status."""


def scenes(episode: LoggedEpisode, frames: int) -> Scenes:
    """That many scenes, from the beginning to some time after the last placement, see BEYOND."""
    log, count = episode.log, len(episode.site_names)
    times = np.linspace(0.0, _last(log), max(2, frames))
    at = by_site(log, times, count)
    known = {"competing": np.zeros((len(times), count)), "status": np.full((len(times), count), UP)}
    if episode.events is not None:
        known |= _of_sites(episode.events, times, count)
    sites = {**at, **known, "ended": _ended(log, times, count)}
    kinds = np.zeros(0) if episode.events is None else episode.events["kind"]
    return Scenes(
        times_s=times,
        sites={name: np.rint(values).astype(np.int64) for name, values in sites.items()},
        totals=_totals(log, times),
        flows=_flows(log, times, count),
        has_site_events=bool(np.isin(SITE_KINDS, kinds).any()),
    )


SITE_KINDS: Final = np.array([KINDS.index(kind) for kind in (*STATUS, "competing_load")])


def _last(log: EpisodeLog) -> float:
    """Time of the last scene, s."""
    first = log.placed_s[log.attempt == 1]  # retries go on long after the last of these
    placed = float(np.nanmax(first, initial=0.0))
    return max(min(float(log.now_s), BEYOND * placed), placed, 1.0)


def _ended(log: EpisodeLog, times: Array, count: int) -> Array:
    """Attempts that have ended at each site, int64[T, S]."""
    gone = np.flatnonzero((log.end_s <= log.now_s) & (log.site >= 0))
    change = np.zeros((len(times) + 1, count), dtype=np.int64)
    np.add.at(change, (np.searchsorted(times, log.end_s[gone]), log.site[gone]), 1)
    return np.cumsum(change[:-1], axis=0)


def _totals(log: EpisodeLog, times: Array) -> dict[str, Array]:
    gone = log.end_s <= log.now_s
    good = gone & (log.state == "finished")
    placed = np.where(log.placed_s <= log.now_s, log.placed_s, np.inf)
    return {
        "arrived": _up_to(log.arrival_s, None, times),
        "finished": _up_to(log.end_s[good], None, times),
        "failed": _up_to(log.end_s[gone & ~good], None, times),
        "moved_gb": _up_to(placed, log.moved_bytes / 1e9, times),
    }


def _up_to(when: Array, weight: Array | None, times: Array) -> Array:
    order = np.argsort(when, kind="stable")
    each = np.ones(len(when)) if weight is None else weight[order]
    total = np.concatenate([[0.0], np.cumsum(each)])
    return np.rint(total[np.searchsorted(when[order], times, side="right")]).astype(np.int64)


def _of_sites(events: Array, times: Array, count: int) -> dict[str, Array]:
    """Cores of competing load and status of each site, from the last event before each time."""
    competing = _last_value(events, np.array([KINDS.index("competing_load")]), times, count)
    kinds = np.array([KINDS.index(kind) for kind in STATUS])
    status = _last_value(
        events, kinds, times, count, dict(zip(kinds, STATUS.values(), strict=True))
    )
    return {"competing": np.maximum(competing, 0), "status": np.where(status < 0, UP, status)}


def _last_value(
    events: Array, kinds: Array, times: Array, count: int, value: dict[int, int] | None = None
) -> Array:
    """What the last event of these kinds said of each site, int64[T, S]; -1 before the first.

    value: what a kind says; without it an event says its field `other`.
    """
    found = np.full((len(times), count), -1, dtype=np.int64)
    chosen = events[np.isin(events["kind"], kinds)]
    said = chosen["other"] if value is None else np.array([value[int(k)] for k in chosen["kind"]])
    for s in range(count):
        mine = np.flatnonzero(chosen["site"] == s)
        if len(mine):
            before = np.searchsorted(chosen["time"][mine], times, side="right") - 1
            found[:, s] = np.where(before >= 0, said[mine[np.maximum(before, 0)]], -1)
    return found


def _flows(log: EpisodeLog, times: Array, count: int) -> dict[str, Array]:
    """Inputs on their way from another site in each scene, by pair of sites."""
    enter, leave = spans(log)["staging"]
    rows = np.flatnonzero((log.source >= 0) & ~np.isnan(enter))
    pair = log.source[rows].astype(np.int64) * count + log.site[rows]
    # The scenes that show a flow: first <= t < last.
    first = np.searchsorted(times, enter[rows])
    last = np.searchsorted(times, np.where(np.isnan(leave[rows]), np.inf, leave[rows]))
    parts: list[tuple[Array, Array]] = []
    for t in range(len(times)):
        pairs, size = np.unique(pair[(first <= t) & (t < last)], return_counts=True)
        most = np.argsort(-size, kind="stable")[:MOST_FLOWS]
        parts.append((pairs[most], size[most]))
    pairs = np.concatenate([pairs for pairs, _ in parts])
    return {
        "first": np.cumsum([0, *(len(pairs) for pairs, _ in parts)]),
        "source": pairs // count,
        "target": pairs % count,
        "inputs": np.concatenate([size for _, size in parts]),
    }


def packed(values: Array) -> dict[str, Any]:
    """Whole numbers >= 0 as base64 of little-endian bytes, as few a number as hold them."""
    import base64

    top = int(values.max(initial=0))
    kind = "u1" if top < 2**8 else "u2" if top < 2**16 else "u4"
    raw = np.ascontiguousarray(values.reshape(-1).astype(f"<{kind}")).tobytes()
    return {"kind": kind, "data": base64.b64encode(raw).decode()}
