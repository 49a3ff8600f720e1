"""Base of policies that other people's code decides: what comes is checked, counted, replaced.

A reply is *late* (after the time limit), *illegal* (anything but the number of a legal site), or
*dead* (there is none: the process has ended, or the function raised an exception). In these cases
the fallback decides: a legal site drawn uniformly, which is no help to a score. The counts stand
among the figures of the episode.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, final

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Policy
from panda_gym.environments.placement.protocol.messages import observed

Array = np.ndarray

FATES: Final = ("late", "illegal", "dead")
"""What may be wrong with a reply."""
PREFIX: Final = "replies."
"""Prefix of the counts among the values of an episode."""


class ReplyWarning(UserWarning):
    """A reply was late, illegal or missing, and the fallback decided; once a kind and policy."""


class ReplyFault(Exception):
    """A reply that cannot be used: its fate, and what came."""

    def __init__(self, fate: str, came: str) -> None:
        super().__init__(came)
        self.fate = fate


class OutsidePolicy(Policy):
    """A policy of other people's code, asked one decision at a time.

    label: its name in messages.
    """

    equivariant: ClassVar[bool] = False

    def __init__(self, label: str) -> None:
        self.label = label
        self._batch: Any = None
        self._warned: set[str] = set()
        self.reset(0)

    @final
    def reset(self, envs: int) -> None:
        """Set the counts to zero; the next observation has `envs` environments."""
        self.decisions = np.zeros(envs, np.int64)
        self.faults = {fate: np.zeros(envs, np.int64) for fate in FATES}
        self._batch = None
        self.begin(envs)

    @final
    def attach(self, batch: Any) -> None:
        """Take the batch of environments, for the names of its sites."""
        self._batch = batch

    def begin(self, envs: int) -> None:
        """Prepare for new episodes in `envs` environments."""

    @abstractmethod
    def ask(self, observation: Mapping[str, Any], episode: int, decision: int) -> Any:
        """Return the answer to an observation in natural units; ReplyFault if there is none."""

    @property
    def site_names(self) -> tuple[str, ...]:
        """Names of the sites in order; empty without `attach`."""
        return () if self._batch is None else tuple(self._batch.platform.names)

    @property
    def regions(self) -> tuple[str, ...]:
        """Country of each site; empty without `attach`."""
        return () if self._batch is None else tuple(self._batch.platform.region)

    @final
    def choose(self, view: PlacementView, rng: np.random.Generator) -> Array:
        done = np.zeros(len(view), bool) if self._batch is None else self._batch.simulator.done
        if len(self.decisions) != len(view):
            self.reset(len(view))
        found = view.mask.argmax(axis=1)
        for e, observation in enumerate(observed(view)):
            if not done[e]:
                found[e] = self._decide(observation, e)
        return found

    def _decide(self, observation: Mapping[str, Any], e: int) -> int:
        """Return a legal site for environment e: the one that was named, or the fallback's."""
        number = int(self.decisions[e])
        self.decisions[e] += 1
        try:
            return checked(self.ask(observation, e, number), observation["mask"])
        except ReplyFault as fault:
            self.faults[fault.fate][e] += 1
            self._warn(fault, number)
            rng = np.random.default_rng([e, number])
            return int(rng.choice(np.flatnonzero(observation["mask"])))

    def _warn(self, fault: ReplyFault, decision: int) -> None:
        if fault.fate not in self._warned:
            self._warned.add(fault.fate)
            message = (
                f"policy {self.label!r}, decision {decision}: {fault}; the fallback takes a random "
                f"legal site, and the results count such replies as {fault.fate}"
            )
            warnings.warn(message, ReplyWarning, stacklevel=2)

    @final
    def figures(self) -> Sequence[Mapping[str, float]]:
        """Return how many decisions each environment asked for, and how many replies failed."""
        counts = {"decisions": self.decisions, **self.faults}
        return [
            {PREFIX + name: float(values[e]) for name, values in counts.items()}
            for e in range(len(self.decisions))
        ]


def checked(answer: Any, mask: Array) -> int:
    """Return an answer that is the number of a legal site; ReplyFault for anything else."""
    whole = isinstance(answer, (int, np.integer)) and not isinstance(answer, (bool, np.bool_))
    if not whole:
        raise ReplyFault("illegal", f"needed the number of a site, got {repr(answer)[:60]}")
    if not 0 <= answer < len(mask):
        raise ReplyFault(
            "illegal", f"needed a site of 0 .. {len(mask) - 1}, got {str(answer)[:30]}"
        )
    if not mask[answer]:
        raise ReplyFault("illegal", f"site {answer} is not legal: its mask is 0")
    return int(answer)
