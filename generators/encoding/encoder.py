"""Encode a table as tokens and Gaussian numbers, and decode it.

One encoding serves every generator. Each column gives one or more integer tokens, and a numeric
column may also give a number that is standard normal over the table:

| column | tokens | number |
|---|---|---|
| category | level; one bucket for levels seen fewer than `min_count` times; missing | none |
| integer, float | on the line (or its bin); atom; missing | of values on the line |
| datetime | day, or week and weekday; hour; missing | none |

Ties, atoms, integers, decimal places, least and greatest values return exactly; values that occur
once are interpolated, not copied. Tokens that can take one value only are left out and put back.
The table as one-hot columns is never made: memory is 4 bytes a token and a number per row, plus
at most 16 x `max_knots` bytes a column.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from generators.encoding.codecs import (
    CalendarCodec,
    CategoryCodec,
    Codec,
    EncodingConfig,
    NumberCodec,
)
from generators.encoding.schema import Column, Schema

__all__ = ["Encoded", "Encoder", "EncodingConfig"]

CODECS: dict[str, Any] = {
    "category": CategoryCodec,
    "number": NumberCodec,
    "calendar": CalendarCodec,
}


@dataclass(frozen=True)
class Encoded:
    """A table taken apart."""

    tokens: np.ndarray
    """int32[n, C], each below its entry of `Encoder.cards`."""
    numbers: np.ndarray
    """float32[n, D], standard normal where `present`, 0 elsewhere."""
    present: np.ndarray
    """bool[n, D], whether the tokens leave the number open."""

    def __len__(self) -> int:
        return len(self.tokens)

    def rows(self, index: np.ndarray) -> Encoded:
        """Return some of the rows."""
        return Encoded(self.tokens[index], self.numbers[index], self.present[index])


@dataclass(frozen=True)
class Encoder:
    """The encoding of one schema, fitted to one table."""

    schema: Schema
    """The columns."""
    codecs: tuple[Codec, ...]
    """One a column."""

    @classmethod
    def fit(cls, table: pd.DataFrame, config: EncodingConfig) -> Encoder:
        """Return the encoder of `table`; refuse tables and dtypes that it cannot hold."""
        schema = Schema.of(table)
        pairs = zip(schema.columns, schema.values(table), strict=True)
        return cls(schema, tuple(_codec(column, *data, config) for column, data in pairs))

    @cached_property
    def _all_cards(self) -> tuple[int, ...]:
        return tuple(card for codec in self.codecs for card in codec.cards)

    @cached_property
    def _free(self) -> np.ndarray:
        return np.flatnonzero(np.array(self._all_cards) > 1)

    @cached_property
    def _first(self) -> np.ndarray:
        return np.cumsum([0, *(len(codec.cards) for codec in self.codecs)])

    @cached_property
    def cards(self) -> tuple[int, ...]:
        """Number of values of each token that can take more than one, [C]."""
        return tuple(self._all_cards[i] for i in self._free)

    @cached_property
    def token_columns(self) -> tuple[int, ...]:
        """Index of the table's column that each token belongs to, [C]."""
        owner = np.searchsorted(self._first, self._free, "right") - 1
        return tuple(int(i) for i in owner)

    @cached_property
    def siblings(self) -> tuple[tuple[int, ...], ...]:
        """Groups of tokens that are parts of one column, such as day and hour."""
        owners = self.token_columns
        groups = [tuple(i for i, o in enumerate(owners) if o == owner) for owner in set(owners)]
        return tuple(sorted(group for group in groups if len(group) > 1))

    @cached_property
    def gates(self) -> tuple[int, ...]:
        """For each number the token that must be 0 for it to be present, -1 for always, [D]."""
        free = {int(place): i for i, place in enumerate(self._free)}
        gaussian = [i for i, codec in enumerate(self.codecs) if codec.gaussian]
        return tuple(free.get(int(self._first[i]), -1) for i in gaussian)

    def present(self, tokens: np.ndarray) -> np.ndarray:
        """Return whether each number is left open by the tokens [n, C], bool[n, D]."""
        gates = [tokens[:, g] == 0 if g >= 0 else np.ones(len(tokens), bool) for g in self.gates]
        return np.stack(gates, axis=1) if gates else np.zeros((len(tokens), 0), bool)

    def encode(self, table: pd.DataFrame, rng: np.random.Generator) -> Encoded:
        """Return the table taken apart; ties are spread by `rng`."""
        parts = [
            codec.encode(*data, rng)
            for codec, data in zip(self.codecs, self.schema.values(table), strict=True)
        ]
        tokens = np.concatenate([part[0] for part in parts], axis=1)[:, self._free]
        some = [p[1] for p, codec in zip(parts, self.codecs, strict=True) if codec.gaussian]
        numbers = np.stack(some, axis=1) if some else np.zeros((len(table), 0), np.float32)
        return Encoded(np.ascontiguousarray(tokens), numbers, self.present(tokens))

    def decode(
        self, tokens: np.ndarray, numbers: np.ndarray, rng: np.random.Generator
    ) -> pd.DataFrame:
        """Return the table of tokens [n, C] and numbers [n, D]."""
        every = np.zeros((len(tokens), len(self._all_cards)), np.int32)
        every[:, self._free] = tokens
        columns, taken = [], 0
        none = np.zeros(len(tokens), np.float32)
        for codec, first in zip(self.codecs, self._first, strict=False):
            number = numbers[:, taken] if codec.gaussian else none
            taken += codec.gaussian
            columns.append(codec.decode(every[:, first : first + len(codec.cards)], number, rng))
        return self.schema.table(columns)

    def meta(self) -> dict[str, Any]:
        """Return the part of the encoder that goes to JSON."""
        kinds = {codec: kind for kind, codec in CODECS.items()}
        return {
            "schema": self.schema.to_json(),
            "codecs": [kinds[type(codec)] for codec in self.codecs],
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the part of the encoder that goes to safetensors."""
        return {
            f"column{i}.{key}": array
            for i, codec in enumerate(self.codecs)
            for key, array in codec.arrays().items()
        }

    @classmethod
    def restore(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Encoder:
        """Return the encoder that `meta` and `arrays` described."""
        codecs = []
        for i, kind in enumerate(meta["codecs"]):
            start = f"column{i}."
            own = {k[len(start) :]: a for k, a in arrays.items() if k.startswith(start)}
            codecs.append(CODECS[kind].restore(own))
        return cls(Schema.from_json(meta["schema"]), tuple(codecs))


def _codec(
    column: Column, values: np.ndarray, missing: np.ndarray, config: EncodingConfig
) -> Codec:
    if column.kind == "category":
        return CategoryCodec.fit(values, missing, len(column.levels), config)
    if column.kind == "datetime" and not missing.all():
        calendar = CalendarCodec.fit(values, missing, column.ticks_per_hour, config)
        if calendar is not None:
            return calendar
    return NumberCodec.fit(values, missing, config)
