"""A greedy network on held-out worlds; knows worlds and a network, never how it learns.

The seeds are none that training draws, and none below `FIRST_SEED`, which benchmarks use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from panda_gym.training.config import FIRST_SEED
from panda_gym.training.worlds import Credit, Parts, Worlds

TRAINING, HELD_OUT = 0, 1
"""What seeds are drawn for."""

SHIFT: Final = 2**31
"""Held-out seeds lie above all that training draws."""


def world_seeds(seed: int, purpose: int, number: int, worlds: Worlds) -> list[list[int]]:
    """Seeds of one round's worlds, shard by shard."""
    drawn = np.random.SeedSequence([seed, purpose, number]).generate_state(len(worlds)) >> 1
    first = FIRST_SEED + purpose * SHIFT
    return (first + drawn.astype(np.int64)).reshape(len(worlds.shards), -1).tolist()


class HeldOut:
    """Worlds that training never sees; the same at every call."""

    def __init__(
        self,
        scenarios: Sequence[Mapping[str, Any]],
        num_envs: int,
        *,
        seed: int = 0,
        threads: int = 1,
        device: str = "cpu",
    ) -> None:
        self.worlds = Worlds(scenarios, num_envs, threads=threads, device=device)
        self.seeds = world_seeds(seed, HELD_OUT, 0, self.worlds)

    def play(self, network: nn.Module) -> Credit:
        """What the greedy choice by a scorer's scores leads to."""

        def greedy(step: int, parts: Parts) -> Tensor:
            with torch.inference_mode():
                scores, _ = network(*parts)
            return torch.where(parts[3].bool(), scores, -torch.inf).argmax(dim=1)

        return self.worlds.play(self.seeds, greedy)

    def evaluate(self, network: nn.Module) -> float:
        """Minus the mean ln(bounded slowdown)."""
        return -float(self.play(network).objective.mean())
