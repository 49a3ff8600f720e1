"""The site scorer in the shape that sb3-contrib's MaskablePPO asks for; knows no environment."""

from __future__ import annotations

from typing import Any

import gymnasium
import torch
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

from panda_gym.policies.scorer import ScorerShape, SiteScorer


class WholeObservation(BaseFeaturesExtractor):
    """Hands the dictionary of tensors on as it is."""

    def __init__(self, observation_space: gymnasium.Space[Any]) -> None:
        super().__init__(observation_space, features_dim=1)

    def forward(self, observations: dict[str, Tensor]) -> dict[str, Tensor]:
        return observations


class ScorerLatents(nn.Module):
    """Site scores as the actor's latent, the value as the critic's."""

    def __init__(self, scorer: SiteScorer) -> None:
        super().__init__()
        self.scorer = scorer

    def forward(self, observation: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        parts = (observation[part] for part in ("sites", "job", "grid", "action_mask"))
        scores, value = self.scorer(*parts)
        return scores, value[:, None]

    def forward_actor(self, observation: dict[str, Tensor]) -> Tensor:
        return self(observation)[0]

    def forward_critic(self, observation: dict[str, Tensor]) -> Tensor:
        return self(observation)[1]


class SiteScorerPolicy(MaskableActorCriticPolicy):
    """Logits are the scores of the sites: no layer depends on how many there are."""

    def __init__(self, *args: Any, shape: ScorerShape, **kwargs: Any) -> None:
        self._shape = shape
        kwargs["features_extractor_class"] = WholeObservation
        super().__init__(*args, **kwargs)

    @property
    def scorer(self) -> SiteScorer:
        """The network that is trained."""
        return self.mlp_extractor.scorer

    def _build(self, lr_schedule: Any) -> None:
        self.mlp_extractor = ScorerLatents(SiteScorer(self._shape))
        self.action_net, self.value_net = nn.Identity(), nn.Identity()
        self.optimizer = torch.optim.Adam(self.parameters(), lr=lr_schedule(1), eps=1e-5)
