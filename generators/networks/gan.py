"""Networks and losses of a conditional Wasserstein GAN.

Shapes: B rows, C tokens of a row with K values together, D numbers of a row, H hidden width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from generators.networks.layers import FourierFeatures, Residual, TokenEmbedding

OCTAVES, BASE = 4, math.pi / 8


@dataclass(frozen=True)
class Rows:
    """Rows that a critic can judge: real ones, made ones, or a mixture of both."""

    hot: Tensor
    """float32[B, K], one-hot vectors of all tokens, side by side."""
    numbers: Tensor
    """float32[B, D], 0 where not present."""

    def detached(self) -> Rows:
        """Return the rows without their history."""
        return Rows(self.hot.detach(), self.numbers.detach())

    def first(self, n: int) -> Rows:
        """Return the first n rows."""
        return Rows(self.hot[:n], self.numbers[:n])

    def towards(self, other: Rows, share: Tensor) -> Rows:
        """Return rows on the line to others, [B, 1] of the way, as leaves of a new history."""
        hot = torch.lerp(self.hot, other.hot, share).requires_grad_(True)
        return Rows(hot, torch.lerp(self.numbers, other.numbers, share).requires_grad_(True))


class GanGenerator(nn.Module):
    """Rows from noise and a condition.

    Tokens are made one after another, each given those before it, and then the numbers. A made
    token is drawn by the Gumbel-softmax trick, straight through: what the critic sees is one-hot,
    and the gradient is that of the softmax.

    Shape: int32[B, C] -> Rows; a fixed token equal to its number of values is open.
    """

    def __init__(
        self,
        cards: Sequence[int],
        gates: Sequence[int],
        noise: int,
        width: int,
        hidden: int,
        context_dim: int,
        depth: int,
        temperature: float,
    ) -> None:
        super().__init__()
        self.cards, self.gates = tuple(cards), tuple(gates)
        self.noise, self.temperature = noise, temperature
        self.enter = nn.Linear(noise, width)
        self.condition_embedding = TokenEmbedding(cards, width) if cards else None
        self.body = _body(width, hidden, depth)
        self.context = nn.ModuleList(Residual(width, context_dim) for _ in cards)
        ends = len(cards) + bool(gates)
        self.norm = nn.ModuleList(nn.LayerNorm(width) for _ in range(ends))
        self.head = nn.ModuleList(nn.Linear(width, k) for k in cards)
        self.embed = nn.ParameterList(nn.Parameter(torch.empty(k, width)) for k in cards)
        self.last = _body(width, hidden, depth) if gates else None
        self.leave = nn.Linear(width, len(gates)) if gates else None

    def forward(self, condition: Tensor, generator: torch.Generator) -> Rows:
        """Generate one row for each condition, int32 [B, C]."""
        noise = torch.randn(len(condition), self.noise, generator=generator).to(condition.device)
        state = self.enter(noise)
        if self.condition_embedding is not None:
            state = state + self.condition_embedding(condition)
        state, made = self.body(state), []
        for column in range(len(self.cards)):
            made.append(self._token(state, column, condition[:, column], generator))
            state = state + made[-1] @ self.embed[column]
        hot = torch.cat(made, dim=1) if made else state.new_zeros(len(condition), 0)
        return Rows(hot.float(), self._numbers(state, made))

    def _token(
        self, state: Tensor, column: int, condition: Tensor, generator: torch.Generator
    ) -> Tensor:
        card = self.cards[column]
        logits = self.head[column](self.norm[column](self.context[column](state))).float()
        chance = torch.rand(logits.shape, generator=generator).to(logits.device)
        gumbel = -torch.log(-torch.log(chance.clamp(1e-7, 1 - 1e-7)))
        soft = ((logits + gumbel) / self.temperature).softmax(dim=1)
        is_open = condition == card
        chosen = torch.where(is_open, soft.argmax(dim=1), condition.long())
        hard = F.one_hot(chosen, card).to(soft.dtype)
        return hard + (soft - soft.detach()) * is_open[:, None] if soft.requires_grad else hard

    def _numbers(self, state: Tensor, made: list[Tensor]) -> Tensor:
        if self.last is None or self.leave is None:
            return state.new_zeros(len(state), 0).float()
        numbers = self.leave(self.norm[-1](self.last(state))).float()
        always = torch.ones_like(numbers[:, 0])
        present = [made[gate][:, 0] if gate >= 0 else always for gate in self.gates]
        return numbers * torch.stack(present, dim=1)


class Critic(nn.Module):
    """How real a row looks, given its condition.

    Shape: Rows, int32[B, C] -> float32[B], features float32[B, H]
    """

    def __init__(
        self, cards: Sequence[int], numbers: int, width: int, hidden: int, depth: int
    ) -> None:
        super().__init__()
        self.tokens = nn.Parameter(torch.empty(sum(cards), width)) if cards else None
        self.condition_embedding = TokenEmbedding(cards, width) if cards else None
        self.fourier = FourierFeatures(OCTAVES, BASE)
        self.enter = nn.Linear(self.fourier.width(numbers), width) if numbers else None
        self.body = _body(width, hidden, depth)
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, 1)

    def forward(self, rows: Rows, condition: Tensor) -> tuple[Tensor, Tensor]:
        parts = []
        if self.tokens is not None and self.condition_embedding is not None:
            parts += [rows.hot @ self.tokens, self.condition_embedding(condition)]
        if self.enter is not None:
            parts.append(self.enter(self.fourier(rows.numbers)))
        features = self.norm(self.body(F.silu(sum(parts[1:], parts[0]))))
        return self.leave(features)[:, 0].float(), features.float()


class Classifier(nn.Module):
    """Logits of a hidden token given the other tokens and the numbers.

    Shape: int32[B, C], float32[B, D] -> float32[B, K]
    """

    def __init__(
        self, cards: Sequence[int], numbers: int, width: int, hidden: int, depth: int
    ) -> None:
        super().__init__()
        self.cards = tuple(cards)
        self.embed = TokenEmbedding(cards, width)
        self.fourier = FourierFeatures(OCTAVES, BASE)
        self.enter = nn.Linear(self.fourier.width(numbers), width) if numbers else None
        self.body = _body(width, hidden, depth)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, sum(cards))

    def forward(self, tokens: Tensor, numbers: Tensor) -> Tensor:
        state = self.embed(tokens)
        if self.enter is not None:
            state = state + self.enter(self.fourier(numbers))
        return self.head(self.norm(self.body(state))).float()

    def losses(self, hot: Tensor, hidden: Tensor, numbers: Tensor, owners: Tensor) -> Tensor:
        """Return the cross-entropy of each row's hidden token, float32[B].

        The gradient with respect to the rows goes through the hidden token alone. `hidden` is
        int64[B, 1], `owners` int64[D] the token that each number hangs on: a number is not entered
        where its own token is hidden.
        """
        tokens = torch.stack([part.argmax(1) for part in hot.detach().split(self.cards, 1)], 1)
        masked = tokens.to(torch.int32).scatter(1, hidden, self.embed.unknown[hidden])
        entered = numbers.detach() * (owners[None] != hidden)
        logits = self(masked, entered).split(self.cards, dim=1)
        own = [
            -(part * logit.log_softmax(dim=1)).sum(dim=1)
            for part, logit in zip(hot.split(self.cards, dim=1), logits, strict=True)
        ]
        return torch.stack(own, dim=1).gather(1, hidden)[:, 0]


def gradient_penalty(
    critic: Critic, real: Rows, made: Rows, condition: Tensor, generator: torch.Generator
) -> Tensor:
    """Return the mean squared excess over 1 of the gradient's norm between real and made rows.

    Gulrajani et al. 2017 (arXiv 1704.00028), eq. 3.
    """
    share = torch.rand(len(condition), 1, generator=generator).to(condition.device)
    between = real.towards(made, share)
    score, _ = critic(between, condition)
    leaves = [part for part in (between.hot, between.numbers) if part.shape[1]]
    gradients = torch.autograd.grad(score.sum(), leaves, create_graph=True)
    square = torch.stack([g.square().sum(dim=1) for g in gradients]).sum(dim=0)
    return ((square + 1e-12).sqrt() - 1).square().mean()


def information_loss(real: Tensor, made: Tensor) -> Tensor:
    """Return how far means and deviations of a critic's features lie apart (Park et al. 2018)."""
    mean = (real.mean(dim=0) - made.mean(dim=0)).norm()
    deviation = (real.var(dim=0).add(1e-6).sqrt() - made.var(dim=0).add(1e-6).sqrt()).norm()
    return mean + deviation


def one_hot(tokens: Tensor, cards: Sequence[int]) -> Tensor:
    """Return int32[B, C] as float32[B, K]."""
    parts = [F.one_hot(tokens[:, c].long(), card) for c, card in enumerate(cards)]
    if not parts:
        return torch.zeros(len(tokens), 0, device=tokens.device)
    return torch.cat(parts, dim=1).float()


def _body(width: int, hidden: int, depth: int) -> nn.Sequential:
    return nn.Sequential(*(Residual(width, hidden) for _ in range(depth)))
