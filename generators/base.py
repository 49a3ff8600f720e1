"""The interface of every generator: `fit`, `sample`, `losses`, `save` and `restore`.

A generator is fitted to one table and sampled for rows of the same columns, dtypes and levels.
These methods are final; a generator implements four private ones. Rows are drawn in blocks of fixed
size, each from its own seed, so that the first k rows of a sample do not depend on how many more
were asked for. No row is ever rejected.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self, final

import numpy as np
import pandas as pd

from generators.conditions import Conditions, EncodedConditions, balanced, nearest_rows
from generators.deprecated import renamed_settings, warn
from generators.encoding.encoder import Encoded, Encoder, EncodingConfig
from generators.encoding.schema import Schema
from generators.errors import GeneratorError, GeneratorWarning, check_count, check_seed, nearest
from generators.files import read_folder, write_folder

Progress = Callable[[int, int, str], None]
FIT, SAMPLE, ENCODE, DECODE, CONDITION = range(5)
"""Streams of random numbers that one seed is split into."""
IDENTIFIER = (
    "column {name!r} has another value in every row, as identifiers have; the fitted generator "
    "holds values of it and its rows publish them: drop the column if they are secret"
)
DENSE = 1000
"""Width of the range of integers, for each of them, up to which they may be numbers of things."""
LEAST_IDENTIFIERS = 50
"""Rows below which different values in every row are no sign of identifiers."""
POOL = 16
"""Blocks drawn to look for rows near a condition, by a generator that cannot condition."""


@dataclass(frozen=True)
class Config:
    """Settings that all generators share."""

    min_count: int = 10
    """Levels seen fewer times share one bucket, resampled from their frequencies within it."""
    atom_share: float = 0.001
    """A value of a numeric column with at least this share of the rows becomes a token."""
    max_knots: int = 20_000
    """Most knots kept of one column's quantile function."""

    older: ClassVar[dict[str, Any]] = {}
    """Settings that folders of older versions lack, and what stood in their place then."""
    here: ClassVar[dict[str, Any]] = {}
    """Settings of the machine, not of the model: what a loaded generator starts from."""

    def __post_init__(self) -> None:
        check_range(self, "min_count", 1, 10**9)
        check_range(self, "atom_share", 0.0, 1.0)
        check_range(self, "max_knots", 16, 10**7)


GATHER = 16
"""Blocks after which a sample's rows are joined: many small tables that stay would keep the memory
of all that was made between them from being used again."""


