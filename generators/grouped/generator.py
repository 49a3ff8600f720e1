"""The two-level generator: batches by a base generator, their rows by light models.

A table of rows that come in groups (a task's jobs, a user's jobs) becomes a table of batches, one
row each: when it began, how many rows it has, what they share, their typical values. A base
generator learns that table; `rows` and `within_group_times` learn what a batch's rows look like and
when they come; `arrivals` learns when batches begin. Sampling goes the other way round.

NOTE[DIFF] The paper (arXiv 2410.07940) draws rows independently of each other and names time and
batches as open. What two levels change is measured in docs/results/time_and_tasks.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from generators.base import Config, Generator, Progress, check_range
from generators.conditions import Conditions, EncodedConditions, nearest_rows
from generators.encoding.encoder import Encoded, Encoder, EncodingConfig
from generators.errors import GeneratorError, check_seed
from generators.grouped import draw_order
from generators.grouped.block import Block, recut
from generators.grouped.columns import Columns
from generators.grouped.two_level_model import TwoLevelModel

FITTING = 10
"""Stream of random numbers; those below are the base class's."""
POOL = 4
"""Blocks drawn to look for rows near a condition."""
BASE: dict[str, dict[str, Any]] = {
    "autoregressive": {
        "iterations": 400,
        "width": 128,
        "hidden": 64,
        "dropout": 0.3,
        "condition_share": 0.6,
        "candidates": 2,
        "max_knots": 1024,
    }
}
"""Settings of base generators where they differ.

A table of batches is small, so nets are too; every stream is drawn given when batches begin, so
most of the training is of conditions. Numbers are mapped to the distribution that was seen
(`marginals`, 512 quantiles), so that more knots of the encoding would only keep single batches.
"""


