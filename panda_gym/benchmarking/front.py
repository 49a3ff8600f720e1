"""The front of policies over two measures: those that no other policy beats in both.

By default ln slowdown, in which every job counts alike, and work-weighted turnaround, in which a
large job counts as much as many small ones. A policy is dominated where another one is at least as
good in both and better in one, by interquartile means. Oracles are shown and dominate nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from panda_gym.benchmarking.intervals import Interval
from panda_gym.benchmarking.table import BenchmarkTable
from panda_gym.oracles import PREFIX

MEASURES: Final = ("ln_slowdown", "weighted_turnaround")
"""Measures of the front, of both of which less is better."""


@dataclass(frozen=True)
class Point:
    """A policy on the plane of two measures."""

    policy: str
    x: Interval
    """First measure."""
    y: Interval
    """Second measure."""
    dominated_by: tuple[str, ...] = ()
    """Policies that are as good in both and better in one."""

    @property
    def oracle(self) -> bool:
        """Whether it sees what no policy may."""
        return self.policy.startswith(PREFIX)

    @property
    def member(self) -> bool:
        """Whether it is a policy on the front."""
        return not self.oracle and not self.dominated_by


def front(table: BenchmarkTable, stream: str, measures: tuple[str, str] = MEASURES) -> list[Point]:
    """Return all policies in order of the first measure; none if the table lacks a measure."""
    if not set(measures) <= set(table.metrics):
        return []
    x, y = measures
    found = [
        Point(policy, table.interval(policy, x, stream), table.interval(policy, y, stream))
        for policy in table.policies
    ]
    rivals = [point for point in found if not point.oracle]
    placed = [
        Point(
            one.policy,
            one.x,
            one.y,
            tuple(rival.policy for rival in rivals if not one.oracle and _beats(rival, one)),
        )
        for one in found
    ]
    return sorted(placed, key=lambda point: (point.x.value, point.y.value))


def _beats(one: Point, other: Point) -> bool:
    """Whether a point is as good in both measures and better in one."""
    first, second = (one.x.value, one.y.value), (other.x.value, other.y.value)
    return first != second and first[0] <= second[0] and first[1] <= second[1]
