"""Options and settings of 0.1 that changed their names work and warn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import panda_gym
from panda_gym.cli.app import RENAMED, VERBS, build
from panda_gym.environments.placement.policies.tuned_weights import read_fits
from panda_gym.training.config import RENAMED_FIELDS, DifferenceRewardConfig


@pytest.mark.parametrize("old", RENAMED_FIELDS)
def test_an_old_setting_of_training_sets_the_new_one(old: str) -> None:
    with pytest.warns(FutureWarning, match=RENAMED_FIELDS[old]):
        config = DifferenceRewardConfig(**{old: 3.0})
    assert getattr(config, RENAMED_FIELDS[old]) == 3.0


def test_the_old_options_of_tune_are_the_new_ones(tmp_path: Path) -> None:
    pytest.importorskip("cmaes")
    words = ["--generations", "1", "--population", "4", "--jobs", "20", "--worlds", "1"]
    words += ["--stream", "default", "--column", "mine"]
    out = tmp_path / "tuned.json"
    with pytest.warns(FutureWarning, match="STREAM|--name|--episodes"):
        ran = CliRunner().invoke(build(), ["tune", *words, "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    assert list(read_fits(out)) == ["mine"]


@pytest.mark.parametrize("id", panda_gym.ENVIRONMENTS)
def test_an_environment_names_only_commands_that_exist(id: str) -> None:
    module, _, name = panda_gym.ENVIRONMENTS[id]["entry_point"].partition(":")
    text = getattr(__import__(module, fromlist=[name]), name).__doc__
    assert set(re.findall(r"`panda-grid ([a-z]+)", text)) <= {*VERBS, *RENAMED}
