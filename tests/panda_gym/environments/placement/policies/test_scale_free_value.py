"""The scale-free network: the rule before training, the same at every scale, of known rows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from panda_gym.environments.placement import policies
from panda_gym.environments.placement.observation import JOB_FEATURES, SITE_FEATURES
from panda_gym.environments.placement.policies.learned import CARD, Learned, save_agent
from panda_gym.environments.placement.policies.scale_free_rows import (
    CONTEXT_ROWS,
    ROWS,
    SITE_ROWS,
    rows,
)
from panda_gym.environments.placement.policies.scale_free_value import ScaleFreeValue
from panda_gym.environments.placement.policies.site_value import ValueShape
from panda_gym.errors import PolicyError
from tests.oracles.observations import observation, permuted

EXTENSIVE = ("cores", "free_cores", "running", "activated", "assigned", "queued_work")
"""Features of a site that grow with its cores."""


def tensors(batch: dict[str, np.ndarray]) -> list[torch.Tensor]:
    return [torch.as_tensor(batch[part]) for part in ("sites", "job", "grid", "action_mask")]


def scaled(batch: dict[str, np.ndarray], factor: float) -> dict[str, np.ndarray]:
    """The same grid and job with `factor` times the cores of everything."""
    found = {part: values.astype(np.float64) for part, values in batch.items()}
    for part, table, names in (("sites", SITE_FEATURES, EXTENSIVE), ("job", JOB_FEATURES, "cores")):
        for row, feature in enumerate(table):
            if feature.name in names:
                code = found[part][:, row]
                found[part][:, row] = factor * code / (1.0 - code + factor * code)
    return {part: values.astype(batch[part].dtype) for part, values in found.items()}


@pytest.fixture
def network() -> ScaleFreeValue:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        found = ScaleFreeValue(ValueShape(hidden=8, members=2))
        for member in found.members:
            torch.nn.init.normal_(member[-1].weight)
    return found


def test_the_untrained_network_is_earliest_completion(tmp_path: Path) -> None:
    save_agent(tmp_path / "agent", ScaleFreeValue(), {})
    agent, rule = Learned(tmp_path), policies.create("earliest_completion")
    batch = observation(1, envs=40, sites=30)
    one, other = (np.random.default_rng(0) for _ in range(2))
    np.testing.assert_array_equal(agent(batch, one), rule(batch, other))


def test_rows_are_the_same_at_another_scale() -> None:
    batch = observation(2, envs=8)
    small, large = (rows(*tensors(one)) for one in (batch, scaled(batch, 10.0)))
    legal = torch.as_tensor(batch["action_mask"] > 0)
    same = [ROWS.index(name) for name in (*SITE_ROWS, *CONTEXT_ROWS) if name != "job cores"]
    torch.testing.assert_close(small[legal][:, same], large[legal][:, same], rtol=1e-3, atol=2e-3)


def test_scores_move_with_their_sites(network: ScaleFreeValue) -> None:
    batch, order = observation(0), np.random.default_rng(1).permutation(12)
    scores, value = network(*tensors(batch))
    moved, same = network(*tensors(permuted(batch, order)))
    torch.testing.assert_close(moved, scores[:, order.copy()])
    torch.testing.assert_close(same, value)


def test_illegal_sites_do_not_touch_the_scores_of_legal_ones(network: ScaleFreeValue) -> None:
    batch = observation(2)
    illegal = batch["action_mask"] == 0
    changed = {**batch, "sites": np.where(illegal[:, None, :], np.float32(0.37), batch["sites"])}
    legal = torch.as_tensor(~illegal)
    torch.testing.assert_close(
        network(*tensors(changed))[0][legal], network(*tensors(batch))[0][legal]
    )


def test_an_agent_of_other_rows_is_refused(tmp_path: Path, network: ScaleFreeValue) -> None:
    save_agent(tmp_path, network, {})
    card = json.loads((tmp_path / CARD).read_text())
    card["rows"] = card["rows"][:-1]
    (tmp_path / CARD).write_text(json.dumps(card))
    with pytest.raises(PolicyError, match="rows of this version"):
        Learned(tmp_path)
