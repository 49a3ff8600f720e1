"""Place jobs at one site after the other, in the order of the platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Policy
from panda_gym.errors import PolicyError


@dataclass
class RoundRobin(Policy):
    """The first legal site at or after a pointer that then moves behind it.

    The pointers, one an environment, begin at site 0 on `reset` or on the first observation.
    """

    equivariant: ClassVar[bool] = False
    pointer: np.ndarray | None = field(default=None, init=False)

    def reset(self, envs: int) -> None:
        """Begin at site 0 in each of `envs` environments."""
        self.pointer = np.zeros(envs, dtype=np.int64)

    def choose(self, view: PlacementView, rng: np.random.Generator) -> np.ndarray:
        if self.pointer is None:
            self.reset(len(view))
        assert self.pointer is not None
        if len(self.pointer) != len(view):
            raise PolicyError(
                f"observations of {len(self.pointer)} environments",
                f"{len(view)}",
                f"call reset({len(view)}) first",
            )
        sites = view.mask.shape[1]
        ahead = (np.arange(sites) - self.pointer[:, None]) % sites
        chosen = np.where(view.mask, ahead, sites).argmin(axis=1)
        self.pointer = (chosen + 1) % sites
        return chosen
