"""Autoregressive model of a table: every column in bins, each token predicted from those before it.

The chain rule splits the distribution of a row into one small network a token (as in NADE,
Larochelle and Murray 2011, and TabularARGN, arXiv 2501.12012). A numeric column becomes equal-mass
bins beside its atoms; within a bin a value follows the column's own empirical quantiles. One pass
trains all conditionals of a row and one pass draws it, which makes this the fastest of the neural
generators.

Any columns can be fixed: a share of the training steps fixes a random part of the tokens, and the
others follow in order, each conditioned on those too (TabularARGN trains random orders of all
columns).
NOTE[DIFF] Rows without a condition keep one order. A network that is trained on all orders alike
spends its capacity on contexts that such rows never meet.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from generators.base import Config, check_range
from generators.encoding.encoder import Encoded, Encoder, EncodingConfig
from generators.networks import diffusion
from generators.networks.condition_tensors import ConditionTensors
from generators.networks.layers import OrderedNet
from generators.training.differential_privacy import Account, Mechanism, noisy_marginals
from generators.training.loop import Batch, TrainingConfig, autocast, generator_from
from generators.training.neural import Conditional
from generators.training.row_losses import row_losses

MARGINALS = 6
"""Stream of random numbers of the noise on counts; others are in `generators.base`."""


@dataclass(frozen=True)
class AutoregressiveConfig(TrainingConfig):
    """Settings of the autoregressive generator."""

    bins: int = 100
    """Equal-mass bins of a numeric column, beside its atoms."""
    width: int = 256
    """Width of the context that a row's known tokens are summed into."""
    hidden: int = 128
    """Width inside each token's network."""
    dropout: float = 0.3
    """Share of the last layer's inputs dropped in training."""
    condition_share: float = 0.25
    """Share of the training steps that fix columns, so that rows follow conditions; 0 for none."""
    candidates: int = 4
    """Rows proposed for each row under a condition, of which one is drawn by its weight."""
    epsilon: float | None = None
    """Differential privacy of a row that the whole fit keeps to (extra `dp`); None: no such."""
    delta: float = 1e-6
    """Chance beside epsilon; well below one over the number of rows."""
    clip: float = 1.0
    """Norm that a row's gradient is clipped to in a private fit."""

    older: ClassVar[dict[str, Any]] = {"condition_share": 0.0}
    """Folders from before conditions were learnt."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "bins", 1, 65_536)
        check_range(self, "width", 1, 65_536)
        check_range(self, "hidden", 1, 65_536)
        check_range(self, "dropout", 0.0, 0.9)
        check_range(self, "condition_share", 0.0, 1.0)
        check_range(self, "candidates", 1, 10_000)
        check_range(self, "clip", 1e-6, 1e6)
        if self.epsilon is not None:
            check_range(self, "epsilon", 1e-3, 1e3)
            check_range(self, "delta", 1e-15, 0.1)


class Autoregressive(Conditional):
    """One token after another."""

    name: ClassVar[str] = "autoregressive"
    Config: ClassVar[type[Config]] = AutoregressiveConfig

    def _encoding(self) -> EncodingConfig:
        return replace(super()._encoding(), bins=self.config.bins)

    def _encoder(self, table: pd.DataFrame, seed: int) -> Encoder:
        if self.config.epsilon is None:
            return super()._encoder(table, seed)
        rng = np.random.default_rng([seed, MARGINALS])
        noise = self._account(len(table)).marginals
        return super()._encoder(noisy_marginals(table, noise, rng), seed)

    def _account(self, rows: int) -> Account:
        """Return the noise that keeps a private fit to so many rows within its budget."""
        config, rate = self.config, min(self.config.batch, rows) / rows
        return Account.within(config.epsilon, config.delta, rate, config.iterations)

    def _mechanism(self, rows: int) -> Mechanism | None:
        if self.config.epsilon is None:
            return None
        batch, noise = min(self.config.batch, rows), self._account(rows).gradients
        return Mechanism(self._each_loss, noise, self.config.clip, batch)

    def _each_loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        net: Any = self._nets["tokens"]
        conditions = self._training_conditions(batch, generator)
        return net.losses(batch.tokens, generator, conditions).sum(dim=1)

    def _networks(self, encoder: Encoder) -> nn.ModuleDict:
        if not encoder.cards:
            return nn.ModuleDict()
        width, hidden, dropout = self.config.width, self.config.hidden, self.config.dropout
        numbers = 0 if self.config.condition_share else None
        return nn.ModuleDict(
            {"tokens": OrderedNet(encoder.cards, encoder.siblings, width, hidden, dropout, numbers)}
        )

    def _losses(
        self, batch: Batch, generator: torch.Generator, parts: Collection[str]
    ) -> dict[str, Tensor]:
        net: Any = self._nets["tokens"]
        with autocast(self.config):
            conditions = self._training_conditions(batch, generator)
            return {"tokens": diffusion.ordered_loss(net, batch.tokens, generator, conditions)}

    @torch.no_grad()
    def _draw_conditioned(
        self,
        encoder: Encoder,
        conditions: ConditionTensors | None,
        n: int,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray]:
        none = np.zeros((n, 0), np.float32)
        if not encoder.cards:
            return np.zeros((n, 0), np.int32), none
        net: Any = self._nets["tokens"]
        generator = generator_from(rng)
        with autocast(self.config):
            if conditions is None:
                tokens = diffusion.sample_ordered(net, n, 1, generator)
            else:
                tokens = diffusion.sample_ordered_conditional(
                    net, n, self.config.candidates, generator, conditions
                )
        return tokens.cpu().numpy(), none

    def _row_losses(self, data: Encoded, seed: int) -> np.ndarray:
        if "tokens" not in self._nets:
            return np.zeros((len(data), 1))  # a table of constants: every row is as likely
        return row_losses(self._nets["tokens"], None, "ordered", data, seed)
