"""Outages of sites: a Markov chain of up, brown-out and down.

The chain moves in steps of `step_s`. In a brown-out a share of the cores is offline. At a site
that is down nothing starts; running jobs go on, but fail when the outage lasts longer than the
heartbeat limit. Every site starts up, and its storage stays reachable. Times in a status are
geometric numbers of steps, hashes of (episode seed, site, number of the change).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from panda_gym.jit.compiled import inline, no_inline
from panda_gym.jit.counter_rng import bits, scramble, unit
from panda_gym.simulator.ranges import check_ranges
from panda_gym.simulator.state import BROWN, DOWN, UP

SALT: Final = np.uint64(0xA0761D6478BD642F)
"""Keeps these draws apart from those of the competing load."""


@dataclass(frozen=True)
class Outages:
    """How often sites go down, and how long they stay down."""

    up_s: float = 604800.0
    """Mean time up, s."""
    down_s: float = 14400.0
    """Mean time down, s."""
    brown_s: float = 43200.0
    """Mean time of a brown-out, s."""
    brown: float = 0.5
    """Share of the changes from up that are brown-outs."""
    brown_cores: float = 0.5
    """Share of a site's cores that a brown-out takes."""
    step_s: float = 300.0
    """Step of the chain, s."""

    def __post_init__(self) -> None:
        times = dict.fromkeys(("up_s", "down_s", "brown_s", "step_s"), (1.0, 1000000000.0))
        shares = dict.fromkeys(("brown", "brown_cores"), (0.0, 1.0))
        check_ranges(self, "outages", {**times, **shares})

    def ln_stay(self, mean_s: float) -> float:
        """ln of the probability to stay one more step, for a mean time in a status."""
        return math.log1p(-1.0 / max(mean_s / self.step_s, 1.0 + 1e-9))


@inline
def stay(w: Any, e: int, s: int, k: int, ln_stay: float) -> float:
    """Time that site s keeps the status of its change k, s: at least one step."""
    u = unit(bits(w.grids[e]["seed"] ^ SALT, s, k))
    return w.rules[0]["step_s"] * (1.0 + math.floor(math.log(1.0 - u) / ln_stay))


@no_inline
def begin_status(w: Any, e: int, s: int) -> None:
    """Reset the status of site s to up."""
    site_status = w.site_status[e, s]
    site_status["status"] = UP
    site_status["changes"] = 0
    site_status["failure_rate"] = site_status["since"] = 0.0
    site_status["next_change"] = site_status["heartbeat_loss"] = math.inf
    w.sites[e, s]["offline_cores"] = 0
    if w.rules[0]["outages"] > 0:
        site_status["next_change"] = stay(w, e, s, 0, w.rules[0]["stay_up"])


@inline
def status_after(w: Any, e: int, s: int, k: int, was: int) -> tuple[int, float]:
    """Status of site s after its change k, before which it was `was`, and ln of its stay."""
    rules = w.rules[0]
    if was != UP:
        return UP, rules["stay_up"]
    coin = unit(scramble(bits(w.grids[e]["seed"] ^ SALT, s, k)))
    if coin < rules["brown"]:
        return BROWN, rules["stay_brown"]
    return DOWN, rules["stay_down"]


@no_inline
def next_loss(w: Any, e: int, s: int, after: float, latest: float) -> float:
    """When site s next loses its heartbeat, so that its running jobs fail, s.

    It is the first such time at `after` or later, `latest` if there is none before that; outages
    do not depend on where jobs are placed.
    """
    site_status = w.site_status[e, s]
    if site_status["heartbeat_loss"] >= after and site_status["heartbeat_loss"] < latest:
        return site_status["heartbeat_loss"]
    t, k, status = site_status["next_change"], site_status["changes"], site_status["status"]
    while t < latest:
        k += 1
        status, ln_stay = status_after(w, e, s, k, status)
        lost = t + w.rules[0]["heartbeat_s"]
        t += stay(w, e, s, k, ln_stay)
        if status == DOWN and lost < t and lost >= after:
            return min(lost, latest)
    return latest


@no_inline
def change_status(w: Any, e: int, s: int) -> None:
    """Change the status of site s; `free` may fall below zero in a brown-out."""
    rules, site_status, site = w.rules[0], w.site_status[e, s], w.sites[e, s]
    t, k = site_status["next_change"], site_status["changes"] + 1
    status, ln_stay = status_after(w, e, s, k, site_status["status"])
    offline = int(rules["brown_cores"] * w.site_static[s]["cores"]) if status == BROWN else 0
    site_status["changes"] = k
    site_status["heartbeat_loss"] = math.inf
    site_status["status"] = status
    site_status["since"] = t
    site_status["next_change"] = t + stay(w, e, s, k, ln_stay)
    if status == DOWN and t + rules["heartbeat_s"] < site_status["next_change"]:
        site_status["heartbeat_loss"] = t + rules["heartbeat_s"]
    site["free"] -= offline - site["offline_cores"]
    site["offline_cores"] = offline
