"""Candidates for the fifth generator that were not kept: a latent-class model and a flow.

    python -m tests.bench.candidates runs/k100 --name mixture --set components=256 rounds=30
    python -m tests.bench.candidates runs/k100 --name flow --set iterations=4000 steps=50

Mixture: a latent-class model is the smallest probabilistic circuit, one sum over products of
categorical leaves, fitted by expectation-maximisation in minibatches (Cappe and Moulines 2009). It
draws faster than any network, in the encoding of the autoregressive generator.

Flow: variational flow matching (Eijkelboom et al. 2024, arXiv 2406.04843) on one-hot tokens and
numbers together. A row moves on a straight line from noise to itself; a network tells the mean of
the row that a point on the line belongs to (softmax of each token, mean of each number), and a draw
follows the velocity towards that mean.

`runs/k100` holds train.parquet and unseen.parquet, as `tests.bench.scale split` writes them.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from generators.base import Config
from generators.encoding.encoder import Encoder, EncodingConfig
from generators.networks.diffusion import CLIP, draw, spread_times
from generators.networks.gan import one_hot
from generators.networks.layers import FourierFeatures, body
from generators.training.loop import Batch, TrainingConfig, autocast, generator_from
from generators.training.neural import Neural
from tests.bench.scale import judge, read_table, settings_of, show

PRIOR = 0.01
"""Rows that each value of a leaf is given beforehand."""


class LatentClass:
    """Weights [K] and, for each token, the law of its values in each component [K, card]."""

    def __init__(self, cards: tuple[int, ...], components: int, rng: np.random.Generator) -> None:
        self.weights = np.full(components, 1 / components)
        self.leaves = [rng.dirichlet(np.full(card, 1.0), components) for card in cards]

    def responsibilities(self, tokens: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the law of the component of each row [n, K] and the mean log-likelihood."""
        logs = np.log(self.weights)[None] + sum(
            np.log(leaf.T)[column] for leaf, column in zip(self.leaves, tokens.T, strict=True)
        )
        top = logs.max(axis=1, keepdims=True)
        mass = np.exp(logs - top)
        total = mass.sum(axis=1, keepdims=True)
        return mass / total, float((np.log(total) + top).mean())

    def update(self, tokens: np.ndarray, step: float) -> float:
        """Move towards the batch's own best parameters by a step; return its log-likelihood."""
        share, fit = self.responsibilities(tokens)
        self.weights = (1 - step) * self.weights + step * share.mean(axis=0)
        for c, leaf in enumerate(self.leaves):
            counts = np.zeros((leaf.shape[1], len(self.weights)))
            np.add.at(counts, tokens[:, c], share)
            own = (counts.T + PRIOR) / (counts.sum(0)[:, None] + PRIOR * leaf.shape[1])
            heavy = share.sum(axis=0)[:, None]
            move = step * heavy / (heavy + len(tokens) / len(self.weights) * 0.1)
            self.leaves[c] = (1 - move) * leaf + move * own
        return fit

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return n rows of tokens, int32[n, C]."""
        component = rng.choice(len(self.weights), n, p=self.weights / self.weights.sum())
        columns = []
        for leaf in self.leaves:
            steps = leaf.cumsum(axis=1)[component]
            level = rng.random((n, 1)) * steps[:, -1:]
            columns.append((steps <= level).sum(axis=1))
        return np.stack(columns, axis=1).astype(np.int32)


class Mixture:
    """The latent-class model as a generator of tables."""

    def __init__(
        self, components: int = 256, rounds: int = 30, batch: int = 10_000, bins: int = 100
    ) -> None:
        self.components, self.rounds, self.batch, self.bins = components, rounds, batch, bins

    def fit(self, table: pd.DataFrame, seed: int = 0) -> Mixture:
        """Learn a table."""
        rng, step = np.random.default_rng(seed), 0
        self.encoder = Encoder.fit(table, EncodingConfig(bins=self.bins, atom_share=0.001))
        tokens = self.encoder.encode(table, rng).tokens
        self.model = LatentClass(self.encoder.cards, self.components, rng)
        for _ in range(self.rounds):
            order = rng.permutation(len(tokens))
            for part in np.array_split(order, max(len(tokens) // self.batch, 1)):
                step += 1
                self.model.update(tokens[part], (step + 1) ** -0.6)
        return self

    def sample(self, n: int, seed: int = 0) -> pd.DataFrame:
        """Return n rows."""
        rng = np.random.default_rng([seed, 1])
        return self.encoder.decode(self.model.draw(n, rng), np.zeros((n, 0), np.float32), rng)


@dataclass(frozen=True)
class FlowConfig(TrainingConfig):
    """Settings of the flow."""

    width: int = 256
    """Width of the network's residual stream."""
    depth: int = 4
    """Residual layers."""
    steps: int = 50
    """Steps of Euler's method in a draw."""


