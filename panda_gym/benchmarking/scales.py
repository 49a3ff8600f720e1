"""Compare benchmarks of one scenario at several scales: rankings, and how much decisions matter.

The scale is the factor on the cores of every site. Worlds are paired within a scale, not between
scales. Two questions are answered for the choice of a scale that stands for full size: do rules
rank alike (Kendall's tau-b, 1945), and how far apart are they?
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from metrics.efficacy.ranking import LEAST_POLICIES, tau
from panda_gym.benchmarking.standard_suite import OBJECTIVE, is_heuristic
from panda_gym.benchmarking.table import BenchmarkTable
from panda_gym.oracles import PREFIX

AGREES: Final = 0.9
"""Least Kendall's tau with full size at which a scale ranks rules as full size does."""
UNINFORMED: Final = "random"
"""Rule that ignores the state: what decisions are worth is measured against it."""


@dataclass(frozen=True)
class Effect:
    """How much the choice of a rule changes the mean ln bounded slowdown at a scale."""

    best: str
    """Rule of the least mean ln slowdown."""
    to_median: float
    """Mean ln slowdown of the median rule less that of the best one."""
    to_random: float
    """Mean ln slowdown of `random` less that of the best rule; nan where `random` was not run."""


def log_slowdowns(table: BenchmarkTable, stream: str) -> dict[str, float]:
    """Return the mean over seeds of ln of the objective, by policy."""
    return {p: float(np.log(table.values(p, OBJECTIVE, stream)).mean()) for p in table.policies}


def effect(logs: Mapping[str, float]) -> Effect:
    """Return the effect of the choice of a rule from the mean ln slowdowns of rules."""
    best = min(logs, key=lambda rule: logs[rule])
    apart = {rule: value - logs[best] for rule, value in logs.items()}
    median = float(np.median(list(apart.values())))
    return Effect(best, median, apart.get(UNINFORMED, float("nan")))


def agreements(logs: Mapping[float, Mapping[str, float]]) -> dict[float, dict[float, float]]:
    """Return Kendall's tau between the rankings of the rules at every two scales.

    logs: mean ln slowdown by scale and rule. Rules that were not run at both scales are left out;
    nan where fewer than three remain.
    """
    return {a: {b: _tau(logs[a], logs[b]) for b in logs} for a in logs}


def smallest_that_agrees(logs: Mapping[float, Mapping[str, float]]) -> float:
    """Return the smallest scale whose ranking of the rules agrees with that of the largest."""
    full = agreements(logs)[max(logs)]
    return min(scale for scale, value in full.items() if value >= AGREES or scale == max(logs))


def rules_of(logs: Mapping[str, float]) -> dict[str, float]:
    """Return the part of a mapping by policy that is about rules: no agents, no oracles."""
    return {policy: value for policy, value in logs.items() if is_heuristic(policy)}


def markdown(title: str, tables: Mapping[float, BenchmarkTable], stream: str) -> str:
    """Return the objective of every policy by scale, its ratio to the best rule, and the taus.

    tables: benchmarks of the same policies by scale.
    """
    logs = {scale: log_slowdowns(table, stream) for scale, table in sorted(tables.items())}
    rules = {scale: rules_of(found) for scale, found in logs.items()}
    head = ["policy", *(f"scale {scale:g}" for scale in logs)]
    largest = logs[max(logs)]
    lines = [head, ["---"] * len(head)]
    for policy in sorted(largest, key=lambda name: largest[name]):
        shown = f"*{policy}*" if policy.startswith(PREFIX) else policy
        lines.append([shown, *(_cell(logs[at], rules[at], policy) for at in logs)])
    body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    caption = "Geometric mean slowdown (ratio to the best rule of the scale), by scale"
    return f"### {title}, {stream}\n\n{caption}\n\n{body}\n\n{_about_rules(rules)}"


def _cell(logs: Mapping[str, float], rules: Mapping[str, float], policy: str) -> str:
    if policy not in logs:
        return "–"
    ratio = f" ({np.exp(logs[policy] - min(rules.values())):.3f})" if rules else ""
    return f"{np.exp(logs[policy]):.2f}{ratio}"


def _about_rules(rules: Mapping[float, Mapping[str, float]]) -> str:
    """Return the table of taus between scales and of the effect of the choice of a rule."""
    if min(len(found) for found in rules.values()) < LEAST_POLICIES:
        return ""
    between = agreements(rules)
    head = ["scale", *(f"tau with {scale:g}" for scale in rules), "best rule"]
    head += ["ln(median rule / best)", "ln(random / best)"]
    lines = [head, ["---"] * len(head)]
    for scale, found in rules.items():
        one = effect(found)
        taus = [f"{between[scale][other]:.2f}" for other in rules]
        away = [f"{value:.2f}" for value in (one.to_median, one.to_random)]
        lines.append([f"{scale:g}", *taus, one.best, *away])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _tau(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    both = [rule for rule in a if rule in b]
    if len(both) < LEAST_POLICIES:
        return float("nan")
    return tau(np.array([a[rule] for rule in both]), np.array([b[rule] for rule in both]))
