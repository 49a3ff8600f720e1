"""`create` and its errors."""

from __future__ import annotations

import subprocess
import sys

import pytest

from panda_gym.environments.placement import policies
from panda_gym.errors import PolicyError


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(PolicyError, match="did you mean least_loaded"):
        policies.create("least_load")


def test_an_unknown_setting_suggests_the_nearest() -> None:
    with pytest.raises(PolicyError, match="did you mean constant_scale"):
        policies.create("panda_production", constant_scal=2.0)


def test_a_policy_without_settings_says_so() -> None:
    with pytest.raises(PolicyError, match="has no settings"):
        policies.create("random", weight=1)


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(PolicyError, match="folder"):
        policies.create("learned")


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("panda_production", {"constant_scale": 0.0}),
        ("panda_production_draw", {"keep": 0}),
        ("panda_analysis", {"constant_scale": float("nan")}),
        ("panda_analysis_original", {"constant_scale": True}),
        ("earliest_completion", {"wait_weight": -1.0}),
        ("earliest_completion", {"wait_weight": "1"}),
    ],
)
def test_a_bad_value_is_refused(name: str, config: dict[str, object]) -> None:
    with pytest.raises(PolicyError, match=next(iter(config))):
        policies.create(name, **config)


def test_a_rule_loads_no_torch() -> None:
    code = (
        "import sys; from panda_gym import policies; policies.create('earliest_completion');"
        "assert not {'torch', 'pandas', 'stable_baselines3'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_name_of_release_0_1_works_and_warns():
    pytest.importorskip("torch")
    with pytest.warns(FutureWarning, match="difference-reward-scorer"):
        old = policies.create("hindsight-scorer")
    assert type(old) is type(policies.create("difference-reward-scorer"))
    with pytest.warns(FutureWarning, match="PlacementView"):
        from panda_gym.environments.placement.observation import View
    assert View.__name__ == "PlacementView"
