"""Autoregressive tables: every column in bins, each token given those before; knows one table.

The law of a row is cut by the chain rule into one small network a token (as in NADE, Larochelle
and Murray 2011, and TabularARGN, arXiv 2501.12012). A numeric column becomes equal-mass bins
beside its atoms; within a bin a value follows the column's own empirical quantiles. One pass
trains all conditionals of a row and one pass draws it, which makes this the fastest of the
neural generators.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from generators import diffusion
from generators.base import Config, Generator, Progress, check_range
from generators.encoding import Encoded, Encoder, EncodingConfig
from generators.networks import OrderedNet, initialise
from generators.training import (
    START,
    Batch,
    TrainingConfig,
    autocast,
    device_of,
    from_arrays,
    generator_of,
    to_arrays,
    train,
)


@dataclass(frozen=True)
class AutoregressiveConfig(TrainingConfig):
    """Settings of the autoregressive generator."""

    bins: int = 100
    """Equal-mass bins of a numeric column, beside its atoms."""
    width: int = 256
    """Width of the context that a row's known tokens are summed into."""
    hidden: int = 128
    """Width inside each token's network."""
    dropout: float = 0.1
    """Share of the last layer's inputs dropped in training."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "bins", 1, 65_536)
        check_range(self, "width", 1, 65_536)
        check_range(self, "hidden", 1, 65_536)
        check_range(self, "dropout", 0.0, 0.9)


class Autoregressive(Generator):
    """One token after another."""

    name: ClassVar[str] = "autoregressive"
    Config: ClassVar[type[Config]] = AutoregressiveConfig

    def _encoding(self) -> EncodingConfig:
        return replace(super()._encoding(), bins=self.config.bins)

    def _fit(
        self,
        encoder: Encoder,
        data: Encoded,
        seed: int,
        progress: Progress | None,
        checkpoint: Path | None,
    ) -> None:
        self._nets = self._networks(encoder)
        initialise(self._nets, generator_of(seed, START))
        train(self._nets, self._losses, data, self.config, seed, progress, checkpoint)

    def _networks(self, encoder: Encoder) -> nn.ModuleDict:
        if not encoder.cards:
            return nn.ModuleDict()
        width, hidden, dropout = self.config.width, self.config.hidden, self.config.dropout
        return nn.ModuleDict(
            {"tokens": OrderedNet(encoder.cards, encoder.siblings, width, hidden, dropout)}
        )

    def _losses(
        self, batch: Batch, generator: torch.Generator, parts: Collection[str]
    ) -> dict[str, Tensor]:
        net: Any = self._nets["tokens"]
        with autocast(self.config):
            return {"tokens": diffusion.ordered_loss(net, batch.tokens, generator)}

    @torch.no_grad()
    def _draw(
        self, encoder: Encoder, n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        none = np.zeros((n, 0), np.float32)
        if not encoder.cards:
            return np.zeros((n, 0), np.int32), none
        net: Any = self._nets["tokens"]
        generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
        with autocast(self.config):
            tokens = diffusion.sample_ordered(net, n, 1, generator)
        return tokens.cpu().numpy(), none

    def _arrays(self) -> dict[str, np.ndarray]:
        return dict(to_arrays(self._nets))

    def _restore(self, encoder: Encoder, arrays: dict[str, Any]) -> None:
        self._nets = self._networks(encoder)
        from_arrays(self._nets, arrays)
        self._nets.to(device_of(self.config.device))
