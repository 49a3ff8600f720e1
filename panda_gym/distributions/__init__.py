"""Laws that are fitted to traces and sampled: arrivals, durations, sizes of data; saved as JSON.

law = fit_arrivals(times_s, "hour_of_week", start_s=...)
save_law(law, "arrivals.json"); load_law("arrivals.json").until(rng, horizon_s=604_800.0)
"""

from __future__ import annotations

from panda_gym.distributions.arrivals import Arrivals, HourOfWeek, Renewal, Trace, fit_arrivals
from panda_gym.distributions.base import Law
from panda_gym.distributions.growth import Growth
from panda_gym.distributions.mixture import Assets, LogMixture
from panda_gym.distributions.parametric import (
    Constant,
    Exponential,
    ExponentiatedWeibull,
    Lognormal,
    Pareto,
    best,
    ks,
)
from panda_gym.distributions.saved import load_law, save_law
from panda_gym.distributions.stratified import Stratified

__all__ = [
    "Arrivals",
    "Assets",
    "Constant",
    "Exponential",
    "ExponentiatedWeibull",
    "Growth",
    "HourOfWeek",
    "Law",
    "LogMixture",
    "Lognormal",
    "Pareto",
    "Renewal",
    "Stratified",
    "Trace",
    "best",
    "fit_arrivals",
    "ks",
    "load_law",
    "save_law",
]
