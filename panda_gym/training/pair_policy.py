"""The pair network as a policy of sb3-contrib's MaskablePPO, for workflows and pipelines.

env = sb3_vec_env(8, "PandaGrid/Workflow-v0", reward="makespan")
model = MaskablePPO(PairPolicy, env, gamma=1.0)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import torch
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from torch import Tensor, nn

from panda_gym.environments.base.pair_network import HOLD, PAIRS, PairActorCritic, parts_of
from panda_gym.environments.pipeline import observation as pipeline
from panda_gym.environments.workflow import observation as workflow
from panda_gym.training.sb3_policy import WholeObservation

STARTS: Final[Mapping[str, Mapping[str, Mapping[str, float]]]] = {
    "sets": {
        "sets": {"rank": 30.0},
        "pairs": {"delay": -6.0, "run": -6.0},
        HOLD: {"": -3.0},
    },
    "models": {
        "models": {"potential": 20.0},
        "places": {"price": -4.0, "queued": -4.0},
        HOLD: {"": 2.0},
    },
}
"""First weights by the observation's first part, part and feature: rules of thumb.

Workflows start from upward rank and earliest finish, pipelines from the potential improvement."""


def start_of(space: Any) -> dict[str, list[float]]:
    """Return the first weights of `STARTS` in the order of the features.

    With one site there is nothing to choose by features of pairs: their weights are left out.
    """
    rows, columns, _ = parts_of(space)
    tables = workflow.TABLES if rows == "sets" else pipeline.TABLES
    return {
        part: [weights.get(one.name, 0.0) for one in tables[part]]
        if part in tables
        else list(weights.values())
        for part, weights in STARTS[rows].items()
        if part != PAIRS or space[columns].shape[1] > 1
    }


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
    """Logits are the scores of pairs: no layer depends on how many rows and columns there are.

    Learning starts from a rule of thumb (`STARTS`).
    """

    def __init__(self, *args: Any, hidden: int = 48, **kwargs: Any) -> None:
        self._hidden = hidden
        kwargs["features_extractor_class"] = WholeObservation
        super().__init__(*args, **kwargs)

    def _build(self, lr_schedule: Any) -> None:
        space = self.observation_space
        self.mlp_extractor = PairLatents(PairActorCritic(space, self._hidden, start_of(space)))
        self.action_net, self.value_net = nn.Identity(), nn.Identity()
        self.optimizer = torch.optim.Adam(self.parameters(), lr=lr_schedule(1), eps=1e-5)
