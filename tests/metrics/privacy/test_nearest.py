"""The exact search equals looking at every pair, for good, bad and odd queries."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import metrics
from metrics.errors import MetricError
from metrics.privacy import nearest
from metrics.privacy.distances import Space, points
from metrics.privacy.nearest import NearestRecords
from metrics.tables.samples import read
from tests.oracles import metrics_twins as twins


def rows(rng: np.random.Generator, n: int, d: int, levels: list[int]) -> tuple:
    codes = [rng.integers(k, size=n) for k in levels]
    numbers = np.round(rng.random((n, d)), 2)
    return numbers, np.column_stack(codes) if codes else np.empty((n, 0), int)


@given(
    st.integers(0, 10**6),
    st.integers(0, 3),
    st.lists(st.sampled_from([1, 2, 5, 40]), max_size=5),
    st.sampled_from([0.05, 1.0, 3.0]),
)
@settings(max_examples=60, deadline=None)
def test_the_search_equals_every_pair(seed, d, levels, weight):
    rng = np.random.default_rng(seed)
    reference = rows(rng, int(rng.integers(1, 200)), d, levels)
    queries = rows(rng, 60, d, [k + 2 for k in levels])
    expected = twins.nearest(*queries, *reference, weight)
    limit = nearest.SCAN_PAIRS
    for pairs in (0, limit):  # all trees, then scanning what is left
        nearest.SCAN_PAIRS = pairs
        try:
            found = NearestRecords(*reference, weight).query(*queries)
        finally:
            nearest.SCAN_PAIRS = limit
        np.testing.assert_allclose(found, expected, atol=1e-9)


@given(
    st.integers(0, 10**6),
    st.integers(0, 3),
    st.lists(st.sampled_from([1, 2, 5, 40]), max_size=4),
    st.sampled_from([0.05, 1.0, 3.0]),
)
@settings(max_examples=60, deadline=None)
def test_the_two_nearest_equal_every_pair(seed, d, levels, weight):
    rng = np.random.default_rng(seed)
    reference = rows(rng, int(rng.integers(2, 200)), d, levels)
    queries = rows(rng, 40, d, [k + 2 for k in levels])
    expected = []
    for x, c in zip(*queries, strict=True):
        squared = ((reference[0] - x) ** 2).sum(axis=1) + weight * (reference[1] != c).sum(axis=1)
        expected.append(np.sqrt(np.sort(squared)[:2]))
    limit = nearest.SCAN_PAIRS
    for pairs in (0, limit):  # all trees, then scanning what is left
        nearest.SCAN_PAIRS = pairs
        try:
            found = NearestRecords(*reference, weight).query_two(*queries)
        finally:
            nearest.SCAN_PAIRS = limit
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_two_nearest_among_large_groups_agree_and_a_lone_row_has_no_second():
    rng = np.random.default_rng(4)
    reference, queries = rows(rng, 6000, 3, [2, 3]), rows(rng, 200, 3, [3, 3])
    found = NearestRecords(*reference).query_two(*queries)
    np.testing.assert_allclose(found[:, 0], twins.nearest(*queries, *reference, 1.0), atol=1e-9)
    for pair, x, c in zip(found, *queries, strict=True):
        squared = ((reference[0] - x) ** 2).sum(axis=1) + (reference[1] != c).sum(axis=1)
        np.testing.assert_allclose(pair, np.sqrt(np.sort(squared)[:2]), atol=1e-9)
    lone = NearestRecords(reference[0][:1], reference[1][:1]).query_two(*queries)
    assert np.isinf(lone[:, 1]).all()


def test_large_groups_and_ties_use_the_trees_and_agree():
    rng = np.random.default_rng(1)
    reference, queries = rows(rng, 6000, 3, [2, 3]), rows(rng, 300, 3, [3, 3])
    found = NearestRecords(*reference).query(*queries)
    np.testing.assert_allclose(found, twins.nearest(*queries, *reference, 1.0), atol=1e-9)


def test_codes_too_wide_for_one_integer_are_renumbered():
    rng = np.random.default_rng(2)
    reference, queries = rows(rng, 300, 2, [10**6] * 5), rows(rng, 50, 2, [10**6] * 5)
    queries[1][:25] = reference[1][:25]
    found = NearestRecords(*reference).query(*queries)
    np.testing.assert_allclose(found, twins.nearest(*queries, *reference, 1.0), atol=1e-9)


@pytest.mark.parametrize("scale", ["rank", "minmax", "log"])
@pytest.mark.parametrize("weight", [1.0, 0.3])
def test_dcr_of_tables_equals_every_pair(make, independent, scale, weight):
    train, queries = make(800, 0), independent(make(150, 1), 2)
    tables = read({"reference": train, "synthetic": queries})
    space = Space.fit(tables["reference"], scale, weight)
    points = [
        (
            np.column_stack([f(t.numbers[:, i]) for i, f in enumerate(space.scales)]),
            t.codes,
        )
        for t in (tables["synthetic"], tables["reference"])
    ]
    expected = twins.nearest(*points[0], *points[1], weight)
    found = metrics.privacy.dcr_distances(queries, train, scale=scale, category_weight=weight)
    np.testing.assert_allclose(np.sort(found), np.sort(expected), atol=1e-9)
    backwards = metrics.privacy.dcr_distances(
        queries[::-1], train, scale=scale, category_weight=weight
    )
    np.testing.assert_array_equal(found, backwards[::-1])
    mean = metrics.dcr(queries, train, scale=scale, category_weight=weight)
    assert mean == pytest.approx(expected.mean())


def test_copies_have_distance_zero_and_a_changed_category_one(make):
    train = make(500, 0)
    assert metrics.dcr(train.iloc[:50], train) == 0
    moved = train.iloc[:50].assign(datatype="never seen")
    np.testing.assert_allclose(metrics.privacy.dcr_distances(moved, train), 1.0)


def test_a_missing_number_is_a_category_of_its_own():
    train = pd.DataFrame({"x": [0.0, 1.0, np.nan]})
    there, gone = pd.DataFrame({"x": [0.0, np.nan]}), pd.DataFrame({"x": [0.0, 1.0]})
    assert metrics.dcr(there, train) == 0
    # .25 is the rank of 0 among two values; a missing number stands at .5 and one category off.
    distances = metrics.privacy.dcr_distances(there, gone)
    np.testing.assert_allclose(distances, [0.0, np.sqrt(0.25**2 + 1)])
    distances = metrics.privacy.dcr_distances(there[::-1], gone)
    np.testing.assert_allclose(distances, [np.sqrt(0.25**2 + 1), 0.0])


def test_trees_are_built_where_they_cost_less_than_a_scan():
    index = NearestRecords(np.zeros((100_000, 3)), np.arange(400_000).reshape(-1, 4) % 7)
    assert index._pays(50_000, 1)
    assert not index._pays(100, 1)
    index = NearestRecords(np.zeros((5_000, 3)), np.arange(120_000).reshape(-1, 24) % 7)
    assert not index._pays(5_000, 8)


def test_many_categories_are_searched_exactly_and_do_not_stall(monkeypatch):
    rng = np.random.default_rng(0)
    numbers, codes = rng.random((3000, 2)), rng.integers(0, 3, (3000, 24))
    queries = rng.random((8000, 2)), rng.integers(0, 3, (8000, 24))
    index, subsets = NearestRecords(numbers, codes), []
    search = NearestRecords._search

    def counted(self, subset, *rest):
        subsets.append(subset)
        return search(self, subset, *rest)

    monkeypatch.setattr(NearestRecords, "_search", counted)
    found = index.query(*queries)
    assert len(subsets) < 100
    few = slice(0, 8000, 400)
    expected = twins.nearest(queries[0][few], queries[1][few], numbers, codes, 1.0)
    np.testing.assert_allclose(found[few], expected, atol=1e-9)
    pair = index.query_two(queries[0][few], queries[1][few])
    np.testing.assert_allclose(pair[:, 0], found[few], atol=1e-9)


def test_progress_is_told_and_a_bad_weight_refused(make, independent):
    seen: list[tuple[int, int, str]] = []
    table = make(400, 0)
    metrics.dcr(independent(table, 1), table, progress=lambda *args: seen.append(args))
    assert seen[-1][0] == seen[-1][1]
    with pytest.raises(MetricError, match="weight"):
        metrics.dcr(table, table, category_weight=-1)


@pytest.mark.long
@pytest.mark.parametrize("scale", ["rank", "minmax", "log"])
@pytest.mark.parametrize("weight", [1.0, 0.3])
def test_a_hundred_thousand_rows_equal_every_pair(make, independent, scale, weight):
    train, fresh = make(100_000, 0), make(100_000, 1)
    for table in (fresh, independent(fresh, 2)):
        tables = read({"reference": train, "synthetic": table})
        space = Space.fit(tables["reference"], scale, weight)
        found = space.nearest(tables["synthetic"])
        at = np.random.default_rng(3).choice(len(found), 200, replace=False)
        queries = points(tables["synthetic"].take(at), space.scales)
        expected = twins.nearest(*queries, *points(tables["reference"], space.scales), weight)
        np.testing.assert_allclose(found[at], expected, atol=1e-9)
