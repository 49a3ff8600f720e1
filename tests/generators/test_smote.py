"""SMOTE against brute force and against imbalanced-learn's SMOTENC."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTENC
from scipy import stats

import generators
from generators.errors import GeneratorError
from generators.smote import LIBRARY_BLOCK, SmoteConfig, neighbours, vote
from tests.generators.tables import mixed_table, same_dtypes


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


def classes(n: int = 300, seed: int = 0) -> pd.DataFrame:
    """Return two overlapping clouds of numbers, two classes."""
    rng = np.random.default_rng(seed)
    own = (rng.random(n) < 0.3).astype(int)
    x = rng.normal(size=(n, 2)) + 1.2 * own[:, None]
    return pd.DataFrame(
        {"x": x[:, 0], "y": x[:, 1], "c": pd.Categorical.from_codes(own, ["a", "b"])}
    )


VARIED = [
    ("smotenc", {}, lambda: mixed_table(300)),
    ("borderline", {"target": "c"}, classes),
    ("adasyn", {"target": "c"}, classes),
]


@pytest.mark.parametrize(("variant", "more", "make"), VARIED, ids=lambda v: str(v)[:12])
def test_a_variant_of_the_library_keeps_the_promises_of_a_generator(variant, more, make, tmp_path):
    table = make()
    model = generators.create("smote", variant=variant, **more).fit(table, seed=1)
    drawn = model.sample(LIBRARY_BLOCK + 60, seed=2)
    assert same_dtypes(drawn, table)
    pd.testing.assert_frame_equal(drawn[:80], model.sample(80, seed=2))
    model.save(tmp_path / "g")
    pd.testing.assert_frame_equal(drawn[:80], generators.load(tmp_path / "g").sample(80, seed=2))
    for column in drawn.select_dtypes("number"):
        assert drawn[column].dropna().between(table[column].min(), table[column].max()).all()
    category = str(drawn.select_dtypes("category").columns[0])
    share, real = (t[category].value_counts(normalize=True) for t in (drawn, table))
    assert (share - real).abs().max() < 0.15
    level = table[category].iloc[0]
    assert (model.sample(20, conditions={category: level})[category] == level).all()


def test_smotenc_is_the_librarys_own() -> None:
    table = mixed_table(200)[["kind", "cost"]]
    model = generators.create("smote", variant="smotenc", atom_share=1.0).fit(table)
    drawn = model.sample(LIBRARY_BLOCK, seed=3)
    ranks = np.column_stack([model._ranks, model._kept]).astype(float)
    seed = int(np.random.default_rng([3, 1, 0]).integers(2**31))
    made, _ = SMOTENC(
        [1], sampling_strategy={1: 200 + LIBRARY_BLOCK}, random_state=seed
    ).fit_resample(np.vstack([ranks, ranks[:1]]), np.r_[np.ones(200, int), 0])
    assert np.array_equal(drawn["kind"].cat.codes, made[201:, 1])
    order = np.argsort(made[201:, 0], kind="stable")
    assert (np.diff(drawn["cost"].to_numpy()[order]) >= 0).all()


def test_bordering_variants_draw_nearer_to_the_other_class_than_smote_does() -> None:
    table = classes(1200)
    gap = {}
    for variant, more in (
        ("fast", {}),
        ("borderline", {"target": "c"}),
        ("adasyn", {"target": "c"}),
    ):
        drawn = generators.create("smote", variant=variant, **more).fit(table).sample(2000, seed=0)
        gap[variant] = drawn.loc[drawn["c"] == "b", "x"].mean()
    assert gap["borderline"] < gap["fast"] - 0.1
    assert gap["adasyn"] < gap["fast"] - 0.1


@pytest.mark.parametrize(
    ("settings", "table", "message"),
    [
        ({"variant": "smotenc"}, classes()[["x", "y"]], "only numbers"),
        ({"variant": "smotenc"}, classes()[["c"]], "only categories"),
        ({"variant": "smotenc"}, classes(4), "6 to 20,000 rows"),
        ({"variant": "adasyn", "target": "k"}, classes(), "category as target"),
        (
            {"variant": "adasyn", "target": "c"},
            mixed_table(60).rename(columns={"kind": "c"}),
            "place",
        ),
        ({"variant": "borderline", "target": "c"}, classes(12), "of each level"),
    ],
    ids=str,
)
def test_a_table_that_a_variant_cannot_hold_is_one_clear_error(settings, table, message) -> None:
    with pytest.raises(GeneratorError, match=message):
        generators.create("smote", **settings).fit(table).sample(50)


def test_a_bordering_variant_needs_a_target_and_a_variant_must_be_known() -> None:
    with pytest.raises(GeneratorError, match="target"):
        generators.create("smote", variant="adasyn")
    with pytest.raises(GeneratorError, match="smotenc"):
        generators.create("smote", variant="smote-nc")


def test_an_error_of_the_library_is_one_clear_error(monkeypatch) -> None:
    def refuse(*_):
        raise ValueError("not any neighbours belong to the majority class")

    model = generators.create("smote", variant="adasyn", target="c").fit(classes())
    monkeypatch.setattr("imblearn.over_sampling.ADASYN.fit_resample", refuse)
    with pytest.raises(GeneratorError, match=r"borders on others.*majority"):
        model.sample(5)
