"""Convert rows to a table of batches and back, column by column.

`fit` splits a table into what a batch has in common, one row of the table of batches each, and a
model of its rows. `draw` makes rows of drawn batches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from generators.encoding.schema import Schema
from generators.grouped.batches import Batches
from generators.grouped.categories import CategoryPart, whole
from generators.grouped.numbers import NumbersPart
from generators.grouped.scales import Scale

SIZE, MEMBER = "size", "member"
NARROW = 8
"""Levels up to which a category that varies within batches is a circumstance of the numbers."""
MOST_KINDS = 16
"""Circumstances distinguished by categories."""


@dataclass(frozen=True)
class Rows:
    """The model of the rows of a batch."""

    schema: Schema
    """The modelled columns: all but group and time."""
    categories: dict[int, CategoryPart]
    """By place in the schema."""
    numbers: NumbersPart
    """All numbers (and further times) together."""
    recurring: bool
    """Whether batches name the group that they belong to."""

    @property
    def numeric(self) -> list[int]:
        """Places in the schema of columns that are no categories."""
        return [i for i, c in enumerate(self.schema.columns) if c.kind != "category"]

    @classmethod
    def fit(
        cls, table: pd.DataFrame, batches: Batches, rng: np.random.Generator
    ) -> tuple[Rows, pd.DataFrame]:
        """Return the model and the table of batches (without their times)."""
        schema = Schema(tuple(Schema.of(table).columns)) if len(table.columns) else Schema(())
        data = [(v[batches.order], m[batches.order]) for v, m in schema.values(table)]
        label, first = batches.label, batches.first
        out: dict[str, Any] = {SIZE: pd.array(batches.sizes, dtype="Int64")}
        recurring = bool((batches.member >= 0).any())
        if recurring:
            out[MEMBER] = _levels(batches.member)
        categories, varying, tops = {}, {}, {}
        for place, column in enumerate(schema.columns):
            if column.kind == "category":
                size = len(column.levels) + 1
                values, missing = data[place]
                codes = np.where(missing, size - 1, values)
                part, own = CategoryPart.fit(f"{place}", codes, size, label, first)
                categories[place] = part
                out |= own
                if not part.shared:
                    varying[place] = (codes, size)
                    tops[place] = whole(pd.Series(own[f"{place}"]))
        places = [i for i, c in enumerate(schema.columns) if c.kind != "category"]
        numbers, own = NumbersPart.fit(
            [f"{place}" for place in places],
            [data[place] for place in places],
            varying,
            tops,
            _wide(varying),
            label,
            first,
            rng,
        )
        return cls(schema, categories, numbers, recurring), pd.DataFrame({**out, **own})

    def draw(
        self, table: pd.DataFrame, rng: np.random.Generator
    ) -> tuple[list[tuple[np.ndarray, np.ndarray]], np.ndarray]:
        """Return values and missing entries of each column, and the batch of each row, [n]."""
        sizes = sizes_of(table)
        label = np.repeat(np.arange(len(sizes)), sizes)
        codes = {
            place: part.draw(table, sizes, label, rng) for place, part in self.categories.items()
        }
        varying = (p for p, part in self.categories.items() if not part.shared)
        tops = {place: whole(table[f"{place}"]) for place in varying}
        numbers = iter(self.numbers.draw(table, codes, tops, sizes, label, rng))
        columns = []
        for place, column in enumerate(self.schema.columns):
            if column.kind != "category":
                columns.append(next(numbers))
            else:
                missing = codes[place] == len(column.levels)
                columns.append((np.where(missing, 0, codes[place]), missing))
        return columns, label

    def meta(self) -> dict[str, Any]:
        """Return the part that goes to JSON."""
        numbers = self.numbers
        return {
            "schema": self.schema.to_json(),
            "categories": {
                str(k): [p.name, p.shared, p.kinds, p.sticky] for k, p in self.categories.items()
            },
            "names": list(numbers.names),
            "scales": [[s.unit, s.low, s.high, s.whole, s.least] for s in numbers.scales],
            "classes": [list(pair) for pair in numbers.classes],
            "joint": [list(pair) for pair in numbers.joint],
            "effects": list(numbers.effects),
            "recurring": self.recurring,
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the part that goes to safetensors."""
        numbers = self.numbers
        arrays = {f"others.{k}": part.others for k, part in self.categories.items()}
        arrays |= {f"effect.{k}": effect for k, effect in numbers.effects.items()}
        return arrays | {
            "absent": numbers.absent,
            "slopes": numbers.slopes,
            "leans": numbers.leans,
            "middle": numbers.middle,
            "spreads": numbers.spreads,
            "pool": numbers.pool,
            "start": numbers.start,
        }

    @classmethod
    def restore(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Rows:
        """Return the model that `meta` and `arrays` described."""
        categories = {
            int(k): CategoryPart(name, shared, arrays[f"others.{k}"], kinds, sticky)
            for k, (name, shared, kinds, sticky) in meta["categories"].items()
        }
        numbers = NumbersPart(
            tuple(meta["names"]),
            tuple(Scale(*scale) for scale in meta["scales"]),
            arrays["absent"],
            arrays["slopes"],
            arrays["leans"],
            arrays["middle"],
            arrays["spreads"],
            {int(k): arrays[f"effect.{k}"] for k in meta["effects"]},
            arrays["pool"],
            arrays["start"],
            tuple((a, b) for a, b in meta["classes"]),
            tuple((a, b) for a, b in meta["joint"]),
        )
        return cls(Schema.from_json(meta["schema"]), categories, numbers, meta["recurring"])


def sizes_of(table: pd.DataFrame) -> np.ndarray:
    """Return the rows of each batch, int64[b], at least 1."""
    return np.maximum(table[SIZE].to_numpy(np.int64), 1)


def members_of(table: pd.DataFrame) -> np.ndarray:
    """Return the recurring group of each batch, int64[b], -1 for one of its own."""
    return whole(table[MEMBER])


def _levels(codes: np.ndarray) -> pd.Categorical:
    levels, at = np.unique(codes, return_inverse=True)
    return pd.Categorical.from_codes(at, categories=pd.Index(levels.astype(np.int64)))


def _wide(varying: dict[int, tuple[np.ndarray, int]]) -> list[int]:
    """Return the categories with too many levels to be circumstances."""
    wide, kinds = [], 1
    for place, (_, size) in sorted(varying.items(), key=lambda item: item[1][1]):
        if size > NARROW + 1 or kinds * size > MOST_KINDS:
            wide.append(place)
        else:
            kinds *= size
    return sorted(wide)
