"""A proven lower bound on the geometric mean bounded slowdown that any policy can reach.

    batch.begin([(0, rng)])
    bound = lower_bound(batch, 0)      # before the first decision
    bound.alone, bound.geometric_slowdown

The bound holds for every policy, whatever it knows, on the very jobs, failures, outages and
competing load of the episode. Two relaxations, of which the second is never the weaker one:

- Each job alone: it ends as early as one of its attempts can at the best site, behind the queues
  that are there at the first decision.
- With capacity: the judged jobs share the cores of each site. Let c_j be the cores of job j, and
  let x be what it does: a site, a start, and from that a time for which cores are held. By weak
  duality (Fisher, "The Lagrangian relaxation method for solving integer programming problems",
  Management Science 27, 1981), for any prices p >= 0 of a core second by site and bin of time

        sum_j ln slowdown_j >= sum_j min_x [ln slowdown_j(x) + c_j sum_b p_b h_b(x)] - sum_b p_b C_b

  where h_b(x) is the time for which x is charged in bin b and C_b the most core seconds that
  charged jobs hold there. It is the dual of a time-indexed relaxation (Sousa and Wolsey,
  "A time indexed formulation of non-preemptive single machine scheduling problems", Mathematical
  Programming 54, 1992), with real start times: the least over a start is exact, since ln is
  concave and the charge piecewise linear (`dual.best_start`).

Prices rise by subgradient steps scaled by their history (Duchi, Hazan and Singer, "Adaptive
subgradient methods", JMLR 12, 2011), from 0, at which the second bound is the first. Every
iterate gives a valid bound; the best is kept. `sites` and `jobs` show why capacity and options
leave nothing out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from panda_gym.errors import PolicyError
from panda_gym.oracles.base import one_at_a_time
from panda_gym.oracles.context import OracleContext
from panda_gym.oracles.relaxation.arrays import Jobs, Sites, allocate_jobs, allocate_sites
from panda_gym.oracles.relaxation.dual import dual_value, sum_prices
from panda_gym.oracles.relaxation.jobs import describe_jobs
from panda_gym.oracles.relaxation.sites import MEMORY, cores_left, fill_bins, present_jobs

if TYPE_CHECKING:
    from panda_gym.environments.placement.batch import PlacementBatch

__all__ = ["LowerBound", "lower_bound"]

ROUNDING: Final = 1e-9
"""Taken off the mean ln slowdown: no sum of rounded numbers may exceed the truth."""


@dataclass(frozen=True)
class LowerBound:
    """Lower bounds of the judged jobs of one episode."""

    alone: float
    """On the geometric mean bounded slowdown, each job alone on the grid."""
    geometric_slowdown: float
    """The same with the capacity of the sites; the better one."""
    jobs: int
    """Judged jobs."""
    prices: np.ndarray
    """The prices that prove it, per core second by site and bin, float64[S, B]."""


def lower_bound(
    batch: PlacementBatch,
    e: int,
    *,
    iterations: int = 300,
    bin_s: float = 1800.0,
    bins: int = 96,
    options: int = 64,
) -> LowerBound:
    """Return lower bounds for grid e, whose episode has begun and which has made no decision.

    iterations: steps that raise the prices. bin_s, bins: width and number of the bins of time;
    cores are free of charge after the last. options: most sites of a job that are charged.

    Raises:
        PolicyError: a grid that has made decisions, or several decisions at a time, queues that
            are not FIFO, deferral or data actions.
    """
    one_at_a_time(batch)
    world = batch.simulator.world
    if int(world.grids["decided"][e]) > 0 or batch.scenario.defer:
        raise PolicyError(
            "a grid before its first decision, without deferral, for a lower bound",
            f"decided={int(world.grids['decided'][e])}, defer={batch.scenario.defer}",
            "call it right after begin() or reset()",
        )
    sites, jobs = _relaxation(batch, e, bin_s, bins, options)
    alone, best, prices = _raise_prices(sites, jobs, iterations)
    count = max(1, len(jobs.row))
    return LowerBound(_geometric(alone / count), _geometric(best / count), len(jobs.row), prices)


def _geometric(mean_ln: float) -> float:
    return math.exp(max(0.0, mean_ln - ROUNDING))


def _relaxation(
    batch: PlacementBatch, e: int, bin_s: float, bins: int, options: int
) -> tuple[Sites, Jobs]:
    """The sites over time and the judged jobs with their options."""
    context = OracleContext.of(batch)
    world, grid = context.world, context.world.grids[e]
    sites = allocate_sites(world, e, bins, bin_s)
    present_jobs(context.table, context.forecast, sites, e)
    sites = cores_left(world, context.forecast.levels[e], e, sites)
    fill_bins(sites, MEMORY)
    rows = np.arange(int(grid["warmup"]), int(grid["judged"]))
    jobs = allocate_jobs(len(rows), options)
    jobs.row[:] = rows
    describe_jobs(context.table, sites, jobs, e, _first_readers(batch, e, rows), options)
    return sites, jobs


def _first_readers(batch: PlacementBatch, e: int, rows: np.ndarray) -> np.ndarray:
    """Arrival of the first job that may have read the input of each of these rows, float64[J].

    Without storage no replica comes, so it is the job itself.
    """
    world = batch.simulator.world
    jobs = world.jobs[e][: int(world.grids["rows"][e])]
    first = jobs["arrival"][rows].copy()
    if not world.rules[0]["storage"]:
        return first
    held, reads = jobs["dataset"], jobs["dataset"] >= 0
    earliest = np.full(len(world.datasets[e]), np.inf)
    np.minimum.at(earliest, held[reads], jobs["arrival"][reads])
    known = world.datasets["first"][e] >= 0
    earliest[known] = -np.inf
    own = held[rows]
    return np.where(own >= 0, np.minimum(first, earliest[np.maximum(own, 0)]), first)


def _raise_prices(sites: Sites, jobs: Jobs, iterations: int) -> tuple[float, float, np.ndarray]:
    """The bound at prices 0, the best bound, and its prices."""
    shape = sites.most.shape
    price, used = np.zeros(shape), np.zeros(shape)
    total = np.zeros((*shape, shape[1] + 1))
    history = np.zeros(shape)
    alone, best, kept = 0.0, -math.inf, price.copy()
    unit = _price_unit(jobs)
    for step in range(iterations + 1):
        sum_prices(sites, price, total)
        value = dual_value(sites, jobs, price, total, used)
        alone = value if step == 0 else alone
        if value > best:
            best, kept = value, price.copy()
        slope = (used - sites.capacity) / sites.width[0]
        history += slope * slope
        rate = unit / math.sqrt(1.0 + 0.05 * step)
        price = np.maximum(0.0, price + rate * slope / np.sqrt(history + 1e-12))
    return alone, best, kept


def _price_unit(jobs: Jobs) -> float:
    """First step of a price: an ln slowdown of 0.1 for the core seconds of a middling job."""
    if not jobs.first[-1]:
        return 0.0
    held = jobs.hold[jobs.first[:-1][np.diff(jobs.first) > 0]]
    return 0.1 / float(np.median(held))
