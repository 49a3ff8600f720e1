"""One actor-critic network for the observations of every environment, by the family that it is of.

    network = actor_critic(env)                      # a single, vector or stable-baselines3 one
    logits, value = network(observation)             # float32 [B, A], float32 [B]

`observation` is a dictionary of tensors with a batch axis, as the environment gives it. Placement
and DataPlacement have `SiteActorCritic`, Workflow and Pipelines `PairActorCritic`. Each begins as a
rule of thumb, to which learning adds: earliest completion, upward rank and earliest finish (with
`plan=` near the plan), or the potential improvement of a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gymnasium import spaces

from panda_gym.environments.base.pair_network import (
    HOLD,
    PAIRS,
    PARTS,
    PairActorCritic,
    parts_of,
)
from panda_gym.environments.pipeline import observation as pipeline
from panda_gym.environments.placement.policies.actor_critic import NetworkShape, SiteActorCritic
from panda_gym.environments.workflow import observation as workflow
from panda_gym.errors import PolicyError

ActorCritic = SiteActorCritic | PairActorCritic

STARTS: Final[Mapping[str, Mapping[str, Mapping[str, float]]]] = {
    "sets": {
        "sets": {"rank": 30.0},
        "pairs": {"delay": -60.0, "run": -60.0, "planned": 3.0, "onward": -40.0},
        HOLD: {"": -3.0},
    },
    "models": {
        "models": {"potential": 20.0},
        "places": {"price": -4.0, "queued": -4.0},
        HOLD: {"": 2.0},
    },
}
"""First weights of `PairActorCritic` by the observation's first part, part and feature."""


def actor_critic(env: Any, **shape: Any) -> ActorCritic:
    """Return a network for a single, vector or stable-baselines3 environment.

    Args:
        env: an environment with `observation="dict"`.
        **shape: sizes and starts, fields of `NetworkShape`; for pairs `hidden` alone.

    Raises:
        PolicyError: observations of another form, or a setting that the network does not have.
    """
    space = getattr(env, "single_observation_space", env.observation_space)
    return network_for(space, shape)


def network_for(space: spaces.Space[Any], shape: Mapping[str, Any]) -> ActorCritic:
    """Return a network for the observation space of one environment; errors as `actor_critic`."""
    held = getattr(space, "spaces", {})
    if not any(all(name in held for name in names) for names in PARTS):
        return SiteActorCritic.for_observation(space, NetworkShape(**shape))
    unknown = sorted(set(shape) - {"hidden"})
    if unknown:
        raise PolicyError("the setting hidden= of a network over pairs", str(unknown), "drop them")
    return PairActorCritic(space, start=start_of(space), **shape)


def start_of(space: Any) -> dict[str, list[float]]:
    """Return the first weights of `STARTS` in the order of the features.

    With one site there is nothing to choose by features of pairs: their weights are left out.
    """
    rows, columns, _ = parts_of(space)
    tables = workflow.tables_of(True) if rows == "sets" else pipeline.TABLES
    return {
        part: [weights.get(one.name, 0.0) for one in tables[part]][: space[part].shape[0]]
        if part in tables
        else list(weights.values())
        for part, weights in STARTS[rows].items()
        if part != PAIRS or space[columns].shape[1] > 1
    }
