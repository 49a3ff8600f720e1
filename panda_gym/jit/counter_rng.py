"""Random numbers that belong to a job or a site, whatever happens in between.

Each is a hash of (key, k): two policies on one seed meet the same draws in any order of events.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from panda_gym.jit.compiled import inner

STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_A: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B: Final = np.uint64(0x94D049BB133111EB)
_SHIFT_A, _SHIFT_B, _SHIFT_C = np.uint64(30), np.uint64(27), np.uint64(31)
_ONE, _ELEVEN = np.uint64(1), np.uint64(11)
_UNIT: Final = 2.0**-53

FAILS, WHEN, PILOT, CANCELS, CANCEL_TIME = range(5)
"""What the draws of an attempt are for."""
DRAWS: Final = 8
"""Draws kept apart for each attempt of a job."""


@inner
def scramble(number: Any) -> Any:
    """Finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection of 64-bit numbers."""
    number = (number ^ (number >> _SHIFT_A)) * _MIX_A
    number = (number ^ (number >> _SHIFT_B)) * _MIX_B
    return number ^ (number >> _SHIFT_C)


@inner
def bits(seed: Any, site: int, k: int) -> Any:
    """64 random bits that belong to change k of a site in the episode of a seed."""
    key = scramble(np.uint64(seed) + STEP * (np.uint64(site) + _ONE))
    return scramble(key + STEP * (np.uint64(k) + _ONE))


@inner
def unit(number: Any) -> float:
    """64 random bits as a number in [0, 1)."""
    return np.float64(number >> _ELEVEN) * _UNIT


@inner
def job_draw(key: Any, attempt: int, which: int) -> float:
    """A uniform number that belongs to an attempt of a job."""
    k = np.uint64(DRAWS * attempt + which)
    return unit(scramble(np.uint64(key) + STEP * (k + _ONE)))
