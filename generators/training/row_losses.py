"""Losses of single rows under fitted networks, for the white-box attack.

A training loss is a mean over rows and random noise. Here each row has its own, at fixed noise
levels and with noise that all rows share, so that two rows differ by what the network makes of
them: what a white-box membership attack looks at (MIDST, SaTML 2025).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from generators.encoding.encoder import Encoded

TIMES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
"""Noise levels at which numbers and redrawn tokens are judged."""
DRAWS = 4
"""Draws of the noise that a row's loss is the mean of."""
BLOCK = 4096
"""Rows judged at once."""


def row_losses(tokens: Any, numbers: Any, process: str, data: Encoded, seed: int) -> np.ndarray:
    """Return float64[n, k]: a loss of each token or noise level of tokens, then of numbers.

    `tokens` and `numbers` are networks or None; `process` is that of the tokens.
    """
    return np.concatenate(list(_blocks(tokens, numbers, process, data, seed)))


@torch.no_grad()
def _blocks(
    tokens: Any, numbers: Any, process: str, data: Encoded, seed: int
) -> Iterator[np.ndarray]:
    net = next(n for n in (tokens, numbers) if n is not None)
    device = next(net.parameters()).device
    for start in range(0, len(data), BLOCK):
        part = data.rows(np.arange(start, min(start + BLOCK, len(data))))
        x, codes, present = (
            torch.from_numpy(a).to(device) for a in (part.numbers, part.tokens, part.present)
        )
        generator = torch.Generator().manual_seed(seed)  # anew: all blocks share their noise
        losses = []
        if tokens is not None:
            losses.append(TOKENS[process](tokens, codes, generator))
        if numbers is not None:
            losses.append(_numbers(numbers, x, present, codes, generator))
        yield torch.cat(losses, dim=1).double().cpu().numpy()


def _numbers(
    net: Any, numbers: Tensor, present: Tensor, tokens: Tensor, generator: torch.Generator
) -> Tensor:
    """Return the squared error of the velocity at each noise level, [n, len(TIMES)]."""
    context, out = net.context(tokens), []
    for time in TIMES:
        alpha, sigma = math.cos(time * math.pi / 2), math.sin(time * math.pi / 2)
        level = torch.full((len(numbers),), time, device=numbers.device)
        total = torch.zeros(len(numbers), device=numbers.device)
        for _ in range(DRAWS):
            noise = torch.randn(numbers.shape[1], generator=generator).to(numbers.device)
            noisy = (alpha * numbers + sigma * noise) * present
            error = (net(noisy, level, context) - (alpha * noise - sigma * numbers)) * present
            total = total + error.square().sum(dim=1)
        out.append(total / DRAWS)
    return torch.stack(out, dim=1)


def _ordered(net: Any, tokens: Tensor, generator: torch.Generator) -> Tensor:
    """Return the negative log-likelihood of each token given those before it, [n, C]."""
    found: Tensor = net.losses(tokens)
    return found


def _masked(net: Any, tokens: Tensor, generator: torch.Generator) -> Tensor:
    """Return the negative log-likelihood of each token given all others, [n, C]."""
    columns, out = tokens.shape[1], []
    time = torch.full((len(tokens),), 1 / columns, device=tokens.device)
    for column in range(columns):
        hidden = tokens.clone()
        hidden[:, column] = net.embed.unknown[column]
        out.append(_surprise(net, net(hidden, time), tokens, column))
    return torch.stack(out, dim=1)


def _multinomial(net: Any, tokens: Tensor, generator: torch.Generator) -> Tensor:
    """Return the cross-entropy of the clean tokens at each noise level, [n, len(TIMES)]."""
    out = []
    for time in TIMES:
        keep = torch.rand(tokens.shape[1], generator=generator) < math.cos(time * math.pi / 2) ** 2
        other = [torch.randint(k, (1,), generator=generator, dtype=torch.int32) for k in net.cards]
        noisy = torch.where(keep.to(tokens.device), tokens, torch.cat(other).to(tokens.device))
        state = net(noisy, torch.full((len(tokens),), time, device=tokens.device))
        each = [_surprise(net, state, tokens, column) for column in range(tokens.shape[1])]
        out.append(torch.stack(each, dim=1).sum(dim=1))
    return torch.stack(out, dim=1)


def _surprise(net: Any, state: Tensor, tokens: Tensor, column: int) -> Tensor:
    logits = net.logits(state, column).float()
    return F.cross_entropy(logits, tokens[:, column].long(), reduction="none")


TOKENS = {"ordered": _ordered, "masked": _masked, "multinomial": _multinomial}
"""The losses of tokens by process."""
