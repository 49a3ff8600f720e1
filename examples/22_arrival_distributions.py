"""Distributions of arrivals: fitted to a trace, saved, and sampled from any time of the week on."""

from __future__ import annotations

import numpy as np

from panda_gym.distributions import fit_arrivals, load_distribution, save_distribution

rng = np.random.default_rng(0)
times = np.sort(rng.random(20_000) * 14 * 86_400.0)
times = times[rng.random(len(times)) < 0.5 + 0.45 * np.sin(2 * np.pi * times / 86_400.0)]
for model in ("poisson", "exponentiated_weibull", "hour_of_week"):
    save_distribution(fit_arrivals(times, model), f"{model}.json", origin="an example")
    drawn = load_distribution(f"{model}.json").until(np.random.default_rng(1), 14 * 86_400.0)
    hours = [np.bincount((t // 3600).astype(int), minlength=336) for t in (times, drawn)]
    print(f"{model}: {len(drawn)} of {len(times)}, profile {np.corrcoef(*hours)[0, 1]:.2f}")
