"""CTABGAN+: a conditional Wasserstein GAN of mixed tables.

Zhao et al. 2022 (arXiv 2204.00401): a generator fed with noise and a conditional vector, a critic
with gradient penalty, an auxiliary classifier and an information loss. Where this departs:

NOTE[DIFF] Residual networks on embeddings where the paper convolves a square image of the row: a
row has no neighbourhoods, and the official code trains 161 rows in a CPU second.
NOTE[DIFF] Mixed columns (atoms beside a continuous part) and long tails are the shared encoding's
work: atoms are tokens, and a number enters as its Gaussian score, which no logarithm changes. The
paper fits a mixture's modes to each column, after a logarithm where the user names it long-tailed.
NOTE[DIFF] The generator makes a row token by token, each from those before it, and the numbers
last, where the paper makes all entries at once: a link between two columns then need not be
carried by the noise. The straight-through Gumbel-softmax gives the critic rows that are one-hot.
NOTE[DIFF] What the conditional vector names is put into the row, so that every condition holds
and no row is ever rejected; the paper asks for it by a loss and looks for rows that obey. It
names one token as in the paper, or, in a share of the rows, any number of tokens, so that a
sample can be drawn under any of them. Conditions follow the data's own frequencies in training,
where the paper takes their logarithms: the critic then sees the rows as they are.
NOTE[DIFF] The classifier predicts whichever token was hidden, not one named target: a generator
knows no target. The generator is held to the classifier's loss on real rows, not to its least,
which would take the noise out of the classes.
NOTE[DIFF] Two critic steps for one of the generator on average (in the paper one); the gradient
penalty is taken on a quarter of the rows, on straight lines where the paper takes arcs.
NOTE[DIFF] The logits of each token start at its share in the table, and after training a constant
is added to them until a sample has those shares: a straight-through gradient leans to the
frequent levels.
NOTE[DIFF] AdamW with decay and an average of the generator's weights.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from generators.base import FIT, Config, Progress, check_range
from generators.conditions import EncodedConditions
from generators.encoding.encoder import Encoded, Encoder
from generators.networks.gan import (
    Classifier,
    Critic,
    GanGenerator,
    Rows,
    gradient_penalty,
    information_loss,
    one_hot,
)
from generators.training.loop import Batch, TrainingConfig, autocast, device_of, generator_from
from generators.training.neural import Neural

CLIP = 5.2
"""Numbers are standard normal, from tables of at most ten million rows."""
CALIBRATE = 6
"""Stream of random numbers of the calibration; others are in `generators.training.loop`."""
CALIBRATION_ROWS = 16_384
"""Rows drawn to compare the tokens' shares."""


