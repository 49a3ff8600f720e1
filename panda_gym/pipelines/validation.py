"""Validation report: distributions fitted to the first days of a trace against the rest of it.

The first days of a trace are fitted, the rest is simulated as many times as there are seeds and
compared: hourly profile, Fano factor of hourly counts (variance over mean), gaps and durations
(quantiles, KS), and waiting times of both in one first-come queue of like slots.
"""

from __future__ import annotations

import html
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy import stats

from panda_gym.distributions import Stratified, fit_arrivals
from panda_gym.distributions.base import Distribution
from panda_gym.distributions.samples import rising
from panda_gym.errors import DistributionError, check_seed
from panda_gym.files import whole_file
from panda_gym.units import SECONDS_PER_DAY, SECONDS_PER_HOUR

Array = np.ndarray

LEVELS: Final = tuple(np.round(np.linspace(0.05, 0.95, 19), 2).tolist())
"""Probabilities of the quantiles that are compared."""
LOAD: Final = 0.9
"""Load of the queue: recorded work of the rest over its slots and time."""


@dataclass(frozen=True)
class Validation:
    """What was found; lists of simulated figures have one entry a seed."""

    origin: str
    model: str
    fitted_jobs: int
    fitted_days: float
    rest_jobs: int
    rest_days: float
    profile: dict[str, list[float]]
    """Jobs in every whole hour of the rest: recorded, and the mean simulated."""
    profile_correlation: float
    """Of recorded and mean simulated hourly counts."""
    baseline_correlation: float
    """The same for the counts of the same hour a week before, where recorded."""
    total: dict[str, Any]
    """Jobs of the rest: recorded, simulated."""
    fano: dict[str, Any]
    """Variance over mean of hourly counts: recorded in the fitted part and the rest, simulated."""
    gaps: dict[str, Any]
    """Quantiles of gaps at LEVELS and KS distance of the rest from the simulated."""
    durations: dict[str, Any]
    """Quantiles of durations at LEVELS, KS, and the largest deviation between 5 and 95 %."""
    fitted_durations: dict[str, Any]
    """The same against the fitted part: whether the distribution describes its own sample."""
    waits: dict[str, Any]
    """Slots, load, and quantiles of waiting: recorded, simulated."""

    def write(self, folder: str | Path) -> Path:
        """Write validation.json and validation.html; returns the page."""
        folder = Path(folder)
        with whole_file(folder / "validation.json") as aside:
            aside.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        with whole_file(folder / "validation.html") as aside:
            aside.write_text(_page(self), encoding="utf-8")
        return folder / "validation.html"


