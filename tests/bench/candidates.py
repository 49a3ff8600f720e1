"""A candidate for the fifth generator that was not kept: a mixture of independent columns.

    python -m tests.bench.candidates runs/k100 --components 256 --rounds 30

A latent-class model is the smallest probabilistic circuit: one sum over products of categorical
leaves, fitted by expectation-maximisation in minibatches (Cappe and Moulines 2009). It draws
faster than any network. `runs/k100` holds train.parquet and unseen.parquet, as
`tests.bench.scale split` writes them; the encoding is that of the autoregressive generator.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from generators.encoding import Encoder, EncodingConfig
from tests.bench.scale import judge, read_table

PRIOR = 0.01
"""Rows that each value of a leaf is given beforehand."""


class Mixture:
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


def main() -> None:
    """Fit, draw, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--components", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--batch", type=int, default=10_000)
    parser.add_argument("--bins", type=int, default=100)
    options = parser.parse_args()
    train, unseen = (read_table(options.folder / f"{k}.parquet") for k in ("train", "unseen"))
    rng = np.random.default_rng(0)
    start = time.process_time()
    encoder = Encoder.fit(train, EncodingConfig(bins=options.bins, atom_share=0.001))
    tokens = encoder.encode(train, rng).tokens
    model, step = Mixture(encoder.cards, options.components, rng), 0
    for _ in range(options.rounds):
        order = rng.permutation(len(tokens))
        for part in np.array_split(order, max(len(tokens) // options.batch, 1)):
            step += 1
            fit = model.update(tokens[part], (step + 1) ** -0.6)
    fitted = time.process_time()
    held = model.responsibilities(encoder.encode(unseen[:10_000], rng).tokens)[1]
    before = time.process_time()
    drawn = model.draw(len(unseen), rng)
    fake = encoder.decode(drawn, np.zeros((len(drawn), 0), np.float32), rng)
    rate = len(fake) / (time.process_time() - before)
    print(f"fit {fitted - start:.0f} CPU-s, {rate:.0f} rows/CPU-s, nats {-fit:.2f}, {-held:.2f}")
    scores = judge(train, unseen, fake)
    print("mixture", "  ".join(f"{k} {v:.4g}" for k, v in scores.items()))


if __name__ == "__main__":
    main()
