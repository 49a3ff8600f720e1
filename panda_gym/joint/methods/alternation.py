"""Alternating optimisation with HiGHS: jobs to nodes with stores fixed, then the reverse.

This is the alternation of AlterMILP (arXiv 2502.00261), with models of our own that need no big-M:
the order of jobs on a node is that of releases, which is the best one, and so is no variable. The
published settings stay: a random start, two rounds, and for each model a quarter of the time.
Rounds that end early are followed by others from new random starts. HiGHS takes limits of
wall-clock time, which are set by the pace of CPU time so far.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from panda_gym.joint.evaluation import evaluate
from panda_gym.joint.instance import Instance
from panda_gym.joint.methods.node_model import choose_nodes
from panda_gym.joint.methods.random_placement import random_stores
from panda_gym.joint.methods.search import Search
from panda_gym.joint.methods.store_model import choose_stores
from panda_gym.joint.schedule import Schedule, ordered

ROUNDS: Final = 2


def alternation(instance: Instance, seed: int, search: Search) -> None:
    """Alternate between both models until the budget is spent; each offer is judged exactly."""
    rng, limit_s = np.random.default_rng(seed), search.cpu_s / (2 * ROUNDS)
    while search.goes_on() or search.best is None:
        node = rng.integers(0, instance.nodes, instance.jobs)
        current = ordered(instance, node, random_stores(instance, rng))
        search.offer(instance, current)
        for step in range(2 * ROUNDS):
            if not search.goes_on():
                break
            time_s = search.wall_s(min(limit_s, search.left_s))
            current = _better(instance, current, _step(instance, current, step, time_s))
            search.offer(instance, current)
            search.done += 1


def _step(instance: Instance, current: Schedule, step: int, time_s: float) -> Schedule | None:
    """Return the schedule with nodes or stores chosen anew; None if there was no time for it."""
    if step % 2 == 0:
        node = choose_nodes(instance, current.store, time_s)
        return None if node is None else ordered(instance, node, current.store)
    store = choose_stores(instance, current, time_s)
    return None if store is None else ordered(instance, current.node, store)


def _better(instance: Instance, current: Schedule, other: Schedule | None) -> Schedule:
    """Return the schedule with the smaller exact makespan."""
    if other is None:
        return current
    found, was = evaluate(instance, other).makespan_s, evaluate(instance, current).makespan_s
    return other if found < was else current
