"""Domains: reproducible draws within their bounds, and a run that draws its grids from one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from panda_gym.environments.placement.policies.learned import read_card
from panda_gym.errors import PolicyError
from panda_gym.training import domain as domains
from panda_gym.training.config import DifferenceRewardConfig
from panda_gym.training.difference_reward import train_difference_reward
from panda_gym.training.domain import DOMAINS, Stratum, find_domain

TINY = replace(
    DOMAINS["scales"],
    strata=(Stratum((0.01, 0.02), 2, 10, (5, 20)), Stratum((0.02, 0.05), 1, 20, (5, 20))),
    streams={"default": 1.0},
)
CONFIG = DifferenceRewardConfig(
    steps=80,
    num_envs=1,
    evaluate_every=0,
    network="scale_free_value",
    domain="scales",
    batch_size=16,
    hidden=8,
)
"""Two rounds of `TINY`."""


def test_draws_repeat_and_stay_within_bounds() -> None:
    drawn, again = ([TINY.groups(np.random.default_rng(k)) for k in range(4)] for _ in range(2))
    for one, other in zip(drawn, again, strict=True):
        assert [len(cells) for cells in one] == [2, 1]
        for stratum, cells, same in zip(TINY.strata, one, other, strict=True):
            for cell, twin in zip(cells, same, strict=True):
                assert stratum.scales[0] <= cell["scale"] <= stratum.scales[1]
                assert 30 <= len(cell["platform"]) <= 150
                assert cell["scale"] == twin["scale"]
                np.testing.assert_array_equal(cell["platform"].cores, twin["platform"].cores)
                predicted = cell["stream"].workload_pred
                np.testing.assert_array_equal(predicted, twin["stream"].workload_pred)


def test_a_run_draws_its_grids_anew_each_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domains, "DOMAINS", {"scales": TINY})
    folder, run = train_difference_reward(tmp_path, CONFIG, [])
    card = read_card(folder)
    assert [point.steps for point in run.points] == [40, 80]
    assert len(card["provenance"]["scenario"]["domain"]["strata"]) == 2
    assert card["rows"][0] == "slowdown"


def test_bad_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="scales"):
        find_domain("scale")
    with pytest.raises(PolicyError, match="either scenarios or a domain"):
        train_difference_reward(tmp_path, CONFIG, [{"scenario": "atlas"}])
    with pytest.raises(PolicyError, match="scale_free_value"):
        replace(CONFIG, network="scale_free")
