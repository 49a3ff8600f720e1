"""SMOTE for mixed tables: rows interpolated between a training row and a neighbour.

**Privacy is poor by construction.** The fitted generator *contains* the training table, and each
synthetic row lies between a training row and one of its nearest neighbours, with categories that
training rows have. Use it as a yardstick of fidelity; publish neither it nor its rows where the
table must stay private.

Chawla et al. 2002 (arXiv 1106.1813), section 6.1 for mixed columns (SMOTE-NC).

NOTE[DIFF] Distances are taken between ranks, not between values scaled by their range: one heavy
tail would otherwise decide every neighbourhood.
NOTE[DIFF] SMOTE-NC charges each differing category the median standard deviation of the numbers.
Here neighbours are sought among rows equal in as many tokens as leave enough rows, dropping
tokens from the one with the most values on; that is the same order of preference where a
difference costs more than any rank distance, and a kd-tree a group replaces the search over all
pairs, O(n log n) for O(n^2).
NOTE[DIFF] Every training row is a seed with the same weight; there is no minority class.

`variant` chooses an oversampler of imbalanced-learn instead, for tables of up to `MOST_ROWS` rows:
`smotenc` is the paper's SMOTE-NC for tables with numbers and categories; `borderline` (Han et al.
2005) and `adasyn` (He et al. 2008) draw rows near the borders between the levels of the category
`target` and hold numbers only beside it. All work on ranks.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import ndtr, ndtri

from generators.base import FIT, Config, Generator, Progress, check_choice, check_range
from generators.conditions import EncodedConditions, nearest_rows
from generators.encoding.codecs import EDGE
from generators.encoding.encoder import Encoded, Encoder, EncodingConfig
from generators.errors import GeneratorError, nearest

VARIANTS = ("fast", "smotenc", "borderline", "adasyn")
"""Our own method, and the oversamplers of imbalanced-learn."""
MOST_ROWS = 20_000
"""Rows of a table up to which a variant of the library, which compares all pairs, is used."""
LIBRARY_BLOCK = 2048
"""Rows that a variant of the library draws from one seed."""
TRIES = 20
"""Most calls of ADASYN, which draws only about as many rows as are asked for."""


@dataclass(frozen=True)
class SmoteConfig(Config):
    """Settings of SMOTE."""

    neighbours: int = 5
    """How many nearest neighbours a synthetic row may lie towards."""
    largest_group: int = 20_000
    """Bigger groups of equal tokens are cut into parts of this size, in order of their ranks."""
    variant: str = "fast"
    """fast (ours), or smotenc, borderline or adasyn of imbalanced-learn."""
    target: str | None = None
    """Category whose levels are the classes of borderline and adasyn."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "neighbours", 1, 1000)
        check_range(self, "largest_group", 2, 10**9)
        check_choice(self, "variant", VARIANTS)
        if self.bordering and self.target is None:
            do = "name the category that holds the classes"
            raise GeneratorError(f"a target for variant={self.variant!r}", "None", do)

    @property
    def bordering(self) -> bool:
        """Whether the variant draws rows near the borders between classes."""
        return self.variant in ("borderline", "adasyn")


