"""What an oracle is: the grids themselves in, one site a grid out; knows no statistics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from panda_gym.batch import Batch


class Oracle(ABC):
    """Names a site for the job at hand in each grid of a batch, from the grids' true state."""

    @abstractmethod
    def reset(self, batch: Batch) -> None:
        """Look at the episodes that have just begun in all grids of the batch."""

    @abstractmethod
    def choose(self, batch: Batch) -> np.ndarray:
        """Return a legal site for the job at hand of every grid, int64[E]."""