@dataclass(frozen=True)
class GroupedConfig(Config):
    """Settings of the two-level generator."""

    group: str | None = None
    """Integer column that says which rows belong together; None: every row stands alone."""
    time: str | None = None
    """Datetime column of the stream; None: the first complete one that can be, else none."""
    base: str = "autoregressive"
    """Registered name of the generator of batches."""
    iterations: int = 0
    """Optimiser steps of the base generator; 0: its own default."""
    batch: int = 0
    """Batches in one optimiser step of the base generator; 0: its own default."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Further settings of the base generator."""
    pause_h: float = 24.0
    """Hours without a row after which a group's next row begins another batch."""
    longest_h: float | None = None
    """Hours after which a batch is cut though its group goes on; None: never. For lasting ones."""
    holidays: tuple[str, ...] = ("08-14/09-05", "12-18/12-24", "12-25/01-01")
    """Spans of days "MM-DD/MM-DD", each with an effect of its own on the rate of batches."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "holidays", tuple(self.holidays))
        check_range(self, "iterations", 0, 10**9)
        check_range(self, "batch", 0, 10**9)
        check_range(self, "pause_h", 0.0, 1e6)
        if self.longest_h is not None:
            check_range(self, "longest_h", 1e-3, 1e6)
        self.unfitted_base()

    def unfitted_base(self) -> Generator:
        """Return a new base generator."""
        import generators

        if self.base == "grouped":
            do = "choose another generator of the registry"
            raise GeneratorError("a base of another kind", "'grouped'", do)
        known = generators.create(self.base).config
        own = {"iterations": self.iterations, "batch": self.batch}
        chosen = {k: v for k, v in own.items() if v and hasattr(known, k)}
        settings = {"min_count": self.min_count, **BASE.get(self.base, {}), **chosen}
        return generators.create(self.base, **{**settings, **self.settings})


class Grouped(Generator):
    """Batches first, then their rows."""

    name: ClassVar[str] = "grouped"
    Config: ClassVar[type[Config]] = GroupedConfig

    _model: TwoLevelModel
    _drawing: _Blocks | None = None

    def _encoding(self) -> EncodingConfig:
        # The rows' own encoding only serves to find rows near a condition: a coarse one will do.
        config = self.config
        return EncodingConfig(config.min_count, max(config.atom_share, 0.005), max_knots=1000)

    def _learn(
        self,
        table: pd.DataFrame,
        encoder: Encoder,
        seed: int,
        progress: Progress | None,
        checkpoint: Path | None,
    ) -> None:
        config, self._drawing = self.config, None
        self._model = TwoLevelModel.fit(
            table,
            Columns.of(encoder.schema, table, config.group, config.time),
            config.unfitted_base(),
            pause_h=config.pause_h,
            longest_h=np.inf if config.longest_h is None else config.longest_h,
            min_count=config.min_count,
            holidays=config.holidays,
            seed=seed,
            rng=np.random.default_rng([seed, FITTING]),
            progress=progress,
            checkpoint=checkpoint,
        )

    def _fit(
        self,
        encoder: Encoder,
        data: Encoded,
        seed: int,
        progress: Progress | None,
        checkpoint: Path | None,
    ) -> None:
        raise NotImplementedError("encoded rows do not say what belongs together")

    def stream(
        self, seed: int = 0, replay: bool = False, rows: int = 10_000
    ) -> Iterator[pd.DataFrame]:
        """Return rows without end in order of time, in tables of `rows` rows.

        Memory is bounded by what is drawn at once and by rows of batches that have begun. The
        rows depend on the seed and on `replay` alone, never on `rows`.

        Args:
            seed: same seed, same rows.
            replay: repeat the rates of the fitted window (its last whole weeks) for
                ever instead of going on where the window ends.
            rows: rows of each table, at least 1.

        Raises:
            GeneratorError: not fitted, fitted to a table without times, or a wrong argument.
        """
        self._fitted()
        seed = check_seed(seed)
        if isinstance(rows, bool) or not hasattr(rows, "__index__") or int(rows) < 1:
            raise GeneratorError("rows of at least 1", f"{rows!r}", "pass for example rows=10_000")
        model = self._model
        if model.times is None:
            raise GeneratorError(
                "a generator fitted to a table with times",
                "one without",
                "name a complete datetime column: create('grouped', time=...)",
            )
        drawn = draw_order.stream(model, model.times, seed, replay)
        return (block.table(model.columns) for block in recut(drawn, int(rows)))

    def _decoded_block(
        self, encoder: Encoder, seed: int, index: int, conditions: Conditions | None
    ) -> pd.DataFrame:
        if conditions is not None:
            return super()._decoded_block(encoder, seed, index, conditions)
        if self._drawing is None or self._drawing.seed != seed or self._drawing.index > index:
            self._drawing = _Blocks(self._model, seed, self.block)
        while self._drawing.index < index:
            next(self._drawing)
        return next(self._drawing).table(self._model.columns)

    def _draw(
        self, encoder: Encoder, n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        blocks = _Blocks(self._model, int(rng.integers(2**62)), n)
        data = encoder.encode(next(blocks).table(self._model.columns), rng)
        return data.tokens, data.numbers

    def _draw_conditional(
        self, encoder: Encoder, conditions: EncodedConditions, n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        tokens, numbers = self._draw(encoder, POOL * self.block, rng)
        chosen = nearest_rows(tokens, numbers, conditions, rng)
        return tokens[chosen], numbers[chosen]

    def _arrays(self) -> dict[str, np.ndarray]:
        meta = json.dumps(self._model.meta(), allow_nan=False).encode()
        return {"meta": np.frombuffer(meta, np.uint8), **self._model.arrays()}

    def _restore(self, encoder: Encoder, arrays: dict[str, np.ndarray]) -> None:
        meta = json.loads(bytes(arrays["meta"]).decode())
        config = self.config
        base, holidays = config.unfitted_base(), config.holidays
        self._model = TwoLevelModel.restore(encoder.schema, base, holidays, meta, arrays)


class _Blocks(Iterator[Block]):
    """The rows of one seed's sample in blocks of one size, and how many were read."""

    def __init__(self, model: TwoLevelModel, seed: int, rows: int) -> None:
        self.seed, self.index = seed, 0
        self._blocks = recut(draw_order.sample(model, seed), rows)

    def __next__(self) -> Block:
        self.index += 1
        return next(self._blocks)
