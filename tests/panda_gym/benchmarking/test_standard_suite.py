"""Groups of policies and scenarios, and which weights `tuned` takes in a scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

from panda_gym.benchmarking.standard_suite import (
    SIZES,
    STANDARD,
    expand_policies,
    expand_scenarios,
    size_at,
    weights_for,
)
from panda_gym.environments.placement.policies.tuned_weights import shipped
from panda_gym.errors import SettingError
from panda_gym.jobs import JobStream
from panda_gym.provenance import named
from panda_gym.surrogate import Surrogate
from tests.oracles import policy_twins

OLD_TABLE = Path(policy_twins.__file__).with_name("tuned_of_0_1.csv")


def test_groups_stand_for_their_members() -> None:
    names = expand_policies(["tuned", "heuristics", "bound"])
    assert names[0] == "tuned"
    assert names.count("tuned") == 1
    assert names[-1] == "oracle:clairvoyant"
    assert "atlas" in expand_scenarios(["standard"])
    with pytest.raises(SettingError, match="outage"):
        expand_scenarios(["outages"])


@pytest.mark.parametrize("scenario", STANDARD)
def test_tuned_has_weights_of_its_own_in_every_standard_scenario(scenario: str) -> None:
    assert weights_for("tuned", scenario, 0.01) == f"tuned@{scenario}"
    assert shipped()[scenario].scenario == scenario


def test_a_file_of_several_fits_is_completed_by_the_scenario() -> None:
    assert weights_for(f"tuned@{OLD_TABLE}", "rush", 1.0) == f"tuned@{OLD_TABLE}#rush"
    assert weights_for(f"tuned@{OLD_TABLE}", "no such one", 1.0) == f"tuned@{OLD_TABLE}#default"
    assert weights_for("random", "rush", 1.0) == "random"


def test_shipped_weights_were_fitted_on_the_default_stream_of_today() -> None:
    stream = named(JobStream.from_surrogate(Surrogate.open("default")))
    assert {fit.stream for fit in shipped().values()} == {stream}


@pytest.mark.parametrize(
    ("scale", "jobs", "seeds"),
    [(0.005, 2_000, 10), (0.01, 2_000, 10), (0.05, 2_000, 10), (0.1, 10_000, 10), (1, 50_000, 3)],
)
def test_what_is_played_grows_with_the_scale(scale: float, jobs: int, seeds: int) -> None:
    size = size_at(scale)
    assert (size.jobs, size.seeds) == (jobs, seeds)
    assert size_at(scale, "tiny4").jobs == 2_000


def test_the_warm_start_lasts_as_long_at_every_scale() -> None:
    assert {round(size.warmup / scale) for scale, size in SIZES.items()} == {50_000}


def test_tuned_takes_the_fit_of_the_nearest_scale() -> None:
    assert weights_for("tuned", "atlas", 0.03) == "tuned@atlas"
    assert weights_for("tuned", "atlas", 0.05) == "tuned@atlas-scale-0.1"
    assert shipped()["atlas-scale-0.1"].scale == 0.1