class Generator(ABC):
    """A model of one table."""

    name: ClassVar[str]
    """Name in the registry."""
    Config: ClassVar[type[Config]]
    """Type of the configuration."""
    block: int = 2048
    """Rows drawn from one seed; part of the model, since it decides which rows a seed gives."""

    @final
    def __init__(self, **config: Any) -> None:
        self.config: Any = _configured(self.name, self.Config, config)
        self.encoder: Encoder | None = None

    @final
    def fit(
        self,
        table: pd.DataFrame,
        seed: int = 0,
        progress: Progress | None = None,
        checkpoint: str | Path | None = None,
    ) -> Self:
        """Learn `table`; the same table, settings and seed give the same model.

        `progress(done, total, message)` is called now and then. `checkpoint` names a folder: a
        fit that was stopped goes on from there and ends with the same weights, bit for bit.
        A category, or numbering integers, with another value in every row is a `GeneratorWarning`:
        what is fitted holds its values, and rows repeat them.
        """
        seed = check_seed(seed)
        schema = Schema.of(table)
        for name in _identifiers(schema, table):
            if name != getattr(self.config, "group", None):
                warnings.warn(IDENTIFIER.format(name=name), GeneratorWarning, stacklevel=2)
        return self._fit_to(table, seed, progress, checkpoint)

    @final
    def _fit_to(
        self,
        table: pd.DataFrame,
        seed: int,
        progress: Progress | None = None,
        checkpoint: str | Path | None = None,
    ) -> Self:
        """Learn a table without a warning about its columns."""
        encoder = self._encoder(table, seed)
        self.encoder = None
        folder = None if checkpoint is None else Path(checkpoint)
        self._learn(table, encoder, seed, progress, folder)
        self.encoder = encoder
        return self

    @final
    def sample(
        self,
        n: int,
        seed: int = 0,
        conditions: Mapping[str, Any] | pd.DataFrame | None = None,
        balance: str | None = None,
        *,
        given: Mapping[str, Any] | pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        """Return `n` rows; the same seed gives the same rows, whatever `n` beyond them.

        Args:
            n: number of rows, 0 or more.
            seed: of everything random.
            conditions: columns that are fixed, any of them: a mapping of a column's name to one
                entry for all rows or to n entries, or a DataFrame of n rows. The rows carry
                exactly these entries; the other columns follow their conditional distribution. A
                datetime may be fixed to a `pandas.Period` of a day or an hour, which leaves the
                time within it open.
            balance: a category all of whose levels seen at fit shall be equally likely.
            given: old name of `conditions`.

        Warns:
            GeneratorWarning: for a level that was too rare at fit to be learnt by itself.

        Raises:
            GeneratorError: for a column that is not there, a level or day unseen at fit, a
                missing entry where none was, a wrong number of entries.
        """
        n, seed, encoder = check_count(n), check_seed(seed), self._fitted()
        if given is not None:
            warn("the keyword 'given'", "'conditions'")
            conditions = given
        fixed = self._conditions(conditions, balance, n, seed)
        for text in fixed.pooled(encoder) if fixed is not None else ():
            warnings.warn(text, GeneratorWarning, stacklevel=2)
        return self._sample(n, seed, fixed)

    @final
    def _conditions(
        self, conditions: Any, balance: str | None, n: int, seed: int
    ) -> Conditions | None:
        """Return the conditions on n rows, checked."""
        encoder = self._fitted()
        asked = balanced(conditions, balance, n, seed, self.block, encoder)
        return Conditions.of(asked, n, encoder)

    @final
    def _sample(self, n: int, seed: int, fixed: Conditions | None) -> pd.DataFrame:
        """Return n rows under checked conditions."""
        encoder = self._fitted()
        if not n:
            return self._decoded_block(encoder, seed, 0, None).iloc[:0]
        parts: list[pd.DataFrame] = []
        for i in range(-(-n // self.block)):
            parts.append(self._decoded_block(encoder, seed, i, fixed))
            if i % GATHER == GATHER - 1:
                parts = [*parts[:-GATHER], _joined(parts[-GATHER:])]
        return _joined(parts).iloc[:n]

    @property
    def has_losses(self) -> bool:
        """Whether this generator has a loss of single rows."""
        return type(self)._row_losses is not Generator._row_losses

    @final
    def losses(self, table: pd.DataFrame, seed: int = 0) -> np.ndarray:
        """Return the losses of each row under the fitted model, float64[rows, k].

        Lower for rows that the model finds likely, in each of k respects (tokens, noise levels).
        Whoever holds the weights can ask for them, so that an audit must: see the white-box
        attack of a certificate. The same seed gives the same noise to all rows. A level unseen at
        fit counts as a missing entry, which the encoding takes for a rare or the commonest level.
        """
        encoder = self._fitted()
        rows = encoder.schema.conformed(table)
        data = encoder.encode(rows, np.random.default_rng([check_seed(seed), ENCODE]))
        return self._row_losses(data, seed)

    @final
    def save(self, folder: str | Path) -> None:
        """Write the fitted generator to `folder` as JSON and safetensors, whole or not at all."""
        encoder = self._fitted()
        meta = {"generator": self.name, "config": asdict(self.config), "encoder": encoder.meta()}
        arrays = {f"encoder.{k}": a for k, a in encoder.arrays().items()}
        arrays |= {f"model.{k}": a for k, a in self._arrays().items()}
        write_folder(folder, meta, arrays)

    @final
    @classmethod
    def load(cls, folder: str | Path, **changes: Any) -> Self:
        """Return the generator of this kind that `save` wrote to `folder`; see `restore`."""
        return cls.restore(*read_folder(folder), **changes)

    @final
    @classmethod
    def restore(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray], **changes: Any) -> Self:
        """Return the fitted generator that settings and arrays describe.

        `changes` are settings that shall differ from those of the fit, of sampling or of the
        machine, such as `device`, which is the CPU unless it is named here.
        """
        if meta.get("generator") != cls.name:
            raise GeneratorError(
                f"a folder of the generator {cls.name!r}",
                f"one of {meta.get('generator')!r}",
                "use generators.load(folder), which finds the right one",
            )
        try:
            kept = renamed_settings(meta["config"], warned=False)
            self = cls(**{**cls.Config.older, **kept, **cls.Config.here, **changes})
            encoder = Encoder.restore(meta["encoder"], _under("encoder.", arrays))
            self._restore(encoder, _under("model.", arrays))
        except (KeyError, ValueError, TypeError, IndexError, RuntimeError) as fault:
            raise GeneratorError(
                "settings and weights that fit together", f"{fault}", "fit and save it again"
            ) from fault
        self.encoder = encoder
        return self

    def _encoding(self) -> EncodingConfig:
        """Return how this generator wants its table encoded."""
        return EncodingConfig(
            min_count=self.config.min_count,
            atom_share=self.config.atom_share,
            max_knots=self.config.max_knots,
        )

    def _encoder(self, table: pd.DataFrame, seed: int) -> Encoder:
        """Return the encoding fitted to the table."""
        return Encoder.fit(table, self._encoding())

    def _learn(
        self,
        table: pd.DataFrame,
        encoder: Encoder,
        seed: int,
        progress: Progress | None,
        checkpoint: Path | None,
    ) -> None:
        """Learn the table; here by its encoded rows, which is all that most generators see."""
        data = encoder.encode(table, np.random.default_rng([seed, ENCODE]))
        self._fit(encoder, data, seed, progress, checkpoint)

    @abstractmethod
    def _fit(
        self,
        encoder: Encoder,
        data: Encoded,
        seed: int,
        progress: Progress | None,
        checkpoint: Path | None,
    ) -> None:
        """Learn the encoded table."""

    @abstractmethod
    def _draw(
        self, encoder: Encoder, n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return tokens int32[n, C] and numbers float32[n, D]."""

    def _row_losses(self, data: Encoded, seed: int) -> np.ndarray:
        """Return the losses of encoded rows, float64[n, k]; here for generators without a loss."""
        raise GeneratorError(
            "a generator that has a loss of single rows",
            repr(self.name),
            "attack what it samples instead",
        )

    def _draw_conditional(
        self, encoder: Encoder, conditions: EncodedConditions, n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return tokens int32[n, C] and numbers float32[n, D] under a condition.

        Here for generators that cannot sample under conditions: the nearest of a pool of rows
        drawn without the condition. It is exact where the pool holds rows that meet the condition
        in full, else as good as the nearest row.
        """
        pools = [self._draw(encoder, self.block, rng) for _ in range(POOL)]
        tokens, numbers = (np.concatenate(part) for part in zip(*pools, strict=True))
        chosen = nearest_rows(tokens, numbers, conditions, rng)
        return tokens[chosen], numbers[chosen]

    @abstractmethod
    def _arrays(self) -> dict[str, np.ndarray]:
        """Return all that was learnt."""

    @abstractmethod
    def _restore(self, encoder: Encoder, arrays: dict[str, np.ndarray]) -> None:
        """Take back what `_arrays` returned."""

    def _decoded_block(
        self, encoder: Encoder, seed: int, index: int, conditions: Conditions | None
    ) -> pd.DataFrame:
        rng = np.random.default_rng([seed, SAMPLE, index])
        decode = np.random.default_rng([seed, DECODE, index])
        if conditions is None:
            return encoder.decode(*self._draw(encoder, self.block, rng), decode)
        start, spread = index * self.block, np.random.default_rng([seed, CONDITION, index])
        encoded = conditions.block(encoder, start, self.block, spread)
        drawn = self._draw_conditional(encoder, encoded, self.block, rng)
        table = encoder.decode(*encoded.over(*drawn), decode)
        return conditions.write(table, start, encoder)

    def _fitted(self) -> Encoder:
        if self.encoder is None:
            raise GeneratorError(
                "a fitted generator", "one that was not fitted", "call .fit(table) first"
            )
        return self.encoder


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True) if len(tables) > 1 else tables[0]


def check_range(config: Any, field: str, low: float, high: float) -> None:
    """Refuse a setting that is no number between `low` and `high`; integers stay integers."""
    value = getattr(config, field)
    whole = isinstance(low, int)
    good = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not good or not low <= value <= high:
        kind = "an integer" if whole else "a number"
        raise GeneratorError(
            f"{field} as {kind} from {low} to {high}", f"{value!r}", f"set {field} within that"
        )


def check_choice(config: Any, field: str, choices: tuple[str, ...]) -> None:
    """Refuse a setting that is none of `choices`."""
    value = getattr(config, field)
    if value not in choices:
        raise GeneratorError(
            f"{field} as one of {', '.join(choices)}", f"{value!r}", nearest(str(value), choices)
        )


def _configured(name: str, kind: type[Config], config: dict[str, Any]) -> Config:
    known = [field.name for field in fields(kind)]
    config = renamed_settings(config)
    for key in config:
        if key not in known:
            raise GeneratorError(f"a setting of {name!r}", f"{key!r}", nearest(key, known))
    return kind(**config)


def _identifiers(schema: Schema, table: pd.DataFrame) -> list[str]:
    """Return the categories and integers that have another value in every row.

    Quantities such as bytes differ in every row too, but lie far apart; numbered things do not.
    """
    if len(table) < LEAST_IDENTIFIERS:
        return []
    found = [c for c in schema.columns if c.kind in ("category", "integer")]
    found = [c for c in found if table[c.name].is_unique]
    return [c.name for c in found if c.kind == "category" or _is_dense(table[c.name])]


def _is_dense(column: pd.Series) -> bool:
    """Return whether integers lie in a range of at most `DENSE` times their number."""
    return int(column.max()) - int(column.min()) < DENSE * len(column)


def _under(start: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {k[len(start) :]: a for k, a in arrays.items() if k.startswith(start)}
