"""SMOTE against brute force and against imbalanced-learn's SMOTENC."""

from __future__ import annotations

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTENC
from scipy import stats

import generators
from generators.smote import SmoteConfig, neighbours, vote
from tests.generators.tables import mixed_table


def naive_neighbours(tokens: np.ndarray, ranks: np.ndarray, order: list[int], k: int) -> np.ndarray:
    """Slow twin: all distances, among rows equal in as many tokens as leave more than k rows."""
    near = np.zeros((len(tokens), k), int)
    for i in range(len(tokens)):
        for used in range(len(order), -1, -1):
            same = (tokens[:, order[:used]] == tokens[i, order[:used]]).all(axis=1)
            if same.sum() > k or used == 0:
                break
        distance = np.where(same, np.linalg.norm(ranks - ranks[i], axis=1), np.inf)
        distance[i] = np.inf
        near[i] = np.argsort(distance, kind="stable")[:k]
    return near


def test_neighbours_equal_those_found_by_brute_force() -> None:
    rng = np.random.default_rng(0)
    cards = (7, 3, 4)
    tokens = np.stack([rng.integers(0, c, 400) ** 2 // c for c in cards], axis=1).astype(np.int32)
    ranks = rng.random((400, 2))
    near = neighbours(tokens, ranks, cards, SmoteConfig(), rng)
    assert np.array_equal(near, naive_neighbours(tokens, ranks, [1, 2, 0], 5))


def test_groups_beyond_the_largest_are_cut_and_still_find_others() -> None:
    rng = np.random.default_rng(0)
    tokens, ranks = np.zeros((500, 1), np.int32), rng.random((500, 2))
    near = neighbours(tokens, ranks, (2,), SmoteConfig(largest_group=60), rng)
    assert not (near == np.arange(500)[:, None]).any()
    assert np.abs(ranks[near, 0] - ranks[:, None, 0]).max() < 0.3


def test_the_vote_takes_the_commonest_and_a_tie_stays_with_the_row() -> None:
    tokens = np.array([[0], [1], [1], [2], [3], [1]], np.int32)
    near = np.array([[1, 2, 3], [3, 4, 0], [3, 4, 0], [1, 2, 5], [0, 1, 3], [1, 2, 0]])
    assert vote(tokens, near)[:, 0].tolist() == [1, 1, 1, 1, 3, 1]


def test_distributions_agree_with_smotenc_of_imbalanced_learn() -> None:
    table = mixed_table(600, seed=3)[["kind", "place", "cost", "size"]]
    x = table.assign(
        kind=table["kind"].cat.codes,
        place=table["place"].cat.codes,
        size=table["size"].astype(float),
    )
    x["cost"], x["size"] = x["cost"].rank(pct=True), x["size"].rank(pct=True)
    twice = pd.concat([x, x, x], ignore_index=True)
    label = np.repeat([1, 0, 0], 600)
    reference, _ = SMOTENC([0, 1], k_neighbors=5, random_state=0).fit_resample(twice, label)
    theirs = reference[1800:]
    ours = generators.create("smote", min_count=1).fit(table).sample(3000, seed=1)
    for name in ("kind", "place"):
        share = [
            np.bincount(c, minlength=12)[:12] / len(c)
            for c in (ours[name].cat.codes.to_numpy(), theirs[name].to_numpy(), x[name].to_numpy())
        ]
        gap_ours = np.abs(share[0] - share[2]).sum() / 2
        gap_theirs = np.abs(share[1] - share[2]).sum() / 2
        assert gap_ours <= gap_theirs + 0.03
    for name in ("cost", "size"):
        ordered = np.sort(table[name].astype(float))
        ranks = np.searchsorted(ordered, ours[name].astype(float)) / 600
        assert stats.wasserstein_distance(ranks, theirs[name]) < 0.04
        assert stats.wasserstein_distance(ranks, x[name]) < 0.03


def test_a_row_lies_between_a_row_and_its_neighbour_of_the_same_tokens() -> None:
    table = pd.DataFrame(
        {"g": pd.Categorical(np.repeat(["a", "b"], 20)), "y": np.r_[0:20, 1000:1020] * 1.0}
    )
    drawn = generators.create("smote", atom_share=1.0).fit(table).sample(4000)
    assert drawn.loc[drawn["g"] == "a", "y"].max() <= 19
    assert drawn.loc[drawn["g"] == "b", "y"].min() >= 1000
    assert drawn["y"].nunique() > 10


def test_rules_between_atoms_hold() -> None:
    drawn = generators.create("smote").fit(mixed_table(3000)).sample(5000)
    assert ((drawn["files"] == 0) == (drawn["size"] == 0)).all()
