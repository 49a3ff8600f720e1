"""Behaviour policies of a data set, with the probabilities of their actions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from panda_gym.benchmarking.policy_resolution import (
    PolicyLike,
    PolicyOrOracle,
    describe,
    find_policies,
)
from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies import Policy
from panda_gym.errors import SettingError

Array = np.ndarray


@dataclass(frozen=True)
class Behaviour:
    """A policy that explores: with probability epsilon it takes a random legal site.

    label: name of the behaviour in the data set.
    policy: the policy that decides otherwise.
    weight: its share of the data set, relative to the weights of the others.
    epsilon: probability of a random legal site, all equally likely.
    """

    label: str
    policy: Policy
    weight: float = 1.0
    epsilon: float = 0.0

    def __post_init__(self) -> None:
        if not (_number(self.weight) and self.weight > 0.0):
            raise SettingError(
                f"a weight above 0 for {self.label!r}", repr(self.weight), "pass weight=1"
            )
        if not (_number(self.epsilon) and 0.0 <= self.epsilon <= 1.0):
            raise SettingError("epsilon from 0 to 1", repr(self.epsilon), "pass epsilon=0.1")

    def act(
        self, observation: Mapping[str, Array], uniform: Array, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Return sites int64[E] and their probabilities float64[E].

        uniform: float64[E] in [0, 1), one number for each decision, so that an episode does not
        depend on those beside it.
        """
        probabilities = self.action_probabilities(PlacementView(observation), rng)
        sites = sample_sites(probabilities, uniform)
        return sites, probabilities[np.arange(len(sites)), sites]

    def action_probabilities(self, view: PlacementView, rng: np.random.Generator) -> Array:
        """Return the probability of every site, float64[E, S]."""
        probabilities = self.policy.action_probabilities(view, rng)
        if self.epsilon > 0.0:
            anywhere = view.mask / view.mask.sum(axis=1, keepdims=True)
            probabilities = (1.0 - self.epsilon) * probabilities + self.epsilon * anywhere
        return probabilities

    def describe(self) -> dict[str, Any]:
        """Return the policy with its settings, the weight and epsilon, as JSON."""
        policy = describe(self.policy) or {"name": type(self.policy).__name__}
        if "weights_sha256" in policy.get("settings", {}):  # the weights identify an agent
            policy["settings"].pop("folder", None)
        return {"policy": policy, "weight": self.weight, "epsilon": self.epsilon}


Behaviours = Mapping[Any, float] | Sequence["Behaviour"] | Sequence[PolicyLike]
"""Policies by name, folder or object, with their weights if a mapping."""


def sample_sites(probabilities: Array, uniform: Array) -> Array:
    """Return the first site whose cumulative probability exceeds the uniform number, int64[E].

    A site of probability 0 is never returned, in spite of rounding of the sum.
    """
    reached = np.cumsum(probabilities, axis=1) > uniform[:, None] * probabilities.sum(
        axis=1, keepdims=True
    )
    reached &= probabilities > 0.0
    last = probabilities.shape[1] - 1 - (probabilities[:, ::-1] > 0.0).argmax(axis=1)
    return np.where(reached.any(axis=1), reached.argmax(axis=1), last)


def find_behaviours(
    given: Behaviours,
    epsilon: float,
    scale: float,
) -> list[Behaviour]:
    """Return behaviours from names, folders or policies, with their weights if a mapping."""
    if all(isinstance(one, Behaviour) for one in given):
        return list(given)  # type: ignore[arg-type]
    weights = list(given.values()) if isinstance(given, Mapping) else [1.0] * len(given)
    found = find_policies(list(given), scale)  # type: ignore[arg-type]
    return [
        Behaviour(label, _policy(label, policy), weight, epsilon)
        for (label, policy), weight in zip(found.items(), weights, strict=True)
    ]


def _policy(label: str, found: PolicyOrOracle) -> Policy:
    """What may act for a data set: an oracle sees what no learner will, nor states chances."""
    if isinstance(found, Policy):
        return found
    raise SettingError("policies for a data set", f"{label!r}, an oracle", "leave it out")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
