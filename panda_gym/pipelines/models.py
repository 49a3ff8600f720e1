"""Deployed models in time: loss of performance, its integral, observations and triggers.

Knows one model's row of Plan and State, no cluster. `o` is MODEL_PLAN, `s` is MODEL.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from panda_gym.jit.counter_rng import bits
from panda_gym.pipelines.compiled import inner
from panda_gym.pipelines.drift import CHANGES, EXPONENTIAL, LINEAR, NONE, WALK
from panda_gym.pipelines.triggers import (
    IMPROVEMENT,
    PAGE_HINKLEY,
    STALENESS,
    page_hinkley_step,
)

ROUNDING = 1e-9
"""A threshold counts as reached when it is missed by no more than this."""

ph_step = njit(error_model="numpy", nogil=True, inline="never")(page_hinkley_step)


@inner
def uniform(seed: Any, stream: int, k: int) -> float:
    """Uniform number in [0, 1) that belongs to draw k of a stream."""
    return (bits(seed, stream, k) >> np.uint64(11)) * 2.0**-53


@inner
def normal(seed: Any, stream: int, k: int) -> float:
    """Standard normal number of a stream (Box and Muller 1958)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(seed, stream, 2 * k)))
    return radius * math.cos(2.0 * math.pi * uniform(seed, stream, 2 * k + 1))


@inner
def loss(o: Any, s: Any, now: float) -> float:
    """Share of the performance that is lost now, d(t) in [0, 1]."""
    age = now - s.deployed
    if o.drift == LINEAR:
        return min(1.0, o.rate * age)
    if o.drift == EXPONENTIAL:
        return 1.0 - math.exp(-o.rate * age)
    return s.level


@inner
def performance(o: Any, s: Any, now: float) -> float:
    """Performance now."""
    return s.performance * (1.0 - loss(o, s, now))


@inner
def settle(o: Any, s: Any, now: float) -> None:
    """Bring the integrals of performance and loss up to now, in closed form."""
    begin, end = s.settled - s.deployed, now - s.deployed
    if o.drift == LINEAR:
        full = 1.0 / o.rate
        low, high = min(begin, full), min(end, full)
        lost = 0.5 * o.rate * (high * high - low * low) + (end - high) - (begin - low)
    elif o.drift == EXPONENTIAL:
        lost = (end - begin) - (math.exp(-o.rate * begin) - math.exp(-o.rate * end)) / o.rate
    else:
        lost = s.level * (end - begin)
    s.stale += lost
    s.quality += s.performance * ((end - begin) - lost)
    s.settled = now


@inner
def fresh(o: Any, s: Any, now: float) -> float:
    """Fraction of the performance lost that a retrain regains now: new data over their need."""
    if o.data_need <= 0.0:
        return 1.0
    return min(1.0, o.data_rate * (now - s.data_at) / o.data_need)


@inner
def potential(o: Any, s: Any, now: float) -> float:
    """Expected gain of performance of a run that began now."""
    return fresh(o, s, now) * (o.hoped - performance(o, s, now))


@inner
def crossing(o: Any, s: Any) -> float:
    """When staleness or improvement reaches its threshold under smooth drift; infinity: never."""
    share = 2.0
    if o.staleness > 0.0:
        share = o.staleness
    if o.improvement > 0.0:
        share = min(share, 1.0 - (o.hoped - o.improvement) / s.performance)
    if share > 1.0 or o.drift == NONE or o.drift == CHANGES or o.drift == WALK:
        return np.inf
    if share <= 0.0:
        return s.deployed
    if o.drift == LINEAR:
        return s.deployed + share / o.rate
    return s.deployed - math.log1p(-share) / o.rate if share < 1.0 else np.inf


@inner
def stirred(o: Any, s: Any, seen: float, now: float) -> int:
    """Reason for a run given the performance seen now; -1: none."""
    if o.staleness > 0.0 and 1.0 - seen / s.performance >= o.staleness - ROUNDING:
        return STALENESS
    gain = fresh(o, s, now) * (o.hoped - seen)
    if o.improvement > 0.0 and gain >= o.improvement - ROUNDING:
        return IMPROVEMENT
    if o.page_hinkley > 0.0 and s.total - s.least > o.page_hinkley:
        return PAGE_HINKLEY
    return -1


@inner
def observe(o: Any, s: Any, seed: Any, stream: int, now: float) -> float:
    """Performance as monitored now; feeds the detector."""
    seen = performance(o, s, now)
    if o.noise > 0.0:
        seen += o.noise * normal(seed, stream, s.looks)
        s.looks += 1
    if o.page_hinkley > 0.0:
        s.count, s.mean, s.total, s.least = ph_step(
            s.count, s.mean, s.total, s.least, seen, o.delta
        )
    return seen


@inner
def until_turn(o: Any, s: Any, seed: Any, stream: int) -> float:
    """Time until the next step of drift, s; infinity: none."""
    if o.drift == CHANGES:
        return -math.log(1.0 - uniform(seed, stream, 4 * s.turns)) / o.rate
    return o.step if o.drift == WALK else np.inf


@inner
def turn(o: Any, s: Any, seed: Any, stream: int, now: float) -> None:
    """A step of drift: a change point, or one step of a walk that is reflected at 0."""
    settle(o, s, now)
    s.turns += 1
    if o.drift == CHANGES:
        s.level = min(1.0, s.level + o.size)
        return
    change = o.size * math.sqrt(o.step) * normal(seed, stream, 2 * s.turns + 1)
    s.level = min(1.0, abs(s.level + change))
