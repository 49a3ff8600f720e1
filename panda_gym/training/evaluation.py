"""Evaluate a network greedily on held-out episodes, as benchmarks do.

The network decides until all judged jobs have ended (`Scenario.judged_to_end`), so that nobody
else places a judged job.

Their seeds are none that training draws, and none below `FIRST_SEED`, which benchmarks use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from panda_gym.training.config import FIRST_SEED
from panda_gym.training.parallel_episodes import Credit, ParallelEpisodes, Parts

TRAINING, HELD_OUT = 0, 1
"""What seeds are drawn for."""

SHIFT: Final = 2**31
"""Held-out seeds lie above all that training draws."""


def episode_seeds(
    seed: int, purpose: int, number: int, episodes: ParallelEpisodes, group: int = 0
) -> list[list[int]]:
    """Return the seeds of round `number`, batch by batch; purpose: TRAINING or HELD_OUT.

    group: number of the group of grids within the round.
    """
    key = [seed, purpose, number, *([group] if group else [])]
    drawn = np.random.SeedSequence(key).generate_state(len(episodes)) >> 1
    first = FIRST_SEED + purpose * SHIFT
    return (first + drawn.astype(np.int64)).reshape(len(episodes.batches), -1).tolist()


class HeldOut:
    """Episodes that training never sees; the same at every call."""

    def __init__(
        self,
        scenarios: Sequence[Mapping[str, Any]],
        num_envs: int,
        *,
        seed: int = 0,
        threads: int = 1,
        device: str = "cpu",
        objective: str = "ln_slowdown",
    ) -> None:
        self.episodes = ParallelEpisodes(
            scenarios,
            num_envs,
            threads=threads,
            device=device,
            to_end=True,
            objective=objective,
        )
        self.seeds = episode_seeds(seed, HELD_OUT, 0, self.episodes)

    def play(self, network: nn.Module) -> Credit:
        """Play greedily by a network's scores, float32[E, S]; return the credit."""

        def greedy(step: int, parts: Parts) -> Tensor:
            with torch.inference_mode():
                scores, _ = network(*parts)
            return torch.where(parts[3].bool(), scores, -torch.inf).argmax(dim=1)

        return self.episodes.play(self.seeds, greedy)

    def evaluate(self, network: nn.Module) -> float:
        """Return minus the mean objective of the greedy network (by default ln slowdown)."""
        return -float(self.play(network).objective.mean())
