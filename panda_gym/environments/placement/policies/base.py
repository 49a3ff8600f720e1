"""What a policy is: observation and generator in, one site an environment out.

It knows observations (through `View`), never an environment. A policy is composed of a number a
site and a choice among numbers; nothing implemented here is overridden.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, final

import numpy as np

from panda_gym.environments.placement.observation import View
from panda_gym.environments.placement.policies.choice import (
    best,
    best_law,
    draw,
    draw_among_best,
    draw_among_best_law,
    draw_law,
)
from panda_gym.errors import PolicyError

Array = np.ndarray

TURN: Final = 4
"""Axes of the sites' features where several jobs are placed at once: [E, K, F, S]."""


class Policy(ABC):
    """Names a site for the job at hand in each of E environments.

    A policy draws the same count of numbers for every environment, in order, so that a batch of
    E observations is answered as its E members in turn by the same generator.
    """

    equivariant: ClassVar[bool] = True
    """Whether a permutation of the sites permutes the choice."""

    @abstractmethod
    def reset(self, envs: int) -> None:
        """Forget what was remembered; the next observation has `envs` environments."""

    @abstractmethod
    def choose(self, view: View, rng: np.random.Generator) -> Array:
        """Return a legal site for every environment, int64[E]."""

    def choose_turn(self, views: Sequence[View], rng: np.random.Generator) -> Array:
        """Return sites for the K jobs of a turn, int64[E, K]; one after another unless it plans.

        views: what is seen before the turn, once with each of its jobs.
        """
        return np.stack([self.choose(view, rng) for view in views], axis=1)

    def law(self, view: View, rng: np.random.Generator) -> Array:
        """Return the probability of every site, float64[E, S], 0 where it is not legal.

        A policy with memory takes its step, and the answer is certain.
        """
        certain = np.zeros(view.mask.shape)
        certain[np.arange(len(view)), self.choose(view, rng)] = 1.0
        return certain

    @final
    def __call__(self, observation: Mapping[str, Array], rng: np.random.Generator) -> Array:
        """Return a legal site for every environment, int64[E].

        observation: sites float32[E, F, S], job [E, J], grid [E, G], action_mask int8[E, S]; with
        K decisions at once each has a second axis K, and the answer is int64[E, K].
        PolicyError if an environment has no legal site.
        """
        if not np.asarray(observation["action_mask"]).any(axis=-1).all():
            raise PolicyError(
                "at least one legal site", "an action mask of zeros", "make a site legal"
            )
        if np.ndim(observation["sites"]) < TURN:
            return np.asarray(self.choose(View(observation), rng), dtype=np.int64)
        jobs = range(observation["sites"].shape[1])
        views = [View({part: rows[:, k] for part, rows in observation.items()}) for k in jobs]
        return np.asarray(self.choose_turn(views, rng), dtype=np.int64)

    @final
    def act(self, observation: Mapping[str, Array], rng: np.random.Generator) -> int:
        """Return the site for one observation, with or without a batch axis of one."""
        sites = self(observation, rng)
        if len(sites) != 1:
            raise PolicyError(
                "one observation", f"a batch of {len(sites)}", "call the policy itself"
            )
        return int(sites[0])


class Memoryless(Policy):
    """A policy whose answer depends on the observation and the generator alone."""

    @final
    def reset(self, envs: int) -> None:
        """Nothing is remembered."""

    def distribution(self, view: View) -> Array:
        """Return the probability with which `choose` names every site, float64[E, S].

        PolicyError where a policy of one's own has not said; only logging asks for it.
        """
        raise PolicyError(
            "a policy that states its probabilities",
            f"{type(self).__name__}, which has no method distribution",
            "write one, or derive from Ranking or Drawing",
        )

    @final
    def law(self, view: View, rng: np.random.Generator) -> Array:
        return self.distribution(view)


class Ranking(Memoryless):
    """Takes the legal site of the highest score; ties by the generator."""

    @abstractmethod
    def score(self, view: View) -> Array:
        """Return how good every site is, float64[E, S], higher is better."""

    @final
    def choose(self, view: View, rng: np.random.Generator) -> Array:
        return best(self.score(view), view.mask, rng)

    @final
    def distribution(self, view: View) -> Array:
        return best_law(self.score(view), view.mask)


class Drawing(Memoryless):
    """Draws a legal site with probability proportional to its weight."""

    @abstractmethod
    def weight(self, view: View) -> Array:
        """Return the weight of every site, float64[E, S], >= 0."""

    @final
    def choose(self, view: View, rng: np.random.Generator) -> Array:
        return draw(self.weight(view), view.mask, rng)

    @final
    def distribution(self, view: View) -> Array:
        return draw_law(self.weight(view), view.mask)


class DrawingAmongBest(Memoryless):
    """Draws among the `keep` legal sites of highest weight, in proportion to it."""

    keep: int = 10

    @abstractmethod
    def weight(self, view: View) -> Array:
        """Return the weight of every site, float64[E, S], >= 0."""

    @final
    def choose(self, view: View, rng: np.random.Generator) -> Array:
        return draw_among_best(self.weight(view), view.mask, rng, int(self.keep))

    @final
    def distribution(self, view: View) -> Array:
        return draw_among_best_law(self.weight(view), view.mask, int(self.keep))
