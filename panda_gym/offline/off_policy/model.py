"""A linear model of a policy's action values, fitted by LSTD-Q.

Q(s, a) = w . f(s, a), where Q is the fixed point of the policy's Bellman equation projected on the
span of the features (Lagoudakis and Parr, JMLR 2003). Features of a site are those of the site
scorer, so that the model works for any number of sites.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from panda_gym.environments.placement.observation import (
    GRID_FEATURES,
    JOB_FEATURES,
    SITE_FEATURES,
    PlacementView,
)
from panda_gym.environments.placement.policies.scorer import DERIVED

Array = np.ndarray
WIDTH = len(SITE_FEATURES) + len(DERIVED) + len(JOB_FEATURES) + len(GRID_FEATURES) + 2
"""Features of a site at a decision."""

BYTES = 1e10

RIDGE = 1e-3
"""Ridge penalty of every weight, in decisions."""


def features(view: PlacementView) -> Array:
    """Return float64[n, S, WIDTH]: the site's, derived, bytes to move, the job's, the grid's, 1.

    Bytes to move are in units of 10 GB, not logarithms: traffic adds up.
    """
    import torch

    from panda_gym.environments.placement.policies.scorer import PART_FEATURES, derive, spread

    sites, job, grid = (torch.tensor(view.codes(part)) for part in ("sites", "job", "grid"))
    ratio = {
        part: torch.tensor([one.kind == "ratio" for one in table])
        for part, table in PART_FEATURES.items()
    }
    own = torch.cat(
        [spread(sites, ratio["sites"][:, None]), derive(sites, torch.as_tensor(view.mask))], dim=1
    )
    around = torch.cat([spread(job, ratio["job"]), spread(grid, ratio["grid"])], dim=1)
    n, _, count = sites.shape
    common = around[:, None, :].expand(n, count, around.shape[1])
    away = view.job("input_bytes") * (1.0 - view.site("local_share")) / BYTES
    moved = torch.as_tensor(away[:, :, None], dtype=torch.float32)
    parts = [own.transpose(1, 2), moved, common, torch.ones(n, count, 1)]
    return torch.cat(parts, dim=2).double().numpy()


@dataclass
class NormalEquations:
    """The normal equations of LSTD-Q, summed over decisions; those of two folds add up.

    matrix: float64[WIDTH, WIDTH], sum of f (f - gamma f')^T, f' expected under the policy.
    vector: float64[WIDTH], sum of f r.
    """

    gamma: float
    matrix: Array = field(default_factory=lambda: np.zeros((WIDTH, WIDTH)))
    vector: Array = field(default_factory=lambda: np.zeros(WIDTH))

    def add(self, taken: Array, expected: Array, rewards: Array) -> None:
        """Add episodes: f of actions taken and expected [n, T, WIDTH], rewards [n, T]."""
        ahead = np.zeros_like(expected)
        ahead[:, :-1] = expected[:, 1:]  # after the last decision the episode ends
        done = taken.reshape(-1, WIDTH)
        self.matrix += done.T @ (done - self.gamma * ahead.reshape(-1, WIDTH))
        self.vector += done.T @ rewards.ravel()

    def without(self, other: NormalEquations) -> NormalEquations:
        """What is left when a fold is taken out."""
        return NormalEquations(self.gamma, self.matrix - other.matrix, self.vector - other.vector)

    def solve(self) -> Array:
        """Return the weights, float64[WIDTH]."""
        return np.linalg.lstsq(self.matrix + RIDGE * np.eye(WIDTH), self.vector)[0]