@dataclass(frozen=True)
class CtabganConfig(TrainingConfig):
    """Settings of CTABGAN+."""

    iterations: int = 2000
    """Most optimiser steps."""
    batch: int = 256
    """Rows in one optimiser step."""
    learning_rate: float = 1e-3
    """Peak learning rate of AdamW."""
    momentum: float = 0.5
    """Decay of AdamW's first moment."""
    weight_decay: float = 0.0
    """Decoupled weight decay."""
    ema: float = 0.998
    """Decay of the moving average of the weights, approached from below."""
    holdout: float = 0.0
    """Share of the rows held out; an adversary's loss there is no measure, so none are."""
    noise: int = 64
    """Width of the generator's noise."""
    width: int = 256
    """Width of the networks' residual streams."""
    hidden: int = 128
    """Width inside the residual layers."""
    context_dim: int = 64
    """Width inside the residual layer that decides one token."""
    depth: int = 2
    """Residual layers of the critic, and of the generator before and after its tokens."""
    temperature: float = 0.5
    """Temperature of the softmax through which the gradient of a drawn token flows."""
    critic_steps: int = 2
    """Steps of the critic for one of the generator, on average."""
    penalty: float = 10.0
    """Weight of the gradient penalty."""
    penalty_share: float = 0.25
    """Share of a batch's rows that the gradient penalty is computed on."""
    information: float = 1.0
    """Weight of the information loss."""
    classification: float = 1.0
    """Weight of the classifier's loss."""
    calibrations: int = 5
    """Corrections of the tokens' logits after training, towards the shares in the table."""
    condition_share: float = 0.25
    """Share of the training rows that are conditioned on any number of tokens instead of one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("noise", "width", "hidden", "context_dim"):
            check_range(self, name, 1, 65_536)
        check_range(self, "depth", 0, 1000)
        check_range(self, "temperature", 1e-3, 1e3)
        check_range(self, "critic_steps", 1, 1000)
        check_range(self, "penalty_share", 0.0, 1.0)
        for name in ("penalty", "information", "classification"):
            check_range(self, name, 0.0, 1e6)
        check_range(self, "calibrations", 0, 1000)
        check_range(self, "condition_share", 0.0, 1.0)


class Ctabgan(Neural):
    """A conditional Wasserstein GAN."""

    name: ClassVar[str] = "ctabgan"
    Config: ClassVar[type[Config]] = CtabganConfig

    facts: ClassVar[str | None] = "share."

    def _begin(self, encoder: Encoder, data: Encoded) -> None:
        """Start the logits of every token at its share in the table."""
        self._shares = [
            np.bincount(data.tokens[:, c], minlength=card) / len(data)
            for c, card in enumerate(encoder.cards)
        ]
        self._owners = torch.tensor(encoder.gates, device=self.config.device)
        self._lean([np.log(np.maximum(share, 0.1 / len(data))) for share in self._shares])

    def _end(self, encoder: Encoder, data: Encoded, seed: int, progress: Progress | None) -> None:
        """Correct the shares; keep the generator alone, since the others have seen the rows."""
        for i in range(self.config.calibrations if encoder.cards else 0):
            self._calibrate(encoder, np.random.default_rng([seed, FIT, CALIBRATE, i]))
        self._nets = nn.ModuleDict({k: n for k, n in self._nets.items() if k == "generator"})

    def _lean(self, gaps: list[np.ndarray]) -> None:
        """Add to the logits of every token, whatever the row."""
        with torch.no_grad():
            for column, gap in enumerate(gaps):
                net = self._nets["generator"]
                net.head[column].bias += torch.from_numpy(gap).float().to(net.head[column].bias)

    def _calibrate(self, encoder: Encoder, rng: np.random.Generator) -> None:
        """Move the logits towards the tokens' own shares by what a sample lacks of them."""
        tokens, _ = self._draw(encoder, CALIBRATION_ROWS, rng)
        gaps = []
        for column, share in enumerate(self._shares):
            count = np.bincount(tokens[:, column], minlength=len(share))
            wanted = share * len(tokens)
            gaps.append(np.clip(np.log((wanted + 3) / (count + 3)), -1, 1))
        self._lean(gaps)

    def _kept(self, encoder: Encoder) -> nn.Module:
        some = bool(encoder.cards or encoder.gates)
        return nn.ModuleDict({"generator": self._gan_generator(encoder)} if some else {})

    def _networks(self, encoder: Encoder) -> nn.Module:
        if not encoder.cards and not encoder.gates:
            return nn.ModuleDict()
        config, numbers = self.config, len(encoder.gates)
        size = (config.width, config.hidden, config.depth)
        nets: dict[str, nn.Module] = {
            "generator": self._gan_generator(encoder),
            "critic": Critic(encoder.cards, numbers, *size),
        }
        if len(encoder.cards) + numbers > 1 and encoder.cards and config.classification:
            nets["classifier"] = Classifier(encoder.cards, numbers, config.width, config.hidden, 1)
        return nn.ModuleDict(nets)

    def _gan_generator(self, encoder: Encoder) -> GanGenerator:
        config = self.config
        size = (config.noise, config.width, config.hidden, config.context_dim, config.depth)
        return GanGenerator(encoder.cards, encoder.gates, *size, config.temperature)

    def _losses(
        self, batch: Batch, generator: torch.Generator, parts: Collection[str]
    ) -> dict[str, Tensor]:
        """Return the losses of one step, each with a history of its own part only."""
        nets = self._nets
        training = torch.is_grad_enabled()
        fixed = self._condition(batch.tokens, generator)
        moves = not training or _chance(1 / self.config.critic_steps, generator)
        real = Rows(one_hot(batch.tokens, nets["generator"].cards), batch.numbers)
        with autocast(self.config):
            with torch.set_grad_enabled(training and moves):
                made = nets["generator"](fixed, generator)
            score, features = nets["critic"](real, fixed)
            losses = {"critic": nets["critic"](made.detached(), fixed)[0].mean() - score.mean()}
            few = math.ceil(len(batch) * self.config.penalty_share)
            if training and few:
                ends = real.first(few), made.detached().first(few)
                penalty = gradient_penalty(nets["critic"], *ends, fixed[:few], generator)
                losses["critic"] = losses["critic"] + self.config.penalty * penalty
            hidden = self._hidden(batch, generator)
            if hidden is not None:
                own = nets["classifier"].losses(real.hot, hidden, real.numbers, self._owners)
                losses["classifier"] = own.mean()
            if moves:
                losses["generator"] = self._cheat(
                    made, fixed, features.detach(), hidden, losses.get("classifier")
                )
        return losses

    def _cheat(
        self,
        made: Rows,
        fixed: Tensor,
        features: Tensor,
        hidden: Tensor | None,
        real_loss: Tensor | None,
    ) -> Tensor:
        """Return the generator's loss, with critic and classifier held still."""
        nets = self._nets
        others = [p for n in ("critic", "classifier") if n in nets for p in nets[n].parameters()]
        try:
            for parameter in others:
                parameter.requires_grad_(False)
            score, mine = nets["critic"](made, fixed)
            loss = -score.mean() + self.config.information * information_loss(features, mine)
            if hidden is not None and real_loss is not None:
                own = nets["classifier"].losses(made.hot, hidden, made.numbers, self._owners)
                gap = (own.mean() - real_loss.detach()).abs()
                loss = loss + self.config.classification * gap
            return loss
        finally:
            for parameter in others:
                parameter.requires_grad_(True)

    def _condition(self, tokens: Tensor, generator: torch.Generator) -> Tensor:
        """Return the rows' tokens with all but one, or but some, open."""
        n, columns = tokens.shape
        if not columns:
            return tokens
        one = torch.randint(columns, (n, 1), generator=generator)
        keep = torch.zeros(n, columns, dtype=torch.bool).scatter_(1, one, True)
        some = torch.rand(n, columns, generator=generator) < torch.rand(n, 1, generator=generator)
        many = torch.rand(n, 1, generator=generator) < self.config.condition_share
        keep = torch.where(many, some, keep).to(tokens.device)
        net = self._nets["generator"]
        return torch.where(keep, tokens, net.condition_embedding.unknown)

    def _hidden(self, batch: Batch, generator: torch.Generator) -> Tensor | None:
        if "classifier" not in self._nets:
            return None
        columns = batch.tokens.shape[1]
        drawn = torch.randint(columns, (len(batch), 1), generator=generator)
        return drawn.to(batch.tokens.device)

    def _draw(
        self, encoder: Encoder, n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        columns = len(encoder.cards)
        fixed = np.tile(np.array(encoder.cards, np.int32), (n, 1))
        which = rng.integers(max(columns, 1), size=n)
        lot = rng.random(n)
        for c, share in enumerate(self._shares):
            rows = which == c
            drawn = np.searchsorted(np.cumsum(share), lot[rows], "right")
            fixed[rows, c] = np.minimum(drawn, len(share) - 1)
        return self._make(encoder, fixed, rng)

    def _draw_conditional(
        self, encoder: Encoder, conditions: EncodedConditions, n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        if conditions.number_mask.any():
            return super()._draw_conditional(encoder, conditions, n, rng)
        fixed = np.where(
            conditions.token_mask, conditions.tokens, np.array(encoder.cards, np.int32)
        )
        return self._make(encoder, fixed.astype(np.int32), rng)

    @torch.no_grad()
    def _make(
        self, encoder: Encoder, fixed: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        n, numbers = len(fixed), len(encoder.gates)
        generator = generator_from(rng)
        if "generator" not in self._nets:
            return np.zeros((n, 0), np.int32), np.zeros((n, 0), np.float32)
        with autocast(self.config):
            device = device_of(self.config.device)
            made = self._nets["generator"](torch.from_numpy(fixed).to(device), generator)
        parts = made.hot.split(list(encoder.cards), dim=1) if encoder.cards else ()
        tokens = np.zeros((n, len(encoder.cards)), np.int32)
        for column, part in enumerate(parts):
            tokens[:, column] = part.argmax(dim=1).cpu().numpy()
        drawn = made.numbers.clamp(-CLIP, CLIP).cpu().numpy()
        return tokens, (drawn * encoder.present(tokens)).reshape(n, numbers)

    def _facts(self) -> dict[str, np.ndarray]:
        return {str(column): share for column, share in enumerate(self._shares)}

    def _recall(self, arrays: dict[str, np.ndarray]) -> None:
        self._shares = [arrays[str(column)] for column in range(len(arrays))]


def _chance(share: float, generator: torch.Generator) -> bool:
    return bool(torch.rand(1, generator=generator) < share)
