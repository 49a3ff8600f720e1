"""Random numbers of jobs and sites: hashes, as Python integers."""

from __future__ import annotations

import math

WORD = (1 << 64) - 1


def splitmix(number: int) -> int:
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & WORD
    return number ^ (number >> 31)


def nearly_normal(seed: int, site: int, k: int) -> float:
    step = 0x9E3779B97F4A7C15
    number = splitmix((splitmix((seed + step * (site + 1)) & WORD) + step * (k + 1)) & WORD)
    parts = [(number >> shift) & 0xFFFF for shift in (0, 16, 32, 48)]
    return (sum(parts) - 131070.0) / math.sqrt((2.0**32 - 1.0) / 3.0)


def uniform(number: int) -> float:
    return (number >> 11) / 2.0**53


def job_uniform(key: int, attempt: int, which: int) -> float:
    return uniform(splitmix((key + 0x9E3779B97F4A7C15 * (8 * attempt + which + 1)) & WORD))


def outage_bits(seed: int, site: int, k: int) -> int:
    step, salted = 0x9E3779B97F4A7C15, seed ^ 0xA0761D6478BD642F
    return splitmix((splitmix((salted + step * (site + 1)) & WORD) + step * (k + 1)) & WORD)
