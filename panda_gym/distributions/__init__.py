"""Distributions of arrivals, durations and data sizes, fitted to traces, sampled and saved as JSON.

```python
import numpy as np
from panda_gym.distributions import fit_arrivals, load_distribution, save_distribution

rng = np.random.default_rng(0)
recorded_s = np.cumsum(rng.exponential(60.0, 1000))
save_distribution(fit_arrivals(recorded_s, "poisson"), "arrivals.json")
times_s = load_distribution("arrivals.json").until(rng, horizon_s=604_800.0)
```
"""

from __future__ import annotations

from panda_gym.deprecated import old_names
from panda_gym.distributions.arrivals import Arrivals, HourOfWeek, fit_arrivals
from panda_gym.distributions.base import Distribution
from panda_gym.distributions.growth import Growth
from panda_gym.distributions.mixture import Assets, LogMixture
from panda_gym.distributions.parametric import (
    Constant,
    Exponential,
    ExponentiatedWeibull,
    Lognormal,
    Pareto,
)
from panda_gym.distributions.saved import load_distribution, save_distribution
from panda_gym.distributions.stratified import Stratified

__all__ = [
    "Arrivals",
    "Assets",
    "Constant",
    "Distribution",
    "Exponential",
    "ExponentiatedWeibull",
    "Growth",
    "HourOfWeek",
    "LogMixture",
    "Lognormal",
    "Pareto",
    "Stratified",
    "fit_arrivals",
    "load_distribution",
    "save_distribution",
]

__getattr__ = old_names(__name__)
