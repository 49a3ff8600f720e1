"""Traits of each site and each DAOD format, the same for every seed."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

from panda_gym.records.reference import tables
from panda_gym.sites import Platform, load_platform

_FIXED = 20221001
"""Traits are constants of the model, so their scatter comes from a fixed seed."""


@dataclass(frozen=True, eq=False)
class SiteTraits:
    """S sites: how often they are used, how often they fail, how long jobs take there."""

    names: tuple[str, ...]
    """Site names."""
    power: np.ndarray
    """HS23 per core, float64[S]."""
    share: np.ndarray
    """Share of jobs, float64[S], sums to 1."""
    failure: np.ndarray
    """failed / (failed + finished), float64[S]."""
    cpu: np.ndarray
    """Shift of ln CPU seconds, float64[S], mean 0 over jobs."""


@dataclass(frozen=True, eq=False)
class FormatTraits:
    """D formats of DAOD datasets: names, shares by generation, CPU time."""

    names: tuple[str, ...]
    """Data types, DAOD_..."""
    old: np.ndarray
    """Share of tasks in the old generations of projects, float64[D], sums to 1."""
    new: np.ndarray
    """The same in the new generations."""
    share: np.ndarray
    """Share of tasks over all projects, float64[D], sums to 1."""
    cpu: np.ndarray
    """Shift of ln CPU seconds, float64[D], mean 0 over tasks."""


@functools.lru_cache(maxsize=1)
def site_traits() -> SiteTraits:
    """Traits of the sites of the platform that `tables.PLATFORM` names."""
    platform = load_platform(tables.PLATFORM)
    rng = np.random.default_rng(_FIXED)
    share = _shares(platform, rng)
    power = np.asarray(platform.power, dtype=np.float64)
    cpu = tables.SITE_CPU_SD * rng.permutation(_scores(len(platform))) - np.log(power)
    return SiteTraits(
        names=tuple(platform.names),
        power=power,
        share=share,
        failure=_failures(share, rng),
        cpu=cpu - share @ cpu,
    )


@functools.lru_cache(maxsize=1)
def format_traits() -> FormatTraits:
    """Traits of the DAOD formats of `tables.FAMILIES`."""
    rng = np.random.default_rng(_FIXED)
    names: list[str] = []
    old, new, cpu = [], [], []
    fresh = _new_generation_share()
    for family, share, count, shift in tables.FAMILIES:
        zipf = np.arange(1, count + 1) ** -tables.FORMAT_ZIPF
        names += _formats(family, count)
        in_new = _share_in_new(family, share)
        new.append(in_new * zipf / zipf.sum())
        old.append((share - fresh * in_new) / (1.0 - fresh) * zipf / zipf.sum())
        cpu.append(shift + tables.DATATYPE_CPU_SD * rng.permutation(_scores(count)))
    overall = fresh * np.concatenate(new) + (1.0 - fresh) * np.concatenate(old)
    shifts = np.concatenate(cpu)
    return FormatTraits(
        names=tuple(names),
        old=np.concatenate(old),
        new=np.concatenate(new),
        share=overall,
        cpu=shifts - overall @ shifts,
    )


def draw_quantile(table: tuple[tuple[float, float], ...], u: np.ndarray) -> np.ndarray:
    """Values at probabilities `u`, between the rows (probability, value > 0) of `table`.

    ln value is linear in the normal score of the probability, so a log-normal distribution is
    exact; the end rows stand at scores of -4 and 4.
    """
    scores = _score(np.array([probability for probability, _ in table]))
    values = np.log([value for _, value in table])
    return np.exp(np.interp(_score(u), scores, values))


def _score(probability: np.ndarray) -> np.ndarray:
    return np.clip(ndtri(probability), -4.0, 4.0)


def _scores(n: int) -> np.ndarray:
    """Normal scores of n evenly spaced ranks, mean 0, sd 1 (0 for a single one)."""
    scores = ndtri((np.arange(n) + 0.5) / n)
    return scores / (scores.std() if n > 1 else 1.0)


def _shares(platform: Platform, rng: np.random.Generator) -> np.ndarray:
    """Zipf-Mandelbrot shares, ranked by slots with some noise."""
    q, s = tables.SITE_SHARE
    probabilities = (np.arange(1, len(platform) + 1) + q) ** -s
    worth = np.log(platform.cores) + rng.normal(0.0, tables.SITE_RANK_NOISE, len(platform))
    share = np.empty(len(platform))
    share[np.argsort(-worth, kind="stable")] = probabilities / probabilities.sum()
    return share


def _failures(share: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Failure rates with the table's quantiles over sites, bent to its mean over jobs."""
    n = len(share)
    at, rate = np.array(tables.SITE_FAILURE).T
    sorted_rates = np.interp((np.arange(n) + 0.5) / n, at, rate)
    # Of some orders of the sites, the one that needs the least bending.
    orders = [rng.permutation(sorted_rates) for _ in range(64)]
    rates = min(orders, key=lambda order: abs(share @ order - tables.FAILED_SHARE))
    bend = brentq(lambda power: share @ rates**power - tables.FAILED_SHARE, 0.2, 5.0)
    return rates**bend


def _new_generation_share() -> float:
    return sum(share for name, share, _ in tables.PROJECTS if name in tables.NEW_PROJECTS)


def _share_in_new(family: str, share: float) -> float:
    phys = next(row[1] for row in tables.FAMILIES if row[0] == "PHYS")
    others = (1.0 - tables.PHYS_IN_NEW) / (1.0 - phys)
    return tables.PHYS_IN_NEW if family == "PHYS" else share * others


def _formats(family: str, count: int) -> list[str]:
    """Names of a family's formats: DAOD_HIGG1D1, DAOD_HIGG2D1, ... by turns."""
    if family == "PHYS":
        return ["DAOD_PHYS", "DAOD_PHYSLITE", "DAOD_PHYSVAL"][:count]
    groups = min(count, 9)
    return [f"DAOD_{family}{i % groups + 1}D{i // groups + 1}" for i in range(count)]
