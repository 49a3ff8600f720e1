"""Counter-based random numbers: draw k of a key is a hash of both.

A draw depends on no draw before it. So two policies with one seed meet the same random numbers,
whatever the order of events (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from panda_gym.jit.compiled import inline

STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_A: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B: Final = np.uint64(0x94D049BB133111EB)
_SHIFT_A, _SHIFT_B, _SHIFT_C = np.uint64(30), np.uint64(27), np.uint64(31)
_ONE, _ELEVEN = np.uint64(1), np.uint64(11)
_UNIT: Final = 2.0**-53

FAILS, WHEN, PILOT, CANCELS, CANCEL_TIME = range(5)
"""What each draw of an attempt decides."""
DRAWS: Final = 8
"""Draws reserved for each attempt of a job."""


@inline
def scramble(number: Any) -> Any:
    """Return the finaliser of SplitMix64 (Steele, Lea, Flood 2014), a bijection of uint64."""
    number = (number ^ (number >> _SHIFT_A)) * _MIX_A
    number = (number ^ (number >> _SHIFT_B)) * _MIX_B
    return number ^ (number >> _SHIFT_C)


@inline
def bits(seed: Any, site: int, k: int) -> Any:
    """Return 64 random bits, those of change k of a site in the episode of a seed."""
    key = scramble(np.uint64(seed) + STEP * (np.uint64(site) + _ONE))
    return scramble(key + STEP * (np.uint64(k) + _ONE))


@inline
def unit(number: Any) -> float:
    """Return 64 random bits as a float64 in [0, 1)."""
    return np.float64(number >> _ELEVEN) * _UNIT


@inline
def job_draw(key: Any, attempt: int, which: int) -> float:
    """Return a uniform number in [0, 1): draw `which` of an attempt of the job with this key."""
    k = np.uint64(DRAWS * attempt + which)
    return unit(scramble(np.uint64(key) + STEP * (k + _ONE)))
