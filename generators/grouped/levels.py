"""The two levels, fitted: a base generator of batches, the law of their rows, their times.

Knows how to make the rows of new batches; never in which order they are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from generators.arrivals import Arrivals
from generators.arrivals.arrivals import HOUR_S
from generators.grouped.batches import Batches
from generators.grouped.block import Block
from generators.grouped.columns import UNITS, Columns
from generators.grouped.pattern import Pattern
from generators.grouped.rows import Rows, members_of, sizes_of
from generators.schema import Schema

if TYPE_CHECKING:
    from generators.base import Generator, Progress

PERIODS = 2
"""Equal parts of the window that a batch's columns may depend on; a forecast keeps the last.

Shorter parts follow drifts more closely and hand their own luck on: with eight, the last fifteen
days of a reference workload had batches a third smaller by chance, and so had every forecast.
"""
BATCHES, ROWS = 1900, 65_536
"""At most so many batches, and about so many rows, are drawn at once."""
CUT = 0.1
"""Most of the window whose batches may be left out because its end has cut them."""


@dataclass(frozen=True)
class Times:
    """When batches begin and how they go on."""

    arrivals: Arrivals
    """Beginnings."""
    pattern: Pattern
    """Rows after the first."""
    reach_s: float
    """Time within which 99 % of the batches end."""
    grain: int
    """Ticks that every time is a multiple of."""
    seen: dict[str, np.ndarray]
    """Parts of the calendar in which batches began, by name."""
    per_hour: float
    """Mean number of batches that begin in an hour."""

    def parts(self, starts: np.ndarray) -> pd.DataFrame:
        """Return what beginnings [n] tell of batches, as categories of levels that were seen."""
        codes = calendar(starts, self.arrivals)
        return pd.DataFrame({name: _near(codes[name], seen) for name, seen in self.seen.items()})


@dataclass(frozen=True)
class Levels:
    """A fitted two-level model."""

    columns: Columns
    """Roles of the table's columns."""
    rows: Rows
    """What a batch's rows look like."""
    base: Generator
    """Generator of batches."""
    times: Times | None
    """None for a table without times."""
    first_group: int
    """Number of the first group that is drawn: after all that were seen."""
    members: int
    """Groups that recur; these have the first numbers."""
    mean_size: float
    """Mean rows of a batch."""

    @classmethod
    def fit(
        cls,
        table: pd.DataFrame,
        columns: Columns,
        base: Generator,
        *,
        pause_h: float,
        min_count: int,
        holidays: tuple[str, ...],
        seed: int,
        rng: np.random.Generator,
        progress: Progress | None,
        checkpoint: Path | None,
    ) -> Levels:
        """Learn a table; `base` is fitted to its batches."""
        ticks, groups = columns.ticks(table), columns.groups(table)
        pause = pause_h * HOUR_S * columns.unit
        batches = Batches.of(groups, ticks, pause, min_count, len(table))
        times, starts = None, None
        if ticks is not None:
            times, starts = _times(ticks, columns.unit, batches, holidays, rng)
            whole = starts <= times.arrivals.last_s - times.reach_s
            if 1.0 - whole.mean() <= CUT:
                batches, starts = batches.take(whole), starts[whole]
        rows, summary = Rows.fit(table[columns.rest], batches, rng)
        if times is not None and starts is not None:
            summary = pd.concat([times.parts(starts), summary], axis=1)
        base.fit(summary, seed=seed, progress=progress, checkpoint=checkpoint)
        first = 0 if groups is None else int(table[columns.group].max(skipna=True)) + 1
        members = int(batches.member.max(initial=-1)) + 1
        return cls(columns, rows, base, times, first, members, float(batches.sizes.mean()))

    @property
    def at_once(self) -> int:
        """Batches drawn at once."""
        return int(np.clip(ROWS / self.mean_size, 16, BATCHES))

    def bodies(self, starts: np.ndarray | None, n: int, number: int, key: list[int]) -> Block:
        """Return the rows of n new batches that begin at `starts` (s), batch by batch.

        Args:
            starts: float64[n], or None for a table without times.
            n: number of batches.
            number: of the first of them.
            key: seeds of their random numbers.
        """
        rng = np.random.default_rng(key)
        given = None if starts is None or self.times is None else self.times.parts(starts)
        summary = self.base.sample(n, seed=int(rng.integers(2**62)), given=given)
        values, label = self.rows.draw(summary, rng)
        named = self.members + number + np.arange(n)
        if self.rows.recurring:
            member = members_of(summary)
            named = np.where(member >= 0, member, named)
        ticks = np.zeros(len(label), np.int64)
        if starts is not None and self.times is not None:
            offset = self.times.pattern.draw(sizes_of(summary), rng)
            ticks = np.floor((starts[label] + offset) * self.columns.unit).astype(np.int64)
            ticks = ticks // self.times.grain * self.times.grain
        return Block(ticks, self.first_group + named[label], values)

    def empty(self) -> Block:
        """Return no rows."""
        none = np.zeros(0, np.int64)
        kinds = [np.float64 if c.kind == "number" else np.int64 for c in self.rows.schema.columns]
        return Block(none, none, [(np.zeros(0, k), np.zeros(0, bool)) for k in kinds])

    def meta(self) -> dict[str, Any]:
        """Return the part that goes to JSON."""
        times = self.times
        assert self.base.encoder is not None
        return {
            "group": self.columns.group,
            "time": self.columns.time,
            "rows": self.rows.meta(),
            "base": self.base.encoder.meta(),
            "numbers": [self.first_group, self.members, self.mean_size],
            "times": None if times is None else [times.reach_s, times.grain, times.per_hour],
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the part that goes to safetensors."""
        assert self.base.encoder is not None
        arrays = {f"rows.{k}": a for k, a in self.rows.arrays().items()}
        arrays |= {f"base.encoder.{k}": a for k, a in self.base.encoder.arrays().items()}
        arrays |= {f"base.model.{k}": a for k, a in self.base._arrays().items()}
        if self.times is not None:
            arrays |= {f"arrivals.{k}": a for k, a in self.times.arrivals.arrays().items()}
            arrays |= {f"pattern.{k}": a for k, a in self.times.pattern.arrays().items()}
            arrays |= {f"seen.{k}": a for k, a in self.times.seen.items()}
        return arrays

    @classmethod
    def restore(
        cls,
        schema: Schema,
        base: Generator,
        holidays: tuple[str, ...],
        meta: dict[str, Any],
        arrays: dict[str, np.ndarray],
    ) -> Levels:
        """Return the model that `meta` and `arrays` described; `base` is the base, unfitted."""
        of = _Under(arrays)
        fitted = type(base).restore(
            {"generator": base.name, "config": _settings(base), "encoder": meta["base"]},
            of("base."),
        )
        times = None
        if meta["times"] is not None:
            reach, grain, per_hour = meta["times"]
            arrivals = Arrivals.restore(of("arrivals."), holidays)
            pattern = Pattern.restore(of("pattern."))
            times = Times(arrivals, pattern, reach, grain, of("seen."), per_hour)
        columns = Columns(schema, meta["group"], meta["time"])
        rows = Rows.restore(meta["rows"], of("rows."))
        return cls(columns, rows, fitted, times, *meta["numbers"])


@dataclass(frozen=True)
class _Under:
    arrays: dict[str, np.ndarray]

    def __call__(self, start: str) -> dict[str, np.ndarray]:
        return {k[len(start) :]: a for k, a in self.arrays.items() if k.startswith(start)}


def _settings(base: Generator) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(base.config)


def _times(
    ticks: np.ndarray,
    unit: int,
    batches: Batches,
    holidays: tuple[str, ...],
    rng: np.random.Generator,
) -> tuple[Times, np.ndarray]:
    """Return the times of batches and when each began, s."""
    seconds = ticks[batches.order] / unit
    starts, ends = seconds[batches.first[:-1]], seconds[batches.first[1:] - 1]
    arrivals = Arrivals.fit(starts, float(ends.max()), holidays, rng)
    pattern = Pattern.fit(seconds, batches.first)
    seen = {name: np.unique(code) for name, code in calendar(starts, arrivals).items()}
    reach = float(np.quantile(ends - starts, 0.99))
    per_hour = len(starts) / max((arrivals.last_s - arrivals.first_s) / HOUR_S, 1e-6)
    return Times(arrivals, pattern, reach, _grain(ticks, unit), seen, per_hour), starts


def calendar(starts: np.ndarray, arrivals: Arrivals) -> dict[str, np.ndarray]:
    """Return the part of the day, the weekday and the part of the window of times, int64[n]."""
    hour = (starts // HOUR_S).astype(np.int64)
    along = (hour - arrivals.cycles.first) / arrivals.cycles.hours * PERIODS
    return {
        "daypart": hour % 24 // 3,
        "weekday": (hour // 24 + 3) % 7,
        "period": np.clip(along, 0, PERIODS - 1).astype(np.int64),
    }


def _near(codes: np.ndarray, seen: np.ndarray) -> pd.Categorical:
    """Return codes as a category of those seen; others count as the next lower one, or lowest."""
    at = np.clip(np.searchsorted(seen, codes, "right") - 1, 0, len(seen) - 1)
    return pd.Categorical.from_codes(at, categories=pd.Index(seen))


def _grain(ticks: np.ndarray, unit: int) -> int:
    """Return the largest unit of time, up to a second, that all times are multiples of."""
    grains = (unit // u for u in sorted(UNITS.values()) if u <= unit)
    return next(grain for grain in grains if not (ticks % grain).any())
