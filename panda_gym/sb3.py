"""Networks for stable-baselines3 and sb3-contrib as one line, for every environment.

    from sb3_contrib import MaskablePPO
    from panda_gym import sb3, sb3_vec_env

    env = sb3_vec_env(num_envs=2, scenario="atlas")
    model = MaskablePPO("MultiInputPolicy", env, gamma=0.0, policy_kwargs=sb3.policy_kwargs())
    model.learn(200_000)

The network is that of `actor_critic(env)`: `SiteActorCritic` for Placement and DataPlacement,
`PairActorCritic` for Workflow and Pipelines. The policies of the library end in a layer over all
features, which would tie a score to the number of its site. So this layer is fixed to the identity,
and all that learns stands before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import gymnasium
import torch
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

from panda_gym.deprecated import old_names
from panda_gym.environments.actor_critic import actor_critic, network_for
from panda_gym.environments.base.pair_network import PairActorCritic
from panda_gym.environments.placement.policies.actor_critic import NetworkShape, SiteActorCritic
from panda_gym.errors import PolicyError

__all__ = [
    "LogitsAndValue",
    "NetworkShape",
    "PairActorCritic",
    "SiteActorCritic",
    "actor_critic",
    "policy_kwargs",
]


class LogitsAndValue(BaseFeaturesExtractor):
    """Features extractor whose features are the logits of A actions and the value: [B, A + 1]."""

    def __init__(
        self,
        observation_space: gymnasium.Space[Any],
        shape: Mapping[str, Any] | None = None,
    ) -> None:
        found = network_for(observation_space, shape or {})
        actions = int(torch.tensor(observation_space["action_mask"].shape).prod())  # type: ignore[index]
        super().__init__(observation_space, features_dim=actions + 1)
        self.network = found

    def forward(self, observations: dict[str, Tensor]) -> Tensor:
        """Return logits and value, float32 [B, A + 1]."""
        logits, value = self.network(observations)
        return torch.cat([logits, value[:, None]], dim=1)

    def apply(self, fn: Any) -> LogitsAndValue:
        """Keep the first weights: the library's orthogonal ones would undo the start."""
        return self


class HeadsFixed(torch.optim.Adam):
    """Adam that sets the last layers of a policy to pass on logits and value, and fixes them."""

    def __init__(self, params: Iterable[nn.Parameter], lr: float = 3e-4, **kwargs: Any) -> None:
        free, heads = split_heads(list(params))
        fix_heads(heads)
        super().__init__(free, lr=lr, **{"eps": 1e-5, **kwargs})


def split_heads(parameters: list[nn.Parameter]) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Return the parameters that learn, and weights and biases of the last layers.

    An actor-critic policy ends in two layers, for actions and value, a network of action values in
    one. PolicyError for layers between features and heads.
    """
    last = parameters[-2]
    value = last.dim() == 2 and last.shape[0] == 1
    heads = parameters[-4:] if value else parameters[-2:]
    weight = heads[0]
    if weight.dim() != 2 or weight.shape[1] != weight.shape[0] + 1:
        came = f"a last layer of {tuple(weight.shape)}"
        raise PolicyError("no layers of the policy's own", came, "drop net_arch=")
    return parameters[: -len(heads)], heads


@torch.no_grad()
def fix_heads(heads: list[nn.Parameter]) -> None:
    """Set the layer of the actions to the logits and that of the value to the value.

    Action values are the logits plus the value (Wang et al., Dueling network architectures, 2016).
    """
    for parameter in heads:
        parameter.requires_grad_(False).zero_()
    actions = heads[0].shape[0]
    heads[0][:, :actions] = torch.eye(actions)
    if len(heads) == 4:
        heads[2][0, actions] = 1.0
    else:
        heads[0][:, actions] = 1.0


def policy_kwargs(**shape: Any) -> dict[str, Any]:
    """Return `policy_kwargs` of "MultiInputPolicy" for MaskablePPO, PPO, A2C and DQN.

    They fit all four environments with `observation="dict"`. DQN has no actions of several parts,
    such as those of DataPlacement.

    Args:
        **shape: fields of `NetworkShape`; for Workflow and Pipelines `hidden` alone.
    """
    return {
        "features_extractor_class": LogitsAndValue,
        "features_extractor_kwargs": {"shape": shape},
        "net_arch": [],
        "optimizer_class": HeadsFixed,
    }


__getattr__ = old_names(__name__)
