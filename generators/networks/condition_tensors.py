"""Conditions on rows as tensors, drawn at random in training or asked for in sampling.

In training a random part of a row is fixed and the rest is learnt from it, so that a network
answers for any columns that conditions fix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from generators.conditions import EncodedConditions


@dataclass(frozen=True)
class ConditionTensors:
    """Tokens and numbers of a batch of rows that are fixed beforehand."""

    columns: tuple[int, ...]
    """Tokens that are fixed, the same in all rows."""
    tokens: Tensor
    """int32[B, C], of which those of `columns` count."""
    numbers: Tensor
    """float32[B, D], of which those of `number_mask` count."""
    number_mask: Tensor
    """bool[B, D], which numbers are fixed."""

    @classmethod
    def of(cls, conditions: EncodedConditions, device: torch.device) -> ConditionTensors:
        """Return encoded conditions on a device."""
        parts = (conditions.tokens, conditions.numbers, conditions.number_mask)
        tokens, numbers, mask = (torch.from_numpy(part).to(device) for part in parts)
        return cls(tuple(np.flatnonzero(conditions.token_mask).tolist()), tokens, numbers, mask)

    def mask(self, tokens: int) -> Tensor:
        """Return which tokens are fixed, float32[C]."""
        mask = torch.zeros(tokens, device=self.tokens.device)
        mask[list(self.columns)] = 1.0
        return mask

    def repeated(self, times: int) -> ConditionTensors:
        """Return the conditions of every row `times` times in a row."""
        parts = (self.tokens, self.numbers, self.number_mask)
        repeated = (part.repeat_interleave(times, dim=0) for part in parts)
        return ConditionTensors(self.columns, *repeated)

    def put(self, tokens: Tensor) -> Tensor:
        """Return tokens int32[B, C] with the fixed ones in their places."""
        return torch.where(self.mask(tokens.shape[1]).bool(), self.tokens, tokens)


def draw_conditions(
    tokens: Tensor,
    numbers: Tensor,
    present: Tensor,
    gates: Sequence[int],
    generator: torch.Generator,
) -> ConditionTensors | None:
    """Return a random part of a batch's tokens and numbers as conditions, or None for none.

    Between 0 and all but one of the tokens are fixed, each number of them equally likely. A number
    is fixed together with its gate token; one without a gate is fixed by chance.
    """
    columns = tokens.shape[1]
    size = int(torch.randint(columns, (1,), generator=generator))
    chosen = torch.randperm(columns, generator=generator)[:size].tolist()
    chance = torch.rand(len(gates), generator=generator) * columns < size
    fixed = [g in chosen if g >= 0 else bool(c) for g, c in zip(gates, chance, strict=True)]
    if not chosen and not any(fixed):
        return None
    mask = present & torch.tensor(fixed, dtype=torch.bool, device=present.device)
    return ConditionTensors(tuple(sorted(chosen)), tokens, numbers, mask)


def draw_number_mask(present: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Return which numbers are fixed, bool[B, D]: in a share of the rows, each by a row's rate."""
    n, numbers = present.shape
    rate = torch.rand(n, 1, generator=generator)
    rows = torch.rand(n, 1, generator=generator) < share
    mask = (torch.rand(n, numbers, generator=generator) < rate) & rows
    return mask.to(present.device) & present
