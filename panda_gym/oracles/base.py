"""The interface of an oracle: a batch of grids in, one site per grid out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from panda_gym.errors import PolicyError

if TYPE_CHECKING:
    from panda_gym.environments.placement.batch import PlacementBatch


class Oracle(ABC):
    """Chooses a site for the pending job of each grid of a batch from the grids' true state."""

    @abstractmethod
    def reset(self, batch: PlacementBatch) -> None:
        """Prepare for the episodes that have just begun in all grids of the batch."""

    @abstractmethod
    def choose(self, batch: PlacementBatch) -> np.ndarray:
        """Return a legal site for the pending job of every grid, int64[E]."""


def one_at_a_time(batch: PlacementBatch) -> None:
    """PolicyError unless jobs are placed one at a time before FIFO queues, without data actions.

    Sites must have their own numbers too: no ranked observations.
    """
    if batch.ranked:
        raise PolicyError("sites by number, for an oracle", "ranked=True", "drop ranked=")
    scenario = batch.scenario
    if scenario.decisions > 1 or scenario.data_actions or scenario.discipline != "fifo":
        raise PolicyError(
            "one decision at a time and FIFO queues, for an oracle",
            f"decisions={scenario.decisions}, data_actions={scenario.data_actions}, "
            f"discipline={scenario.discipline!r}",
            "take an environment without them, or leave the oracle out",
        )
