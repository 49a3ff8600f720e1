"""Counter-based draws: uniforms that depend on a number or a name alone.

A counter-based draw needs no generator and no order: the same key gives the same number in any
episode, on any machine. The mixer is SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def hashed_uniform(key: np.ndarray, stream: int) -> np.ndarray:
    """Return uniforms in [0, 1), float64[n], from keys [n] >= 0 and the number of the draw."""
    state = np.asarray(key).astype(np.uint64) * np.uint64(0xD1342543DE82EF95)
    state += np.uint64(_GOLDEN * (stream + 1) % 2**64)
    state = (state ^ (state >> np.uint64(30))) * _MIX_1
    state = (state ^ (state >> np.uint64(27))) * _MIX_2
    state ^= state >> np.uint64(31)
    return (state >> np.uint64(11)) * 2.0**-53


def name_key(name: str) -> int:
    """Return a whole number in [0, 2^48) that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big")


def name_keys(names: Sequence[str]) -> np.ndarray:
    """Return the `name_key` of each name, int64[n]."""
    return np.array([name_key(name) for name in names], dtype=np.int64)


def weighted_pick(uniform: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return indices in proportion to `weight` [S], by uniforms [n]; equal shares if all are 0."""
    weight = weight if weight.any() else np.ones(len(weight))
    edges = np.cumsum(weight)
    found = np.searchsorted(edges, uniform * edges[-1], side="right")
    # u x total may round up to the total itself.
    return np.minimum(found, np.flatnonzero(weight)[-1])
