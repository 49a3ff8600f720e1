"""Differentially private fits: noise on gradients and marginals, and the privacy accountant.

A fit is (epsilon, delta)-differentially private for rows: it hardly shows whether one row was in
the table (adding or removing a row; Dwork and Roth 2014). Two mechanisms look at the table:

1. `noisy_marginals` counts every column on a grid that does not depend on the data and adds
   Gaussian noise; a table drawn from these counts stands for the real one where the encoding is
   fitted, so that levels, quantiles, atoms and days are private too.
2. `Mechanism` clips the gradient of each row and adds Gaussian noise to their sum, over batches
   that each row joins by chance (DP-SGD, Abadi et al. 2016, arXiv 1607.00133), with norms found
   without making a gradient for each row (ghost clipping, Li et al. 2022, arXiv 2110.05679).

Their Renyi divergences, from Opacus' accountant, add up (Mironov 2017, arXiv 1702.07476). Public,
hence not protected: names, dtypes and levels of the columns, the number of rows. The seed decides
the noise: keep it secret.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from generators.encoding.schema import Column, Schema
from generators.errors import GeneratorError

ORDERS = (*(1 + x / 10 for x in range(1, 100)), *range(11, 64), *(2**k for k in range(6, 11)))
"""Orders of the Renyi divergence among which the account takes the best."""
MARGINALS = 0.25
"""Share of epsilon that the marginals alone would use."""
FINEST, OCTAVE = 32, 16
"""Cells of numbers: single integers up to the first, then so many to a doubling."""
LAST_DAY = 47_482
"""Days counted from 1970 to the end of 2099."""


@dataclass(frozen=True)
class Account:
    """Noise of both mechanisms, in units of what one row can change."""

    gradients: float
    """Noise of each step's sum of gradients over the clipping norm."""
    marginals: float
    """Noise of all counts over the Euclidean norm of one row's change."""

    @classmethod
    def within(cls, epsilon: float, delta: float, rate: float, steps: int) -> Account:
        """Return the least noise that keeps a fit of so many steps within the budget."""
        marginals = _least(lambda z: spent(None, z, 0.0, 0, delta) <= MARGINALS * epsilon)
        gradients = _least(lambda z: spent(z, marginals, rate, steps, delta) <= epsilon)
        return cls(gradients, marginals)


def spent(
    gradients: float | None, marginals: float, rate: float, steps: int, delta: float
) -> float:
    """Return the epsilon of marginals and `steps` steps at a sampling rate, at this delta.

    The conversion from Renyi divergence is that of Canonne et al. 2020 (arXiv 2004.00010).
    """
    orders = np.array(ORDERS)
    divergence = orders / (2 * marginals**2)
    if gradients is not None:
        divergence = divergence + _opacus("accountants.analysis.rdp").compute_rdp(
            q=rate, noise_multiplier=gradients, steps=steps, orders=list(ORDERS)
        )
    bound = divergence + np.log1p(-1 / orders) - (math.log(delta) + np.log(orders)) / (orders - 1)
    return float(max(np.nan_to_num(bound, nan=np.inf).min(), 0.0))


def _least(enough: Callable[[float], bool]) -> float:
    """Return the least noise, to a thousandth of itself, that is enough."""
    low, high = 1e-2, 1.0
    while not enough(high):
        low, high = high, 2 * high
        if high > 1e6:
            raise GeneratorError(
                "a budget that some noise can meet", "one that none can", "raise epsilon or delta"
            )
    while high > 1.001 * low:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


@dataclass(frozen=True)
class Mechanism:
    """DP-SGD on a module whose layers each meet a row once."""

    losses: Callable[[Any, torch.Generator], Tensor]
    """Loss of each row of a batch, float32[B]."""
    noise: float
    """Noise over the clipping norm."""
    clip: float
    """Norm that a row's gradient is clipped to."""
    batch: int
    """Rows that a batch has on average."""

    def rows(self, n: int, generator: torch.Generator) -> Tensor:
        """Return a batch that each of n rows joins by the same chance."""
        return torch.nonzero(torch.rand(n, generator=generator) * n < self.batch)[:, 0]

    def gradients(self, module: nn.Module, batch: Any, generator: torch.Generator) -> None:
        """Put the noisy mean of clipped gradients into the parameters."""
        for parameter in module.parameters():
            parameter.grad = None
        if len(batch):
            self._clipped(module, batch, generator)
        for parameter in module.parameters():
            spread = torch.randn(parameter.shape, generator=generator).to(parameter.device)
            found = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            parameter.grad = (found + self.noise * self.clip * spread) / self.batch

    def _clipped(self, module: nn.Module, batch: Any, generator: torch.Generator) -> None:
        """Put the sum of clipped gradients into the parameters, by two passes back."""
        with RowNorms(module) as norms:
            losses = self.losses(batch, generator)
            losses.sum().backward(retain_graph=True)
        share = (self.clip / norms.value.sqrt().clamp_min(1e-12)).clamp(max=1.0)
        for parameter in module.parameters():
            parameter.grad = None
        (share * losses).sum().backward()


