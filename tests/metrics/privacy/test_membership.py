"""Membership attacks: at chance for fresh rows, above it for copies and for a loss that knows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metrics.errors import MetricError, NotApplicable
from metrics.privacy.white_box import tuned
from tests.metrics.studies import scored, study_of


def copied(train: pd.DataFrame, fresh: pd.DataFrame, share: float) -> pd.DataFrame:
    k = round(share * len(fresh))
    return pd.concat([fresh.iloc[k:], train.sample(k, random_state=0)], ignore_index=True)


def test_a_tenth_of_copies_is_found_without_the_weights_and_fresh_rows_are_not(make):
    train, holdout, fresh = make(4000, 0), make(4000, 1), make(4000, 2)
    clean = scored("membership", study_of(train, holdout, fresh))
    leaky = scored("membership", study_of(train, holdout, copied(train, fresh, 0.1)))
    for id in ("membership_auc", "membership_tpr"):
        assert "no leak found at this power" in clean[id].note
        assert "a leak is shown" in leaky[id].note
    assert clean["membership_auc"].real_vs_real == 0.5
    assert clean["membership_tpr"].real_vs_real == pytest.approx(0.1)


def test_too_few_held_out_rows_are_refused(make):
    with pytest.raises(MetricError, match="hold out more"):
        scored("membership", study_of(make(500, 0), make(60, 1), make(500, 2)))


def known_to(train: pd.DataFrame, share: float):
    """A loss at three noise levels that is lower for a share of the training rows."""
    members = set(train["workload"].iloc[: round(share * len(train))])

    def loss(rows: pd.DataFrame) -> np.ndarray:
        rng = np.random.default_rng(len(rows))
        noise = rng.normal(size=(len(rows), 3))
        noise[:, 1] -= 3.0 * rows["workload"].isin(members)
        return noise

    return loss


def test_a_memorised_third_is_found_by_the_loss_and_nothing_where_nothing_was(make):
    tables = make(2000, 0), make(2000, 1), make(2000, 2)
    study = study_of(*tables, loss=known_to(tables[0], 0.33))
    found = scored("white_box", study)
    assert found["white_box_tpr"].value > 0.3
    assert "a leak is shown" in found["white_box_tpr"].note
    assert study.notes["white_box"]["tpr"] == sorted(study.notes["white_box"]["tpr"])
    quiet = scored("white_box", study_of(*tables, loss=known_to(tables[0], 0.0)))
    assert quiet["white_box_tpr"].excess < 0.06


def test_the_shadow_split_picks_the_loss_that_tells():
    rng = np.random.default_rng(0)
    inside, outside = rng.normal(size=(800, 4)), rng.normal(size=(800, 4))
    inside[:, 2] -= 4
    name, attack = tuned(inside, outside)
    assert name in ("loss 2", "logistic")
    assert attack(inside).mean() > attack(outside).mean()


@pytest.mark.parametrize(
    ("loss", "word"),
    [
        (lambda rows: np.zeros(3), "shape"),
        (lambda rows: np.full(len(rows), np.nan), "finite"),
    ],
)
def test_a_loss_that_cannot_be_used_is_one_clear_error(make, loss, word):
    with pytest.raises(MetricError, match=word):
        scored("white_box", study_of(make(400, 0), make(400, 1), make(400, 2), loss=loss))


def test_without_a_loss_the_attack_is_left_out_with_the_reason(make):
    with pytest.raises(NotApplicable, match="loss="):
        scored("white_box", study_of(make(400, 0), make(400, 1), make(400, 2)))


def test_a_loss_is_asked_for_rows_as_the_table_had_them(make):
    tables = make(400, 0), make(400, 1), make(400, 2)
    seen: list[pd.DataFrame] = []

    def loss(rows: pd.DataFrame) -> np.ndarray:
        seen.append(rows)
        return np.arange(len(rows), dtype=float)

    scored("white_box", study_of(*tables, loss=loss))
    assert [len(rows) for rows in seen] == [400, 400]
    assert list(seen[0].dtypes) == list(tables[0].dtypes)
    assert set(seen[0]["workload"]) == set(tables[0]["workload"])
