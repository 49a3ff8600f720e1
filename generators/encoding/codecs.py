"""Codecs of single columns: values to tokens and perhaps one Gaussian number, and back.

Every codec offers `cards` (the number of values each of its tokens can take), `gaussian` (whether
it also gives a number), `encode(values, missing, rng) -> (tokens[n, len(cards)], number[n])` and
`decode(tokens, number, rng) -> (values, missing)`. `number` is standard normal in the table it
was fitted to, and 0 where the tokens already say all (an atom, a missing entry).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.special import ndtr, ndtri

from generators.encoding.quantiles import Quantiles

Pair = tuple[np.ndarray, np.ndarray]
EDGE = 1e-7
"""Least probability kept away from 0 and 1: the number stays within +-5.2."""


@dataclass(frozen=True)
class EncodingConfig:
    """How a table is encoded."""

    min_count: int = 10
    """Levels seen fewer times share one bucket, resampled from their frequencies within it."""
    atom_share: float = 0.005
    """A value of a numeric column with at least this share of the rows becomes a token."""
    max_atoms: int = 64
    """At most so many values of one numeric column become tokens."""
    max_knots: int = 20_000
    """Most knots kept of one column's quantile function (16 bytes each)."""
    calendar: bool = True
    """Whether datetimes become day and hour tokens instead of one number."""
    bins: int = 0
    """Equal-mass bins that replace a numeric column's number; 0 keeps the number."""


class Codec(Protocol):
    """One column's encoding."""

    @property
    def cards(self) -> tuple[int, ...]: ...
    @property
    def gaussian(self) -> bool: ...
    def encode(self, values: np.ndarray, missing: np.ndarray, rng: np.random.Generator) -> Pair: ...
    def decode(self, tokens: np.ndarray, number: np.ndarray, rng: np.random.Generator) -> Pair: ...
    def arrays(self) -> dict[str, np.ndarray]: ...


