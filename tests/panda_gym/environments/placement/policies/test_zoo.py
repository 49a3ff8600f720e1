"""The agents that ship: small, whole, with what made them, and useful."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panda_gym.environments.placement import policies
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.policies.learned import (
    ZOO,
    Learned,
    agent_folder,
    load_agent,
    read_card,
)
from panda_gym.environments.placement.scenario import Scenario
from tests.oracles.worlds import make_platform, make_stream

AGENTS = sorted(path.name for path in ZOO.iterdir())
MOST_BYTES = 2_000_000


def test_every_agent_that_ships_is_registered() -> None:
    assert [name for name in policies.names() if name.endswith("-scorer")] == AGENTS


@pytest.mark.parametrize("name", AGENTS)
def test_an_agent_is_small_and_says_what_made_it(name: str) -> None:
    files = list((ZOO / name).iterdir())
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    made = read_card(name)["provenance"]
    assert made["command"].startswith("panda-grid train")
    assert {"config", "scenario", "versions", "curve"} <= set(made)
    assert len(made["curve"]) > 3
    text = (ZOO / name / "agent.json").read_text()
    assert "surrogate:default" in text or '"surrogate": "default"' in text


@pytest.mark.parametrize("name", AGENTS)
def test_an_agent_goes_by_its_name_wherever_the_package_lies(name: str, tmp_path: Path) -> None:
    shipped = policies.create(name)
    assert shipped.folder == name
    assert agent_folder(name) == ZOO / name
    load_agent(name)
    assert isinstance(shipped, Learned)


def slowdown(name: str) -> float:
    """Mean ln of the expected slowdown of what a policy does on a small busy grid."""
    platform = make_platform(6)
    settings: dict[str, Any] = {"platform": platform, "stream": make_stream(platform, jobs=400)}
    batch = PlacementBatch(Scenario.of(**settings, scale=1.0, jobs=60, warmup=30, load=1.2), 8)
    batch.begin((e, np.random.default_rng(e)) for e in range(8))
    policy, rng, paid = policies.create(name), np.random.default_rng(0), []
    policy.reset(8)
    for _ in range(60):
        batch.step(policy(batch.observe(copy=False), rng))
        paid.append(batch.report()["reward_true"])
    return -float(np.mean(paid))


@pytest.mark.parametrize("name", AGENTS)
def test_an_agent_places_jobs_on_a_grid_it_has_never_seen(name: str) -> None:
    assert slowdown(name) < 0.8 * slowdown("random")
