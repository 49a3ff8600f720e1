"""Cores that a site has for the broker's jobs over a past episode, from its seed alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from panda_gym.jit.compiled import entry_decorator, inline
from panda_gym.simulator.competing import begin_load, change_load
from panda_gym.simulator.outages import begin_status, change_status
from panda_gym.simulator.state import DOWN

if TYPE_CHECKING:
    from panda_gym.simulator.simulator import Simulator

LEVEL: Final = np.dtype([("time", "f8"), ("cores", "f8")])
"""From `time` (s) on, the site has `cores` cores for the broker's jobs."""

CLOSED: Final = -1e18
"""Cores of a site that is down: nothing starts."""


@inline
def write_levels(w: Any, s: int, until: float, levels: Any, n: int) -> int:
    """Write the levels of site s up to `until` from index n on; return the next index."""
    begin_load(w, 0, s)
    begin_status(w, 0, s)
    site, site_status, t = w.sites[0, s], w.site_status[0, s], -math.inf
    while n < len(levels):
        level = w.site_static[s]["cores"] - site["competing_cores"] - site["offline_cores"]
        levels[n]["time"] = t
        levels[n]["cores"] = CLOSED if site_status["status"] == DOWN else level
        n += 1
        t = min(site["load_change"], site_status["next_change"])
        if t > until:
            break
        if site["load_change"] <= t:
            change_load(w, 0, s)
        else:
            change_status(w, 0, s)
    return n


entry = entry_decorator(Path(__file__).parent)
"""A function that Python calls, cached until a source of the simulator changes."""


@entry
def write_all(w: Any, until: Any, levels: Any, edges: Any) -> None:
    """Write the levels of every site; edges[s]: where site s begins."""
    n = 0
    for s in range(len(w.site_static)):
        edges[s] = n
        n = write_levels(w, s, until[s], levels, n)
    edges[len(w.site_static)] = n


def available_cores(
    simulator: Simulator, e: int, until: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the cores of every site for the broker's jobs over the episode of grid e.

    The competing load and the outages are hashes of the episode's seed, so they are replayed
    without the jobs. until: where to stop at each site, float64[S], s.

    Returns levels, LEVEL[n] (`time` in s, `cores`; -1e18 where the site is down), site after site
    in order of time; and edges, int64[S + 1], where each site begins.
    """
    w = simulator.world
    changes = until / w.interval_s + until / max(float(w.rules[0]["step_s"]), 1.0)
    world = w._replace(
        sites=w.sites[e : e + 1].copy(),
        site_status=w.site_status[e : e + 1].copy(),
        grids=w.grids[e : e + 1].copy(),
        log=w.log[e : e + 1, :0],
    )
    levels = np.zeros(int(changes.astype(np.int64).sum()) + 4 * len(until), LEVEL)
    edges = np.zeros(len(until) + 1, np.int64)
    write_all(world, until, levels, edges)
    return levels[: edges[-1]], edges