class RowNorms:
    """The squared norm of each row's gradient, from what goes into a layer and what comes back.

    Each layer may meet a row once. Opacus' own hooks do the same, but stand on module hooks that
    warn for layers whose inputs are integers.
    """

    value: Tensor
    """float32[B]"""

    def __init__(self, module: nn.Module) -> None:
        self.layers = [m for m in module.modules() if any(True for _ in m.parameters(False))]
        strange = {type(m).__name__ for m in self.layers} - {k.__name__ for k in SQUARES}
        if strange:
            raise TypeError(f"no rule for the row norms of {sorted(strange)}")

    def __enter__(self) -> RowNorms:
        self.open, self.value = True, torch.zeros(1)
        self.handles = [layer.register_forward_hook(self._watch) for layer in self.layers]
        return self

    def __exit__(self, *_: object) -> None:
        self.open = False
        for handle in self.handles:
            handle.remove()

    def _watch(self, layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        entered = inputs[0].detach()

        def add(back: Tensor) -> None:
            if self.open:
                self.value = self.value.to(back.device) + SQUARES[type(layer)](layer, entered, back)

        output.register_hook(add)


def _linear(layer: Any, entered: Tensor, back: Tensor) -> Tensor:
    sizes = entered.square().sum(1) + (layer.bias is not None)
    return back.square().sum(1) * sizes


def _normed(layer: Any, entered: Tensor, back: Tensor) -> Tensor:
    scaled = F.layer_norm(entered, layer.normalized_shape, eps=layer.eps)
    return (back * scaled).square().sum(1) + back.square().sum(1)


def _looked_up(layer: Any, entered: Tensor, back: Tensor) -> Tensor:
    return back.square().sum(1)


SQUARES: dict[type, Callable[[Any, Tensor, Tensor], Tensor]] = {
    nn.Linear: _linear,
    nn.LayerNorm: _normed,
    nn.Embedding: _looked_up,
}
"""The squared norm of one layer's share in each row's gradient."""


def noisy_marginals(table: pd.DataFrame, noise: float, rng: np.random.Generator) -> pd.DataFrame:
    """Return a table whose columns, each by itself, follow noisy counts of the real ones.

    One row changes one count in each column by one, so that noise of `noise` times the root of
    the number of columns on every count is a Gaussian mechanism of that noise for all together.
    """
    schema = Schema.of(table)
    spread = noise * math.sqrt(len(schema.columns))
    columns = []
    for column, (values, missing) in zip(schema.columns, schema.values(table), strict=True):
        grid = _grid(column)
        cell = np.where(missing, 0, 1 + grid.cell(values))
        count = np.bincount(cell, minlength=1 + grid.size) + rng.normal(0, spread, 1 + grid.size)
        least = (
            0.0 if column.kind == "category" else spread * (1 + math.sqrt(2 * math.log(grid.size)))
        )
        count[0] = count[0] if count[0] > 4 * spread else 0.0
        top = count[1:].max()  # stays, whatever it is, so that some cell does
        count = np.where((count > least) | (count == top), np.maximum(count, 1e-9), 0.0)
        share = count / count.sum()
        drawn = rng.choice(len(count), size=len(table), p=share)
        inside = grid.draw(np.maximum(drawn - 1, 0), rng)
        columns.append((inside, drawn == 0))
    return schema.table(columns)


@dataclass(frozen=True)
class _Grid:
    """Cells of a column that are the same for every table of its dtype."""

    edges: np.ndarray
    """int64[size + 1] or float64[size + 1], ascending."""
    scale: int = 1
    """Units of the column in one unit of the edges."""

    @property
    def size(self) -> int:
        return len(self.edges) - 1

    def cell(self, values: np.ndarray) -> np.ndarray:
        """Return the cell of each value; values beyond the ends count in the last."""
        found = np.searchsorted(self.edges, values // self.scale, "right") - 1
        return np.clip(found, 0, self.size - 1)

    def draw(self, cells: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a value somewhere in each cell; the cell around 0.0 is that number."""
        low, high = self.edges[cells] * self.scale, self.edges[cells + 1] * self.scale
        if self.edges.dtype == np.int64:
            return rng.integers(low, np.maximum(high, low + 1))
        return np.where((low < 0) & (high > 0), 0.0, low + (high - low) * rng.random(len(cells)))


def _grid(column: Column) -> _Grid:
    if column.kind == "category":
        return _Grid(np.arange(max(len(column.levels), 1) + 1))
    if column.kind == "datetime" and column.ticks_per_hour:
        return _Grid(np.arange(LAST_DAY + 1), 24 * column.ticks_per_hour)
    if column.kind == "number":
        positive = 2.0 ** (np.arange(-20 * OCTAVE, 63 * OCTAVE + 1) / OCTAVE)
        return _Grid(np.concatenate([-positive[::-1], positive]))
    steps = np.floor(FINEST * 2.0 ** (np.arange(57 * OCTAVE) / OCTAVE)).astype(np.int64)
    positive = np.unique(np.concatenate([np.arange(1, FINEST), steps]))
    edges = np.concatenate([1 - positive[::-1], positive])
    if column.kind == "integer":
        bounds = np.iinfo(column.dtype.lower())
        low, high = max(bounds.min, int(edges[0])), min(int(bounds.max), int(edges[-1]) - 1)
        edges = np.unique(
            np.concatenate([[low], edges[(edges > low) & (edges <= high)], [high + 1]])
        )
    return _Grid(edges.astype(np.int64))


def _opacus(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(f"opacus.{module}")
    except ImportError as fault:
        raise GeneratorError(
            "the package opacus, for a fit with epsilon",
            f"{fault}",
            'install it: pip install "panda-grid-gym[dp]"',
        ) from fault
