"""Compute the workload of a job in Gflop from its cores, its site and its CPU time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from panda_gym.errors import RecordsError
from panda_gym.sites import Platform
from panda_gym.units import GFLOPS_PER_HS23


def workload_gflop(cores: Any, power: Any, cpu_s: Any) -> np.ndarray:
    """Return cores x Gflop/s per core x CPU time (arXiv 2410.07940, section III).

    Where the time is already summed over the cores of a job, pass 1 core (see `apply_funnel`).

    Shape:
        cores [n], power [n] HS23 per core of the job's site, cpu_s [n] s; returns float64[n] Gflop.

    Raises:
        RecordsError: an entry that is missing, infinite or negative.
    """
    factors = [np.asarray(values, dtype=np.float64) for values in (cores, power, cpu_s)]
    for name, values in zip(("cores", "power", "CPU time"), factors, strict=True):
        if not np.isfinite(values).all() or (values < 0).any():
            worst = values[~(np.isfinite(values) & (values >= 0))].flat[0]
            raise RecordsError(f"{name} that is finite and not negative", f"{worst}", "drop it")
    return factors[0] * factors[1] * GFLOPS_PER_HS23 * factors[2]


def site_power(
    sites: Sequence[str] | pd.Series, platform: Platform
) -> tuple[np.ndarray, np.ndarray]:
    """Return the HS23 per core of each named site, and whether the platform knows it.

    A site that the platform does not know gets the median power of the platform's sites.

    Shape:
        sites [n]; returns float64[n] and bool[n].
    """
    names = pd.Categorical(sites)
    by_name = dict(zip(platform.names, platform.power, strict=True))
    median = float(np.median(platform.power))
    powers = np.array([by_name.get(level, median) for level in names.categories] + [median])
    known = np.array([level in by_name for level in names.categories] + [False])
    return powers[names.codes], known[names.codes]
