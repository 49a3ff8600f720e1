"""Tables of features of `PandaGrid/Workflow-v0`, and a view in natural units.

An observation is a dictionary of arrays with a leading batch axis E (absent in the single
environment), K slots and P sites (1 for a pool):

    sets         float32 [E, len(SET_FEATURES), K]    ready task sets, first come first
    graph        float32 [E, len(GRAPH_FEATURES)]     the workflow and the machine as a whole
    sites        float32 [E, len(SITE_FEATURES), P]   where tasks can run
    pairs        float32 [E, len(PAIR_FEATURES), K, P] a ready set at a site; with a plan shown,
                         the rows of PLAN_FEATURES follow
    action_mask  int8    [E, K * P + 1]               slot * P + site, and at last: hold

`ratio` features are x / (x + scale), `linear` ones x / scale, by fixed constants.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from panda_gym.environments.base.features import Feature, position

Array = np.ndarray

_TIME: Final = 600.0

SET_FEATURES: Final = (
    Feature("present", "1", "linear", 1.0, "1 if the slot holds a ready set", most=1.0),
    Feature("waiting", "tasks", "ratio", 32.0, "tasks that are ready and not placed"),
    Feature("fits", "tasks", "ratio", 32.0, "tasks that would start now in a pool"),
    Feature("running", "tasks", "ratio", 32.0, "tasks of the set placed and not ended"),
    Feature("duration", "s", "ratio", _TIME, "expected duration of a task"),
    Feature("rank", "s", "ratio", _TIME, "upward rank: expected time to the end of its chain"),
    Feature("slack", "s", "ratio", _TIME, "longest rank of what is left, minus its own"),
    Feature(
        "threads", "1", "linear", 1.0, "threads of a waiting task, of the largest node's", most=1.0
    ),
    Feature("gpus", "1", "linear", 1.0, "GPUs of a waiting task, of the largest node's", most=1.0),
    Feature(
        "memory", "1", "linear", 1.0, "memory of a waiting task, of the largest node's", most=1.0
    ),
    Feature("age", "s", "ratio", _TIME, "time since the first waiting task became ready"),
    Feature("kind_running", "tasks", "ratio", 32.0, "tasks of its kind placed and not ended"),
    Feature(
        "order", "1", "linear", 1.0, "its stage in the sequential order, first 0, last 1", most=1.0
    ),
)

GRAPH_FEATURES: Final = (
    Feature("elapsed", "1", "ratio", 1.0, "time over the sequential time to execution"),
    Feature("work_left", "1", "linear", 1.0, "expected work of unfinished tasks, of all", most=1.0),
    Feature("tasks_left", "1", "linear", 1.0, "unfinished tasks, of all", most=1.0),
    Feature("free_threads", "1", "linear", 1.0, "threads in nobody's use, of all", most=1.0),
    Feature("free_gpus", "1", "linear", 1.0, "GPUs in nobody's use, of all", most=1.0),
    Feature("free_memory", "1", "linear", 1.0, "memory in nobody's use, of all", most=1.0),
    Feature("doa_dep", "1", "ratio", 4.0, "residual degree that the dependencies permit"),
    Feature("doa_res", "1", "ratio", 4.0, "residual degree that the free resources permit"),
    Feature("wla", "1", "ratio", 4.0, "residual workload-level asynchronicity"),
    Feature("ready_sets", "sets", "ratio", 4.0, "sets with waiting tasks, shown or not"),
    Feature("running_tasks", "tasks", "ratio", 32.0, "tasks placed and not ended"),
    Feature("longest", "s", "ratio", _TIME, "longest upward rank of what is left"),
    Feature("next_event", "s", "ratio", _TIME, "expected time until a running task may end"),
    Feature("stage", "1", "linear", 1.0, "first unfinished stage, as `order` of a set", most=1.0),
)

SITE_FEATURES: Final = (
    Feature("free", "1", "linear", 1.0, "threads in nobody's use, of the site's", most=1.0),
    Feature("threads", "threads", "ratio", 1000.0, "hardware threads (or job slots)"),
    Feature("slowness", "1", "ratio", 1.0, "run time here over the duration"),
    Feature("backlog", "s", "ratio", _TIME, "expected work placed here, by its threads"),
)

PAIR_FEATURES: Final = (
    Feature("delay", "s", "ratio", _TIME, "expected time to start: the longer of input and queue"),
    Feature("run", "s", "ratio", _TIME, "expected run time here"),
)

PLAN_FEATURES: Final = (
    Feature("planned", "1", "linear", 1.0, "share of its tasks that the plan has here", most=1.0),
    Feature(
        "onward", "s", "ratio", _TIME,
        "longest transfer from here to where the plan has the sets that wait for it",
    ),
)  # fmt: skip
"""More features of pairs with `plan=`, from a static schedule of mean durations."""

TABLES: Final = {
    "sets": SET_FEATURES,
    "graph": GRAPH_FEATURES,
    "sites": SITE_FEATURES,
    "pairs": PAIR_FEATURES,
}
"""Parts of an observation, in the order in which the kernel writes them."""


def tables_of(planned: bool) -> dict[str, tuple[Feature, ...]]:
    """Return the tables of the parts of an observation, with features of a plan or without."""
    return {**TABLES, "pairs": PAIR_FEATURES + PLAN_FEATURES} if planned else TABLES


class WorkflowView:
    """An observation in natural units, always with a batch axis; decoded when asked for."""

    def __init__(self, observation: Mapping[str, Array]) -> None:
        batched = observation["sets"].ndim == 3
        self._parts = {k: v if batched else np.asarray(v)[None] for k, v in observation.items()}

    def __len__(self) -> int:
        return len(self._parts["sets"])

    @property
    def slots(self) -> int:
        """K."""
        return int(self._parts["sets"].shape[2])

    @property
    def sites(self) -> int:
        """P."""
        return int(self._parts["sites"].shape[2])

    def set(self, name: str) -> Array:
        """Feature of every slot, float64[E, K]."""
        row = position(SET_FEATURES, name)
        return SET_FEATURES[row].decode(self._parts["sets"][:, row])

    def graph(self, name: str) -> Array:
        """Feature of the whole, float64[E, 1]."""
        row = position(GRAPH_FEATURES, name)
        return GRAPH_FEATURES[row].decode(self._parts["graph"][:, row, None])

    def site(self, name: str) -> Array:
        """Feature of every site, float64[E, P]."""
        row = position(SITE_FEATURES, name)
        return SITE_FEATURES[row].decode(self._parts["sites"][:, row])

    def pair(self, name: str) -> Array:
        """Feature of a slot at a site, float64[E, K, P]."""
        table = PAIR_FEATURES + PLAN_FEATURES
        row = position(table, name)
        return table[row].decode(self._parts["pairs"][:, row])

    @property
    def planned(self) -> bool:
        """Whether pairs have the features of a static schedule."""
        return self._parts["pairs"].shape[1] > len(PAIR_FEATURES)

    @property
    def mask(self) -> Array:
        """What may be done, bool[E, K * P + 1]."""
        return self._parts["action_mask"].astype(bool)

    @property
    def legal(self) -> Array:
        """Where a slot's set may go, bool[E, K, P]."""
        return self.mask[:, :-1].reshape(len(self), self.slots, self.sites)

    @property
    def may_hold(self) -> Array:
        """Whether holding is allowed, bool[E]."""
        return self.mask[:, -1]
