"""Deployed models over time: loss of performance, its integral, observations and triggers.

`o` is a row of MODEL_STATIC, `s` a row of MODEL.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from panda_gym.jit.compiled import inline
from panda_gym.jit.counter_rng import bits
from panda_gym.pipelines.drift import CHANGES, EXPONENTIAL, LINEAR, NONE, WALK
from panda_gym.pipelines.triggers import (
    IMPROVEMENT,
    PAGE_HINKLEY,
    STALENESS,
    page_hinkley_step,
)

ROUNDING = 1e-9
"""Tolerance within which a threshold counts as reached."""

ph_step = njit(error_model="numpy", nogil=True, inline="never")(page_hinkley_step)


@inline
def uniform(seed: Any, stream: int, k: int) -> float:
    """Return the uniform number in [0, 1) of draw k of a stream."""
    return (bits(seed, stream, k) >> np.uint64(11)) * 2.0**-53


@inline
def normal(seed: Any, stream: int, k: int) -> float:
    """Return the standard normal number of draw k of a stream (Box and Muller 1958)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(seed, stream, 2 * k)))
    return radius * math.cos(2.0 * math.pi * uniform(seed, stream, 2 * k + 1))


@inline
def loss(o: Any, s: Any, now: float) -> float:
    """Return the share of the performance lost at `now`, d(t) in [0, 1]."""
    age = now - s.deployed
    if o.drift == LINEAR:
        return min(1.0, o.rate * age)
    if o.drift == EXPONENTIAL:
        return 1.0 - math.exp(-o.rate * age)
    return s.step_loss


@inline
def performance(o: Any, s: Any, now: float) -> float:
    """Return the performance at `now`."""
    return s.performance * (1.0 - loss(o, s, now))


@inline
def integrate(o: Any, s: Any, now: float) -> None:
    """Update the integrals of performance and loss to `now`, in closed form."""
    begin, end = s.integrated_until - s.deployed, now - s.deployed
    if o.drift == LINEAR:
        full = 1.0 / o.rate
        low, high = min(begin, full), min(end, full)
        lost = 0.5 * o.rate * (high * high - low * low) + (end - high) - (begin - low)
    elif o.drift == EXPONENTIAL:
        lost = (end - begin) - (math.exp(-o.rate * begin) - math.exp(-o.rate * end)) / o.rate
    else:
        lost = s.step_loss * (end - begin)
    s.stale += lost
    s.quality += s.performance * ((end - begin) - lost)
    s.integrated_until = now


@inline
def new_data_fraction(o: Any, s: Any, now: float) -> float:
    """Return the fraction of the lost performance that a retrain regains: new data over need."""
    if o.data_need <= 0.0:
        return 1.0
    return min(1.0, o.data_rate * (now - s.data_at) / o.data_need)


@inline
def potential_improvement(o: Any, s: Any, now: float) -> float:
    """Return the expected gain of performance of a run that began at `now`."""
    return new_data_fraction(o, s, now) * (o.expected_performance - performance(o, s, now))


@inline
def crossing_time(o: Any, s: Any) -> float:
    """Return when staleness or improvement reaches its threshold; infinity: never or by steps."""
    share = 2.0
    if o.staleness > 0.0:
        share = o.staleness
    if o.improvement > 0.0:
        share = min(share, 1.0 - (o.expected_performance - o.improvement) / s.performance)
    if share > 1.0 or o.drift == NONE or o.drift == CHANGES or o.drift == WALK:
        return np.inf
    if share <= 0.0:
        return s.deployed
    if o.drift == LINEAR:
        return s.deployed + share / o.rate
    return s.deployed - math.log1p(-share) / o.rate if share < 1.0 else np.inf


@inline
def trigger_reason(o: Any, s: Any, seen: float, now: float) -> int:
    """Return the trigger that fires at the observed performance `seen`; -1: none."""
    if o.staleness > 0.0 and 1.0 - seen / s.performance >= o.staleness - ROUNDING:
        return STALENESS
    gain = new_data_fraction(o, s, now) * (o.expected_performance - seen)
    if o.improvement > 0.0 and gain >= o.improvement - ROUNDING:
        return IMPROVEMENT
    if o.page_hinkley > 0.0 and s.total - s.least > o.page_hinkley:
        return PAGE_HINKLEY
    return -1


@inline
def observe(o: Any, s: Any, seed: Any, stream: int, now: float) -> float:
    """Return the performance as monitored at `now`, and update the detector with it."""
    seen = performance(o, s, now)
    if o.noise > 0.0:
        seen += o.noise * normal(seed, stream, s.observations)
        s.observations += 1
    if o.page_hinkley > 0.0:
        s.count, s.mean, s.total, s.least = ph_step(
            s.count, s.mean, s.total, s.least, seen, o.delta
        )
    return seen


@inline
def time_to_drift_step(o: Any, s: Any, seed: Any, stream: int) -> float:
    """Return the time until the next step of drift, s; infinity: none."""
    if o.drift == CHANGES:
        return -math.log(1.0 - uniform(seed, stream, 4 * s.drift_steps)) / o.rate
    return o.step if o.drift == WALK else np.inf


@inline
def drift_step(o: Any, s: Any, seed: Any, stream: int, now: float) -> None:
    """Apply a step of drift: a change point, or a step of a random walk reflected at 0."""
    integrate(o, s, now)
    s.drift_steps += 1
    if o.drift == CHANGES:
        s.step_loss = min(1.0, s.step_loss + o.size)
        return
    change = o.size * math.sqrt(o.step) * normal(seed, stream, 2 * s.drift_steps + 1)
    s.step_loss = min(1.0, abs(s.step_loss + change))
