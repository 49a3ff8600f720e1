"""What every surrogate that ships promises, walked over all of them."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pandas as pd
import pytest

from metrics.certificate import policy
from panda_gym.jobs import JobStream
from panda_gym.surrogate import Surrogate, surrogate_names, verify_seal
from panda_gym.surrogate.surrogate import SHIPPED

LIMIT_BYTES = 16_000_000
SINCE = {"partial_copies", "tight_copies"}
LATER = {"2.0.1": SINCE, "1.1.0": SINCE}
"""Margins that came after a policy's version: a certificate of that version does not state them."""


@pytest.fixture(scope="module", params=surrogate_names())
def shipped(request: pytest.FixtureRequest) -> Surrogate:
    return Surrogate.open(request.param)


def beginning(surrogate: Surrogate, seed: int) -> pd.DataFrame:
    """The first rows of a stream, as few as can be drawn."""
    if surrogate.keeps_time:
        return next(surrogate.generator.stream(seed, rows=2_000))
    return next(surrogate.stream(seed, rows_per_week=300))


def test_all_that_ship_are_small_together() -> None:
    sizes = [path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()]
    assert sum(sizes) <= LIMIT_BYTES


def test_both_kinds_ship() -> None:
    assert {Surrogate.open(name).keeps_time for name in surrogate_names()} == {True, False}


def test_it_is_sealed_certified_and_says_of_what(shipped: Surrogate) -> None:
    assert verify_seal(shipped.folder).about["name"] == shipped.name == shipped.folder.name
    card = shipped.certificate
    assert card.passed
    assert card.document["provenance"]["origin"] == shipped.origin
    assert "reference workload" in shipped.origin.lower()


def test_its_certificate_is_by_the_margins_of_today(shipped: Surrogate) -> None:
    stated = shipped.certificate.document["policy"]
    today = policy.load(stated["name"])
    later = today.margins.keys() - stated["margins"].keys()
    assert {**stated["margins"], **{name: today.margins[name] for name in later}} == today.margins
    assert later <= LATER.get(stated["version"], set())
    # Time decides where a surrogate claims to keep it.
    assert stated["parts"]["temporal"] == shipped.keeps_time


def test_same_seed_same_stream(shipped: Surrogate) -> None:
    one, again, other = (beginning(shipped, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, again)
    assert not one["workload"].equals(other["workload"])
    assert one["creationtime"].is_monotonic_increasing
    assert one["creationtime"].iloc[0] >= np.datetime64("2023-02-27")


def test_its_head_is_at_hand_and_makes_jobs(shipped: Surrogate) -> None:
    head = shipped.first_week()
    assert head["creationtime"].is_monotonic_increasing
    assert (head["workload_pred"] > 0).all()
    stream = JobStream.from_surrogate(shipped)
    assert len(stream) == len(head) >= 20_000
    np.testing.assert_array_equal(stream.workload_true, head["workload"])


def test_a_stream_of_tasks_goes_on_from_table_to_table(shipped: Surrogate) -> None:
    if not shipped.keeps_time:
        pytest.skip("its rows are independent")
    parts = list(islice(shipped.generator.stream(3, rows=1_500), 4))
    whole = next(shipped.generator.stream(3, rows=6_000))
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)
