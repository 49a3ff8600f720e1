"""Predict the cost of placing a job at each site as a rule's cost plus a residual, a torch module.

The rule is earliest completion: the expected ln(bounded slowdown) of the job. A network that all
sites share adds what the rule misses, from rows that mean the same at every scale of the platform
(`scale_free_rows`). The last layer begins at 0, so that the untrained agent is the rule (residual
policy learning: Silver et al., arXiv:1812.06298; Johannink et al., ICRA 2019).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn

from panda_gym.environments.placement.policies.scale_free_rows import ROWS, rows
from panda_gym.environments.placement.policies.site_value import ValueShape

BASE: Final = ROWS.index("slowdown")
"""The row with the rule's cost."""


class ScaleFreeValue(nn.Module):
    """Scores of S sites, and the best of the legal ones as value, from an observation.

    forward: sites [B, F, S], job [B, J], grid [B, G], mask [B, S] -> scores [B, S], value [B].
    A score is minus the expected cost of the placement.
    """

    row_names = ROWS
    """What the network sees of a site; an agent of other rows is refused."""
    mean: Tensor
    deviation: Tensor

    def __init__(self, shape: ValueShape | None = None) -> None:
        super().__init__()
        self.shape = shape or ValueShape()
        self.members = nn.ModuleList(self._member() for _ in range(self.shape.members))
        self.register_buffer("mean", torch.zeros(len(ROWS)))
        self.register_buffer("deviation", torch.ones(len(ROWS)))

    def _member(self) -> nn.Sequential:
        widths = [len(ROWS), *[self.shape.hidden] * self.shape.depth]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.ReLU()]
        last = nn.Linear(widths[-1], 1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        return nn.Sequential(*layers, last)

    @torch.no_grad()
    def rows(self, sites: Tensor, job: Tensor, grid: Tensor, mask: Tensor) -> Tensor:
        """What the network sees of every site, [B, S, len(ROWS)], before it is standardised."""
        return rows(sites, job, grid, mask)

    @torch.no_grad()
    def standardise(self, rows: Tensor) -> None:
        """Take mean and deviation of rows [n, len(ROWS)] as those of the rows from now on."""
        self.mean.copy_(rows.mean(dim=0))
        self.deviation.copy_(rows.std(dim=0).clamp(min=0.05))

    def costs(self, rows: Tensor) -> Tensor:
        """Cost by every member from rows [..., len(ROWS)]: [members, ...]."""
        seen = ((rows - self.mean) / self.deviation).clamp(-5.0, 5.0)
        residual = torch.stack([member(seen)[..., 0] for member in self.members])
        return rows[..., BASE] + residual

    def forward(
        self, sites: Tensor, job: Tensor, grid: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return minus the predicted cost of each site [B, S] and the best legal one [B]."""
        scores = -self.costs(self.rows(sites, job, grid, mask)).mean(dim=0)
        best = torch.where(mask.bool(), scores, -torch.inf).amax(dim=1)
        return scores, best.clamp(min=torch.finfo(scores.dtype).min)
