"""Networks of the neural generators; knows tensors, never tables.

Shapes: B rows, C tokens of a row, D numbers of a row, H hidden width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class TokenEmbedding(nn.Module):
    """The sum of one learnt vector a token; each token has one more value that means "unknown".

    Equal to a linear layer on concatenated one-hot vectors, which are never made.

    Shape: int32[B, C] -> float32[B, H]
    """

    first: Tensor
    unknown: Tensor

    def __init__(self, cards: Sequence[int], width: int) -> None:
        super().__init__()
        first = torch.cumsum(torch.tensor([0, *(card + 1 for card in cards)]), 0)
        self.register_buffer("first", first[:-1].to(torch.int32), persistent=False)
        self.register_buffer("unknown", torch.tensor(list(cards), dtype=torch.int32), False)
        self.weight = nn.Parameter(torch.empty(int(first[-1]), width))

    def forward(self, tokens: Tensor) -> Tensor:
        if not tokens.shape[1]:
            return self.weight.new_zeros(len(tokens), self.weight.shape[1])
        return F.embedding_bag(tokens + self.first, self.weight, mode="sum")


class Residual(nn.Module):
    """Pre-normalised residual layer: x + W2 silu(W1 norm(x)). Shape: [B, H] -> [B, H]"""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, width)
        self.down = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(F.silu(self.up(self.norm(x))))


def body(width: int, depth: int) -> nn.Sequential:
    """Return `depth` residual layers."""
    return nn.Sequential(*(Residual(width) for _ in range(depth)))


class Waves(nn.Module):
    """A number beside sines and cosines of its first few octaves: sharp edges in few layers.

    Shape: float32[B, D] -> float32[B, D (1 + 2 octaves)]
    """

    frequency: Tensor

    def __init__(self, octaves: int, base: float) -> None:
        super().__init__()
        self.register_buffer("frequency", base * 2.0 ** torch.arange(octaves), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        angle = (x[..., None] * self.frequency).flatten(1)
        return torch.cat([x, angle.sin(), angle.cos()], dim=1)

    def width(self, numbers: int) -> int:
        """Return the number of features of so many numbers."""
        return numbers * (1 + 2 * len(self.frequency))


class TokenNet(nn.Module):
    """Logits of every token given all tokens, some of them unknown or noisy, and a time.

    Shape: int32[B, C], float32[B] -> hidden float32[B, H]; `logits` -> float32[B, cards[c]]
    """

    def __init__(self, cards: Sequence[int], width: int, depth: int) -> None:
        super().__init__()
        self.cards = tuple(cards)
        self.start = [0]
        for card in cards:
            self.start.append(self.start[-1] + card)
        self.embed = TokenEmbedding(cards, width)
        self.waves = Waves(4, math.pi)
        self.time = nn.Linear(self.waves.width(1), width)
        self.body = body(width, depth)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, self.start[-1])

    def forward(self, tokens: Tensor, time: Tensor) -> Tensor:
        x = self.embed(tokens) + self.time(self.waves(time[:, None]))
        return self.norm(self.body(x))

    def logits(self, hidden: Tensor, column: int) -> Tensor:
        """Return the logits of one token."""
        own = slice(self.start[column], self.start[column + 1])
        return F.linear(hidden, self.head.weight[own], self.head.bias[own])


class NumberNet(nn.Module):
    """The velocity of noisy numbers given a time and the tokens.

    `condition` looks at the tokens once; `forward` is what every sampling step pays for.

    Shape: int32[B, C] -> [B, H]; float32[B, D], float32[B], [B, H] -> float32[B, D]
    """

    def __init__(
        self, cards: Sequence[int], numbers: int, width: int, depth: int, depth_tokens: int
    ) -> None:
        super().__init__()
        self.embed = TokenEmbedding(cards, width)
        self.look = body(width, depth_tokens)
        self.time_waves, self.number_waves = Waves(4, math.pi), Waves(4, math.pi / 8)
        features = self.time_waves.width(1) + self.number_waves.width(numbers)
        self.enter = nn.Linear(features, width)
        self.body = body(width, depth)
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, numbers)

    def condition(self, tokens: Tensor) -> Tensor:
        """Return what the tokens say."""
        return self.look(self.embed(tokens))

    def forward(self, x: Tensor, time: Tensor, condition: Tensor) -> Tensor:
        features = torch.cat([self.time_waves(time[:, None]), self.number_waves(x)], dim=1)
        return self.leave(self.norm(self.body(self.enter(features) + condition)))


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Draw all parameters anew from `generator`: scaled normals, zeros, ones for norms.

    Layers named `down` and `leave` start at a tenth of the scale, so that a residual network
    starts near the identity.
    """
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            kind = name.split(".")[-2] if "." in name else name
            if parameter.dim() == 1:
                parameter.fill_(1.0 if kind == "norm" and name.endswith("weight") else 0.0)
                continue
            scale = 0.3 if kind == "embed" else 1 / math.sqrt(parameter.shape[1])
            scale *= 0.1 if kind in ("down", "leave", "head") else 1.0
            parameter.normal_(0.0, scale, generator=generator)
