"""Predict the cost of placing a job at each site, a torch module.

One small network, shared by all sites, looks at one site at a time: its own features, how they
stand to the best of the legal sites, the job's and the grid's. It needs no other site's layers, so
that it can be fitted to the one site of each decision that was tried. It holds no count of sites.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn

from panda_gym.environments.base.features import position
from panda_gym.environments.placement.observation import GRID_FEATURES, JOB_FEATURES, SITE_FEATURES
from panda_gym.environments.placement.policies.scorer import (
    ALMOST_ONE,
    DERIVED,
    PART_FEATURES,
    derive,
    natural,
    spread,
)

DENSITIES: Final = (
    "log queued work / cores",
    "log jobs ahead / cores",
    "log cores needed / cores",
)
"""Loads in units of the site's own size."""

ROW: Final = (
    len(SITE_FEATURES) + len(DERIVED) + len(DENSITIES) + len(JOB_FEATURES) + len(GRID_FEATURES)
)
"""Numbers that the network sees of a site."""


@dataclass(frozen=True)
class ValueShape:
    """Sizes of the network.

    hidden: width of the layers.
    depth: how many there are.
    members: networks whose mean is taken.
    """

    hidden: int = 64
    depth: int = 2
    members: int = 1


class SiteValue(nn.Module):
    """Scores of S sites, and the best of the legal ones as value, from an observation.

    forward: sites [B, F, S], job [B, J], grid [B, G], mask [B, S] -> scores [B, S], value [B].
    A score is minus the expected cost of the placement.
    """

    sites_ratio: Tensor
    job_ratio: Tensor
    grid_ratio: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(self, shape: ValueShape | None = None) -> None:
        super().__init__()
        self.shape = shape or ValueShape()
        self.members = nn.ModuleList(self._member() for _ in range(self.shape.members))
        for part, table in PART_FEATURES.items():
            ratio = torch.tensor([feature.kind == "ratio" for feature in table])
            self.register_buffer(f"{part}_ratio", ratio, persistent=False)
        self.register_buffer("mean", torch.zeros(ROW))
        self.register_buffer("deviation", torch.ones(ROW))

    def _member(self) -> nn.Sequential:
        widths = [ROW, *[self.shape.hidden] * self.shape.depth]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.ReLU()]
        return nn.Sequential(*layers, nn.Linear(widths[-1], 1))

    @torch.no_grad()
    def rows(self, sites: Tensor, job: Tensor, grid: Tensor, mask: Tensor) -> Tensor:
        """What the network sees of every site, [B, S, ROW], before it is standardised."""
        legal = mask.bool()
        own = torch.cat(
            [spread(sites, self.sites_ratio[:, None]), derive(sites, legal), densities(sites, job)],
            dim=1,
        )
        context = torch.cat([spread(job, self.job_ratio), spread(grid, self.grid_ratio)], dim=1)
        context = context[:, None, :].expand(-1, sites.shape[2], -1)
        return torch.cat([own.transpose(1, 2), context], dim=2)

    @torch.no_grad()
    def standardise(self, rows: Tensor) -> None:
        """Take mean and deviation of rows [n, ROW] as those of the features from now on."""
        self.mean.copy_(rows.mean(dim=0))
        self.deviation.copy_(rows.std(dim=0) + 1e-3)

    def costs(self, rows: Tensor) -> Tensor:
        """Cost by every member from rows [..., ROW]: [members, ...]."""
        seen = (rows - self.mean) / self.deviation
        return torch.stack([member(seen)[..., 0] for member in self.members])

    def forward(
        self, sites: Tensor, job: Tensor, grid: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return minus the predicted cost of each site [B, S] and the best legal one [B]."""
        scores = -self.costs(self.rows(sites, job, grid, mask)).mean(dim=0)
        best = torch.where(mask.bool(), scores, -torch.inf).amax(dim=1)
        return scores, best.clamp(min=torch.finfo(scores.dtype).min)


def densities(sites: Tensor, job: Tensor) -> Tensor:
    """Loads of the sites in units of their size, [B, 3, S]."""
    cores = natural(sites, "cores").clamp(min=1.0)
    ahead = natural(sites, "activated") + natural(sites, "assigned") + 1.0
    row = position(JOB_FEATURES, "cores")
    code = job[:, row, None].clamp(max=ALMOST_ONE)
    needed = code * JOB_FEATURES[row].scale / (1.0 - code)
    work = natural(sites, "queued_work") / 3600.0
    return torch.stack(
        [torch.log1p(work / cores), torch.log1p(ahead / cores), torch.log1p(needed / cores)], dim=1
    )
