"""The leaderboard as Markdown: a ranking for each scenario, load and stream, with its command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from panda_gym.benchmarking.front import front
from panda_gym.benchmarking.lower_bounds import distance
from panda_gym.benchmarking.measures import MEASURE
from panda_gym.benchmarking.render import heading, number, span
from panda_gym.benchmarking.replies import MARK, NOTE, by_fallback
from panda_gym.benchmarking.standard_suite import HEADROOM, OBJECTIVE, is_heuristic
from panda_gym.benchmarking.statistical_comparison import headroom, improvement
from panda_gym.benchmarking.table import BenchmarkTable
from panda_gym.benchmarking.training_data import comparable
from panda_gym.oracles import PREFIX

COLUMNS: Final = (
    "geometric_slowdown",
    "mean_slowdown",
    "p95_slowdown",
    "mean_turnaround",
    "throughput",
    "wan",
    "wasted",
    "fairness_projects",
    "fairness_sizes",
    "cost",
)
"""Columns of the leaderboard, names of measures."""


@dataclass(frozen=True)
class Section:
    """One ranking of the leaderboard."""

    title: str
    """Scenario and load."""
    table: BenchmarkTable
    command: str
    """Command line that made the table."""


def markdown(sections: Sequence[Section], columns: Sequence[str] = COLUMNS) -> str:
    """Return a ranking for each section and stream, under its command."""
    return "\n".join(
        _ranking(section, stream, columns)
        for section in sections
        for stream in section.table.streams
    )


def _ranking(section: Section, stream: str, columns: Sequence[str]) -> str:
    table = section.table
    columns = [name for name in columns if name in table.metrics]
    logs = {p: float(np.log(table.values(p, OBJECTIVE, stream)).mean()) for p in table.policies}
    head = ["policy", "fitted on", *(heading(MEASURE[name]) for name in columns)]
    head += [f"to {table.baseline}", "to the best rule of the same data"]
    lines = [head, ["---"] * len(head)]
    for policy in sorted(logs, key=lambda p: logs[p]):
        shown = f"*{policy}*" if policy.startswith(PREFIX) else policy
        if by_fallback(table.episodes(policy, stream)):
            shown = f"{shown} {MARK}"
        values = [
            span(table.interval(policy, name, stream))
            if name == OBJECTIVE
            else number(table.interval(policy, name, stream).value)
            for name in columns
        ]
        fitted = table.marks(stream).get(policy, "–")
        fair = fair_ratio(table, policy, stream)
        lines.append([shown, fitted, *values, _against(table, policy, stream), fair])
    body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    if MARK in body:
        body += f"\n\n{NOTE}"
    members = [f"`{point.policy}`" for point in front(table, stream) if point.member]
    if members:
        body += (
            f"\n\nOn the front of ln slowdown and work-weighted turnaround: {', '.join(members)}."
        )
    title = f"### {section.title}, {stream}\n\n    {section.command}\n"
    return f"{title}\n{_headroom(table, stream)}\n\n{body}\n"


def fair_ratio(table: BenchmarkTable, policy: str, stream: str) -> str:
    """Return an agent's ratio to the best rule that was fitted with the same data, or not fitted.

    "–" for a rule and an oracle, and where there is no such rule.
    """
    if is_heuristic(policy) or policy.startswith(PREFIX):
        return "–"
    rules = comparable(table.marks(stream), policy, filter(is_heuristic, table.policies))
    if not rules:
        return "–"
    best = min(rules, key=lambda rule: float(np.log(table.values(rule, OBJECTIVE, stream)).mean()))
    return f"{_against(table, policy, stream, best)} {best}"


def _against(table: BenchmarkTable, policy: str, stream: str, other: str | None = None) -> str:
    """Return the paired ratio of the objective to another's (the baseline's), with its interval.

    A star says that the interval excludes 1; else ± is the smallest detectable difference.
    """
    other = table.baseline if other is None else other
    if policy == other:
        return "1"
    apart = table.log_ratio(policy, OBJECTIVE, against=other, stream=stream)
    ends = ", ".join(f"{np.exp(x):.3f}" for x in (apart.low, apart.high))
    if apart.excludes(0.0):
        return f"{np.exp(apart.value):.3f} [{ends}] *"
    least = table.detectable_ratio(policy, OBJECTIVE, against=other, stream=stream)
    return f"{np.exp(apart.value):.3f} [{ends}] (±{least - 1.0:.1%})"


def _headroom(table: BenchmarkTable, stream: str) -> str:
    """Return what the best heuristic leaves to the bound, where the bound was run."""
    bound = PREFIX + "clairvoyant"
    rules = [policy for policy in table.policies if is_heuristic(policy)]
    if bound not in table.policies or not rules:
        return f"{len(table.seeds)} paired seeds."
    best, room = headroom(table, bound, OBJECTIVE, stream, rules)
    ends = f"[{room.low:.1%}, {room.high:.1%}]"
    return (
        f"{len(table.seeds)} paired seeds. The best heuristic, `{best}`, leaves {room.value:.1%} "
        f"{ends} to the bound (the standard suite takes scenarios from {HEADROOM:.0%} on). "
        f"{distance(table, stream)}"
    ).rstrip()


def probabilities(table: BenchmarkTable) -> str:
    """Return the probability of improvement on the baseline as a table, one row a policy."""
    lines = [f"| policy | P(better than {table.baseline}) |", "| --- | --- |"]
    for policy in table.policies:
        if policy != table.baseline:
            lines.append(f"| {policy} | {span(improvement(table, policy, OBJECTIVE))} |")
    return "\n".join(lines) + "\n"
