"""The objectives that policies are trained for and judged by: one table of weights on costs.

An objective is minimised. Its value in an episode is the weighted sum of the `TERMS`, means
over the judged jobs. Training, `DifferenceRewardCallback`, `settled()`, data sets and benchmarks
read the same row, so that the difference rewards of an episode's first attempts add up to minus its
value times the jobs, external costs and the attempts' own traffic and waste aside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from panda_gym.errors import SettingError, nearest
from panda_gym.units import SECONDS_PER_HOUR

Measures = Mapping[str, float]
"""Measures of an episode by name, see `panda_gym.benchmarking.measures`."""


@dataclass(frozen=True)
class Term:
    """One cost of a decision.

    name: field of `Objective` that weighs it. formula: cost of a decision. unit: of the cost.
    external: whether its external cost is computed. measure: benchmark measure behind it.
    value: mean cost of a judged job, from the measures of an episode and its judged jobs.
    """

    name: str
    formula: str
    unit: str
    external: bool
    measure: str
    value: Callable[[Measures, int], float]


TERMS: Final = (
    Term(
        "ln_slowdown",
        "ln(max(1, (end - arrival) / max(ideal, bound))) of the decision's job",
        "1",
        True,
        "geometric_slowdown",
        lambda measures, jobs: math.log(measures["geometric_slowdown"]),
    ),
    Term(
        "turnaround_h",
        "end - arrival of the decision's job",
        "h",
        True,
        "mean_turnaround",
        lambda measures, jobs: measures["mean_turnaround"] / SECONDS_PER_HOUR,
    ),
    Term(
        "weighted_turnaround_h",
        "(end - arrival) x work / mean work of the judged jobs, of the decision's job",
        "h",
        True,
        "weighted_turnaround",
        lambda measures, jobs: measures["weighted_turnaround"] / SECONDS_PER_HOUR,
    ),
    Term(
        "wan_tb",
        "what the decision's attempt moved between sites",
        "TB",
        False,
        "wan",
        lambda measures, jobs: measures["wan"] / jobs,
    ),
    Term(
        "wasted_core_h",
        "core hours that the decision's attempt held without finishing",
        "core h",
        False,
        "wasted",
        lambda measures, jobs: measures["wasted"] / jobs,
    ),
    Term(
        "energy_kwh",
        "energy of the cores that the decision's attempt held",
        "kWh",
        False,
        "energy",
        lambda measures, jobs: measures["energy"] / jobs,
    ),
    Term(
        "carbon_kg",
        "emissions of that energy, at the site's country and the hours of the day",
        "kg CO2e",
        False,
        "carbon",
        lambda measures, jobs: measures["carbon"] / jobs,
    ),
)
"""The costs that objectives weigh. Times are of the job: arrival of its first, end of its last
attempt. The measure `wasted` counts every attempt of the episode, not of judged jobs alone."""


@dataclass(frozen=True)
class Objective:
    """Weights on the costs of `TERMS`; lower is better.

    The difference reward of a decision is minus (own cost + external x external cost).
    """

    name: str
    formula: str
    """Value in an episode, to be minimised."""
    unit: str
    source: str
    """Where it comes from: a paper or a page of the documentation."""
    ln_slowdown: float = 0.0
    """Weight of ln(bounded slowdown)."""
    turnaround_h: float = 0.0
    """Weight of turnaround, per h."""
    weighted_turnaround_h: float = 0.0
    """Weight of work-weighted turnaround, per h."""
    wan_tb: float = 0.0
    """Weight of traffic between sites, per TB."""
    wasted_core_h: float = 0.0
    """Weight of core hours held without finishing, per core h."""
    energy_kwh: float = 0.0
    """Weight of energy, per kWh."""
    carbon_kg: float = 0.0
    """Weight of emissions, per kg CO2e."""
    external: float = 1.0
    """Weight of the external cost beside the own one."""
    shared_links: bool = False
    """Whether the external cost also holds the delays of transfers that share the network by
    endpoint (`Network(level=1)`). Slow: 2,000 decisions of a random policy take 1.7 CPU-s in
    `atlas`, 79 in `data-heavy`, whose network is jammed."""
    external_max: float = 1e9
    """The external cost of a decision is clipped here, in units of the objective."""
    direction: Literal["low"] = "low"
    """What is better: objectives are minimised."""

    def weights(self) -> dict[str, float]:
        """Return the weight of every term by name."""
        return {term.name: float(getattr(self, term.name)) for term in TERMS}

    def value(self, measures: Measures, jobs: int) -> float:
        """Return the objective of an episode from its measures and its number of judged jobs."""
        weighed = [(term, getattr(self, term.name)) for term in TERMS]
        return sum(weight * term.value(measures, jobs) for term, weight in weighed if weight)


FEITELSON: Final = "bounded slowdown: Feitelson et al., JSSPP 1997"

OBJECTIVES: Final = (
    Objective(
        "ln_slowdown",
        "mean of ln(bounded slowdown)",
        "1",
        f"{FEITELSON}; difference reward: Wolpert and Tumer 2002",
        ln_slowdown=1.0,
        external_max=10.0,
    ),
    Objective(
        "ln_slowdown_links",
        "mean of ln(bounded slowdown), external costs of shared links included",
        "1",
        "as ln_slowdown; endpoint sharing: `panda_gym.credit.transfers`",
        ln_slowdown=1.0,
        external_max=10.0,
        shared_links=True,
    ),
    Objective(
        "own_ln_slowdown",
        "mean of ln(bounded slowdown), each decision charged with its own job only",
        "1",
        FEITELSON,
        ln_slowdown=1.0,
        external=0.0,
    ),
    Objective(
        "mean_turnaround",
        "mean of (end - arrival)",
        "h",
        "mean response time (Little 1961: the mean number of jobs); external cost: Naor 1969",
        turnaround_h=1.0,
    ),
    Objective(
        "weighted_turnaround",
        "sum of work x (end - arrival) / sum of work",
        "h",
        "weighted response time: Feitelson, Metrics for parallel job scheduling, JSSPP 2001",
        weighted_turnaround_h=1.0,
    ),
    Objective(
        "wan",
        "bytes moved between sites / judged jobs",
        "TB",
        "measure `wan` of the benchmark",
        wan_tb=1.0,
        external=0.0,
    ),
    Objective(
        "waste",
        "core hours held without finishing / judged jobs",
        "core h",
        "measure `wasted` of the benchmark",
        wasted_core_h=1.0,
        external=0.0,
    ),
    Objective(
        "ln_slowdown_wan",
        "mean of ln(bounded slowdown) + 20 / TB x bytes moved between sites / judged jobs",
        "1",
        "results of training: at 20 a TB traffic falls by a third, ln slowdown rises by .007",
        ln_slowdown=1.0,
        external_max=10.0,
        wan_tb=20.0,
    ),
    Objective(
        "balanced",
        "`ln_slowdown_wan` + 0.01 / core h x core hours held without finishing / judged jobs",
        "1",
        "the same, and waste at a price of choice",
        ln_slowdown=1.0,
        external_max=10.0,
        wan_tb=20.0,
        wasted_core_h=0.01,
    ),
    Objective(
        "ln_slowdown_weighted_turnaround",
        "mean of ln(bounded slowdown) + 0.1 / h x sum of work x (end - arrival) / sum of work",
        "1",
        "between small and large jobs: `ln_slowdown` and `weighted_turnaround`, price of choice",
        ln_slowdown=1.0,
        weighted_turnaround_h=0.1,
        external_max=10.0,
    ),
    Objective(
        "energy",
        "energy of the cores held / judged jobs",
        "kWh",
        "measure `energy` of the benchmark",
        energy_kwh=1.0,
        external=0.0,
    ),
    Objective(
        "carbon",
        "emissions of the cores held / judged jobs",
        "kg CO2e",
        "measure `carbon` of the benchmark",
        carbon_kg=1.0,
        external=0.0,
    ),
    Objective(
        "ln_slowdown_carbon",
        "mean of ln(bounded slowdown) + 1 / kg CO2e x emissions of the cores held / judged jobs",
        "1",
        "`ln_slowdown` and `carbon` at a price of choice",
        ln_slowdown=1.0,
        external_max=10.0,
        carbon_kg=1.0,
    ),
)
"""The objectives; a new one is one row. Weights of your own: `dataclasses.replace` of a row."""

DEFAULT: Final = OBJECTIVES[0]


def find_objective(objective: str | Objective) -> Objective:
    """Return an objective by name; SettingError names the nearest if there is none."""
    if isinstance(objective, Objective):
        return objective
    known = {one.name: one for one in OBJECTIVES}
    if objective not in known:
        came, hint = repr(objective), nearest(str(objective), known)
        raise SettingError("the name of an objective", came, f"{hint}; known: {', '.join(known)}")
    return known[objective]