class Smote(Generator):
    """Interpolation between a training row and one of its nearest neighbours."""

    name: ClassVar[str] = "smote"
    Config: ClassVar[type[Config]] = SmoteConfig
    block: int = 65_536

    def _encoding(self) -> EncodingConfig:
        return EncodingConfig(
            min_count=1,
            atom_share=self.config.atom_share,
            max_knots=self.config.max_knots,
            max_atoms=0 if self.config.bordering else EncodingConfig.max_atoms,
            calendar=False,
        )

    def _fit(
        self,
        encoder: Encoder,
        data: Encoded,
        seed: int,
        progress: Progress | None,
        checkpoint: Path | None,
    ) -> None:
        rng = np.random.default_rng([seed, FIT])
        self._ranks = ndtr(data.numbers).astype(np.float32)
        self._present = data.present
        if self.config.variant != "fast":
            self._keep_for_library(encoder, data, progress)
            return
        near = neighbours(
            data.tokens, self._ranks * data.present, encoder.cards, self.config, rng, progress
        )
        self._near = near
        self._tokens = vote(data.tokens, near)
        self._kept = data.tokens

    def _draw(
        self, encoder: Encoder, n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        if self.config.variant != "fast":
            return self._draw_by_library(encoder, n, rng)
        base = rng.integers(len(self._near), size=n)
        other = self._near[base, rng.integers(self._near.shape[1], size=n)]
        return self._tokens[base], self._between(base, other, rng)

    def _between(self, base: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return numbers somewhere between those of two rows each, float32[n, D]."""
        share = rng.random((len(base), 1), dtype=np.float32)
        start, end = self._ranks[base], self._ranks[other]
        end = np.where(self._present[other], end, start)
        start = np.where(self._present[base], start, end)
        ranks = start + share * (end - start)
        return ndtri(np.clip(ranks, EDGE, 1 - EDGE)).astype(np.float32)

    def _draw_conditional(
        self, encoder: Encoder, conditions: EncodedConditions, n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw between rows that meet the condition; between the nearest rows if none do."""
        if self.config.variant != "fast":
            return super()._draw_conditional(encoder, conditions, n, rng)
        base = nearest_rows(
            self._kept, ndtri(np.clip(self._ranks, EDGE, 1 - EDGE)), conditions, rng
        )
        near, fixed = self._near[base], conditions.token_mask
        alike = (self._kept[near][:, :, fixed] == self._kept[base][:, None, fixed]).all(axis=2)
        lot = np.where(alike, rng.random(alike.shape), -1.0)
        other = near[np.arange(n), lot.argmax(axis=1)]
        other = np.where(alike.any(axis=1), other, base)
        voted = (self._tokens[base][:, fixed] == self._kept[base][:, fixed]).all(axis=1)
        tokens = np.where(voted[:, None], self._tokens[base], self._kept[base])
        return tokens, self._between(base, other, rng)

    def _keep_for_library(self, encoder: Encoder, data: Encoded, progress: Progress | None) -> None:
        """Check that the library can hold the table, and keep it."""
        _check_library(encoder, data, self.config)
        self._tokens = self._kept = data.tokens
        self._near, self.block = np.zeros((len(data), 0), np.int32), LIBRARY_BLOCK
        if progress is not None:
            progress(1, 1, "keeping the rows")

    def _draw_by_library(
        self, encoder: Encoder, n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        draw = _smotenc if self.config.variant == "smotenc" else _bordering
        ranks, tokens = draw(self._ranks * self._present, self._kept, self.config, n, rng)
        numbers = ndtri(np.clip(ranks, EDGE, 1 - EDGE)).astype(np.float32)
        return tokens, numbers * encoder.present(tokens)

    def _arrays(self) -> dict[str, np.ndarray]:
        return {
            "tokens": self._tokens,
            "kept": self._kept,
            "ranks": self._ranks,
            "near": self._near,
            "present": self._present.astype(np.uint8),
        }

    def _restore(self, encoder: Encoder, arrays: dict[str, Any]) -> None:
        self._tokens, self._ranks = arrays["tokens"], arrays["ranks"]
        self._kept = arrays.get("kept", self._tokens)
        self._near, self._present = arrays["near"], arrays["present"].astype(bool)
        if self.config.variant != "fast":
            self.block = LIBRARY_BLOCK


def _check_library(encoder: Encoder, data: Encoded, config: SmoteConfig) -> None:
    """Refuse tables that the chosen variant of the library cannot hold."""
    word, fast = f"for variant={config.variant!r}", 'use variant="fast"'
    if not config.neighbours < len(data) <= MOST_ROWS:
        needed = f"{config.neighbours + 1} to {MOST_ROWS:,} rows {word}"
        raise GeneratorError(needed, f"{len(data):,}", fast)
    tokens, numbers = len(encoder.cards), len(encoder.gates)
    if config.variant == "smotenc" and not (tokens and numbers):
        came = "only categories" if tokens else "only numbers"
        raise GeneratorError(f"numbers and categories that vary {word}", came, fast)
    if config.bordering:
        _check_bordering(encoder, data, config, word)


def _check_bordering(encoder: Encoder, data: Encoded, config: SmoteConfig, word: str) -> None:
    """Refuse all but numbers without missing entries beside a category of frequent levels."""
    columns = encoder.schema.columns
    classes = [column.name for column in columns if column.kind == "category"]
    if config.target not in classes:
        known = nearest(str(config.target), classes) if classes else "name a category"
        raise GeneratorError(f"a category as target {word}", f"{config.target!r}", known)
    varying = {columns[i].name for i in encoder.token_columns}
    if varying != {config.target} or not encoder.gates:
        came = f"columns with categories or missing entries: {sorted(varying)}"
        do = 'drop or fill them, or use variant="fast"'
        raise GeneratorError(f"numbers without missing entries beside the target {word}", came, do)
    least = int(np.bincount(data.tokens[:, 0]).min())
    if least <= config.neighbours:
        do = "merge rare levels or lower neighbours"
        needed = f"more than {config.neighbours} rows of each level of the target {word}"
        raise GeneratorError(needed, f"{least} of one level", do)


def _smotenc(
    ranks: np.ndarray, tokens: np.ndarray, config: SmoteConfig, n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return ranks and tokens of n rows by SMOTE-NC, the whole table being the minority."""
    from imblearn.over_sampling import SMOTENC

    d = ranks.shape[1]
    rows = np.column_stack([ranks, tokens]).astype(np.float64)
    label = np.r_[np.ones(len(rows), np.int64), 0]  # one row of another class: two are needed
    sampler = SMOTENC(
        list(range(d, rows.shape[1])),
        sampling_strategy={1: len(rows) + n},
        k_neighbors=config.neighbours,
        random_state=int(rng.integers(2**31)),
    )
    made, _ = sampler.fit_resample(np.vstack([rows, rows[:1]]), label)
    new = made[len(rows) + 1 :]
    return new[:, :d], np.ascontiguousarray(new[:, d:], np.int32)


def _bordering(
    ranks: np.ndarray, tokens: np.ndarray, config: SmoteConfig, n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return ranks and tokens of n rows, each class in its share of the table."""
    label = tokens[:, 0]
    share = np.bincount(label) / len(label)
    counts = rng.multinomial(n, share)
    parts = [
        _of_class(ranks, label, k, int(count), config, rng)
        for k, count in enumerate(counts)
        if count
    ]
    drawn = np.repeat(np.flatnonzero(counts), counts[counts > 0])
    order = rng.permutation(n)
    return np.concatenate(parts)[order], drawn[order, None].astype(np.int32)


def _of_class(
    ranks: np.ndarray,
    label: np.ndarray,
    k: int,
    count: int,
    config: SmoteConfig,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the ranks of rows of class k that the library draws near its borders."""
    from imblearn.over_sampling import ADASYN, BorderlineSMOTE

    own, found = int((label == k).sum()), np.zeros((0, ranks.shape[1]))
    for _ in range(TRIES):
        strategy = {k: own + max(count - len(found), 2 * own)}  # few would round to none
        how = {"sampling_strategy": strategy, "random_state": int(rng.integers(2**31))}
        sampler = (
            ADASYN(n_neighbors=config.neighbours, **how)
            if config.variant == "adasyn"
            else BorderlineSMOTE(k_neighbors=config.neighbours, **how)
        )
        try:
            made, _ = sampler.fit_resample(ranks, label)
        except (ValueError, RuntimeError) as fault:
            raise GeneratorError(
                f"a class of the target that borders on others, for variant={config.variant!r}",
                f"class {k}: {fault}",
                'use variant="fast" or "smotenc"',
            ) from fault
        new = made[len(ranks) :]
        found = np.concatenate([found, new[rng.permutation(len(new))]])
        if len(found) >= count:
            return found[:count]
        if not len(new):
            break
    needed = f"a class of the target that borders on others, for variant={config.variant!r}"
    raise GeneratorError(needed, f"class {k}, of which no row does", 'use variant="fast"')


def neighbours(
    tokens: np.ndarray,
    ranks: np.ndarray,
    cards: tuple[int, ...],
    config: SmoteConfig,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> np.ndarray:
    """Return the indices of each row's nearest rows, int32[n, k]; k is less in tiny tables.

    Rows find neighbours among those equal in all tokens if more than k are; else the token with
    the most values is dropped, and so on until none is left.
    """
    n, k = len(tokens), min(config.neighbours, max(len(tokens) - 1, 1))
    near = np.zeros((n, k), np.int32)
    order = np.argsort(cards, kind="stable")
    left = np.arange(n)
    for used in range(len(order), -1, -1):
        group = _groups(tokens[:, order[:used]])
        wanted = np.zeros(n, bool)
        wanted[left] = True
        size = np.bincount(group)
        ready = left[size[group[left]] > k] if used else left
        for members in _members(group, np.unique(group[ready]), size):
            _search(near, ranks, members, wanted, k, config.largest_group, rng)
        left = left[size[group[left]] <= k] if used else left[:0]
        if progress is not None:
            progress(n - len(left), n, "seeking neighbours")
        if not len(left):
            break
    return near


def vote(tokens: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Return for each row the commonest token among itself and its neighbours, int32[n, C].

    Ties go to the row's own token if it is among the commonest, else to the nearest's.
    """
    ballots = np.concatenate([tokens[:, None], tokens[near]], axis=1)
    best = np.zeros(tokens.shape, np.int32)
    winner = tokens.copy()
    for candidate in range(ballots.shape[1]):
        count = (ballots == ballots[:, candidate : candidate + 1]).sum(axis=1, dtype=np.int32)
        better = count > best
        winner = np.where(better, ballots[:, candidate], winner)
        best = np.maximum(best, count)
    return np.ascontiguousarray(winner, np.int32)


def _groups(tokens: np.ndarray) -> np.ndarray:
    """Return the number of the group of equal rows that each row is in, [n]."""
    group = np.zeros(len(tokens), np.int64)
    for column in tokens.T:
        _, group = np.unique(group * (int(column.max()) + 1) + column, return_inverse=True)
    return group


def _members(group: np.ndarray, wanted: np.ndarray, size: np.ndarray) -> list[np.ndarray]:
    order = np.argsort(group, kind="stable")
    end = np.cumsum(size)
    return [order[end[g] - size[g] : end[g]] for g in wanted]


def _search(
    near: np.ndarray,
    ranks: np.ndarray,
    members: np.ndarray,
    wanted: np.ndarray,
    k: int,
    largest: int,
    rng: np.random.Generator,
) -> None:
    """Fill `near` for the wanted members of one group, part by part."""
    parts = -(-len(members) // largest)
    if parts > 1 and ranks.shape[1]:
        members = members[np.argsort(ranks[members, 0], kind="stable")]
    for part in np.array_split(members, parts):
        seekers = part[wanted[part]]
        if not len(seekers):
            continue
        if not ranks.shape[1] or len(part) == 1:
            near[seekers] = rng.choice(part, size=(len(seekers), k))
            continue
        _, found = cKDTree(ranks[part]).query(ranks[seekers], min(k + 1, len(part)))
        near[seekers] = _without_self(part[found], seekers, k)


def _without_self(found: np.ndarray, seekers: np.ndarray, k: int) -> np.ndarray:
    """Return the first k columns of `found` that are not the seeker, [m, k]."""
    order = np.argsort(found == seekers[:, None], axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)[:, :k]
