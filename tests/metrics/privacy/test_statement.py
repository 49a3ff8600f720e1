"""A trace is neither called a leak nor hidden, and silence names its power."""

from __future__ import annotations

import pytest

from metrics.base import Score
from metrics.privacy.statement import privacy, traces


def score(
    id: str, excess: float, spread: float, margin: float | None = 0.1, tail="normal"
) -> Score:
    ends = (0.1 + excess, 0.0, 1.0, 0.1, excess + spread)
    return Score(id, *ends, 100, margin, tail=tail, part="privacy")


QUIET = [score("membership_auc", 0.0, 0.02), score("near_copies", 0.001, 0.002, tail="count")]
NOTES = {
    "dcr": {"ks_p": 0.5, "least_copy_leak": 0.0021, "copy_leak_proven": False},
    "power": {"membership_auc": 0.02},
}


def noted(**entries):
    return {**NOTES, "dcr": {**NOTES["dcr"], **entries}}


def test_nothing_found_is_said_with_its_power():
    said = privacy(QUIET, NOTES, 0.05)
    assert "No leak found at this power" in said["statement"]
    assert "0.21%" in said["statement"]
    assert said["traces"] == []
    assert said["power"] == {"membership_auc": 0.02}


@pytest.mark.parametrize(("margin", "word"), [(0.5, "within what"), (0.01, "more than")])
def test_a_trace_is_named_with_what_the_policy_makes_of_it(margin, word):
    said = privacy([*QUIET, score("white_box_auc", 0.1, 0.02, margin)], NOTES, 0.05)
    assert said["traces"] == ["white_box_auc"]
    assert "trace" in said["statement"]
    assert word in said["statement"]


def test_the_distances_are_tested_by_their_own_p_value():
    rows = [*QUIET, score("dcr_ks", 0.02, 0.5, tail="dkw")]
    assert privacy(rows, NOTES, 0.05)["traces"] == []
    assert privacy(rows, noted(ks_p=1e-6), 0.05)["traces"] == ["dcr_ks"]


def test_copies_are_a_leak_whatever_else_is_seen():
    said = privacy(QUIET, noted(copy_leak_proven=True), 0.05)
    assert said["statement"].startswith("A leak was found")


def test_many_tests_are_corrected_and_single_columns_left_out():
    one = score("linkability", 0.02, 0.019)
    assert traces([one], 1.0, 0.05) == [one]
    assert traces([one, *QUIET], 1.0, 0.05) == []
    assert (
        traces([score("inference.a", 0.9, 0.01), score("k_anonymity", 0.9, 0.01)], 1.0, 0.05) == []
    )


def test_without_distances_nothing_was_measured():
    assert privacy(QUIET, {}, 0.05)["statement"] == "Privacy was not measured."
