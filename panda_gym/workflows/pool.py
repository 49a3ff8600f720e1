"""Pools of identical nodes, such as an allocation of a machine, and the needs of tasks on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from panda_gym.errors import WorkflowError
from panda_gym.workflows.workflow import Workflow

Array = np.ndarray

RESOURCES: Final = ("threads", "gpus", "memory_mb")
"""Columns of needs and capacities, whole numbers so that sums are exact."""

UNBOUNDED: Final = 2**40
"""Amount of a resource that never runs out."""


@dataclass(frozen=True)
class Pool:
    """Pool of identical nodes; a task runs on one node, beside others while their needs fit."""

    name: str
    """What it is called in reports."""
    nodes: int
    """Number of nodes."""
    threads: int
    """Hardware threads of a node."""
    gpus: int = 0
    """GPUs of a node."""
    memory_gb: float | None = None
    """Memory of a node, GB; None: never short."""
    threads_per_core: int = 1
    """Hardware threads of a core."""

    def __post_init__(self) -> None:
        for field, least in (("nodes", 1), ("threads", 1), ("gpus", 0), ("threads_per_core", 1)):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise WorkflowError(
                    f"{field} of pool {self.name!r} as a whole number of at least {least}",
                    repr(value),
                    "correct it",
                )
        if self.memory_gb is not None and not 0.0 < self.memory_gb < float("inf"):
            raise WorkflowError(
                f"memory_gb of pool {self.name!r} above 0", repr(self.memory_gb), "correct it"
            )

    @property
    def node_capacity(self) -> Array:
        """Threads, GPUs and MB of memory of one node, int64[3]."""
        memory = UNBOUNDED if self.memory_gb is None else int(self.memory_gb * 1000)
        return np.array([self.threads, self.gpus, memory], dtype=np.int64)

    @property
    def capacity(self) -> Array:
        """Threads, GPUs and MB of memory of all nodes, int64[3]."""
        return self.node_capacity * self.nodes

    @classmethod
    def cores(cls, count: int) -> Pool:
        """Return one node of `count` single-thread cores: identical parallel machines."""
        return cls(f"{count} cores", nodes=1, threads=count)


def needs(flow: Workflow, threads_per_core: int = 1) -> Array:
    """Return what a task of every set holds, int64[n, 3]: threads, GPUs, MB (rounded up)."""
    threads = np.maximum(
        flow.threads.astype(np.int64), flow.cores.astype(np.int64) * threads_per_core
    )
    memory = np.minimum(np.ceil(flow.memory_gb * 1000.0), 2.0 * UNBOUNDED).astype(np.int64)
    return np.stack([threads, flow.gpus.astype(np.int64), memory], axis=1)


def check_fits(flow: Workflow, need: Array, largest: Array, where: str) -> None:
    """Raise WorkflowError that names the first set whose task is larger than every node.

    Shape: need int64[n, 3], largest int64[k, 3], the capacities of the kinds of nodes.
    """
    fits = np.any(np.all(need[:, None, :] <= largest[None, :, :], axis=2), axis=1)
    if not fits.all():
        i = int(np.argmin(fits))
        wanted = ", ".join(f"{need[i, r]} {RESOURCES[r]}" for r in range(3) if need[i, r])
        most = ", ".join(
            f"{largest[:, r].max()} {RESOURCES[r]}"
            for r in range(3)
            if largest[:, r].max() < UNBOUNDED
        )
        raise WorkflowError(
            f"a task of set {flow.ids[i]!r} to fit on one node of {where} ({most})",
            wanted,
            "lower its needs or take larger nodes",
        )
