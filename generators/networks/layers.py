"""Layers and networks of the neural generators.

Shapes: B rows, C tokens of a row, D numbers of a row, H hidden width.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from generators.networks.condition_tensors import ConditionTensors


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
        """Return the summed embeddings of tokens, int32 [B, C], as float32 [B, H]."""
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
        """Return x plus a two-layer block of it, float32 [B, H]."""
        return x + self.down(F.silu(self.up(self.norm(x))))


def body(width: int, depth: int) -> nn.Sequential:
    """Return `depth` residual layers."""
    return nn.Sequential(*(Residual(width) for _ in range(depth)))


class FourierFeatures(nn.Module):
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


class ConditionEmbedding(nn.Module):
    """One learnt vector for each number that is fixed, of its value and of its being there.

    Shape: float32[B, D], bool[B, D] -> float32[B, H]
    """

    def __init__(self, numbers: int, width: int) -> None:
        super().__init__()
        self.fourier = FourierFeatures(4, math.pi / 8)
        self.value = nn.Linear(self.fourier.width(numbers), width, bias=False)
        self.number_mask = nn.Linear(numbers, width, bias=False)

    def forward(self, numbers: Tensor, number_mask: Tensor) -> Tensor:
        there = number_mask.float()
        wide = there[..., None].expand(-1, -1, len(self.fourier.frequency)).flatten(1)
        features = self.fourier(numbers * there) * torch.cat([there, wide, wide], dim=1)
        return self.value(features) + self.number_mask(there)


class TokenNet(nn.Module):
    """Logits of every token given all tokens, some of them unknown or noisy, and a time.

    With `numbers`, the network is conditioned on some of a row's numbers and on which tokens are
    fixed.

    Shape: int32[B, C], float32[B] -> hidden float32[B, H]; `logits` -> float32[B, cards[c]]
    """

    def __init__(
        self, cards: Sequence[int], width: int, depth: int, numbers: int | None = None
    ) -> None:
        super().__init__()
        self.token_mask = None if numbers is None else nn.Linear(len(cards), width, bias=False)
        self.condition_embedding = ConditionEmbedding(numbers, width) if numbers else None
        self.cards = tuple(cards)
        self.start = [0]
        for card in cards:
            self.start.append(self.start[-1] + card)
        self.embed = TokenEmbedding(cards, width)
        self.fourier = FourierFeatures(4, math.pi)
        self.time = nn.Linear(self.fourier.width(1), width)
        self.body = body(width, depth)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, self.start[-1])

    def forward(
        self, tokens: Tensor, time: Tensor, conditions: ConditionTensors | None = None
    ) -> Tensor:
        x = self.embed(tokens) + self.time(self.fourier(time[:, None]))
        if conditions is not None and self.token_mask is not None:
            x = x + self.token_mask(conditions.mask(len(self.cards)))
        if conditions is not None and self.condition_embedding is not None:
            x = x + self.condition_embedding(conditions.numbers, conditions.number_mask)
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
    All conditionals of a row are trained at once. Tokens that stand together in `interactions` (the
    parts of one datetime) also give a vector of their own for each combination, since a sum of
    parts cannot tell what is special about one hour of one day.

    With `numbers`, any tokens and any of so many numbers may be fixed beforehand; the context then
    starts from them and the other tokens follow in order, each given all those.

    Shape: context float32[B, H]; `logits` -> float32[B, cards[c]]; `losses` -> float32[B, C]
    """

    def __init__(
        self,
        cards: Sequence[int],
        interactions: Sequence[Sequence[int]],
        width: int,
        hidden: int,
        dropout: float = 0.0,
        numbers: int | None = None,
    ) -> None:
        super().__init__()
        self.cards, self.dropout = tuple(cards), dropout
        embedded = len(self.cards) - (
            numbers is None
        )  # the last token enters no context, unless conditions fix it
        sizes = {tuple(columns): math.prod(cards[c] for c in columns) for columns in interactions}
        self.interactions = {
            c[-1]: c
            for c, size in sizes.items()
            if size <= InteractionEmbedding.largest and c[-1] < embedded
        }
        self.condition_embedding = ConditionEmbedding(numbers, width) if numbers else None
        self.embed = nn.ModuleList(_vectors(k, width) for k in cards[:embedded])
        self.interaction_embedding = nn.ModuleDict(
            {
                str(end): InteractionEmbedding(tuple(cards[c] for c in columns), width)
                for end, columns in self.interactions.items()
            }
        )
        self.first = _vectors(1, width)
        self.body = nn.ModuleList(Residual(width, hidden) for _ in cards)
        self.norm = nn.ModuleList(nn.LayerNorm(width) for _ in cards)
        self.head = nn.ModuleList(nn.Linear(width, k) for k in cards)

    def start(self, n: int, conditions: ConditionTensors | None = None) -> Tensor:
        """Return the context of n rows of which nothing is known but the conditions."""
        context = self.first(torch.zeros(n, dtype=torch.int32, device=self.first.weight.device))
        if conditions is None:
            return context
        if self.condition_embedding is not None:
            context = context + self.condition_embedding(conditions.numbers, conditions.number_mask)
        for place, column in enumerate(conditions.columns):
            context = self.extend(context, column, conditions.tokens, conditions.columns[:place])
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
        for end, columns in self.interactions.items():
            if column in columns and {*columns} <= {*before, column}:
                context = context + self.interaction_embedding[str(end)](tokens[:, list(columns)])
        return context

    def losses(
        self,
        tokens: Tensor,
        generator: torch.Generator | None = None,
        conditions: ConditionTensors | None = None,
    ) -> Tensor:
        """Return the negative log-likelihood of each token given those before it, 0 of fixed ones.

        In training mode with a generator, under dropout.
        """
        thin = generator if self.training else None
        context, out = self.start(len(tokens), conditions), []
        before = [] if conditions is None else list(conditions.columns)
        for column in range(len(self.cards)):
            if conditions is not None and column in conditions.columns:
                out.append(context.new_zeros(len(tokens), dtype=torch.float32))
                continue
            logits = self.logits(context, column, thin).float()
            out.append(F.cross_entropy(logits, tokens[:, column].long(), reduction="none"))
            context = self.extend(context, column, tokens, before)
            before.append(column)
        return torch.stack(out, dim=1)


class InteractionEmbedding(nn.Module):
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
    `conditional` network takes some numbers clean among the noisy ones and on a mask of which.

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
        self.number_mask = nn.Linear(numbers, width, bias=False) if conditional else None
        self.embed = TokenEmbedding(cards, width)
        self.look = body(width, 1)
        self.time_features, self.number_features = (
            FourierFeatures(4, math.pi),
            FourierFeatures(4, math.pi / 8),
        )
        features = self.time_features.width(1) + self.number_features.width(numbers)
        self.enter = nn.Linear(features, width)
        self.body = body(width, depth)
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, numbers)

    def context(
        self,
        tokens: Tensor,
        generator: torch.Generator | None = None,
        number_mask: Tensor | None = None,
    ) -> Tensor:
        """Return what the tokens say; in training mode with a generator, under dropout."""
        thin = generator if self.training else None
        context = self.look(thinned(self.embed(tokens), self.dropout, thin))
        if number_mask is None or self.number_mask is None:
            return context
        return context + self.number_mask(number_mask.float())

    def forward(self, x: Tensor, time: Tensor, context: Tensor) -> Tensor:
        features = torch.cat([self.time_features(time[:, None]), self.number_features(x)], dim=1)
        return self.leave(self.norm(self.body(self.enter(features) + context)))


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
