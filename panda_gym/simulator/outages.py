"""Sites that go down and come back; knows seeds and time, never jobs.

Each site is a Markov chain of three statuses in steps of `step_s`: up; brown (a share of its
cores is gone); down (nothing starts; what runs goes on, but is given up when the outage lasts
longer than the heartbeat limit). It starts up. Its storage stays reachable. Times in a status
are geometric numbers of steps, hashes of (episode seed, site, number of the turn).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from panda_gym.jit.compiled import inner, shared
from panda_gym.jit.counter_rng import bits, scramble, unit
from panda_gym.simulator.ranges import check_ranges
from panda_gym.simulator.state import BROWN, DOWN, UP

SALT: Final = np.uint64(0xA0761D6478BD642F)
"""Keeps these draws apart from those of the competing load."""


@dataclass(frozen=True)
class Outages:
    """How often sites go down, and for how long."""

    up_s: float = 604800.0
    """Mean time up, s."""
    down_s: float = 14400.0
    """Mean time down, s."""
    brown_s: float = 43200.0
    """Mean time of a brown-out, s."""
    brown: float = 0.5
    """Share of the turns from up that are brown-outs."""
    brown_cores: float = 0.5
    """Share of a site's cores that a brown-out takes."""
    step_s: float = 300.0
    """Step of the chain, s."""

    def __post_init__(self) -> None:
        times = dict.fromkeys(("up_s", "down_s", "brown_s", "step_s"), (1.0, 1000000000.0))
        shares = dict.fromkeys(("brown", "brown_cores"), (0.0, 1.0))
        check_ranges(self, "outages", {**times, **shares})

    def ln_stay(self, mean_s: float) -> float:
        """ln of the probability to stay for one more step, for a mean time in a status."""
        return math.log1p(-1.0 / max(mean_s / self.step_s, 1.0 + 1e-9))


@inner
def stay(w: Any, e: int, s: int, k: int, ln_stay: float) -> float:
    """How long site s keeps the status that its turn k brought, s: at least one step."""
    u = unit(bits(w.grids[e]["seed"] ^ SALT, s, k))
    return w.rules[0]["step_s"] * (1.0 + math.floor(math.log(1.0 - u) / ln_stay))


@shared
def begin_gate(w: Any, e: int, s: int) -> None:
    """Every site begins up."""
    gate = w.gates[e, s]
    gate["status"] = UP
    gate["turns"] = 0
    gate["recent"] = 0.0
    gate["turn"] = gate["lost"] = math.inf
    w.sites[e, s]["dark"] = 0
    if w.rules[0]["outages"] > 0:
        gate["turn"] = stay(w, e, s, 0, w.rules[0]["stay_up"])


@shared
def turn(w: Any, e: int, s: int) -> None:
    """Site s changes its status; free may fall below zero in a brown-out."""
    rules, gate, site = w.rules[0], w.gates[e, s], w.sites[e, s]
    t, k, was = gate["turn"], gate["turns"] + 1, gate["status"]
    gate["turns"] = k
    gate["lost"] = math.inf
    status, ln_stay, dark = UP, rules["stay_up"], 0
    if was == UP:
        coin = unit(scramble(bits(w.grids[e]["seed"] ^ SALT, s, k)))
        if coin < rules["brown"]:
            status, ln_stay = BROWN, rules["stay_brown"]
            dark = int(rules["brown_cores"] * w.places[s]["cores"])
        else:
            status, ln_stay = DOWN, rules["stay_down"]
    gate["status"] = status
    gate["turn"] = t + stay(w, e, s, k, ln_stay)
    if status == DOWN and t + rules["heartbeat_s"] < gate["turn"]:
        gate["lost"] = t + rules["heartbeat_s"]
    site["free"] -= dark - site["dark"]
    site["dark"] = dark
