"""Workflows: task sets and the dependencies between them, as checked read-only arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np

from panda_gym.errors import WorkflowError, nearest
from panda_gym.workflows import graph
from panda_gym.workflows.taskset import DISTRIBUTION_NAMES, DISTRIBUTIONS, MOST, TaskSet

Array = np.ndarray

RELATIONS: Final = ("all", "each")
"""Relations of an edge, see `Edge.relation`."""

MOST_TASKS: Final = 20_000_000
"""Most tasks of a workflow; each takes some 100 bytes while it runs."""


class Edge(NamedTuple):
    """Dependency between two task sets: the child waits for the parent."""

    parent: str
    """Id of the parent set."""
    child: str
    """Id of the child set."""
    relation: str = "all"
    """`all`: every child task waits for every parent task. `each`: child task j of m waits only
    for the parent tasks i of n at the same position, i/n ~ j/m."""
    bytes: float | None = None
    """Bytes that one child task reads of the parent; None: an equal share of its output."""


@dataclass(frozen=True, eq=False)
class Workflow:
    """Workflow of n task sets and m edges as read-only arrays: acyclic, with unique ids.

    Make one with `Workflow.of(name, sets, edges)`. Raises WorkflowError that names the set or
    edge that is not valid.
    """

    name: str
    """Name in reports."""
    ids: tuple[str, ...]
    """Names of the sets, unique."""
    kind_names: tuple[str, ...]
    """Names of the kinds that `kind` indexes."""
    kind: Array
    """int32[n]: index into `kind_names`."""
    tasks: Array
    """int32[n]: number of tasks, at least 1."""
    cores: Array
    """int32[n]: whole cores a task holds."""
    threads: Array
    """int32[n]: hardware threads a task holds (the larger of this and the cores' threads)."""
    gpus: Array
    """int32[n]: GPUs a task holds."""
    memory_gb: Array
    """float64[n]: memory a task holds, GB."""
    mean_s: Array
    """float64[n]: mean duration, s."""
    sd_s: Array
    """float64[n]: standard deviation of the duration, s."""
    distribution: Array
    """int8[n]: index into DISTRIBUTION_NAMES."""
    input_bytes: Array
    """float64[n]: bytes a task reads from outside the workflow."""
    output_bytes: Array
    """float64[n]: bytes a task writes."""
    edges: Array
    """int32[m, 2]: (parent, child)."""
    each: Array
    """bool[m]: relation `each`, see `Edge.relation`."""
    edge_bytes: Array
    """float64[m]: bytes that one child task reads of this parent."""
    stage: Array | None = None
    """int32[n]: stage of the staged modes; the level in the graph if None."""
    pipeline: Array | None = None
    """int32[n]: pipeline of the mode `pipelines`; the connected component if None."""

    def __post_init__(self) -> None:
        for field, kind in _ARRAYS.items():
            value = getattr(self, field)
            if value is not None:
                array = np.array(value, dtype=kind)
                array.setflags(write=False)
                object.__setattr__(self, field, array)
        _check_shape(self)
        _check_values(self)
        _check_edges(self)
        _ = self.order

    @classmethod
    def of(
        cls,
        name: str,
        sets: Sequence[TaskSet],
        edges: Iterable[Edge | tuple[str, str]] = (),
        *,
        stage: Mapping[str, int] | None = None,
        pipeline: Mapping[str, int] | None = None,
    ) -> Workflow:
        """Build and check a workflow; WorkflowError names the id that is not valid.

        `stage` and `pipeline` are labels by id for the modes `sequential` and `pipelines`.
        """
        position = positions([s.id for s in sets])
        links = [_checked(Edge(*edge)) for edge in edges]
        kinds = tuple(dict.fromkeys(s.kind or s.id for s in sets))
        code = {kind: i for i, kind in enumerate(kinds)}
        ends = [
            (_find(position, e.parent, e.child), _find(position, e.child, e.parent)) for e in links
        ]
        columns = {field: [getattr(s, field) for s in sets] for field in _PLAIN}
        shares = [_share(sets[p], sets[c], e) for (p, c), e in zip(ends, links, strict=True)]
        return cls(
            name=name,
            ids=tuple(s.id for s in sets),
            kind_names=kinds,
            kind=np.array([code[s.kind or s.id] for s in sets], dtype=np.int32),
            distribution=np.array(
                [DISTRIBUTION_NAMES.index(s.distribution) for s in sets], dtype=np.int8
            ),
            edges=np.array(ends, dtype=np.int32).reshape(-1, 2),
            each=np.array([e.relation == "each" for e in links], dtype=bool),
            edge_bytes=np.array(shares, dtype=np.float64),
            stage=_labels(stage, position, "stage"),
            pipeline=_labels(pipeline, position, "pipeline"),
            **columns,  # type: ignore[arg-type]
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def total_tasks(self) -> int:
        """Number of tasks of all sets."""
        return int(self.tasks.sum(dtype=np.int64))

    @cached_property
    def first_task(self) -> Array:
        """First task of every set, int64[n + 1]; the last entry is the number of tasks."""
        return np.concatenate([[0], np.cumsum(self.tasks, dtype=np.int64)])

    @cached_property
    def children(self) -> graph.Adjacency:
        """Children of every set."""
        return graph.adjacency(len(self), self.edges[:, 0], self.edges[:, 1])

    @cached_property
    def parents(self) -> graph.Adjacency:
        """Parents of every set."""
        return graph.adjacency(len(self), self.edges[:, 1], self.edges[:, 0])

    @cached_property
    def order(self) -> Array:
        """Topological order of the sets, int32[n]; WorkflowError if there is a cycle."""
        order = graph.topological_order(self.children)
        if len(order) < len(self):
            ring = [self.ids[v] for v in graph.cycle(self.children, order)]
            shown = " -> ".join([*ring[:6], *(["..."] if len(ring) > 6 else []), ring[0]])
            raise WorkflowError(
                f"a workflow {self.name!r} without cycles", f"the cycle {shown}", "drop an edge"
            )
        return order

    @cached_property
    def level(self) -> Array:
        """Depth of every set, int32[n]."""
        return graph.levels(self.children, self.order)

    def index(self, name: str) -> int:
        """Return the position of a set by id; WorkflowError names the nearest id if unknown."""
        return _find(self._position, name, self.name)

    @cached_property
    def _position(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.ids)}

    def task_set(self) -> Array:
        """Return the set of every task, int32[N]."""
        return np.repeat(np.arange(len(self), dtype=np.int32), self.tasks)

    def draw(self, rng: np.random.Generator) -> Array:
        """Draw the durations of all tasks, float64[N], s."""
        owner = self.task_set()
        durations = self.mean_s[owner]
        for code, name in enumerate(DISTRIBUTION_NAMES):
            chosen = self.distribution[owner] == code
            if name != "fixed" and chosen.any():
                sets = owner[chosen]
                durations[chosen] = DISTRIBUTIONS[name](rng, self.mean_s[sets], self.sd_s[sets])
        return durations

    def rank(self, cost: Array | None = None, weight: Array | None = None) -> Array:
        """Return the upward rank of every set, s (Topcuoglu et al. 2002), from mean durations.

        `cost` is float64[m], s of transferring an edge's data, 0 if None. `weight` is float64[n],
        s of a set, `mean_s` if None.
        """
        cost = np.zeros(len(self.edges)) if cost is None else cost
        weight = self.mean_s if weight is None else weight
        return graph.upward_rank(self.children, self.order, weight, cost)

    @classmethod
    def from_networkx(cls, digraph: Any, name: str = "networkx") -> Workflow:
        """Return the workflow of a networkx.DiGraph whose node attributes are TaskSet fields."""
        sets = [TaskSet(id=str(v), **{"cores": 1, **data}) for v, data in digraph.nodes(data=True)]
        return cls.of(name, sets, [(str(u), str(v)) for u, v in digraph.edges()])

    def to_networkx(self) -> Any:
        """Return a networkx.DiGraph with tasks, kind and mean_s at the nodes."""
        import networkx as nx

        digraph = nx.DiGraph(name=self.name)
        for i, name in enumerate(self.ids):
            digraph.add_node(
                name,
                tasks=int(self.tasks[i]),
                kind=self.kind_names[self.kind[i]],
                mean_s=float(self.mean_s[i]),
            )
        digraph.add_edges_from((self.ids[p], self.ids[c]) for p, c in self.edges)
        return digraph


_PLAIN: Final = (
    "tasks", "cores", "threads", "gpus", "memory_gb", "mean_s", "sd_s",
    "input_bytes", "output_bytes",
)  # fmt: skip
_ARRAYS: Final[dict[str, Any]] = {
    **dict.fromkeys(("kind", "tasks", "cores", "threads", "gpus"), np.int32),
    **dict.fromkeys(("memory_gb", "mean_s", "sd_s", "input_bytes", "output_bytes"), np.float64),
    "distribution": np.int8,
    "edges": np.int32,
    "each": np.bool_,
    "edge_bytes": np.float64,
    "stage": np.int32,
    "pipeline": np.int32,
}


def positions(ids: Sequence[str]) -> dict[str, int]:
    """Return the position of every id; WorkflowError names the first duplicate."""
    found: dict[str, int] = {}
    for i, name in enumerate(ids):
        if name in found:
            raise WorkflowError(
                "unique ids of task sets",
                f"{name!r} at positions {found[name]} and {i}",
                "rename one of them",
            )
        found[name] = i
    return found


def _find(position: Mapping[str, int], name: str, near: str) -> int:
    if name not in position:
        close = nearest(str(name), position) if len(position) < 1000 else "check its spelling"
        raise WorkflowError(f"the id of a task set beside {near!r}", repr(name), close)
    return position[name]


def _checked(edge: Edge) -> Edge:
    """Return an edge after checking its ids, relation and bytes."""
    name = f"edge {edge.parent!r} -> {edge.child!r}"
    if not isinstance(edge.parent, str) or not isinstance(edge.child, str):
        raise WorkflowError("ids of task sets as text", name, "correct the edge")
    if edge.relation not in RELATIONS:
        hint = nearest(str(edge.relation), RELATIONS)
        raise WorkflowError(f"a relation of {name}", repr(edge.relation), hint)
    size = edge.bytes
    if size is not None and (
        isinstance(size, bool)
        or not isinstance(size, int | float | np.number)
        or not 0 <= size < MOST
    ):
        raise WorkflowError(f"bytes of {name} finite and not negative", repr(size), "correct it")
    return edge


def _share(parent: TaskSet, child: TaskSet, edge: Edge) -> float:
    if edge.bytes is not None:
        return edge.bytes
    return parent.output_bytes * parent.tasks / child.tasks


def _labels(labels: Mapping[str, int] | None, position: Mapping[str, int], what: str) -> Any:
    if labels is None:
        return None
    for name in labels:
        _find(position, name, what)
        if not _whole_number(labels[name]):
            raise WorkflowError(
                f"the {what} of {name!r} as a whole number", repr(labels[name]), "correct it"
            )
    missing = next((name for name in position if name not in labels), None)
    if missing is not None:
        raise WorkflowError(f"a {what} for every set", f"none for {missing!r}", f"give its {what}")
    return np.array([labels[name] for name in position], dtype=np.int32)


def _whole_number(value: Any) -> bool:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return whole and abs(int(value)) < 2**31


def _check_shape(flow: Workflow) -> None:
    if not flow.ids:
        raise WorkflowError(
            f"a workflow {flow.name!r} with at least one task set", "an empty one", "add task sets"
        )
    for field in _ARRAYS:
        value = getattr(flow, field)
        rows = len(flow.edges) if field in ("edges", "each", "edge_bytes") else len(flow)
        if value is not None and len(value) != rows:
            raise WorkflowError(
                f"{field} of workflow {flow.name!r} with {rows} rows",
                f"{len(value)}",
                "make the columns equally long",
            )


def _check_values(flow: Workflow) -> None:
    bad_count = {
        "tasks": flow.tasks < 1,
        "cores": flow.cores < 0,
        "threads": flow.threads < 0,
        "gpus": flow.gpus < 0,
        "cores and threads": (flow.cores < 1) & (flow.threads < 1),
    }
    for field in ("memory_gb", "mean_s", "sd_s", "input_bytes", "output_bytes"):
        values = getattr(flow, field)
        bad_count[field] = ~((values >= 0.0) & (values < MOST))
    for field, bad in bad_count.items():
        if bad.any():
            i = int(np.argmax(bad))
            came = getattr(flow, field)[i] if hasattr(flow, field) else 0
            raise WorkflowError(
                f"{field} of task set {flow.ids[i]!r} finite and not negative or zero",
                f"{came}",
                "correct it",
            )

    if flow.total_tasks > MOST_TASKS:
        i = int(np.argmax(flow.tasks))
        raise WorkflowError(
            f"at most {MOST_TASKS} tasks in workflow {flow.name!r}",
            f"{flow.total_tasks}, {flow.tasks[i]} of them in set {flow.ids[i]!r}",
            "split the workflow",
        )


def _check_edges(flow: Workflow) -> None:
    edges = flow.edges.astype(np.int64)
    outside = ((edges < 0) | (edges >= len(flow))).any(axis=1)
    if outside.any():
        raise WorkflowError("edges between sets", f"{edges[np.argmax(outside)]}", "correct it")
    _refuse(flow, edges[:, 0] == edges[:, 1], "no edge from a set to itself")
    code = np.sort(edges[:, 0] * len(flow) + edges[:, 1])
    twice = code[1:][code[1:] == code[:-1]]
    if len(twice):
        p, c = divmod(int(twice[0]), len(flow))
        raise WorkflowError(
            "every edge once", f"{flow.ids[p]!r} -> {flow.ids[c]!r} twice", "drop one"
        )
    bytes_bad = ~((flow.edge_bytes >= 0.0) & (flow.edge_bytes < 1e3 * MOST))
    _refuse(flow, bytes_bad, "bytes of an edge finite and not negative")


def _refuse(flow: Workflow, bad: Array, needed: str) -> None:
    if bad.any():
        p, c = flow.edges[np.argmax(bad)]
        raise WorkflowError(needed, f"{flow.ids[p]!r} -> {flow.ids[c]!r}", "correct the edge")
