"""The pair network as a policy of sb3-contrib's MaskablePPO, for workflows and pipelines.

env = sb3_vec_env(8, "PandaGrid/Workflow-v0", reward="makespan")
model = MaskablePPO(PairPolicy, env, gamma=1.0)
"""

from __future__ import annotations

from typing import Any

import torch
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from torch import Tensor, nn

from panda_gym.environments.base.pair_network import PairActorCritic
from panda_gym.training.sb3_policy import WholeObservation


class PairLatents(nn.Module):
    """Logits as the actor's latent, the value as the critic's."""

    def __init__(self, network: PairActorCritic) -> None:
        super().__init__()
        self.network = network

    def forward(self, observation: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return logits [E, A] and values [E, 1]."""
        logits, value = self.network(observation)
        return logits, value[:, None]

    def forward_actor(self, observation: dict[str, Tensor]) -> Tensor:
        """Return logits [E, A]."""
        return self(observation)[0]

    def forward_critic(self, observation: dict[str, Tensor]) -> Tensor:
        """Return values [E, 1]."""
        return self(observation)[1]


class PairPolicy(MaskableActorCriticPolicy):
    """Logits are the scores of pairs: no layer depends on how many rows and columns there are."""

    def __init__(self, *args: Any, hidden: int = 48, **kwargs: Any) -> None:
        self._hidden = hidden
        kwargs["features_extractor_class"] = WholeObservation
        super().__init__(*args, **kwargs)

    def _build(self, lr_schedule: Any) -> None:
        self.mlp_extractor = PairLatents(PairActorCritic(self.observation_space, self._hidden))
        self.action_net, self.value_net = nn.Identity(), nn.Identity()
        self.optimizer = torch.optim.Adam(self.parameters(), lr=lr_schedule(1), eps=1e-5)
