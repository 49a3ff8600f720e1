"""The site scorer as policies of stable-baselines3 and sb3-contrib.

The mask is part of the observation, so that learners without action masks (PPO, A2C, DQN) choose
among legal sites too.
"""

from __future__ import annotations

from typing import Any, Final

import gymnasium
import numpy as np
import torch
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3 import DQN
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.dqn.policies import DQNPolicy, QNetwork
from torch import Tensor, nn

from panda_gym.environments.placement.policies.scorer import ScorerShape, SiteScorer

PARTS: Final = ("sites", "job", "grid", "action_mask")
NEVER: Final = -1e8
"""Score of an illegal site where the learner has no mask; finite, so that 0 x NEVER is 0."""


class WholeObservation(BaseFeaturesExtractor):
    """Pass the dictionary of tensors on unchanged."""

    def __init__(self, observation_space: gymnasium.Space[Any]) -> None:
        super().__init__(observation_space, features_dim=1)

    def forward(self, observations: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the observations."""
        return observations


class ScorerLatents(nn.Module):
    """Site scores as the actor's latent, the value as the critic's.

    masked: illegal sites score NEVER.
    """

    def __init__(self, scorer: SiteScorer, masked: bool = False) -> None:
        super().__init__()
        self.scorer, self.masked = scorer, masked

    def forward(self, observation: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return scores [E, S] and values [E, 1]."""
        scores, value = self.scorer(*(observation[part] for part in PARTS))
        if self.masked:
            scores = scores.masked_fill(~observation["action_mask"].bool(), NEVER)
        return scores, value[:, None]

    def forward_actor(self, observation: dict[str, Tensor]) -> Tensor:
        """Return scores [E, S]."""
        return self(observation)[0]

    def forward_critic(self, observation: dict[str, Tensor]) -> Tensor:
        """Return values [E, 1]."""
        return self(observation)[1]


class SiteScorerPolicy(MaskableActorCriticPolicy):
    """Logits are the scores of the sites: no layer depends on how many there are."""

    masked = False

    def __init__(self, *args: Any, shape: ScorerShape, **kwargs: Any) -> None:
        self._shape = shape
        kwargs["features_extractor_class"] = WholeObservation
        super().__init__(*args, **kwargs)

    @property
    def scorer(self) -> SiteScorer:
        """The network that is trained."""
        return self.mlp_extractor.scorer

    def _build(self, lr_schedule: Any) -> None:
        build_scorer(self, lr_schedule)


class UnmaskedScorerPolicy(ActorCriticPolicy):
    """The same for learners without masks: illegal sites score NEVER."""

    masked = True

    def __init__(self, *args: Any, shape: ScorerShape, **kwargs: Any) -> None:
        self._shape = shape
        kwargs["features_extractor_class"] = WholeObservation
        super().__init__(*args, **kwargs)

    @property
    def scorer(self) -> SiteScorer:
        """The network that is trained."""
        return self.mlp_extractor.scorer

    def _build(self, lr_schedule: Any) -> None:
        build_scorer(self, lr_schedule)


def build_scorer(policy: Any, lr_schedule: Any) -> None:
    """Replace all layers of an actor-critic policy by the site scorer."""
    policy.mlp_extractor = ScorerLatents(SiteScorer(policy._shape), policy.masked)
    policy.action_net, policy.value_net = nn.Identity(), nn.Identity()
    policy.optimizer = torch.optim.Adam(policy.parameters(), lr=lr_schedule(1), eps=1e-5)


class SiteQNetwork(QNetwork):
    """Action values are the scores of the sites; NEVER where illegal."""

    def __init__(self, *args: Any, shape: ScorerShape, **kwargs: Any) -> None:
        super().__init__(*args, net_arch=[1], **kwargs)
        self.q_net = ScorerLatents(SiteScorer(shape), masked=True)

    def forward(self, obs: Any) -> Tensor:
        """Return action values [E, S]."""
        return self.q_net(obs)[0]


class SiteQPolicy(DQNPolicy):
    """Policy of DQN: online and target network are site scorers."""

    def __init__(self, *args: Any, shape: ScorerShape, **kwargs: Any) -> None:
        self._shape = shape
        kwargs["features_extractor_class"] = WholeObservation
        super().__init__(*args, **kwargs)

    @property
    def scorer(self) -> SiteScorer:
        """The network that is trained."""
        return self.q_net.q_net.scorer

    def make_q_net(self) -> QNetwork:
        """Return a new network of action values."""
        given = self._update_features_extractor(self.net_args, features_extractor=None)
        names = ("observation_space", "action_space", "features_extractor", "features_dim")
        return SiteQNetwork(**{name: given[name] for name in names}, shape=self._shape).to(
            self.device
        )


class SiteDQN(DQN):
    """DQN that explores among legal sites only."""

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, Any]:
        """Return the best site, or with probability `exploration_rate` a random legal one."""
        sites, state = self.policy.predict(observation, state, episode_start, True)
        if deterministic:
            return sites, state
        mask = np.atleast_2d(observation["action_mask"]) > 0
        race = np.where(mask, np.random.random_sample(mask.shape), -1.0)  # noqa: NPY002
        explore = np.random.random_sample(len(mask)) < self.exploration_rate  # noqa: NPY002
        return np.where(explore, race.argmax(axis=1), sites), state
