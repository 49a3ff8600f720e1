"""Workflows of a batch as arrays of the kernel; single ones can be replaced between episodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from panda_gym.environments.workflow.scenario import WorkflowScenario, goals_of
from panda_gym.sites import Platform
from panda_gym.workflows.kernel_arrays import stack_workflows, workflow_arrays
from panda_gym.workflows.pool import Pool
from panda_gym.workflows.residual import closures_of
from panda_gym.workflows.workflow import Workflow

Array = np.ndarray


class Library:
    """W workflows, one a row of every array; rows are as wide as the largest so far."""

    def __init__(
        self, flows: Sequence[Workflow], resource: Pool | Platform, scenario: WorkflowScenario
    ) -> None:
        self.flows = list(flows)
        self.resource, self.scenario, self.mode = resource, scenario, scenario.mode
        self.plan = stack_workflows([workflow_arrays(flow, resource, self.mode) for flow in flows])
        self.closures = closures_of(flows)
        self.references = goals_of(flows, resource, scenario)

    def __len__(self) -> int:
        return len(self.flows)

    def put(self, w: int, flow: Workflow) -> bool:
        """Replace workflow w; return whether rows became wider."""
        before = self._widths()
        self.flows[w] = flow
        self.plan = with_row(self.plan, w, workflow_arrays(flow, self.resource, self.mode))
        self.closures = with_row(self.closures, w, closures_of([flow]))
        self.references = with_row(
            self.references, w, goals_of([flow], self.resource, self.scenario)
        )
        return self._widths() != before

    def _widths(self) -> list[tuple[int, ...]]:
        return [array.shape for array in (*self.plan, *self.closures)]


def with_row(table: Any, w: int, row: Any) -> Any:
    """Return a tuple of arrays [W, ...] with row w replaced by `row`, arrays [1, ...].

    Rows become wider where the new one needs it; the rest of a row is zeros.
    """
    columns = []
    for whole, part in zip(table, row, strict=True):
        size = np.maximum(whole.shape[1:], part.shape[1:]).astype(int)
        if tuple(size) != whole.shape[1:]:
            whole = widened(whole, np.zeros((len(whole), *size), whole.dtype))
        whole[w] = np.zeros((), whole.dtype)
        whole[(w, *map(slice, part.shape[1:]))] = part[0]
        columns.append(whole)
    return type(table)(*columns)


def widened(old: Any, new: Any) -> Any:
    """Return `new`, a tuple of arrays or an array, with `old` copied into its beginning."""
    if isinstance(old, np.ndarray):
        new[tuple(map(slice, old.shape))] = old
        return new
    return type(new)(*(widened(*both) for both in zip(old, new, strict=True)))
