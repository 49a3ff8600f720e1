"""Arrays of the workflow kernel: record types, the static library and the state of executions.

Sizes: W workflows in a library, E executions, S sets, N tasks, G groups, M nodes, P sites (a pool
is one site of M nodes; a site of a platform is one node). Sizes are the largest of the library;
the rest of a row is padding. Time is in s from the start of the execution. The kernel works on
one row of `WorkflowArrays` and of `State` at a time: the same fields without the first axis.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from panda_gym.jit.compiled import inline
from panda_gym.jit.heap import ENTRY

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
SET_STATIC: Final = np.dtype(
    [
        *_AMOUNTS,  # need of one task; memory in MB
        ("priority", "f8"),  # lowest first
        ("mean_s", "f8"),  # expected duration of a task; the true one is in State
        ("input_bytes", "f8"),
        ("first_task", "i4"),  # its tasks end before the first task of the next set
        ("need_class", "i4"),  # number of its need among the distinct needs
        ("group", "i4"),
        ("first_link", "i4"),  # its parents in links
    ],
    align=True,
)
TASK_STATIC: Final = np.dtype(
    [
        ("set", "i4"),
        ("parents", "i4"),  # edges between tasks that end here, + 1 for the group
        ("first_child", "i4"),  # in task_child
    ]
)
GROUP_STATIC: Final = np.dtype(
    [
        ("first_set", "i4"),  # in group_set
        ("first_child", "i4"),  # in child
        ("parents", "i4"),
        ("tasks", "i4"),
    ]
)
LINK: Final = np.dtype([("bytes", "f8"), ("parent", "i4"), ("each", "i4")], align=True)


class WorkflowArrays(NamedTuple):
    """Static arrays of a library of workflows, one a row.

    The last entry of a row of sets, tasks and groups only marks where the one before it ends.
    """

    flow: Array  # FLOW[W]
    sets: Array  # SET_STATIC[W, S + 1]
    tasks: Array  # TASK_STATIC[W, N + 1]
    groups: Array  # GROUP_STATIC[W, G + 1]
    class_first: Array  # int32[W, C + 1]: first entry of a class in `State.heap`
    group_set: Array  # int32[W, S]
    child: Array  # int32[W, >= 1]: child groups
    task_child: Array  # int32[W, >= 1]
    links: Array  # LINK[W, >= 1]


class Machine(NamedTuple):
    """Static arrays of the pool or platform."""

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
        ("ready_sets", "i8"),  # sets in the ready list; -1: heaps are kept instead
    ]
)
NEED_CLASS: Final = np.dtype(
    [
        ("hint", "i4"),  # no node before this one has free capacity
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
        ("ready", "i4"),  # entry i of the ready list (unrelated to set i)
    ]
)
TASK: Final = np.dtype(
    [
        ("duration", "f8"),  # s, on a site of slowness 1
        ("ready", "f8"),
        ("placed", "f8"),
        ("start", "f8"),  # when it took its resources
        ("stop", "f8"),  # when it freed them
        ("site", "i4"),
        ("node", "i4"),
        ("pending", "i4"),
        ("after", "i4"),  # next task in its list (its set's, then its site's)
        ("serial", "i4"),  # number of tasks that became ready before it
        ("of_serial", "i4"),  # entry i: the task of serial number i
    ],
    align=True,
)
SITE: Final = np.dtype(
    [
        *_AMOUNTS,  # needs of tasks placed here that have not ended
        ("backlog", "f8"),  # expected thread seconds of these tasks
        ("head", "i4"),  # first task that has arrived and waits; -1: none
        ("tail", "i4"),
    ],
    align=True,
)


class State(NamedTuple):
    """State of E executions, one a row."""

    run: Array  # RUN[E]
    events: Array  # ENTRY[E, N + G] of (time, code): end of task i: i; arrival: N + i; release
    # of group g: 2 N + g
    nodes: Array  # AMOUNTS[E, M]: free
    classes: Array  # NEED_CLASS[E, C]
    heap: Array  # ENTRY[E, S] of (priority, serial of its first waiting task): sets, by class
    groups: Array  # GROUP[E, G]
    sets: Array  # SET[E, S]
    tasks: Array  # TASK[E, N]
    sites: Array  # SITE[E, P]
    done_at: Array  # int32[E, S, P], or [E, 1, 1] for a pool: tasks ended here


def make_state(library: WorkflowArrays, machine: Machine, envs: int) -> State:
    """Return zeroed state of `envs` executions of workflows of a library."""
    sets, tasks, groups = (
        part.shape[1] - 1 for part in (library.sets, library.tasks, library.groups)
    )
    sites = len(machine.slowness)
    return State(
        run=np.zeros(envs, RUN),
        events=np.zeros((envs, tasks + groups), ENTRY),
        nodes=np.zeros((envs, len(machine.nodes)), AMOUNTS),
        classes=np.zeros((envs, library.class_first.shape[1] - 1), NEED_CLASS),
        heap=np.zeros((envs, sets), ENTRY),
        groups=np.zeros((envs, groups), GROUP),
        sets=np.zeros((envs, sets), SET),
        tasks=np.zeros((envs, tasks), TASK),
        sites=np.zeros((envs, sites), SITE),
        done_at=np.zeros((envs, sets, sites) if sites > 1 else (envs, 1, 1), np.int32),
    )


@inline
def workflow_row(library: Any, w: int) -> Any:
    """Return the fields of one workflow without the first axis (`flow` has length 1)."""
    return WorkflowArrays(
        library.flow[w : w + 1], library.sets[w], library.tasks[w], library.groups[w],
        library.class_first[w], library.group_set[w], library.child[w], library.task_child[w],
        library.links[w],
    )  # fmt: skip


@inline
def state_row(state: Any, e: int) -> Any:
    """Return the fields of one execution without the first axis (`run` has length 1)."""
    return State(
        state.run[e : e + 1], state.events[e], state.nodes[e], state.classes[e],
        state.heap[e], state.groups[e], state.sets[e], state.tasks[e], state.sites[e],
        state.done_at[e],
    )  # fmt: skip
