"""Networks of the neural generators; knows tensors, never tables.

Shapes: B rows, C tokens of a row, D numbers of a row, H hidden width.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from generators.networks.condition_tensors import Known


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

    def __init__(self, width: int, hidden: int | None = None) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, hidden or width)
        self.down = nn.Linear(hidden or width, width)

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


class Told(nn.Module):
    """One learnt vector for each number that is told, of its value and of its being known.

    Shape: float32[B, D], bool[B, D] -> float32[B, H]
    """

    def __init__(self, numbers: int, width: int) -> None:
        super().__init__()
        self.waves = Waves(4, math.pi / 8)
        self.value = nn.Linear(self.waves.width(numbers), width, bias=False)
        self.known = nn.Linear(numbers, width, bias=False)

    def forward(self, numbers: Tensor, seen: Tensor) -> Tensor:
        there = seen.float()
        wide = there[..., None].expand(-1, -1, len(self.waves.frequency)).flatten(1)
        features = self.waves(numbers * there) * torch.cat([there, wide, wide], dim=1)
        return self.value(features) + self.known(there)


class TokenNet(nn.Module):
    """Logits of every token given all tokens, some of them unknown or noisy, and a time.

    With `numbers`, the network can be told some of a row's numbers and which tokens are fixed.

    Shape: int32[B, C], float32[B] -> hidden float32[B, H]; `logits` -> float32[B, cards[c]]
    """

    def __init__(
        self, cards: Sequence[int], width: int, depth: int, numbers: int | None = None
    ) -> None:
        super().__init__()
        self.fixed = None if numbers is None else nn.Linear(len(cards), width, bias=False)
        self.told = Told(numbers, width) if numbers else None
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

    def forward(self, tokens: Tensor, time: Tensor, known: Known | None = None) -> Tensor:
        x = self.embed(tokens) + self.time(self.waves(time[:, None]))
        if known is not None and self.fixed is not None:
            x = x + self.fixed(known.mask(len(self.cards)))
        if known is not None and self.told is not None:
            x = x + self.told(known.numbers, known.seen)
        return self.norm(self.body(x))

    def logits(self, hidden: Tensor, column: int) -> Tensor:
        """Return the logits of one token."""
        own = slice(self.start[column], self.start[column + 1])
        return F.linear(hidden, self.head.weight[own], self.head.bias[own])


def thinned(x: Tensor, dropout: float, generator: torch.Generator | None) -> Tensor:
    """Return x with a share of its entries dropped and the rest scaled up; x if no generator.

    The share is rounded to 1/256: one random byte an entry costs a fifth of a random float.
    """
    dropped = round(dropout * 256)
    if generator is None or not dropped:
        return x
    words = torch.empty(-(-x.numel() // 8), dtype=torch.int64)
    words.random_(-(2**63), None, generator=generator)
    kept = words.view(torch.uint8)[: x.numel()].view(x.shape) >= dropped
    return x * kept.to(x.device, x.dtype).mul_(256 / (256 - dropped))


class OrderedNet(nn.Module):
    """Logits of each token given the tokens before it; a small network for each token.

    The context of a row is the sum of one vector a known token, so that it grows by an addition.
    All conditionals of a row are trained at once. Tokens that stand together in `crosses` (the
    parts of one datetime) also give a vector of their own for each combination, since a sum of
    parts cannot tell what is special about one hour of one day.

    With `numbers`, any tokens and any of so many numbers may be known beforehand; the context then
    starts from them and the other tokens follow in order, each given all those.

    Shape: context float32[B, H]; `logits` -> float32[B, cards[c]]; `losses` -> float32[B, C]
    """

    def __init__(
        self,
        cards: Sequence[int],
        crosses: Sequence[Sequence[int]],
        width: int,
        hidden: int,
        dropout: float = 0.0,
        numbers: int | None = None,
    ) -> None:
        super().__init__()
        self.cards, self.dropout = tuple(cards), dropout
        heard = len(self.cards) - (numbers is None)  # the last token tells nobody, unless given
        sizes = {tuple(cross): math.prod(cards[c] for c in cross) for cross in crosses}
        self.crosses = {
            c[-1]: c for c, size in sizes.items() if size <= Cross.largest and c[-1] < heard
        }
        self.told = Told(numbers, width) if numbers else None
        self.embed = nn.ModuleList(_vectors(k, width) for k in cards[:heard])
        self.cross = nn.ModuleDict(
            {
                str(end): Cross(tuple(cards[c] for c in cross), width)
                for end, cross in self.crosses.items()
            }
        )
        self.first = _vectors(1, width)
        self.body = nn.ModuleList(Residual(width, hidden) for _ in cards)
        self.norm = nn.ModuleList(nn.LayerNorm(width) for _ in cards)
        self.head = nn.ModuleList(nn.Linear(width, k) for k in cards)

    def start(self, n: int, known: Known | None = None) -> Tensor:
        """Return the context of n rows of which nothing is known but what is given."""
        context = self.first(torch.zeros(n, dtype=torch.int32, device=self.first.weight.device))
        if known is None:
            return context
        if self.told is not None:
            context = context + self.told(known.numbers, known.seen)
        for place, column in enumerate(known.columns):
            context = self.extend(context, column, known.tokens, known.columns[:place])
        return context

    def logits(
        self, context: Tensor, column: int, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return the logits of the next token; with a generator, under dropout."""
        state = self.norm[column](self.body[column](context))
        return self.head[column](thinned(state, self.dropout, generator))

    def extend(
        self, context: Tensor, column: int, tokens: Tensor, before: Collection[int]
    ) -> Tensor:
        """Return the context once token `column` of `tokens` [B, C] joins those known `before`."""
        if column == len(self.embed):
            return context
        context = context + self.embed[column](tokens[:, column])
        for end, cross in self.crosses.items():
            if column in cross and {*cross} <= {*before, column}:
                context = context + self.cross[str(end)](tokens[:, list(cross)])
        return context

    def losses(
        self,
        tokens: Tensor,
        generator: torch.Generator | None = None,
        known: Known | None = None,
    ) -> Tensor:
        """Return the negative log-likelihood of each token given those before it, 0 of known ones.

        In training mode with a generator, under dropout.
        """
        thin = generator if self.training else None
        context, out = self.start(len(tokens), known), []
        before = [] if known is None else list(known.columns)
        for column in range(len(self.cards)):
            if known is not None and column in known.columns:
                out.append(context.new_zeros(len(tokens), dtype=torch.float32))
                continue
            logits = self.logits(context, column, thin).float()
            out.append(F.cross_entropy(logits, tokens[:, column].long(), reduction="none"))
            context = self.extend(context, column, tokens, before)
            before.append(column)
        return torch.stack(out, dim=1)


