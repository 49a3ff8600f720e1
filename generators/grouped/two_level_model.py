"""The fitted two-level model: a base generator of batches, models of their rows and times."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from generators.arrivals import Arrivals
from generators.arrivals.arrivals import HOUR_S
from generators.deprecated import renamed_array
from generators.encoding.schema import Schema
from generators.grouped.batches import Batches
from generators.grouped.block import Block
from generators.grouped.columns import UNITS, Columns
from generators.grouped.group_identity import GroupIdentity
from generators.grouped.marginals import Marginals, RowMarginals
from generators.grouped.rows import MEMBER, Rows, members_of, sizes_of
from generators.grouped.within_group_times import WithinGroupTimes

if TYPE_CHECKING:
    from generators.base import Generator, Progress

PERIODS = 2
"""Equal parts of the window that a batch's columns may depend on; a forecast keeps the last.

Shorter parts follow drifts more closely and pass their own noise on: with eight, the last fifteen
days of a reference workload had batches a third smaller by chance, and so had every forecast.
"""
BATCHES, ROWS = 1900, 65_536
"""At most so many batches, and about so many rows, are drawn at once."""
TRIED, MOST_TRIED = 16_384, 400_000
"""Most batches, and about the most rows, drawn to see how their numbers lie."""
MEMORY_H = 1.0
"""Hours back from which a group that recurs may go on."""
CUT = 0.1
"""Most of the window whose batches may be left out because its end has cut them."""


@dataclass(frozen=True)
class Times:
    """When batches begin and how they go on."""

    arrivals: Arrivals
    """Beginnings."""
    within: WithinGroupTimes
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
        """Return the calendar features of beginnings [n], as categories of seen levels."""
        codes = calendar(starts, self.arrivals)
        return pd.DataFrame({name: _near(codes[name], seen) for name, seen in self.seen.items()})


@dataclass(frozen=True)
class TwoLevelModel:
    """A fitted two-level model."""

    columns: Columns
    """Roles of the table's columns."""
    rows: Rows
    """What a batch's rows look like."""
    base: Generator
    """Generator of batches."""
    marginals: Marginals
    """From the numbers that it draws to those that were seen."""
    row_marginals: RowMarginals
    """From the numbers of drawn rows to those of rows that were seen."""
    identity: GroupIdentity | None
    """Which of the groups that recur begin batches; None where none does."""
    times: Times | None
    """None for a table without times."""
    first_group: int
    """Number of the first group that is drawn: after all that were seen."""
    recurring: int
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
        longest_h: float,
        min_count: int,
        holidays: tuple[str, ...],
        seed: int,
        rng: np.random.Generator,
        progress: Progress | None,
        checkpoint: Path | None,
    ) -> TwoLevelModel:
        """Learn a table; `base` is fitted to its batches."""
        ticks, groups = columns.ticks(table), columns.groups(table)
        pause, longest = (hours * HOUR_S * columns.unit for hours in (pause_h, longest_h))
        batches = Batches.of(groups, ticks, pause, min_count, len(table), longest)
        times, starts = None, None
        if ticks is not None:
            times, starts = _times(ticks, columns.unit, batches, holidays, rng)
            whole = starts <= times.arrivals.last_s - times.reach_s
            if 1.0 - whole.mean() <= CUT:
                batches, starts = batches.take(whole), starts[whole]
        rows, summary = Rows.fit(table[columns.rest], batches, rng)
        identity, fixed = None, []
        if rows.recurring:
            # The group predicts more than the time, and leaves too few batches for both.
            identity, fixed = _identity(batches, times, starts), [MEMBER]
        elif times is not None and starts is not None:
            summary = pd.concat([times.parts(starts), summary], axis=1)
            fixed = list(times.seen)
        base._fit_to(summary, seed, progress, checkpoint)
        tried = _tried(base, summary, fixed, rng)
        marginals = Marginals.fit(tried, summary)
        few = int(np.clip(MOST_TRIED / batches.sizes.mean(), 1, len(tried)))
        values = rows.schema.values(table[columns.rest])
        drawn, _ = rows.draw(marginals.moved(tried[:few], rng), rng)
        row_marginals = RowMarginals.fit(drawn, values, rows.numeric)
        first = 0 if groups is None else int(table[columns.group].max(skipna=True)) + 1
        recurring = int(batches.member.max(initial=-1)) + 1
        mean = float(batches.sizes.mean())
        return cls(
            columns, rows, base, marginals, row_marginals, identity, times, first, recurring, mean
        )

    @property
    def at_once(self) -> int:
        """Batches drawn at once."""
        return int(np.clip(ROWS / self.mean_size, 16, BATCHES))

    def bodies(
        self,
        starts: np.ndarray | None,
        n: int,
        number: int,
        key: list[int],
        in_order: bool = False,
    ) -> Block:
        """Return the rows of n new batches that begin at `starts` (s), batch by batch.

        Args:
            starts: float64[n], or None for a table without times.
            n: number of batches.
            number: of the first of them.
            key: seeds of their random numbers.
            in_order: whether these are all batches of a stretch of time, in order.
        """
        rng = np.random.default_rng(key)
        conditions = self._conditions(starts, n, rng)
        summary = _sampled(self.base, n, conditions, rng)
        summary = self.marginals.moved(summary, rng)
        if in_order and self.identity is not None:
            summary = summary.iloc[self.identity.origins(n, rng)].reset_index(drop=True)
        values, label = self.rows.draw(summary, rng)
        values = self.row_marginals.moved(values)
        named = self.recurring + number + np.arange(n)
        if self.rows.recurring:
            member = members_of(summary)
            named = np.where(member >= 0, member, named)
        ticks = np.zeros(len(label), np.int64)
        if starts is not None and self.times is not None:
            offset = self.times.within.draw(sizes_of(summary), rng)
            ticks = np.floor((starts[label] + offset) * self.columns.unit).astype(np.int64)
            ticks = ticks // self.times.grain * self.times.grain
        return Block(ticks, self.first_group + named[label], values)

    def _conditions(
        self, starts: np.ndarray | None, n: int, rng: np.random.Generator
    ) -> pd.DataFrame | None:
        """Return what is known of n batches before they are drawn: whose they are, or when."""
        if self.identity is not None:
            part = None if starts is None else daypart(starts)
            return pd.DataFrame({MEMBER: self.identity.draw(part, n, rng)})
        return None if starts is None or self.times is None else self.times.parts(starts)

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
            "numbers": [self.first_group, self.recurring, self.mean_size],
            "times": None if times is None else [times.reach_s, times.grain, times.per_hour],
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the part that goes to safetensors."""
        assert self.base.encoder is not None
        arrays = {f"rows.{k}": a for k, a in self.rows.arrays().items()}
        arrays |= {f"marginals.{k}": a for k, a in self.marginals.knots.items()}
        arrays |= {f"row_marginals.{k}": a for k, a in self.row_marginals.knots.items()}
        arrays |= {f"base.encoder.{k}": a for k, a in self.base.encoder.arrays().items()}
        arrays |= {f"base.model.{k}": a for k, a in self.base._arrays().items()}
        if self.identity is not None:
            arrays |= {f"group_identity.{k}": a for k, a in self.identity.arrays().items()}
        if self.times is not None:
            arrays |= {f"arrivals.{k}": a for k, a in self.times.arrivals.arrays().items()}
            arrays |= {f"within_group_times.{k}": a for k, a in self.times.within.arrays().items()}
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
    ) -> TwoLevelModel:
        """Return the model that `meta` and `arrays` described; `base` is the base, unfitted."""
        of = _Under({renamed_array(name): array for name, array in arrays.items()})
        fitted = type(base).restore(
            {"generator": base.name, "config": _settings(base), "encoder": meta["base"]},
            of("base."),
        )
        times = None
        if meta["times"] is not None:
            reach, grain, per_hour = meta["times"]
            arrivals = Arrivals.restore(of("arrivals."), holidays)
            within = WithinGroupTimes.restore(of("within_group_times."))
            times = Times(arrivals, within, reach, grain, of("seen."), per_hour)
        columns = Columns(schema, meta["group"], meta["time"])
        rows = Rows.restore(meta["rows"], of("rows."))
        marginals = Marginals(of("marginals."))
        row_marginals = RowMarginals(of("row_marginals."))
        identity = None
        if rows.recurring:
            identity = GroupIdentity.restore(of("group_identity."))
        return cls(
            columns, rows, fitted, marginals, row_marginals, identity, times, *meta["numbers"]
        )


@dataclass(frozen=True)
class _Under:
    arrays: dict[str, np.ndarray]

    def __call__(self, start: str) -> dict[str, np.ndarray]:
        return {k[len(start) :]: a for k, a in self.arrays.items() if k.startswith(start)}


def _settings(base: Generator) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(base.config)


def _identity(batches: Batches, times: Times | None, starts: np.ndarray | None) -> GroupIdentity:
    """Return the identities of recurring groups; with times, with a memory of an hour."""
    if times is None or starts is None:
        return GroupIdentity.fit(batches.member, None)
    order = np.argsort(starts, kind="stable")
    reach = max(round(times.per_hour * MEMORY_H), 1)
    return GroupIdentity.fit(batches.member[order], daypart(starts[order]), reach)


def _sampled(
    base: Generator, n: int, conditions: pd.DataFrame | None, rng: np.random.Generator
) -> pd.DataFrame:
    """Return batches of a fitted base; rare levels of the conditions are no news here."""
    seed = int(rng.integers(2**62))
    return base._sample(n, seed, base._conditions(conditions, None, n, seed))


def _tried(
    base: Generator, summary: pd.DataFrame, conditions: list[str], rng: np.random.Generator
) -> pd.DataFrame:
    """Return batches as a fitted base draws them, at the times of those that were seen."""
    n = int(np.clip(4 * len(summary), 1024, TRIED))
    parts = summary[conditions].iloc[rng.integers(len(summary), size=n)].reset_index(drop=True)
    return _sampled(base, n, parts if conditions else None, rng)


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
    within = WithinGroupTimes.fit(seconds, batches.first)
    seen = {name: np.unique(code) for name, code in calendar(starts, arrivals).items()}
    reach = float(np.quantile(ends - starts, 0.99))
    per_hour = len(starts) / max((arrivals.last_s - arrivals.first_s) / HOUR_S, 1e-6)
    return Times(arrivals, within, reach, _grain(ticks, unit), seen, per_hour), starts


def calendar(starts: np.ndarray, arrivals: Arrivals) -> dict[str, np.ndarray]:
    """Return the part of the day, the weekday and the part of the window of times, int64[n]."""
    hour = (starts // HOUR_S).astype(np.int64)
    along = (hour - arrivals.cycles.first) / arrivals.cycles.hours * PERIODS
    return {
        "daypart": daypart(starts),
        "weekday": (hour // 24 + 3) % 7,
        "period": np.clip(along, 0, PERIODS - 1).astype(np.int64),
    }


def daypart(starts: np.ndarray) -> np.ndarray:
    """Return the part of the day of times (s), three hours each, int64[n]."""
    return (starts // HOUR_S).astype(np.int64) % 24 // 3


def _near(codes: np.ndarray, seen: np.ndarray) -> pd.Categorical:
    """Return codes as a category of those seen; others count as the next lower one, or lowest."""
    at = np.clip(np.searchsorted(seen, codes, "right") - 1, 0, len(seen) - 1)
    return pd.Categorical.from_codes(at, categories=pd.Index(seen))


def _grain(ticks: np.ndarray, unit: int) -> int:
    """Return the largest unit of time, up to a second, that all times are multiples of."""
    grains = (unit // u for u in sorted(UNITS.values()) if u <= unit)
    return next(grain for grain in grains if not (ticks % grain).any())
