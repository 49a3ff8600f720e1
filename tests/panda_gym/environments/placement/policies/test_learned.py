"""The site scorer and the folder it is kept in."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from panda_gym.environments.placement import policies
from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.learned import CARD, WEIGHTS, Learned, save_agent
from panda_gym.environments.placement.policies.scorer import ScorerShape, SiteScorer
from panda_gym.errors import PolicyError
from tests.oracles.observations import observation, permuted


@pytest.fixture
def scorer() -> SiteScorer:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return SiteScorer(ScorerShape(hidden=8, critic=6))


@pytest.fixture
def folder(tmp_path: Path, scorer: SiteScorer) -> Path:
    save_agent(tmp_path / "agent", scorer, {"seed": 3})
    return tmp_path / "agent"


def tensors(batch: dict[str, np.ndarray]) -> list[torch.Tensor]:
    return [torch.as_tensor(batch[part]) for part in ("sites", "job", "grid", "action_mask")]


def test_scores_move_with_their_sites_and_the_value_stays(scorer: SiteScorer) -> None:
    batch, order = observation(0), np.random.default_rng(1).permutation(12)
    scores, value = scorer(*tensors(batch))
    moved, same = scorer(*tensors(permuted(batch, order)))
    torch.testing.assert_close(moved, scores[:, order.copy()])
    torch.testing.assert_close(same, value)


def test_illegal_sites_do_not_touch_the_scores_of_legal_ones(scorer: SiteScorer) -> None:
    batch = observation(2)
    changed = {part: value.copy() for part, value in batch.items()}
    illegal = batch["action_mask"] == 0
    changed["sites"] = np.where(illegal[:, None, :], np.float32(0.37), changed["sites"])
    scores, value = scorer(*tensors(batch))
    others, same = scorer(*tensors(changed))
    legal = torch.as_tensor(~illegal)
    torch.testing.assert_close(others[legal], scores[legal])
    torch.testing.assert_close(same, value)


def test_one_scorer_serves_any_count_of_sites(folder: Path) -> None:
    policy = policies.create("learned", folder=folder)
    for sites in (1, 4, 50, 150, 500):
        batch = observation(sites, sites=sites)
        chosen = policy(batch, np.random.default_rng(0))
        assert batch["action_mask"][np.arange(5), chosen].all()


def test_a_saved_agent_scores_as_the_one_that_was_saved(folder: Path, scorer: SiteScorer) -> None:
    batch = observation(5)
    with torch.inference_mode():
        expected, _ = scorer(*tensors(batch))
    np.testing.assert_array_equal(Learned(folder).scores(PlacementView(batch)), expected.numpy())


def test_a_drawing_agent_follows_the_softmax(folder: Path) -> None:
    one = observation(6, envs=1, sites=5)
    batch = {part: np.repeat(value, 20_000, axis=0) for part, value in one.items()}
    policy = Learned(folder, greedy=False)
    scores = np.where(one["action_mask"] > 0, policy.scores(PlacementView(one)), -np.inf)
    expected = np.exp(scores) / np.exp(scores).sum()
    got = np.bincount(policy(batch, np.random.default_rng(0)), minlength=5) / 20_000
    np.testing.assert_allclose(got, expected[0], atol=0.02)


def test_extreme_codes_stay_finite(scorer: SiteScorer) -> None:
    batch = observation(7)
    batch["sites"][:] = 1.0
    batch["job"][:] = 1.0
    scores, value = scorer(*tensors(batch))
    assert torch.isfinite(scores).all()
    assert torch.isfinite(value).all()


def test_altered_weights_are_refused(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-4] + b"\0\0\0\1")
    with pytest.raises(PolicyError, match="missing or altered"):
        Learned(folder)


def test_an_agent_of_other_features_is_refused(folder: Path) -> None:
    card = json.loads((folder / CARD).read_text())
    card["features"]["job"].pop()
    (folder / CARD).write_text(json.dumps(card))
    with pytest.raises(PolicyError, match="other features"):
        Learned(folder)


@pytest.mark.parametrize("text", ["", "[]", '{"kind": "cloud"}'])
def test_a_folder_that_is_no_agent_is_refused(folder: Path, text: str) -> None:
    (folder / CARD).write_text(text)
    with pytest.raises(PolicyError, match="agent"):
        Learned(folder)


def test_no_pickle_is_written(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [CARD, WEIGHTS]


def test_a_price_of_wan_is_taken_off_what_must_move(folder: Path) -> None:
    view = PlacementView(observation(8))
    free, dear = Learned(folder), Learned(folder, price_wan_tb=50.0)
    moved_tb = view.job("input_bytes") * (1.0 - view.site("local_share")) / 1e12
    assert moved_tb.any()
    np.testing.assert_allclose(free.scores(view) - dear.scores(view), 50.0 * moved_tb, atol=1e-12)


def test_a_negative_price_is_refused(folder: Path) -> None:
    with pytest.raises(PolicyError, match="price_wan_tb"):
        Learned(folder, price_wan_tb=-1.0)