@dataclass(frozen=True)
class CategoryCodec:
    """Levels seen often, then one bucket of rare levels, then missing."""

    counts: np.ndarray
    """int64[levels], how often each level was seen."""
    absent: bool
    """Whether entries were missing."""
    min_count: int
    """Levels seen fewer times go to the bucket."""

    @classmethod
    def fit(
        cls, codes: np.ndarray, missing: np.ndarray, levels: int, config: EncodingConfig
    ) -> CategoryCodec:
        """Return the codec of level codes [n]."""
        counts = np.bincount(codes[~missing], minlength=levels).astype(np.int64)
        return cls(counts, bool(missing.any()), config.min_count)

    @property
    def _often(self) -> np.ndarray:
        return np.flatnonzero(self.counts >= max(self.min_count, 1))

    @property
    def rare(self) -> np.ndarray:
        """Codes of the levels that share the bucket, int64[k]."""
        return np.flatnonzero((self.counts > 0) & (self.counts < self.min_count))

    @property
    def cards(self) -> tuple[int, ...]:
        """One token."""
        return (len(self._often) + (len(self.rare) > 0) + self.absent,)

    @property
    def gaussian(self) -> bool:
        """A category has no number."""
        return False

    def encode(self, values: np.ndarray, missing: np.ndarray, rng: np.random.Generator) -> Pair:
        """Return tokens; a level unseen at fit counts as rare, or as the commonest."""
        often, rare = self._often, self.rare
        commonest = int(np.argmax(self.counts[often])) if len(often) else 0
        token = np.full(len(self.counts) + 1, len(often) if len(rare) else commonest)
        token[often] = np.arange(len(often))
        if self.absent:
            token[-1] = self.cards[0] - 1
        tokens = token[np.where(missing, len(self.counts), values)]
        return tokens[:, None].astype(np.int32), np.zeros(len(values), np.float32)

    def decode(self, tokens: np.ndarray, number: np.ndarray, rng: np.random.Generator) -> Pair:
        """Return level codes; the bucket is resampled from its levels' frequencies."""
        often, rare = self._often, self.rare
        token = tokens[:, 0]
        missing = self.absent & (token == self.cards[0] - 1)
        codes = np.zeros(len(token), np.int64)
        if len(rare):
            share = np.cumsum(self.counts[rare]) / self.counts[rare].sum()
            drawn = np.searchsorted(share, rng.random(len(token)), "right")
            codes = rare[np.minimum(drawn, len(rare) - 1)]
        known = token < len(often)
        codes[known] = often[token[known]]
        return codes, missing

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs."""
        return {
            "counts": self.counts,
            "settings": np.array([self.absent, self.min_count], np.int64),
        }

    @classmethod
    def restore(cls, arrays: dict[str, Any]) -> CategoryCodec:
        """Return the codec that `arrays` described."""
        absent, min_count = arrays["settings"]
        return cls(arrays["counts"], bool(absent), int(min_count))


@dataclass(frozen=True)
class NumberCodec:
    """A token for bin (or "somewhere on the line"), atom or missing, and a Gaussian number.

    Atoms are values that many rows share, such as 0; as tokens they are modelled jointly with
    the categories, so that a rule between two columns' atoms can be learnt exactly.
    """

    atoms: np.ndarray
    """int64[a] or float64[a], sorted."""
    line: Quantiles | None
    """Distribution of all other values, None if there are none."""
    absent: bool
    """Whether entries were missing."""
    bins: int
    """Bins of equal mass that replace the number; 0 keeps it."""

    @classmethod
    def fit(cls, values: np.ndarray, missing: np.ndarray, config: EncodingConfig) -> NumberCodec:
        """Return the codec of values [n]."""
        seen = values[~missing]
        value, count = np.unique(seen, return_counts=True)
        least = max(config.min_count, config.atom_share * len(seen), 2)
        heavy = np.flatnonzero(count >= least)
        heavy = heavy[np.argsort(-count[heavy], kind="stable")[: config.max_atoms]]
        if len(value) == 1:
            heavy = np.array([0])
        atoms = np.sort(value[heavy])
        rest = seen[~np.isin(seen, atoms)]
        line = Quantiles.fit(rest, config.max_knots) if len(rest) else None
        return cls(atoms, line, bool(missing.any()), config.bins)

    @property
    def _on_line(self) -> int:
        return 0 if self.line is None else max(self.bins, 1)

    @property
    def cards(self) -> tuple[int, ...]:
        """One token."""
        return (self._on_line + len(self.atoms) + self.absent,)

    @property
    def gaussian(self) -> bool:
        """Whether a number is needed beside the token."""
        return self.line is not None and self.bins == 0

    def encode(self, values: np.ndarray, missing: np.ndarray, rng: np.random.Generator) -> Pair:
        """Return tokens and numbers; unseen values go to their place on the line."""
        number = np.zeros(len(values), np.float32)
        if len(self.atoms):
            where = np.minimum(np.searchsorted(self.atoms, values), len(self.atoms) - 1)
            is_atom = (self.atoms[where] == values) | (self.line is None)
        else:
            where, is_atom = np.zeros(len(values), np.int64), np.zeros(len(values), bool)
        token = np.where(is_atom, self._on_line + where, 0)
        if self.line is not None:
            u = np.clip(self.line.cdf(values, rng), EDGE, 1 - EDGE)
            if self.bins:
                token = np.where(is_atom, token, np.minimum((u * self.bins), self.bins - 1))
            else:
                number = np.where(is_atom | missing, 0, ndtri(u)).astype(np.float32)
        if self.absent:
            token = np.where(missing, self.cards[0] - 1, token)
        return token[:, None].astype(np.int32), number

    def decode(self, tokens: np.ndarray, number: np.ndarray, rng: np.random.Generator) -> Pair:
        """Return values: atoms exactly, others by the quantile function."""
        token = tokens[:, 0]
        dtype = self.atoms.dtype if self.line is None else self.line.v.dtype
        values = np.zeros(len(token), dtype)
        if self.line is not None:
            if self.bins:
                u = (np.minimum(token, self.bins - 1) + rng.random(len(token))) / self.bins
            else:
                u = ndtr(number.astype(np.float64))
            values = self.line.inverse(u)
        is_atom = (token >= self._on_line) & (token < self._on_line + len(self.atoms))
        values[is_atom] = self.atoms[token[is_atom] - self._on_line]
        return values, self.absent & (token == self.cards[0] - 1)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs."""
        line = {} if self.line is None else {f"line.{k}": a for k, a in self.line.arrays().items()}
        settings = np.array([self.absent, self.bins], np.int64)
        return {"atoms": self.atoms, "settings": settings, **line}

    @classmethod
    def restore(cls, arrays: dict[str, Any]) -> NumberCodec:
        """Return the codec that `arrays` described."""
        absent, bins = arrays["settings"]
        line = {k[5:]: a for k, a in arrays.items() if k.startswith("line.")}
        return cls(
            arrays["atoms"], Quantiles.restore(line) if line else None, bool(absent), int(bins)
        )


