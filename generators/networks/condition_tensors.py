"""What is known of rows beforehand, as tensors; knows no network and no table.

In training a random part of a row is given and the rest is learnt from it, so that a network
answers for any columns that an asker fixes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from generators.conditions import Condition


@dataclass(frozen=True)
class Known:
    """What is given of rows beforehand, in training or by the asker."""

    columns: tuple[int, ...]
    """Tokens that are given, of all rows."""
    tokens: Tensor
    """int32[B, C], of which those of `columns` count."""
    numbers: Tensor
    """float32[B, D], of which those of `seen` count."""
    seen: Tensor
    """bool[B, D], which numbers are given."""

    @classmethod
    def of(cls, condition: Condition, device: torch.device) -> Known:
        """Return what a condition of arrays says, on a device."""
        parts = (condition.tokens, condition.numbers, condition.seen)
        tokens, numbers, seen = (torch.from_numpy(part).to(device) for part in parts)
        return cls(tuple(np.flatnonzero(condition.known).tolist()), tokens, numbers, seen)

    def mask(self, tokens: int) -> Tensor:
        """Return which tokens are given, float32[C]."""
        mask = torch.zeros(tokens, device=self.tokens.device)
        mask[list(self.columns)] = 1.0
        return mask

    def repeated(self, times: int) -> Known:
        """Return the same of every row, so many times in a row."""
        parts = (self.tokens, self.numbers, self.seen)
        return Known(self.columns, *(part.repeat_interleave(times, dim=0) for part in parts))

    def put(self, tokens: Tensor) -> Tensor:
        """Return the tokens with those that are given in their places."""
        return torch.where(self.mask(tokens.shape[1]).bool(), self.tokens, tokens)


def choose_known(
    tokens: Tensor,
    numbers: Tensor,
    present: Tensor,
    gates: Sequence[int],
    generator: torch.Generator,
) -> Known | None:
    """Return a random part of a batch's tokens and numbers to be given, None for none.

    From 0 to all but one of the tokens, evenly; a number with the token that it hangs on, one
    that hangs on none by chance.
    """
    columns = tokens.shape[1]
    size = int(torch.randint(columns, (1,), generator=generator))
    chosen = torch.randperm(columns, generator=generator)[:size].tolist()
    chance = torch.rand(len(gates), generator=generator) * columns < size
    told = [g in chosen if g >= 0 else bool(c) for g, c in zip(gates, chance, strict=True)]
    if not chosen and not any(told):
        return None
    seen = present & torch.tensor(told, dtype=torch.bool, device=present.device)
    return Known(tuple(sorted(chosen)), tokens, numbers, seen)


def choose_seen(present: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Return which numbers are given, bool[B, D]: in a share of the rows, each by its chance."""
    n, numbers = present.shape
    rate = torch.rand(n, 1, generator=generator)
    rows = torch.rand(n, 1, generator=generator) < share
    given = (torch.rand(n, numbers, generator=generator) < rate) & rows
    return given.to(present.device) & present