class Cross(nn.Module):
    """One learnt vector for each combination of a few tokens, of a rank below the width.

    Shape: int32[B, parts] -> float32[B, H]
    """

    rank = 64
    largest = 65_536

    def __init__(self, cards: Sequence[int], width: int) -> None:
        super().__init__()
        self.cards = tuple(cards)
        self.table = _vectors(math.prod(cards), self.rank)
        self.up = nn.Linear(self.rank, width, bias=False)

    def forward(self, parts: Tensor) -> Tensor:
        index = parts[:, 0]
        for place, card in enumerate(self.cards[1:], start=1):
            index = index * card + parts[:, place]
        return self.up(self.table(index))


def _vectors(count: int, width: int) -> nn.Embedding:
    """Return learnt vectors, not yet drawn, so that no global stream of numbers is touched."""
    return nn.Embedding(count, width, _weight=torch.empty(count, width))


class NumberNet(nn.Module):
    """The velocity of noisy numbers given a time and the tokens.

    `condition` looks at the tokens once; `forward` is what every sampling step pays for. A
    `conditional` network takes some numbers clean among the noisy ones and is told which.

    Shape: int32[B, C] -> [B, H]; float32[B, D], float32[B], [B, H] -> float32[B, D]
    """

    def __init__(
        self,
        cards: Sequence[int],
        numbers: int,
        width: int,
        depth: int,
        dropout: float = 0.0,
        conditional: bool = False,
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.known = nn.Linear(numbers, width, bias=False) if conditional else None
        self.embed = TokenEmbedding(cards, width)
        self.look = body(width, 1)
        self.time_waves, self.number_waves = Waves(4, math.pi), Waves(4, math.pi / 8)
        features = self.time_waves.width(1) + self.number_waves.width(numbers)
        self.enter = nn.Linear(features, width)
        self.body = body(width, depth)
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, numbers)

    def condition(
        self,
        tokens: Tensor,
        generator: torch.Generator | None = None,
        seen: Tensor | None = None,
    ) -> Tensor:
        """Return what the tokens say; in training mode with a generator, under dropout."""
        thin = generator if self.training else None
        context = self.look(thinned(self.embed(tokens), self.dropout, thin))
        if seen is None or self.known is None:
            return context
        return context + self.known(seen.float())

    def forward(self, x: Tensor, time: Tensor, condition: Tensor) -> Tensor:
        features = torch.cat([self.time_waves(time[:, None]), self.number_waves(x)], dim=1)
        return self.leave(self.norm(self.body(self.enter(features) + condition)))


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Draw all parameters anew from `generator`: scaled normals; zero biases; unit norms.

    The last layer of a residual branch and of a network starts at a tenth of the scale, so that
    a network starts near the identity.
    """
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            path = name.split(".")
            if parameter.dim() == 1:
                parameter.fill_(1.0 if "norm" in path and path[-1] == "weight" else 0.0)
                continue
            vectors = {"embed", "table", "first"} & set(path)
            scale = 0.3 if vectors else 1 / math.sqrt(parameter.shape[1])
            scale *= 0.1 if {"down", "leave", "head"} & set(path) else 1.0
            parameter.normal_(0.0, scale, generator=generator)