@dataclass(frozen=True)
class CalendarCodec:
    """Tokens for day (or week and weekday) and hour; the second is drawn from the data's own.

    Daily, weekly and holiday cycles and slow drifts become links between tokens. Within an hour
    the time follows the marginal distribution of that hour, independent of the other columns.
    """

    line: Quantiles
    """Distribution of all times, in ticks of the column's unit."""
    days: np.ndarray
    """int64[d], first day of each slot that was seen, counted from 1970-01-01."""
    hour: int
    """Ticks in an hour."""
    slot: int
    """Days in a slot: 1, or 7 with a weekday token."""
    absent: bool
    """Whether entries were missing."""

    @classmethod
    def fit(
        cls, values: np.ndarray, missing: np.ndarray, hour: int, config: EncodingConfig
    ) -> CalendarCodec | None:
        """Return the codec of times [n], None where a calendar is of no use.

        Of use it is from two days to 40 years, in a unit of an hour or less, with more
        different times than could all be atoms.
        """
        seen = values[~missing]
        if not config.calendar or hour < 1 or len(np.unique(seen)) <= config.max_atoms:
            return None
        span = (int(seen.max()) - int(seen.min())) / (24 * hour)
        if not 2 <= span <= 40 * 366:
            return None
        slot = 1 if span <= 366 else 7
        days = np.unique(seen // (24 * hour) // slot) * slot
        line = Quantiles.fit(seen, config.max_knots)
        return cls(line, days, hour, slot, bool(missing.any()))

    @property
    def cards(self) -> tuple[int, ...]:
        """Slot (and missing), weekday where a slot is a week, hour."""
        return (len(self.days) + self.absent, *((7,) if self.slot == 7 else ()), 24)

    @property
    def gaussian(self) -> bool:
        """The tokens say all."""
        return False

    def encode(self, values: np.ndarray, missing: np.ndarray, rng: np.random.Generator) -> Pair:
        """Return tokens; a day outside those seen counts as the nearest before it."""
        day = values // (24 * self.hour)
        slot = np.clip(np.searchsorted(self.days, day, "right") - 1, 0, len(self.days) - 1)
        hour = values // self.hour % 24
        slot = np.where(missing, len(self.days) if self.absent else 0, slot)
        parts = [slot, *([day % 7] if self.slot == 7 else []), hour]
        tokens = np.stack([np.where(missing, 0, p) if i else p for i, p in enumerate(parts)], 1)
        return tokens.astype(np.int32), np.zeros(len(values), np.float32)

    def decode(self, tokens: np.ndarray, number: np.ndarray, rng: np.random.Generator) -> Pair:
        """Return times; the second follows the hour's own distribution, or is uniform."""
        missing = self.absent & (tokens[:, 0] == len(self.days))
        day = self.days[np.minimum(tokens[:, 0], len(self.days) - 1)]
        if self.slot == 7:
            day = day + tokens[:, 1]
        start = (day * 24 + tokens[:, -1]) * self.hour
        low, high = self.line.below(start), self.line.below(start + self.hour)
        draw = rng.random(len(start))
        drawn = self.line.inverse(low + (high - low) * draw)
        drawn = np.clip(drawn, start, start + self.hour - 1)
        flat = start + np.floor(draw * self.hour).astype(np.int64)
        values = np.where(high > low, drawn, flat)
        return np.clip(values, self.line.v[0], self.line.v[-1]), missing

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs."""
        line = {f"line.{k}": a for k, a in self.line.arrays().items()}
        settings = np.array([self.hour, self.slot, self.absent], np.int64)
        return {"days": self.days, "settings": settings, **line}

    @classmethod
    def restore(cls, arrays: dict[str, Any]) -> CalendarCodec:
        """Return the codec that `arrays` described."""
        hour, slot, absent = arrays["settings"]
        line = Quantiles.restore({k[5:]: a for k, a in arrays.items() if k.startswith("line.")})
        return cls(line, arrays["days"], int(hour), int(slot), bool(absent))