def validate(
    arrival_s: Array,
    duration_s: Array,
    strata: Array,
    *,
    days: float = 8.0,
    start_s: float = 0.0,
    model: str = "hour_of_week",
    seeds: int = 5,
    origin: str = "a trace",
) -> Validation:
    """Fit the first days of a trace, simulate the rest, compare.

    Args:
        arrival_s: float64[n], s from the trace's start.
        duration_s: float64[n], s; durations of 0 are read as half a second.
        strata: labels [n] by which durations are fitted.
        start_s: time of the week (s since Monday 00:00 UTC) at time 0.
        seeds: how often the rest is simulated.

    Raises:
        DistributionError: no jobs on one side of the cut, or samples that cannot be fitted.
    """
    check_seed(seeds)
    order = np.argsort(arrival_s, kind="stable")
    time = np.asarray(arrival_s, dtype=np.float64)[order]
    lasted = np.maximum(np.asarray(duration_s, dtype=np.float64)[order], 0.5)
    label = np.asarray(strata).astype(str)[order]
    cut = days * SECONDS_PER_DAY
    early, late = time < cut, time >= cut
    if early.sum() < 100 or late.sum() < 100:
        raise DistributionError(
            "100 jobs before and after the cut", f"{late.sum()} after", "change days"
        )
    arrivals = fit_arrivals(time[early], model, start_s)
    durations = Stratified.fit(lasted[early], label[early])
    span = float(time[-1] - cut)
    rest, rest_lasted = rising(time[late]) - cut, lasted[late]
    drawn = []
    for seed in range(seeds):
        rng = np.random.default_rng([seed, 6])
        times = arrivals.until(rng, span, start_s + cut)
        drawn.append((times, _lengths(durations, label[early], len(times), rng)))
    simulated = np.array([_hourly(times, span) for times, _ in drawn])
    recorded, gaps = _hourly(rest, span), np.concatenate([np.diff(t) for t, _ in drawn])
    lengths = np.concatenate([length for _, length in drawn])
    before = _hourly(time[early], cut)
    week = _week_before(before, len(recorded), int(cut // SECONDS_PER_HOUR))
    own = _lengths(durations, label[early], 50_000, np.random.default_rng([0, 7]))
    return Validation(
        origin=origin,
        model=model,
        fitted_jobs=int(early.sum()),
        fitted_days=days,
        rest_jobs=int(late.sum()),
        rest_days=span / SECONDS_PER_DAY,
        profile={"recorded": recorded.tolist(), "simulated": simulated.mean(axis=0).tolist()},
        profile_correlation=_correlation(recorded, simulated.mean(axis=0)),
        baseline_correlation=_correlation(recorded, week),
        total={"recorded": int(late.sum()), "simulated": [len(times) for times, _ in drawn]},
        fano={
            "fitted part": _fano(before),
            "recorded": _fano(recorded),
            "simulated": [_fano(row) for row in simulated],
        },
        gaps=_compared(np.diff(rest), gaps),
        durations=_compared(rest_lasted, lengths),
        fitted_durations=_compared(lasted[early], own),
        waits=_waits(rest, rest_lasted, drawn, span),
    )


def _lengths(distribution: Stratified, labels: Array, n: int, rng: np.random.Generator) -> Array:
    """Durations of n jobs whose strata are drawn from those of the fitted part."""
    label = labels[rng.integers(len(labels), size=n)]
    found = np.zeros(n)
    for name in np.unique(label):
        mine = label == name
        one: Distribution = distribution.of(str(name))
        found[mine] = one.sample(rng, int(mine.sum()))
    return found


def _hourly(times: Array, span: float) -> Array:
    """Jobs in every whole hour of a span."""
    hours = max(int(span // SECONDS_PER_HOUR), 1)
    return np.histogram(times, bins=hours, range=(0.0, hours * SECONDS_PER_HOUR))[0].astype(float)


def _week_before(before: Array, hours: int, cut: int) -> Array:
    return before[[(cut + h) % 168 for h in range(hours)]] if cut >= 168 else np.full(hours, np.nan)


def _correlation(a: Array, b: Array) -> float:
    if not (np.isfinite(b).all() and a.std() > 0 and b.std() > 0):
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def _fano(counts: Array) -> float:
    return float(counts.var(ddof=1) / counts.mean())


def _compared(recorded: Array, simulated: Array) -> dict[str, Any]:
    a, b = (np.quantile(x, LEVELS) for x in (recorded, simulated))
    return {
        "recorded": a.tolist(),
        "simulated": b.tolist(),
        "ks": float(stats.ks_2samp(recorded, simulated).statistic),
        "largest_deviation": float(np.abs(b / np.maximum(a, 1e-9) - 1.0).max()),
    }


def _waits(
    rest: Array, lasted: Array, drawn: list[tuple[Array, Array]], span: float
) -> dict[str, Any]:
    slots = max(1, int(np.ceil(lasted.sum() / (span * LOAD))))
    levels = [0.5, 0.75, 0.9, 0.95, 0.99]

    def figures(times: Array, lengths: Array) -> dict[str, float]:
        wait = queue_waits(times, lengths, slots)
        found = {f"q{round(100 * q)}": float(np.quantile(wait, q)) for q in levels}
        return {"mean": float(wait.mean()), "waiting": float((wait > 0).mean()), **found}

    load = float(lasted.sum() / (span * slots))
    return {
        "slots": slots,
        "load": load,
        "recorded": figures(rest, lasted),
        "simulated": [figures(*one) for one in drawn],
    }


def queue_waits(times: Array, lengths: Array, slots: int) -> Array:
    """Waits of jobs in a first-come queue of like slots (Kiefer and Wolfowitz 1955), float64[n]."""
    import heapq

    free = [0.0] * slots
    waits = np.zeros(len(times))
    for i, (time, length) in enumerate(zip(times.tolist(), lengths.tolist(), strict=True)):
        begin = max(time, free[0])
        waits[i] = begin - time
        heapq.heapreplace(free, begin + length)
    return waits


def _page(found: Validation) -> str:
    from plotly.subplots import make_subplots

    titles = ("jobs an hour", "Q-Q of gaps, s", "Q-Q of durations, s", "hourly counts: Fano factor")
    drawn = make_subplots(rows=2, cols=2, subplot_titles=titles)
    hours = list(range(len(found.profile["recorded"])))
    for name, colour in (("recorded", "#222222"), ("simulated", "#4477aa")):
        drawn.add_scatter(
            x=hours, y=found.profile[name], name=name, line={"color": colour}, row=1, col=1
        )
    for part, (row, col) in ((found.gaps, (1, 2)), (found.durations, (2, 1))):
        ends = [min(part["recorded"]), max(part["recorded"])]
        drawn.add_scatter(
            x=part["recorded"], y=part["simulated"], mode="markers", showlegend=False,
            row=row, col=col,
        )  # fmt: skip
        drawn.add_scatter(x=ends, y=ends, mode="lines", showlegend=False, row=row, col=col)
        drawn.update_xaxes(type="log", title_text="recorded", row=row, col=col)
        drawn.update_yaxes(type="log", title_text="simulated", row=row, col=col)
    fano = [
        found.fano["fitted part"],
        found.fano["recorded"],
        float(np.mean(found.fano["simulated"])),
    ]
    drawn.add_bar(
        x=["fitted part", "recorded", "simulated"], y=fano, showlegend=False, row=2, col=2
    )
    drawn.update_layout(height=800, template="plotly_white")
    lines = {
        "origin": found.origin,
        "model of arrivals": found.model,
        "fitted": f"{found.fitted_jobs:,} jobs of {found.fitted_days:g} days",
        "compared with": f"{found.rest_jobs:,} jobs of {found.rest_days:.2f} days",
        "jobs simulated": ", ".join(f"{n:,}" for n in found.total["simulated"]),
        "correlation of hourly counts": f"{found.profile_correlation:.3f}"
        f" (the same hours a week before: {found.baseline_correlation:.3f})",
        "KS of gaps, durations": f"{found.gaps['ks']:.3f}, {found.durations['ks']:.3f}",
        "mean wait, recorded and simulated": f"{found.waits['recorded']['mean']:,.0f} s; "
        + ", ".join(f"{w['mean']:,.0f} s" for w in found.waits["simulated"]),
    }
    rows = "".join(
        f"<tr><td>{html.escape(k)}</td><td>{html.escape(v)}</td></tr>" for k, v in lines.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<link rel="icon" href="data:,"><title>Validation of distributions</title></head><body>'
        f"<h1>Validation of distributions</h1><table>{rows}</table>"
        f"{drawn.to_html(include_plotlyjs=True, full_html=False)}</body></html>\n"
    )
