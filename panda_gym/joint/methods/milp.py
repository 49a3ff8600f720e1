"""Build and solve mixed-integer linear models row by row with HiGHS, through scipy."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

Array = np.ndarray


@dataclass
class Model:
    """A model that minimises its last variable; all variables are at least 0."""

    binaries: int
    """The first variables, 0 or 1."""
    reals: int
    """The others."""
    rows: list[Array] = field(default_factory=list)
    columns: list[Array] = field(default_factory=list)
    values: list[Array] = field(default_factory=list)
    low: list[Array] = field(default_factory=list)
    high: list[Array] = field(default_factory=list)
    count: int = 0
    """Number of constraints."""

    def add(self, row: Array, column: Array, value: Array, low: Array, high: Array) -> None:
        """Add constraints low <= A x <= high; `row` counts from 0 in this block."""
        self.rows.append(np.asarray(row) + self.count)
        self.columns.append(np.asarray(column))
        self.values.append(np.asarray(value, np.float64))
        self.low.append(low)
        self.high.append(high)
        self.count += len(low)

    def solve(self, time_s: float) -> Array | None:
        """Return the binaries of the best solution found in a time (wall clock); None: none."""
        variables = self.binaries + self.reals
        matrix = coo_array(
            (
                np.concatenate(self.values),
                (np.concatenate(self.rows), np.concatenate(self.columns)),
            ),
            shape=(self.count, variables),
        ).tocsr()
        cost = np.zeros(variables)
        cost[-1] = 1.0
        integral = np.arange(variables) < self.binaries
        found = milp(
            cost,
            integrality=integral.astype(int),
            bounds=Bounds(0.0, np.where(integral, 1.0, np.inf)),
            constraints=LinearConstraint(
                matrix, np.concatenate(self.low), np.concatenate(self.high)
            ),
            options={"time_limit": max(time_s, 0.01)},
        )
        return None if found.x is None else found.x[: self.binaries]
