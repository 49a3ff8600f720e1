"""What an oracle is: the grids themselves in, one site a grid out; knows no statistics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from panda_gym.errors import PolicyError

if TYPE_CHECKING:
    from panda_gym.environments.placement.batch import PlacementBatch


class Oracle(ABC):
    """Names a site for the job at hand in each grid of a batch, from the grids' true state."""

    @abstractmethod
    def reset(self, batch: PlacementBatch) -> None:
        """Look at the episodes that have just begun in all grids of the batch."""

    @abstractmethod
    def choose(self, batch: PlacementBatch) -> np.ndarray:
        """Return a legal site for the job at hand of every grid, int64[E]."""


def one_at_a_time(batch: PlacementBatch) -> None:
    """PolicyError where jobs are placed several at once, may be deferred, or data are moved."""
    scenario = batch.scenario
    if scenario.decisions > 1 or scenario.data_actions or scenario.discipline != "fifo":
        raise PolicyError(
            "one decision at a time before FIFO lines, for an oracle",
            f"decisions={scenario.decisions}, data_actions={scenario.data_actions}, "
            f"discipline={scenario.discipline!r}",
            "take an environment without them, or leave the oracle out",
        )
