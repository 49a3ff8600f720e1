"""Base classes of placement policies: observation and random generator in, one site each out.

A policy is composed of a number for each site and a choice among the numbers (see `choice`).
Methods implemented here are final: derive from `Ranking`, `Sampling`, `SamplingAmongBest`,
`Memoryless` or `Policy` and write the abstract method.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, final

import numpy as np

from panda_gym.deprecated import old_names, warn
from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.choice import (
    greedy,
    greedy_probabilities,
    sample,
    sample_among_best,
    sample_among_best_probabilities,
    sample_probabilities,
)
from panda_gym.errors import PolicyError

Array = np.ndarray

JOINT_AXES: Final = 4
"""Axes of the site features where several jobs are placed at once: [E, K, F, S]."""


class Policy(ABC):
    """Choose a site for the job at hand in each of E environments.

    A policy draws the same count of random numbers for every environment, in order. So a batch of
    E observations is answered like its E members one after another with the same generator.
    """

    equivariant: ClassVar[bool] = True
    """Whether a permutation of the sites permutes the choice."""

    @abstractmethod
    def reset(self, envs: int) -> None:
        """Forget what was remembered; the next observation has `envs` environments."""

    def attach(self, batch: Any) -> None:  # noqa: B027
        """Take the batch of environments whose decisions come next, after `reset`.

        Planners use it, which fork it (`fork_planner`), and policies of other programs, which
        tell them the names of its sites. Benchmarks call it.
        """

    def close(self) -> None:  # noqa: B027
        """Release what is held outside this process; benchmarks call it after their episodes."""

    def figures(self) -> Sequence[Mapping[str, float]]:
        """Return figures of its own for each environment since `reset`; none by default.

        Benchmarks put them beside the measures of the episode.
        """
        return ()

    @abstractmethod
    def choose(self, view: PlacementView, rng: np.random.Generator) -> Array:
        """Return a legal site for every environment, int64[E]."""

    def choose_pending(self, views: Sequence[PlacementView], rng: np.random.Generator) -> Array:
        """Return sites for K pending jobs, int64[E, K]; each is chosen alone unless overridden.

        views: the observation before the step, once with each of the K jobs.
        """
        return np.stack([self.choose(view, rng) for view in views], axis=1)

    def action_probabilities(self, view: PlacementView, rng: np.random.Generator) -> Array:
        """Return the probability of every site, float64[E, S], 0 where it is not legal.

        A policy with memory chooses here, and its choice has probability 1.
        """
        certain = np.zeros(view.mask.shape)
        certain[np.arange(len(view)), self.choose(view, rng)] = 1.0
        return certain

    @final
    def law(self, view: PlacementView, rng: np.random.Generator) -> Array:  # name of 0.1
        """Return `action_probabilities`, whose name in release 0.1 this was."""
        warn("Policy.law", "Policy.action_probabilities")  # name of 0.1
        return self.action_probabilities(view, rng)

    @final
    def __call__(self, observation: Mapping[str, Array], rng: np.random.Generator) -> Array:
        """Return a legal site for every environment, int64[E].

        observation: sites float32[E, F, S], job [E, J], grid [E, G], action_mask int8[E, S]; with
        K decisions at once each has a second axis K, and the answer is int64[E, K]. In
        DataPlacement the answer is int64[E, 2]: the site, and 0 for no action on data.
        No policy here defers a job. PolicyError if an environment has no legal site.
        """
        mask, sites = np.asarray(observation["action_mask"]), np.shape(observation["sites"])[-1]
        if not mask[..., :sites].any(axis=-1).all():
            raise PolicyError(
                "at least one legal site", "an action mask of zeros", "make a site legal"
            )
        if np.ndim(observation["sites"]) < JOINT_AXES:
            chosen = np.asarray(self.choose(PlacementView(observation), rng), dtype=np.int64)
            with_data = mask.shape[-1] > 2 * sites
            return np.stack([chosen, np.zeros_like(chosen)], axis=1) if with_data else chosen
        jobs = range(observation["sites"].shape[1])
        views = [
            PlacementView({part: rows[:, k] for part, rows in observation.items()}) for k in jobs
        ]
        return np.asarray(self.choose_pending(views, rng), dtype=np.int64)

    @final
    def act(self, observation: Mapping[str, Array], rng: np.random.Generator) -> Any:
        """Return the action for one observation, with or without a batch axis of one.

        It is the site, int; in DataPlacement int64[2].
        """
        sites = self(observation, rng)
        if len(sites) != 1:
            raise PolicyError(
                "one observation", f"a batch of {len(sites)}", "call the policy itself"
            )
        return sites[0] if sites.ndim > 1 else int(sites[0])


class Memoryless(Policy):
    """A policy whose answer depends on the observation and the generator alone."""

    @final
    def reset(self, envs: int) -> None:
        """Do nothing: nothing is remembered."""

    def distribution(self, view: PlacementView) -> Array:
        """Return the probability with which `choose` names every site, float64[E, S].

        PolicyError where a subclass has not written it; only data sets and off-policy
        estimates need it.
        """
        raise PolicyError(
            "a policy that states its probabilities",
            f"{type(self).__name__}, which has no method distribution",
            "write one, or derive from Ranking or Sampling",
        )

    @final
    def action_probabilities(self, view: PlacementView, rng: np.random.Generator) -> Array:
        """Return `distribution(view)`: a policy without memory draws nothing here."""
        return self.distribution(view)


class Ranking(Memoryless):
    """Choose the legal site of the highest score; ties are broken at random."""

    @abstractmethod
    def score(self, view: PlacementView) -> Array:
        """Return how good every site is, float64[E, S], higher is better."""

    @final
    def choose(self, view: PlacementView, rng: np.random.Generator) -> Array:
        return greedy(self.score(view), view.mask, rng)

    @final
    def distribution(self, view: PlacementView) -> Array:
        return greedy_probabilities(self.score(view), view.mask)


class Sampling(Memoryless):
    """Sample a legal site with probability proportional to its weight."""

    @abstractmethod
    def weight(self, view: PlacementView) -> Array:
        """Return the weight of every site, float64[E, S], >= 0."""

    @final
    def choose(self, view: PlacementView, rng: np.random.Generator) -> Array:
        return sample(self.weight(view), view.mask, rng)

    @final
    def distribution(self, view: PlacementView) -> Array:
        return sample_probabilities(self.weight(view), view.mask)


class SamplingAmongBest(Memoryless):
    """Sample among the `keep` legal sites of highest weight, in proportion to it."""

    keep: int = 10

    @abstractmethod
    def weight(self, view: PlacementView) -> Array:
        """Return the weight of every site, float64[E, S], >= 0."""

    @final
    def choose(self, view: PlacementView, rng: np.random.Generator) -> Array:
        return sample_among_best(self.weight(view), view.mask, rng, int(self.keep))

    @final
    def distribution(self, view: PlacementView) -> Array:
        return sample_among_best_probabilities(self.weight(view), view.mask, int(self.keep))


__getattr__ = old_names(__name__)
