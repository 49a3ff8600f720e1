"""A small sealed surrogate that several rooms test with."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest

import panda_gym
from panda_gym.surrogate import Surrogate, build


@pytest.fixture(scope="session")
def records() -> pd.DataFrame:
    """A few records of the reference workload."""
    return panda_gym.reference_records(1_500, seed=3)


@pytest.fixture(scope="session")
def light_policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default policy with small models, for speed."""
    text = (files("metrics.certificate") / "policies" / "default.toml").read_text()
    text = text.replace("catboost_iterations = 200", "catboost_iterations = 10")
    text = text.replace("catboost_depth = 10", "catboost_depth = 4")
    path = tmp_path_factory.mktemp("policy") / "light.toml"
    path.write_text(text.replace("bootstrap = 30", "bootstrap = 10"))
    return path


@pytest.fixture(scope="session")
def fitted(records: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SMOTE, fitted to the records."""
    folder = tmp_path_factory.mktemp("fitted") / "smote"
    build.fit(records, folder, generator="smote")
    return folder


@pytest.fixture(scope="session")
def sealed(
    records: pd.DataFrame,
    fitted: Path,
    light_policy: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Surrogate:
    """SMOTE, certified (it fails, by construction) and sealed."""
    folder = tmp_path_factory.mktemp("sealed") / "smote"
    return build.certify(
        fitted, records, folder, name="small", quick=True, first_week_rows=300, policy=light_policy
    )