class FlowNet(nn.Module):
    """Logits of every token and the mean of every number, given a point on the way and its time.

    Shape: float32[B, K + D], float32[B] -> float32[B, K + D]
    """

    def __init__(self, size: int, width: int, depth: int) -> None:
        super().__init__()
        self.fourier = FourierFeatures(4, math.pi)
        self.enter = nn.Linear(size, width)
        self.time = nn.Linear(self.fourier.width(1), width)
        self.body = body(width, depth)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, size)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        state = self.enter(x) + self.time(self.fourier(time[:, None]))
        return self.head(self.norm(self.body(state))).float()


class Flow(Neural):
    """Variational flow matching."""

    name: ClassVar[str] = "flow"
    Config: ClassVar[type[Config]] = FlowConfig

    def _networks(self, encoder: Encoder) -> nn.Module:
        self._cards = [*encoder.cards]
        size = sum(encoder.cards) + len(encoder.gates)
        return nn.ModuleDict({"row": FlowNet(size, self.config.width, self.config.depth)})

    def _losses(
        self, batch: Batch, generator: torch.Generator, parts: Collection[str]
    ) -> dict[str, Tensor]:
        goal = torch.cat([one_hot(batch.tokens, self._cards), batch.numbers], dim=1)
        time = spread_times(len(goal), generator)
        noise = torch.randn(goal.shape, generator=generator)
        point = time[:, None] * goal + (1 - time[:, None]) * noise
        with autocast(self.config):
            found = self._nets["row"](point, time)
        *logits, means = found.split([*self._cards, batch.numbers.shape[1]], dim=1)
        missed = [F.cross_entropy(part, batch.tokens[:, c].long()) for c, part in enumerate(logits)]
        error = ((means - batch.numbers) * batch.present).square().sum(dim=1).mean()
        return {"row": torch.stack(missed).sum() + error}

    @torch.no_grad()
    def _draw(
        self, encoder: Encoder, n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        generator, steps = generator_from(rng), self.config.steps
        x = torch.randn((n, sum(self._cards) + len(encoder.gates)), generator=generator)
        for i in range(steps):
            time = i / steps
            with autocast(self.config):
                found = self._nets["row"](x, torch.full((n,), time))
            *logits, means = found.split([*self._cards, len(encoder.gates)], dim=1)
            mean = torch.cat([*(part.softmax(dim=1) for part in logits), means], dim=1)
            x = x + (mean - x) / (1 - time) / steps
        tokens = torch.stack([draw(part, generator) for part in logits], dim=1)
        drawn = tokens.to(torch.int32).numpy()
        return drawn, means.clamp(-CLIP, CLIP).numpy() * encoder.present(drawn)


CANDIDATES: dict[str, Any] = {"mixture": Mixture, "flow": Flow}


def main() -> None:
    """Fit, draw, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", choices=list(CANDIDATES), default="flow")
    parser.add_argument("--set", nargs="*", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    train, unseen = (read_table(options.folder / f"{k}.parquet") for k in ("train", "unseen"))
    start = time.process_time()
    model = CANDIDATES[options.name](**settings_of(options.set)).fit(train, seed=options.seed)
    fitted = time.process_time()
    fake = model.sample(len(unseen), seed=options.seed + 1)
    rate = len(fake) / (time.process_time() - fitted)
    print(f"{options.name}: fit {fitted - start:.0f} CPU-s, {rate:.0f} rows/CPU-s", flush=True)
    print(options.name, show(judge(train, unseen, fake)))


if __name__ == "__main__":
    main()
