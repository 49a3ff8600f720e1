"""One logged episode as arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from panda_gym.environments.placement.observation import GRID_FEATURES, JOB_FEATURES, SITE_FEATURES

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Episode:
    """T decisions of one grid, with the observations before each and after the last.

    An episode is truncated after T decisions, never terminated. T is the number of the scenario's
    jobs; with `tail_jobs`, what it takes until all judged jobs have ended.
    """

    seed: int
    behaviour: str
    """Label of the policy that acted."""
    observations: Array
    """float32[T + 1, D], the flat view: sites feature-major, job, grid."""
    masks: Array
    """bool[T + 1, S], where the job may go."""
    actions: Array
    """int32[T]."""
    rewards: Array
    """float64[T]."""
    costs: dict[str, Array]
    """float64[T] by name."""
    probabilities: Array
    """float64[T], of the action under the behaviour, for off-policy estimates."""
    judged: Array
    """bool[T], whether the decision is about a judged job; all are, without `tail_jobs`."""
    difference_rewards: Array
    """float64[T], difference reward by the data set's objective, known when the placed jobs have
    ended (`panda_gym.credit`); nan where it is not computed."""

    def __len__(self) -> int:
        return len(self.actions)

    @property
    def cost(self) -> Array:
        """Sum of all costs, float64[T]."""
        return np.sum(list(self.costs.values()), axis=0)

    @property
    def judged_sums(self) -> tuple[float, float]:
        """Sums of rewards and costs over the decisions about judged jobs, undiscounted."""
        return float(self.rewards[self.judged].sum()), float(self.cost[self.judged].sum())

    def parts(self) -> dict[str, Array]:
        """The observations as the environment's Dict has them, each with T + 1 rows."""
        sites, rows = self.masks.shape[1], len(self.observations)
        n = len(SITE_FEATURES) * sites
        return {
            "sites": self.observations[:, :n].reshape(rows, len(SITE_FEATURES), sites),
            "job": self.observations[:, n : n + len(JOB_FEATURES)],
            "grid": self.observations[:, -len(GRID_FEATURES) :],
            "action_mask": self.masks.astype(np.int8),
        }

    def equals(self, other: Episode) -> bool:
        """Whether two episodes are equal bit for bit."""
        return all(
            _same(getattr(self, field.name), getattr(other, field.name)) for field in fields(self)
        )


def _same(mine: object, theirs: object) -> bool:
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return mine.keys() == theirs.keys() and all(_same(mine[k], theirs[k]) for k in mine)
    if isinstance(mine, np.ndarray) and isinstance(theirs, np.ndarray):
        return mine.dtype == theirs.dtype and np.array_equal(mine, theirs)
    return mine == theirs
