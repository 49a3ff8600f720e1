"""Generators made of neural networks that one training loop fits.

A method brings its networks, their losses and its sampler. What it keeps for sampling (a decoder, a
generator without its critic) may be less than what it trains.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np
import torch
from torch import Tensor, nn

from generators.base import Generator, Progress
from generators.conditions import EncodedConditions
from generators.encoding.encoder import Encoded, Encoder
from generators.networks.condition_tensors import ConditionTensors, draw_conditions
from generators.networks.layers import initialise
from generators.networks.weights import from_arrays, round_off, to_arrays
from generators.training.differential_privacy import Mechanism
from generators.training.loop import (
    START,
    Batch,
    device_of,
    generator_of,
    train,
)


class Neural(Generator):
    """A generator of networks."""

    facts: ClassVar[str | None] = None
    """Start of the names of arrays that are kept beside the weights."""

    _nets: Any
    """The networks: all of them during a fit, those of `_kept` afterwards."""

    @final
    def _fit(
        self,
        encoder: Encoder,
        data: Encoded,
        seed: int,
        progress: Progress | None,
        checkpoint: Path | None,
    ) -> None:
        private = self._mechanism(len(data))
        self._nets = self._networks(encoder)
        initialise(self._nets, generator_of(seed, START))
        self._begin(encoder, data)
        train(self._nets, self._losses, data, self.config, seed, progress, checkpoint, private)
        self._end(encoder, data, seed, progress)
        round_off(self._nets, self.config.stored)

    @abstractmethod
    def _networks(self, encoder: Encoder) -> nn.Module:
        """Return the networks to be trained; none for a table of constants."""

    def _kept(self, encoder: Encoder) -> nn.Module:
        """Return the networks that rows are drawn with."""
        return self._networks(encoder)

    def _begin(self, encoder: Encoder, data: Encoded) -> None:
        """Get ready; the networks stand as they were drawn."""

    @abstractmethod
    def _losses(
        self, batch: Batch, generator: torch.Generator, parts: Collection[str]
    ) -> dict[str, Tensor]:
        """Return the losses of a batch, see `generators.training.loop.Losses`."""

    def _mechanism(self, rows: int) -> Mechanism | None:
        """Return what makes the fit private, if anything does."""
        return None

    def _end(self, encoder: Encoder, data: Encoded, seed: int, progress: Progress | None) -> None:
        """Do what follows training; the networks stand at their best."""

    def _facts(self) -> dict[str, np.ndarray]:
        """Return what was learnt beside the weights."""
        return {}

    def _recall(self, arrays: dict[str, np.ndarray]) -> None:
        """Take back what `_facts` returned."""

    @final
    def _arrays(self) -> dict[str, np.ndarray]:
        facts = {f"{self.facts}{key}": array for key, array in self._facts().items()}
        return {**dict(to_arrays(self._nets, self.config.stored)), **facts}

    @final
    def _restore(self, encoder: Encoder, arrays: dict[str, np.ndarray]) -> None:
        own = {k for k in arrays if self.facts is not None and k.startswith(self.facts)}
        self._recall({k[len(self.facts or "") :]: arrays[k] for k in own})
        self._nets = self._kept(encoder)
        from_arrays(self._nets, {k: a for k, a in arrays.items() if k not in own})
        round_off(self._nets, self.config.stored)
        self._nets.to(device_of(self.config.device))


class Conditional(Neural):
    """A generator of networks that draw rows under conditions on any columns."""

    @final
    def _training_conditions(
        self, batch: Batch, generator: torch.Generator
    ) -> ConditionTensors | None:
        """Return the conditions of a training batch; None in some steps and in evaluation."""
        share = self.config.condition_share
        if not self._nets.training or not share:
            return None
        if float(torch.rand(1, generator=generator)) >= share:
            return None
        return draw_conditions(batch.tokens, batch.numbers, batch.present, self._gates, generator)

    def _begin(self, encoder: Encoder, data: Encoded) -> None:
        self._gates = encoder.gates

    @final
    def _draw(
        self, encoder: Encoder, n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        return self._draw_conditioned(encoder, None, n, rng)

    @final
    def _draw_conditional(
        self, encoder: Encoder, conditions: EncodedConditions, n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        if not self.config.condition_share:
            return super()._draw_conditional(encoder, conditions, n, rng)
        tensors = ConditionTensors.of(conditions, device_of(self.config.device))
        return self._draw_conditioned(encoder, tensors, n, rng)

    @abstractmethod
    def _draw_conditioned(
        self,
        encoder: Encoder,
        conditions: ConditionTensors | None,
        n: int,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return tokens int32[n, C] and numbers float32[n, D], given some of them."""
