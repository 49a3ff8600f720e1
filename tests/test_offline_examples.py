"""Every offline learner learns, writes an agent that opens, and does the same for the same seed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from panda_gym.environments.placement.policies.learned import Learned
from panda_gym.errors import SettingError
from panda_gym.offline import datasets

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples" / "offline").glob("*.py"))


def example(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> datasets.OfflineDataset:
    folder = tmp_path_factory.mktemp("offline") / "medley"
    small = {**datasets.SMALL, "stream_jobs": 2_000, "jobs": 50}
    return datasets.collect(folder, datasets.recipe("medley"), 1_000, epsilon=0.1, **small)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_offline_example_runs(
    path: Path, data: datasets.OfflineDataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for out in (tmp_path / "one", tmp_path / "two"):
        example(path).main(dataset=data.folder, out=out, quick=True)
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    assert "normalised cost" in first
    agents = [Learned(tmp_path / out).scorer.state_dict() for out in ("one", "two")]
    assert all(torch.equal(agents[0][name], agents[1][name]) for name in agents[0])


@pytest.mark.parametrize("name", ["bc_safe", "cql_lagrangian", "cpq"])
def test_a_limit_that_nobody_keeps_is_refused(
    name: str, data: datasets.OfflineDataset, tmp_path: Path
) -> None:
    (path,) = (one for one in EXAMPLES if one.stem == name)
    with pytest.raises(SettingError, match="cost limit"):
        example(path).main(dataset=data.folder, cost_limit=-1.0, out=tmp_path, quick=True)


def test_cloning_learns_whom_it_saw(data: datasets.OfflineDataset, tmp_path: Path) -> None:
    """The clone of one deterministic rule puts most of its probability where the rule goes."""
    (path,) = (one for one in EXAMPLES if one.stem == "bc")
    small = {**datasets.SMALL, "stream_jobs": 2_000, "jobs": 50}
    rule = datasets.collect(tmp_path / "rule", ["earliest_completion"], 1_000, **small)
    agent = example(path).learn(rule, 0.0, 0, 150, "cpu")
    some = datasets.Transitions.of(rule).draw(np.random.default_rng(0), 400)
    parts = [torch.as_tensor(some.observation[k]) for k in ("sites", "job", "grid", "action_mask")]
    with torch.inference_mode():
        scores = agent(*parts)[0].masked_fill(parts[3] == 0, -1e9)
    agreed = (scores.argmax(dim=1).numpy() == some.actions).mean()
    assert agreed > 0.6  # of 15 sites
