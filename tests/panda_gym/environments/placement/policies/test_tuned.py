"""The policy `tuned`: its terms against a slow twin, and its files of weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panda_gym.environments.placement import policies
from panda_gym.environments.placement.observation import SITE_FEATURES, PlacementView
from panda_gym.environments.placement.policies.tuned_terms import NAMES, TERMS, Rows, cost
from panda_gym.environments.placement.policies.tuned_weights import (
    TunedWeights,
    nearest_fit,
    read_fits,
    shipped,
    write_fit,
)
from panda_gym.errors import PolicyError
from tests.oracles import policy_twins as twins
from tests.oracles.observations import encode, natural

OLD_TABLE = Path(twins.__file__).with_name("tuned_of_0_1.csv")
SITES = 15


def scene(seed: int) -> tuple[PlacementView, dict[str, np.ndarray]]:
    values, mask = natural(np.random.default_rng(seed), 4, SITES)
    return PlacementView(encode(values, mask)), values


def test_the_cost_is_the_formula() -> None:
    for seed in range(6):
        view, values = scene(seed)
        row = np.random.default_rng(seed).normal(0.0, 0.3, len(NAMES))
        weights = dict(zip(NAMES, row.tolist(), strict=True))
        for e in range(4):
            sites = [
                {f.name: float(values[f.name][e, s]) for f in SITE_FEATURES} for s in range(SITES)
            ]
            job = {key[4:]: float(values[key][e, 0]) for key in values if key[:4] == "job_"}
            share = float(values["grid_queued_share"][e, 0])
            expected = [twins.tuned_cost(site, job, sites, share, weights) for site in sites]
            np.testing.assert_allclose(cost(view, row)[e], expected, rtol=5e-3, atol=5e-3)


def test_there_are_enough_terms_and_each_has_a_name_of_its_own() -> None:
    assert len(NAMES) >= 35
    assert len(set(NAMES)) == len(NAMES)
    assert {"cores", "size", "size^2"} <= {term.job for term in TERMS}
    assert any(term.first == term.second for term in TERMS)


def test_without_weights_it_is_nearly_earliest_completion() -> None:
    """The fixed delay is the same everywhere, so the ranking is that of the completion."""
    for seed in range(6):
        view, _ = scene(seed)
        mine = np.where(view.mask, -cost(view, np.zeros(len(NAMES))), -np.inf)
        rule: Any = policies.create("earliest_completion")
        theirs = np.where(view.mask, rule.score(view), -np.inf)
        rows = np.arange(len(theirs))
        best = theirs[rows, mine.argmax(axis=1)]
        np.testing.assert_allclose(best, theirs.max(axis=1), rtol=1e-4)


def test_rows_mean_the_same_at_every_scale() -> None:
    """A hundred times the cores, jobs and work at every site leave all rows but `share`."""
    values, mask = natural(np.random.default_rng(3), 2, SITES)
    values["cores"] = np.maximum(values["cores"], 100.0)
    grown = {**values}
    for name in ("cores", "free_cores", "running", "activated", "assigned", "queued_work"):
        grown[name] = values[name] * 100.0
    values["free_cores"], grown["free_cores"] = values["cores"] / 2, grown["cores"] / 2
    small, large = (Rows(PlacementView(encode(v, mask))).sites for v in (values, grown))
    same = np.arange(small.shape[1]) != 13
    np.testing.assert_allclose(small[:, same], large[:, same], rtol=2e-2, atol=2e-2)


def test_a_row_of_weights_an_environment_is_each_alone() -> None:
    view, _ = scene(1)
    rows = np.random.default_rng(0).normal(0.0, 0.5, (4, len(NAMES)))
    together = cost(view, rows)
    for e in range(4):
        np.testing.assert_allclose(together[e], cost(view, rows[e])[e], rtol=1e-5, atol=1e-5)


def test_every_shipped_fit_opens_and_says_what_it_was_fitted_on() -> None:
    for name, fit in shipped().items():
        assert policies.create("tuned", weights=name).row.shape == (len(NAMES),)
        assert fit.stream is not None
        assert fit.command is not None


def test_a_table_of_release_0_1_opens() -> None:
    fits = read_fits(OLD_TABLE)
    assert set(fits) >= {"atlas", "default"}
    assert len(fits["atlas"].weights) == 15
    policy = policies.create("tuned", weights=f"{OLD_TABLE}#atlas")
    np.testing.assert_allclose(policy.row, policies.create("tuned", weights="atlas-15-terms").row)


def test_a_fit_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    first = TunedWeights(
        {"wait": 0.5}, "atlas", 0.1, stream="JobStream:x:0", seeds=(1, 5), command="run"
    )
    write_fit(path, "one", first)
    write_fit(path, "two", TunedWeights({"queue x size": 1.0}, "default"))
    assert read_fits(path)["one"] == first
    assert list(read_fits(path)) == ["one", "two"]
    with pytest.raises(PolicyError, match="one, two"):
        policies.create("tuned", weights=str(path))


def test_the_nearest_scale_of_the_scenario_is_taken() -> None:
    fits = {
        "a": TunedWeights({}, "atlas", 0.01),
        "b": TunedWeights({}, "atlas", 1.0),
        "c": TunedWeights({}, "default", 0.01),
    }
    assert nearest_fit(fits, "atlas", 0.2) == "b"
    assert nearest_fit(fits, "rush", 1.0) == "c"
    with pytest.raises(PolicyError, match="rush"):
        nearest_fit({"a": fits["a"]}, "rush", 1.0)


BAD = {
    "no JSON": "{",
    "another format": json.dumps({"format": "weights 9", "fits": {}}),
    "an unknown term": json.dumps(
        {"format": "tuned weights 2", "fits": {"a": {"scenario": "b", "weights": {"quee": 1}}}}
    ),
    "no number": json.dumps(
        {"format": "tuned weights 2", "fits": {"a": {"scenario": "b", "weights": {"queue": "1"}}}}
    ),
    "no weights": json.dumps({"format": "tuned weights 2", "fits": {"a": {"scenario": "b"}}}),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_bad_file_is_one_clear_error(text: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    path.write_text(text)
    with pytest.raises(PolicyError, match=r"weights\.json"):
        policies.create("tuned", weights=str(path))


def test_an_unknown_fit_names_the_nearest() -> None:
    with pytest.raises(PolicyError, match="atlas"):
        policies.create("tuned", weights="atlass")
