"""Score sites with a permutation-equivariant network, a torch module.

One small network, shared by all sites, scores each site from its own features, the job's, the
grid's and a summary of all legal sites (Zaheer et al., Deep Sets, 2017). It holds no count of
sites, so what is trained on 50 sites runs on 150.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from panda_gym.environments.base.features import Feature, position
from panda_gym.environments.placement.observation import GRID_FEATURES, JOB_FEATURES, SITE_FEATURES
from panda_gym.errors import PolicyError

ALMOST_ONE: Final = 1.0 - 1e-6
"""A ratio code is cut here, so that its logarithm stays finite."""

DERIVED: Final = ("log completion", "log slowdown", "regret of completion", "regret of slowdown")
"""What is computed beside the features: see `SiteScorer.derive`."""

PART_FEATURES: Final = {"sites": SITE_FEATURES, "job": JOB_FEATURES, "grid": GRID_FEATURES}


@dataclass(frozen=True)
class ScorerShape:
    """Sizes of the network.

    hidden: width of the layers that all sites share.
    critic: width of the layer that values the whole observation.
    """

    hidden: int = 32
    critic: int = 64


class SiteScorer(nn.Module):
    """Scores of S sites and one value from an observation.

    forward: sites [B, F, S], job [B, J], grid [B, G], mask [B, S] -> scores [B, S], value [B].
    Ratio codes x / (x + scale) are turned into ln(1 + x / scale) before they are used.
    """

    sites_ratio: Tensor
    job_ratio: Tensor
    grid_ratio: Tensor

    def __init__(self, shape: ScorerShape | None = None) -> None:
        super().__init__()
        self.shape = shape or ScorerShape()
        width, context = self.shape.hidden, len(JOB_FEATURES) + len(GRID_FEATURES)
        self.site_in = nn.Linear(len(SITE_FEATURES) + len(DERIVED), width)
        self.context_in = nn.Linear(context, width, bias=False)
        self.site_mid = nn.Linear(width, width)
        self.pool_mid = nn.Linear(2 * width, width, bias=False)
        self.score_out = nn.Linear(width, 1, bias=False)
        self.critic_in = nn.Linear(2 * width + context, self.shape.critic)
        self.critic_out = nn.Linear(self.shape.critic, 1)
        for part, table in PART_FEATURES.items():
            ratio = torch.tensor([feature.kind == "ratio" for feature in table])
            self.register_buffer(f"{part}_ratio", ratio, persistent=False)
        with torch.no_grad():
            self.score_out.weight.mul_(0.1)

    def forward(
        self, sites: Tensor, job: Tensor, grid: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return a score for each site, float32 [B, S], and the value, float32 [B]."""
        derived, lens = self._without_gradient(sites, mask.bool())
        context = torch.cat([spread(job, self.job_ratio), spread(grid, self.grid_ratio)], dim=1)
        features = torch.cat([spread(sites, self.sites_ratio[:, None]), derived], dim=1)
        # From here on sites stand before features: [B, S, width], so that layers need no copies.
        rows = features.transpose(1, 2).contiguous()
        first = torch.relu_(self.site_in(rows) + self.context_in(context)[:, None, :])
        pooled = self.pool_mid(torch.bmm(lens, first).flatten(1))
        second = torch.relu_(self.site_mid(first) + pooled[:, None, :])
        scores = self.score_out(second)[:, :, 0]
        summary = torch.cat([torch.bmm(lens, second).flatten(1), context], dim=1)
        return scores, self.critic_out(torch.relu(self.critic_in(summary)))[:, 0]

    @staticmethod
    @torch.no_grad()
    def _without_gradient(sites: Tensor, legal: Tensor) -> tuple[Tensor, Tensor]:
        """Derived features [B, 4, S] and the two lenses [B, 2, S] through which sites are summed.

        The lenses are weights that sum to 1: all legal sites alike, and those of the earliest
        completion before others (a softmax of minus its regret).
        """
        derived = derive(sites, legal)
        regret = torch.where(legal, derived[:, 2], torch.inf)
        even = legal / legal.sum(dim=1, keepdim=True).clamp(min=1)
        return derived, torch.stack([even, torch.softmax(-4.0 * regret, dim=1)], dim=1)


def spread(code: Tensor, ratio: Tensor) -> Tensor:
    """ln(1 + x / scale) where a code is a ratio, the code itself where it is linear."""
    return torch.where(ratio, -torch.log1p(-code.clamp(max=ALMOST_ONE)), code)


def derive(sites: Tensor, legal: Tensor) -> Tensor:
    """ln of completion and of slowdown at every site, and how far each is from the best legal.

    sites [B, F, S] codes, legal bool [B, S] -> [B, 4, S]. Completion is transfer + wait + run in
    hours; slowdown is completion / run.
    """
    wait, transfer, run = (natural(sites, name) for name in ("wait", "transfer", "run"))
    completion = wait + transfer + run + 1.0
    logs = torch.stack([torch.log(completion / 3600.0), torch.log(completion / (run + 1.0))], dim=1)
    best = torch.where(legal[:, None, :], logs, torch.inf).amin(dim=2, keepdim=True)
    return torch.cat([logs, logs - torch.where(best.isinf(), 0.0, best)], dim=1)


def natural(sites: Tensor, name: str) -> Tensor:
    """A ratio feature of the sites in natural units, [B, S]."""
    row = position(SITE_FEATURES, name)
    code = sites[:, row].clamp(max=ALMOST_ONE)
    return code * SITE_FEATURES[row].scale / (1.0 - code)


def features_fingerprint() -> dict[str, list[list[str | float]]]:
    """The observation that a scorer was built for, as JSON: name, kind and scale of each row."""

    def row(feature: Feature) -> list[str | float]:
        return [feature.name, feature.kind, feature.scale]

    return {part: [row(feature) for feature in table] for part, table in PART_FEATURES.items()}


def save_weights(scorer: nn.Module, path: Path) -> None:
    """Write the weights as safetensors."""
    from safetensors.torch import save_file

    tensors = {key: value.cpu().contiguous() for key, value in scorer.state_dict().items()}
    save_file(tensors, str(path))


def load_weights(scorer: nn.Module, path: Path) -> nn.Module:
    """Set a scorer's weights to a file's; PolicyError if it does not fit the scorer's shape."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        scorer.load_state_dict(load_file(str(path)))
    except (SafetensorError, RuntimeError, OSError) as error:
        raise PolicyError(
            f"weights of a scorer {scorer.shape} in {path}",
            str(error).splitlines()[0],
            "train the agent again or restore the file",
        ) from error
    return scorer.eval()
