"""A batch of running workflows as records of arrays; knows names, units and sizes, no dynamics.

W workflows in a library, E executions, S sets, N tasks, G groups, M nodes, P sites (a pool is
one site of M nodes; a site of a platform is one node). Sizes are the largest of the library;
the rest of a row is padding. Time is in s from the start of the execution. The kernel works on
one row of `Plan` and one of `State` at a time, which have the same fields without the first axis.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from panda_gym.simulator.state import ENTRY
from panda_gym.workflows.compiled import inner

Array = np.ndarray

_AMOUNTS: Final = [("threads", "i8"), ("gpus", "i8"), ("memory", "i8")]

FLOW: Final = np.dtype(
    [
        ("sets", "i8"),
        ("tasks", "i8"),
        ("groups", "i8"),
        ("classes", "i8"),  # distinct needs
        ("linked", "i8"),  # 1 if there are edges between single tasks
    ]
)
SET_PLAN: Final = np.dtype(
    [
        *_AMOUNTS,  # need of one task; memory in MB
        ("priority", "f8"),  # lowest first
        ("mean_s", "f8"),  # what is expected of a task; its true duration stands in State
        ("input_bytes", "f8"),
        ("first_task", "i4"),  # its tasks end where the next set's begin
        ("klass", "i4"),  # sets of equal need
        ("group", "i4"),
        ("first_link", "i4"),  # its parents in links
    ],
    align=True,
)
TASK_PLAN: Final = np.dtype(
    [
        ("set", "i4"),
        ("parents", "i4"),  # edges between tasks that end here, + 1 for the group
        ("first_child", "i4"),  # in task_child
    ]
)
GROUP_PLAN: Final = np.dtype(
    [
        ("first_set", "i4"),  # in group_set
        ("first_child", "i4"),  # in child
        ("parents", "i4"),
        ("tasks", "i4"),
    ]
)
LINK: Final = np.dtype([("bytes", "f8"), ("parent", "i4"), ("each", "i4")], align=True)


class Plan(NamedTuple):
    """What does not change: the library of workflows, one a row; the last entry of a row of
    sets, tasks and groups only says where the one before it ends."""

    flow: Array  # FLOW[W]
    sets: Array  # SET_PLAN[W, S + 1]
    tasks: Array  # TASK_PLAN[W, N + 1]
    groups: Array  # GROUP_PLAN[W, G + 1]
    class_first: Array  # int32[W, C + 1]: where a class's heap stands
    group_set: Array  # int32[W, S]
    child: Array  # int32[W, >= 1]: child groups
    task_child: Array  # int32[W, >= 1]
    links: Array  # LINK[W, >= 1]


class Machine(NamedTuple):
    """What tasks run on."""

    nodes: Array  # AMOUNTS[M]: capacity
    site_first: Array  # int32[P + 1]: nodes of a site
    slowness: Array  # float64[P]: run time here / duration
    bandwidth: Array  # float64[P, P], bytes/s, [source, destination]
    latency: Array  # float64[P, P], s
    home: int  # site that holds inputs from outside; -1: every site has them
    gap_s: float
    launch_s: float


AMOUNTS: Final = np.dtype(_AMOUNTS)
RUN: Final = np.dtype(
    [
        ("clock", "f8"),  # s
        ("work_left", "f8"),  # s: durations of the tasks that have not ended
        ("left", "i8"),  # tasks that have not ended
        ("events", "i8"),  # size of the heap of events
        ("serials", "i8"),  # tasks that have become ready
        ("readies", "i8"),  # sets in the ready list; -1: heaps are kept instead
    ]
)
CLASS: Final = np.dtype(
    [
        ("hint", "i4"),  # no node before this one has room
        ("size", "i4"),  # of the heap
        ("blocked", "i4"),  # scratch
    ]
)
GROUP: Final = np.dtype([("pending", "i4"), ("left", "i4")])
SET: Final = np.dtype(
    [
        ("waiting", "i4"),  # tasks ready and not placed
        ("unstarted", "i4"),  # tasks not placed
        ("unfinished", "i4"),  # tasks not ended
        ("head", "i4"),  # first waiting task; -1: none
        ("tail", "i4"),
        ("ready", "i4"),  # entry i of the ready list, whatever set i is
    ]
)
TASK: Final = np.dtype(
    [
        ("duration", "f8"),  # s, on a site of slowness 1
        ("ready", "f8"),
        ("placed", "f8"),
        ("start", "f8"),  # when the resources were taken
        ("stop", "f8"),  # when they were given back
        ("site", "i4"),
        ("node", "i4"),
        ("pending", "i4"),
        ("after", "i4"),  # next in the list that it stands in (its set's, then its site's)
        ("serial", "i4"),  # how many tasks became ready before
        ("of_serial", "i4"),  # entry i: the task of serial i
    ],
    align=True,
)
SITE: Final = np.dtype(
    [
        *_AMOUNTS,  # needs of tasks placed here and not ended
        ("backlog", "f8"),  # thread s that are expected of these tasks
        ("head", "i4"),  # first task that has arrived and waits; -1: none
        ("tail", "i4"),
    ],
    align=True,
)


class State(NamedTuple):
    """What changes: one execution a row."""

    run: Array  # RUN[E]
    events: Array  # ENTRY[E, N + G] of (time, code): end of task i: i; arrival: N + i; release
    # of group g: 2 N + g
    nodes: Array  # AMOUNTS[E, M]: free
    classes: Array  # CLASS[E, C]
    heap: Array  # ENTRY[E, S] of (priority, serial of its first waiting task): sets, by class
    groups: Array  # GROUP[E, G]
    sets: Array  # SET[E, S]
    tasks: Array  # TASK[E, N]
    sites: Array  # SITE[E, P]
    done_at: Array  # int32[E, S, P], or [E, 1, 1] for a pool: tasks ended here


def make_state(plan: Plan, machine: Machine, envs: int) -> State:
    """Empty state of `envs` executions of workflows of a library."""
    sets, tasks, groups = (part.shape[1] - 1 for part in (plan.sets, plan.tasks, plan.groups))
    sites = len(machine.slowness)
    return State(
        run=np.zeros(envs, RUN),
        events=np.zeros((envs, tasks + groups), ENTRY),
        nodes=np.zeros((envs, len(machine.nodes)), AMOUNTS),
        classes=np.zeros((envs, plan.class_first.shape[1] - 1), CLASS),
        heap=np.zeros((envs, sets), ENTRY),
        groups=np.zeros((envs, groups), GROUP),
        sets=np.zeros((envs, sets), SET),
        tasks=np.zeros((envs, tasks), TASK),
        sites=np.zeros((envs, sites), SITE),
        done_at=np.zeros((envs, sets, sites) if sites > 1 else (envs, 1, 1), np.int32),
    )


@inner
def plan_row(plan: Any, w: int) -> Any:
    """One workflow of a library: the same fields without the first axis (flow: length 1)."""
    return Plan(
        plan.flow[w : w + 1], plan.sets[w], plan.tasks[w], plan.groups[w], plan.class_first[w],
        plan.group_set[w], plan.child[w], plan.task_child[w], plan.links[w],
    )  # fmt: skip


@inner
def state_row(state: Any, e: int) -> Any:
    """One execution of a batch: the same fields without the first axis (run: length 1)."""
    return State(
        state.run[e : e + 1], state.events[e], state.nodes[e], state.classes[e],
        state.heap[e], state.groups[e], state.sets[e], state.tasks[e], state.sites[e],
        state.done_at[e],
    )  # fmt: skip
