"""Policies are read whole or refused in words."""

from __future__ import annotations

import pytest

from metrics.certificate import policy
from metrics.errors import MetricError


def test_every_policy_of_the_package_loads_and_says_what_it_is():
    assert "default" in policy.names()
    for name in policy.names():
        rules = policy.load(name)
        assert rules.name == name
        assert rules.version
        assert len(rules.sha256) == 64


def test_an_exact_margin_goes_before_a_pattern():
    rules = policy.load("default")
    assert rules.margin("wd") == rules.margins["wd"]
    assert rules.margin("wd.workload") == rules.margins["wd.*"]
    assert rules.margin("wd_minmax") is None


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("alpha = 0.05", "alpha = 0.05\nbeta = 1", "beta"),
        ("alpha = 0.05", "alpha = 5", "alpha"),
        ("temporal = false", "tempo = false", "tempo"),
        ('"c2st" = 0.10', '"c2st" = -0.10', "c2st"),
        ('"c2st" = 0.10', '"c2st" = nan', "c2st"),
        ("[quick] ", "[quick]\nnonsense = 1\n#", "nonsense"),
        ("[parts]", "[parts", "TOML"),
        ("bootstrap = 50", "bootstraps = 50", "bootstraps"),
        ("bootstrap = 50", "bootstrap = 0", "positive"),
        ("bootstrap = 50", "bootstrap = true", "positive"),
        ('blocks = "batch"', "blocks = 3", "text"),
    ],
)
def test_a_damaged_policy_file_is_one_clear_error(tmp_path, old, new, word):
    text = (policy.FOLDER / "default.toml").read_text()
    assert old in text
    path = tmp_path / "own.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(MetricError) as caught:
        policy.load(path)
    assert word in str(caught.value)


def test_the_policy_of_streams_is_the_default_one_with_time():
    default, stream = policy.load("default"), policy.load("stream")
    assert stream.settings == default.settings
    # Rows come in tasks, so that a quick look at time needs more of them.
    assert {k for k in stream.quick if stream.quick[k] != default.quick.get(k)} == {
        "fidelity_rows",
        "temporal_rows",
    }
    assert stream.quick.keys() == default.quick.keys()
    assert stream.parts == {**default.parts, "temporal": True}
    assert default.margins.items() <= stream.margins.items()
    assert "batches" in stream.margins


def test_an_unknown_policy_names_those_there_are():
    with pytest.raises(MetricError, match="default"):
        policy.load("defualt")
