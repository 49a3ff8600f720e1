"""Draw the grids of a training round at random: scales, platforms, scenarios, loads, predictors.

Domain randomisation (Tobin et al., IROS 2017): an agent that has learned in many grids of random
kinds meets a new one as one more of them. A cell is one kind of grid; all grids of a cell share
its platform and settings. Cells whose episodes are equally long are played side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np

from panda_gym.environments.placement.named_scenarios import SCENARIOS
from panda_gym.errors import PolicyError, nearest
from panda_gym.jobs import JobStream
from panda_gym.jobs.prediction_error import PredictionError
from panda_gym.sites import Platform, load_platform

Settings = dict[str, Any]


@dataclass(frozen=True)
class Stratum:
    """A range of scales, whose cells have episodes of the same length."""

    scales: tuple[float, float]
    """Scales are log-uniform between these."""
    cells: int
    """Cells of a round."""
    jobs: int
    """Decisions of an episode."""
    warmup: tuple[int, int]
    """Jobs of the warm start, log-uniform between these."""


@dataclass(frozen=True)
class Domain:
    """What the cells of a round are drawn from."""

    strata: tuple[Stratum, ...]
    scenarios: tuple[str, ...]
    """Names of scenarios, drawn alike."""
    load: tuple[float, float] = (0.7, 1.4)
    """Factor on the scenario's load, log-uniform; half of the cells keep it."""
    streams: Mapping[str, float] = field(default_factory=lambda: {"default": 1.0})
    """Surrogates by name, with how often each is drawn."""
    predictors: tuple[tuple[float, PredictionError | None], ...] = ((1.0, None),)
    """Errors of the predictions, with how often each is drawn; None: the stream's own."""
    platforms: float = 0.0
    """Share of the cells with random cores, speeds and number of sites."""
    fewest_sites: int = 30
    """Least number of sites of those."""

    def groups(self, rng: np.random.Generator) -> list[list[Settings]]:
        """Return the settings of a round's cells, one list for each stratum."""
        return [[self._cell(rng, s) for _ in range(s.cells)] for s in self.strata]

    def open_streams(self) -> list[JobStream]:
        """Return the streams that jobs are drawn from."""
        return [_surrogate_stream(name) for name in self.streams]

    def _cell(self, rng: np.random.Generator, stratum: Stratum) -> Settings:
        name = self.scenarios[int(rng.integers(len(self.scenarios)))]
        scale, warmup = _log_uniform(rng, stratum.scales), _log_uniform(rng, stratum.warmup)
        found: Settings = {
            "scenario": name,
            "scale": float(scale),
            "jobs": stratum.jobs,
            "warmup": round(warmup),
            "stream": self._stream(rng),
            "platform": _random_platform(rng, self.fewest_sites, self.platforms),
        }
        factor, keeps = _log_uniform(rng, self.load), rng.random() < 0.5
        if not keeps:
            found["load"] = float(np.clip(factor * _load(name), 0.3, 3.0))
        return found

    def _stream(self, rng: np.random.Generator) -> JobStream:
        name = str(rng.choice(list(self.streams), p=_shares(self.streams.values())))
        kind = int(rng.choice(len(self.predictors), p=_shares(p for p, _ in self.predictors)))
        error, seed = self.predictors[kind][1], int(rng.integers(2**31))
        stream = _surrogate_stream(name)
        return stream if error is None else error.apply(stream, seed)


_PREDICTORS: Final = (
    (0.5, None),
    (0.05, PredictionError(0.0)),
    (0.1, PredictionError(1.0)),
    (0.15, PredictionError(3.0)),
    (0.1, PredictionError(bias=1.0 / 3.0, of_truth=False)),
    (0.1, PredictionError(bias=3.0, of_truth=False)),
)

DOMAINS: Final[Mapping[str, Domain]] = {
    "scales": Domain(
        strata=(
            Stratum((0.01, 0.03), 16, 2_000, (300, 1_000)),
            Stratum((0.03, 0.3), 8, 4_000, (500, 5_000)),
            Stratum((0.3, 1.0), 4, 8_000, (500, 20_000)),
        ),
        scenarios=("atlas", "data-heavy", "default", "outage", "rush", "saturated", "stale"),
        streams={"default": 0.85, "tasks": 0.15},
        predictors=_PREDICTORS,
        platforms=0.3,
    ),
}
"""Domains by name."""


def find_domain(name: str) -> Domain:
    """Return a domain; PolicyError suggests the nearest of an unknown one."""
    if name not in DOMAINS:
        raise PolicyError("the name of a domain", repr(name), nearest(str(name), DOMAINS))
    return DOMAINS[name]


def _log_uniform(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    return float(np.exp(rng.uniform(*np.log(bounds))))


def _shares(weights: Any) -> np.ndarray:
    found = np.array(list(weights), dtype=np.float64)
    return found / found.sum()


_whole_platform = lru_cache(maxsize=1)(load_platform)


def _load(name: str) -> float:
    return float(SCENARIOS[name].settings.get("load", 0.95))


@lru_cache(maxsize=8)
def _surrogate_stream(name: str) -> JobStream:
    from panda_gym.surrogate import Surrogate

    return JobStream.from_surrogate(Surrogate.open(name))


def _random_platform(rng: np.random.Generator, fewest: int, share: float) -> Platform:
    """Return the shipped platform, or in `share` of the draws one with random sites of it.

    The drawn sites get random cores and speeds; the total of cores is that of the whole platform
    in proportion to the number of sites.
    """
    whole = _whole_platform("atlas150")
    is_random, count = rng.random() < share, int(rng.integers(fewest, len(whole) + 1))
    if not is_random:
        return whole
    kept = np.sort(rng.choice(len(whole), count, replace=False))
    cores = whole.cores[kept] * np.exp(rng.normal(0.0, 0.7, count))
    cores *= whole.cores.sum() * count / len(whole) / cores.sum()
    power = whole.power[kept] * np.exp(rng.normal(0.0, 0.2, count))
    return replace(
        whole,
        name=f"{whole.name}-random-{count}",
        names=tuple(whole.names[k] for k in kept),
        region=tuple(whole.region[k] for k in kept),
        cores=np.maximum(1, np.rint(cores)),
        power=power,
        disk_tb=whole.disk_tb[kept],
        bandwidth_mbps=whole.bandwidth_mbps[np.ix_(kept, kept)],
        latency_s=whole.latency_s[np.ix_(kept, kept)],
        closeness=whole.closeness[np.ix_(kept, kept)],
    )
