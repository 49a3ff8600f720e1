"""Two levels: what rows of a batch share, how they differ, when they come, and the stream."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import generators
from generators.errors import GeneratorError
from generators.grouped.batches import Batches
from generators.grouped.categories import CategoryPart
from generators.grouped.group_identity import GroupIdentity
from generators.grouped.marginals import Marginals, RowMarginals
from generators.grouped.rows import Rows
from generators.grouped.scales import Scale
from generators.grouped.within_group_times import WithinGroupTimes
from tests.generators.tables import same_dtypes


def jobs(tasks: int = 500, seed: int = 0, days: int = 30) -> pd.DataFrame:
    """Tasks of jobs alike, sent in bursts of ten every ten minutes."""
    rng = np.random.default_rng(seed)
    size = np.minimum(rng.geometric(0.05, tasks), 80)
    task = np.repeat(np.arange(tasks), size)
    rank = np.arange(len(task)) - np.repeat(np.cumsum(size) - size, size)
    start = np.sort(rng.integers(0, days * 86400, tasks))
    kind = rng.choice(4, tasks, p=[0.5, 0.3, 0.15, 0.05])
    place = rng.integers(0, 12, (tasks, 2))
    second = rng.random(len(task)) < 0.3
    level = 4 + kind + rng.normal(0, 0.8, tasks)
    files = np.where(kind == 3, 0, rng.integers(1, 9, tasks))[task]
    failed = rng.random(len(task)) < 0.15
    work = np.exp(level[task] + rng.normal(0, 0.2, len(task)) - 2.0 * failed)
    size_b = np.where(files > 0, np.rint(files * 1e6 * rng.lognormal(0, 0.1, len(task))), 0)
    table = pd.DataFrame(
        {
            "when": np.datetime64("2024-03-01", "s") + start[task] + 600 * (rank // 10),
            "kind": pd.Categorical.from_codes(kind[task], list("abcd")),
            "place": pd.Categorical.from_codes(
                np.where(second, place[task, 1], place[task, 0]), [f"p{i}" for i in range(12)]
            ),
            "state": pd.Categorical.from_codes(failed.astype(int), ["fine", "failed"]),
            "files": pd.array(files, dtype="Int64"),
            "bytes": pd.array(size_b.astype(np.int64), dtype="Int64"),
            "work": work,
            "task": pd.array(7_000 + task, dtype="Int64"),
        }
    )
    return table.sort_values("when", kind="stable", ignore_index=True)


def create(**config: Any) -> Any:
    small = {"settings": {"width": 32, "hidden": 16}} if "base" not in config else {}
    chosen = {"group": "task", "iterations": 20, "batch": 128, **small, **config}
    return generators.create("grouped", **chosen)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return jobs()


@pytest.fixture(scope="module")
def fitted(table: pd.DataFrame) -> Any:
    return create(settings={"width": 48, "hidden": 32}, iterations=200).fit(table, seed=1)


def explained(table: pd.DataFrame, column: str) -> float:
    values = np.log(table[column].astype(float))
    means = values.groupby(table["task"]).transform("mean")
    return float(1 - ((values - means) ** 2).sum() / ((values - values.mean()) ** 2).sum())


def test_rows_of_a_group_are_alike_as_those_of_the_table(fitted: Any, table: Any) -> None:
    drawn = fitted.sample(len(table), seed=2)
    assert same_dtypes(drawn, table)
    assert drawn["task"].min() > table["task"].max()
    assert (drawn.groupby("task")["kind"].nunique() == 1).all()
    assert explained(drawn, "work") == pytest.approx(explained(table, "work"), abs=0.08)
    sizes, true = (t["task"].value_counts() for t in (drawn, table))
    assert sizes.mean() == pytest.approx(true.mean(), rel=0.12)
    failed, truly = ((t["state"] == "failed").mean() for t in (drawn, table))
    assert failed == pytest.approx(truly, abs=0.04)
    first, other = (
        t.groupby("task")["place"].agg(lambda s: s.value_counts(normalize=True).iloc[0]).mean()
        for t in (drawn, table)
    )
    assert first == pytest.approx(other, abs=0.05)


def test_a_hard_rule_between_numbers_holds(fitted: Any) -> None:
    drawn = fitted.sample(5000, seed=3)
    assert ((drawn["files"] == 0) == (drawn["bytes"] == 0)).all()
    assert (drawn["files"] == 0).any()


def test_what_fails_deviates_as_it_did(fitted: Any, table: Any) -> None:
    drawn = fitted.sample(len(table), seed=4)
    for t in (drawn, table):
        work = np.log(t["work"])
        away = work - work.groupby(t["task"]).transform("median")
        big = t.groupby("task")["task"].transform("size") >= 10
        failed = t["state"] == "failed"
        assert away[big & failed].median() == pytest.approx(-2.0, abs=0.35)
        assert away[big & ~failed].median() == pytest.approx(0.0, abs=0.1)


def test_bursts_come_at_their_pace(fitted: Any, table: Any) -> None:
    drawn = next(fitted.stream(0, rows=4000))
    for t in (drawn, table):
        t = t.sort_values(["task", "when"], kind="stable")
        gaps = t.groupby("task")["when"].diff().dt.total_seconds().dropna()
        assert (gaps == 0).mean() == pytest.approx(0.925, abs=0.03)
        assert gaps[gaps > 0].median() == pytest.approx(600, rel=0.1)


def test_a_stream_goes_on_where_the_table_ends(fitted: Any, table: Any) -> None:
    first = next(fitted.stream(5, rows=3000))
    assert same_dtypes(first, table)
    assert first["when"].is_monotonic_increasing
    assert first["when"].min() > table["when"].max()
    rate = len(table) / 30
    days = (first["when"].max() - table["when"].max()).total_seconds() / 86400
    assert 3000 / days == pytest.approx(rate, rel=0.35)


def test_a_replay_begins_with_the_window(fitted: Any, table: Any) -> None:
    first = next(fitted.stream(5, replay=True, rows=500))
    begin = table["when"].max() - pd.Timedelta(days=28, hours=2)
    assert begin <= first["when"].min() <= begin + pd.Timedelta(days=2)


def test_the_stream_is_the_same_in_tables_of_any_size(fitted: Any) -> None:
    for replay in (False, True):
        whole = next(fitted.stream(9, replay, rows=6000))
        parts = pd.concat(islice(fitted.stream(9, replay, rows=500), 12), ignore_index=True)
        pd.testing.assert_frame_equal(whole, parts)
        assert not whole.equals(next(fitted.stream(10, replay, rows=6000)))


def test_a_saved_generator_streams_the_same(fitted: Any, tmp_path: Path) -> None:
    fitted.save(tmp_path / "g")
    again = generators.load(tmp_path / "g")
    pd.testing.assert_frame_equal(next(again.stream(1, rows=700)), next(fitted.stream(1, rows=700)))


@pytest.mark.parametrize("base", ["smote", "tabddpm"])
def test_any_generator_can_be_the_base(base: str, table: Any) -> None:
    small = table[table["task"] < 7_060].reset_index(drop=True)
    model = create(base=base, iterations=10).fit(small)
    assert same_dtypes(model.sample(100), table)
    assert len(next(model.stream(0, rows=100))) == 100


def test_groups_that_come_again_keep_their_number_and_their_ways() -> None:
    rng = np.random.default_rng(5)
    n = 3000
    user = rng.integers(0, 6, n)
    session = np.repeat(rng.integers(0, 20 * 86400, n // 10), 10)
    table = pd.DataFrame(
        {
            "when": np.datetime64("2024-01-01", "s") + session + rng.integers(0, 60, n),
            "user": np.repeat(user[: n // 10], 10),
            "run": np.exp(rng.normal(np.repeat(user[: n // 10], 10), 0.1)),
        }
    )
    model = create(group="user", pause_h=1.0, base="smote").fit(table)
    drawn = model.sample(n)
    assert drawn["user"].nunique() == 6
    spread = np.log(drawn["run"]).groupby(drawn["user"]).std().median()
    assert spread < 0.6


@pytest.mark.parametrize("sizes", [[1] * 80, [200], [1, 199]], ids=["ones", "one giant", "both"])
def test_groups_of_any_size_are_fitted(sizes: list[int]) -> None:
    n = sum(sizes)
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "task": np.repeat(np.arange(len(sizes)), sizes),
            "when": np.datetime64("2024-01-01", "s") + np.sort(rng.integers(0, 9e5, n)),
            "x": rng.normal(size=n),
        }
    )
    model = create().fit(table)
    assert same_dtypes(model.sample(300), table)
    assert len(next(model.stream(0, rows=50))) == 50


def test_groups_that_overlap_for_months_are_cut_at_pauses() -> None:
    groups = np.array([0, 1, 0, 1, 0, 1])
    ticks = np.array([0, 1, 10, 11, 1000, 1001])
    found = Batches.of(groups, ticks, 50, 2, 6)
    assert found.sizes.tolist() == [2, 1, 2, 1]
    assert found.order.tolist() == [0, 2, 4, 1, 3, 5]
    assert found.member.tolist() == [0, 0, 1, 1]


def test_groups_that_never_pause_are_cut_at_the_longest_time() -> None:
    ticks = np.concatenate([np.arange(0, 100, 2), [300, 303]])
    found = Batches.of(np.zeros(52, np.int64), ticks, 50, 2, 52, longest=30)
    assert np.diff(ticks[found.order][found.first[:-1]]).tolist() == [30, 30, 30, 210]
    assert found.sizes.tolist() == [15, 15, 15, 5, 2]
    assert (found.member == 0).all()


def test_users_that_send_for_days_keep_their_share_and_their_hours() -> None:
    rng = np.random.default_rng(2)
    steady = np.sort(rng.integers(0, 6 * 86400, 6000))
    short = np.sort(rng.integers(0, 6 * 86400, 150)).repeat(20)
    user = np.concatenate([np.zeros(6000, int), 1 + rng.integers(0, 12, 150).repeat(20)])
    table = pd.DataFrame(
        {
            "when": np.datetime64("2024-01-01", "s") + np.concatenate([steady, short]),
            "user": user,
            "run": np.exp(rng.normal(user / 4, 0.2)),
        }
    )
    model = create(group="user", pause_h=1.0, longest_h=0.25, base="smote").fit(table)
    drawn = next(model.stream(0, rows=9000))
    days = (drawn["when"].max() - drawn["when"].min()) / pd.Timedelta(days=1)
    assert days == pytest.approx(6, rel=0.25)
    most = drawn["user"] == drawn["user"].mode()[0]
    assert most.mean() == pytest.approx(2 / 3, abs=0.1)
    hours = drawn.loc[most, "when"].dt.floor("h").nunique()
    assert hours > 0.95 * 24 * days


def test_drawn_numbers_are_moved_to_the_distribution_that_was_seen() -> None:
    rng = np.random.default_rng(0)
    ranks = rng.random((2, 40_000))

    def table_of(u: np.ndarray, zero: float, scale: float) -> pd.DataFrame:
        x = np.where(u < zero, 0.0, -np.log1p(-u) * scale)
        return pd.DataFrame(
            {
                "x": np.where(np.arange(len(u)) % 10 == 0, np.nan, x),
                "n": pd.array(np.rint(x).astype(np.int64), dtype="Int64"),
                "kind": pd.Categorical(np.where(u < 0.5, "a", "b")),
            }
        )

    drawn, seen = table_of(ranks[0], 0.30, 3.0), table_of(ranks[1], 0.20, 4.0)
    moved = Marginals.fit(drawn, seen).moved(drawn, rng)
    assert same_dtypes(moved, drawn)
    assert moved["x"].isna().equals(drawn["x"].isna())
    pd.testing.assert_series_equal(moved["kind"], drawn["kind"])
    for name in ("x", "n"):
        a, b, before = (t[name].dropna().astype(float) for t in (moved, seen, drawn))
        at = np.unique(b)
        apart = [
            np.abs(np.searchsorted(np.sort(v), at, "right") / len(v) -
                   np.searchsorted(np.sort(b), at, "right") / len(b)).max()
            for v in (a, before)
        ]  # fmt: skip
        assert apart[0] < 0.012 < 0.05 < apart[1]
        assert a.corr(before, method="spearman") > 0.97


def test_rows_are_moved_to_their_distribution_and_never_apart() -> None:
    rng = np.random.default_rng(3)
    none = np.zeros(30_000, bool)
    files = rng.poisson(2.0, 30_000)
    work = np.where(files == 0, 0.0, rng.lognormal(0, 1.5, 30_000))
    true = [(rng.poisson(3.0, 30_000), none), (rng.lognormal(0, 1.0, 30_000), none)]
    drawn = [(files, none), (work, none)]
    moves = RowMarginals.fit(drawn, true, [0, 1])
    (moved, _), (done, _) = moves.moved(drawn)
    assert moved.dtype == files.dtype
    np.testing.assert_array_equal(moved == 0, files == 0)
    np.testing.assert_array_equal(done == 0, work == 0)
    pairs = pd.DataFrame({"was": files, "is": moved}).groupby("was")["is"].nunique()
    assert (pairs == 1).all()
    assert (np.diff(done[np.argsort(work)]) >= 0).all()
    at = [0.05, 0.5, 0.95, 0.99]
    np.testing.assert_allclose(
        np.quantile(done[done > 0], at), np.quantile(true[1][0], at), rtol=0.06
    )


def test_marginals_leave_whole_numbers_that_floats_cannot_hold() -> None:
    table = pd.DataFrame({"n": pd.array([2**62 + 1, 5] * 20, dtype="Int64"), "x": [1.0, 2.0] * 20})
    moved = Marginals.fit(table, table).moved(table, np.random.default_rng(0))
    pd.testing.assert_frame_equal(moved, table)


def test_rows_without_a_group_stand_alone(table: Any) -> None:
    some = table[:300].copy()
    some.loc[::2, "task"] = pd.NA
    drawn = create().fit(some).sample(100)
    assert drawn["task"].notna().all()


def test_times_in_any_order_give_the_same_batches(table: Any) -> None:
    mixed = table.sample(frac=1.0, random_state=0).reset_index(drop=True)
    for t in (table, mixed):
        ticks = t["when"].to_numpy().view(np.int64)
        found = Batches.of(pd.factorize(t["task"], sort=True)[0], ticks, 86_400, 10, len(t))
        assert sorted(found.sizes) == sorted(table["task"].value_counts())


@pytest.mark.parametrize(
    ("config", "change", "message"),
    [
        ({"group": "tusk"}, {}, "task"),
        ({"group": "kind"}, {}, "integers"),
        ({"group": None, "time": "wen"}, {}, "when"),
        ({"time": "work"}, {}, "datetime64"),
        ({"time": "when"}, {"when": pd.NaT}, "missing"),
        ({"time": "when"}, {"when": np.datetime64("2024-01-01", "s")}, "differ"),
        ({"time": "when"}, {"when": "zone"}, "naive"),
    ],
    ids=str,
)
def test_columns_that_cannot_play_their_part_are_refused(
    table: Any, config: dict, change: dict, message: str
) -> None:
    some = table[:50].copy()
    for name, value in change.items():
        if isinstance(value, str):
            some[name] = some[name].dt.tz_localize("Europe/Zurich")
        elif value is pd.NaT:
            some.loc[3, name] = value
        else:
            some[name] = np.full(50, value)
    with pytest.raises(GeneratorError, match=message):
        create(**config).fit(some)


def test_a_table_without_times_is_sampled_but_not_streamed(table: Any) -> None:
    model = create().fit(table.drop(columns="when")[:500])
    assert len(model.sample(50)) == 50
    with pytest.raises(GeneratorError, match="times"):
        model.stream(0)


@pytest.mark.parametrize("rows", [0, -1, 1.5, True, "3"])
def test_a_wrong_number_of_rows_a_table_is_refused(fitted: Any, rows: Any) -> None:
    with pytest.raises(GeneratorError, match="rows"):
        fitted.stream(0, rows=rows)


@pytest.mark.parametrize(
    "config", [{"base": "grouped"}, {"base": "tabdpm"}, {"pause_h": -1.0}, {"longest_h": 0.0}]
)
def test_settings_that_make_no_sense_are_refused(config: dict) -> None:
    with pytest.raises(GeneratorError):
        create(**config)


def test_a_pattern_repeats_bursts_and_their_sizes() -> None:
    seconds = np.tile(np.repeat([0.0, 500.0, 1000.0], 7), 100)
    pattern = WithinGroupTimes.fit(seconds, np.arange(0, 2101, 21))
    drawn = pattern.draw(np.full(200, 21), np.random.default_rng(0)).reshape(200, 21)
    gaps = np.diff(drawn, axis=1)
    long = gaps > 2
    assert long[:, [6, 13]].mean() > 0.9
    assert np.delete(long, [6, 13], axis=1).mean() < 0.02
    assert gaps[long].min() >= 400


def test_batches_keep_a_pace_that_rows_between_their_bursts_do_not_break() -> None:
    rng = np.random.default_rng(3)
    pace = rng.choice([60.0, 3600.0], 400)
    burst = np.arange(40) // 5 * pace[:, None]
    late = np.where(rng.random((400, 40)) < 0.1, 7.0, 0.0)  # one row in ten, between two bursts
    sizes, first = np.full(400, 40), np.arange(0, 16_001, 40)
    seconds = np.sort(burst + late, axis=1)
    pattern = WithinGroupTimes.fit(seconds.ravel(), first)
    drawn = np.diff(pattern.draw(sizes, rng).reshape(400, 40), axis=1)
    # One pace all the way: no batch has both, but for its first pause.
    for gaps in (np.diff(seconds, axis=1), drawn):
        slow, quick = (gaps > 1000).sum(axis=1), ((gaps > 20) & (gaps < 100)).sum(axis=1)
        assert ((slow > 2) & (quick > 2)).mean() < 0.02
        assert (slow > 2).mean() == pytest.approx((pace > 1000).mean(), abs=0.08)


def test_large_batches_lag_at_their_end_and_small_ones_do_not() -> None:
    small, large = np.zeros(10), np.r_[np.zeros(290), 4000.0 * np.arange(1, 11)]
    seconds = np.concatenate([np.tile(small, 500), np.tile(large, 30)])
    sizes = np.repeat([10, 300], [500, 30])
    pattern = WithinGroupTimes.fit(seconds, np.concatenate([[0], np.cumsum(sizes)]))
    drawn = pattern.draw(sizes, np.random.default_rng(0))
    assert np.mean(drawn[:5000] > 2.0) < 0.05
    ends = drawn[5000:].reshape(30, 300)[:, -1]
    assert ends.mean() == pytest.approx(40_000, rel=0.15)


def test_a_pattern_draws_the_same_after_it_was_stored() -> None:
    rng = np.random.default_rng(1)
    sizes = rng.integers(1, 80, 300)
    seconds = np.concatenate([np.sort(rng.exponential(900.0, n)) for n in sizes])
    pattern = WithinGroupTimes.fit(seconds, np.concatenate([[0], np.cumsum(sizes)]))
    again = WithinGroupTimes.restore(pattern.arrays())
    one, other = (p.draw(sizes, np.random.default_rng(2)) for p in (pattern, again))
    np.testing.assert_array_equal(one, other)


def test_a_deviation_leans_on_what_is_typical_where_it_did() -> None:
    """Failed jobs end after about the same time, however long their task's others take."""
    rng = np.random.default_rng(4)
    task = np.repeat(np.arange(300), 20)
    level = rng.normal(8.0, 1.5, 300)[task]
    failed = rng.random(len(task)) < 0.2
    work = np.exp(np.where(failed, 4.0, level) + rng.normal(0, 0.2, len(task)))
    state = pd.Categorical.from_codes(failed.astype(int), ["fine", "failed"])
    table = pd.DataFrame({"state": state, "files": pd.array(task % 3, "Int64"), "work": work})
    batches = Batches.of(task, None, np.inf, 10, len(task))
    rows, summary = Rows.fit(table, batches, rng)
    columns, label = rows.draw(summary, rng)
    (codes, _), (files, _), (drawn, _) = columns
    typical = np.log(summary["2"].to_numpy(float))[label]
    away = np.log(drawn) - typical
    for code, slope in ((0, 0.0), (1, -1.0)):
        here = codes == code
        assert np.polyfit(typical[here], away[here], 1)[0] == pytest.approx(slope, abs=0.1)
    # What a batch has one value of stays so.
    np.testing.assert_array_equal(files, label % 3)


def test_a_scale_moves_nothing_by_nothing() -> None:
    big = np.array([2**62 + 1, 0, 5], np.int64)
    scale = Scale.fit(big)
    np.testing.assert_array_equal(scale.moved(big, np.zeros(3)), big)
    moved = scale.moved(np.array([5, 5, 5], np.int64), np.array([-9.0, 0.1, 99.0]))
    assert moved.min() >= 0
    assert moved.max() <= big.max()


def test_members_have_their_hours_and_their_share() -> None:
    rng = np.random.default_rng(0)
    member, part = (
        np.repeat([-1, 0, 4], [2000, 6000, 2000]),
        np.repeat([0, 1, 2], [2000, 6000, 2000]),
    )
    identity = GroupIdentity.restore(GroupIdentity.fit(member, part).arrays())
    assert identity.draw(part, len(part), rng).categories.tolist() == [-1, 0, 4]
    drawn = identity.draw(part, len(part), rng).astype(np.int64)
    assert (drawn == member).mean() > 0.98
    anyone = np.asarray(identity.draw(None, 10_000, rng))
    assert np.mean(anyone == 0) == pytest.approx(0.6, abs=0.03)
    # A part of the day in which nobody was seen, and one beyond all that were.
    assert np.asarray(identity.draw(np.array([7]), 1, rng)).tolist()[0] in (-1, 0, 4)


def test_sessions_go_on_as_often_as_they_did_and_shares_stay() -> None:
    rng = np.random.default_rng(1)
    fresh, at = rng.choice([0, 1, 2, 3], 20_000, p=[0.5, 0.2, 0.2, 0.1]), np.arange(20_000)
    goes_on = (rng.random(20_000) < 0.6) & (at > 4)
    member = fresh.copy()
    for i in np.flatnonzero(goes_on):
        member[i] = member[i - rng.integers(1, 5)]
    identity = GroupIdentity.fit(member, None, reach=4)
    assert identity.echo == pytest.approx(0.6, abs=0.06)
    drawn = np.asarray(identity.draw(None, 20_000, rng))[identity.origins(20_000, rng)]
    for k in (1, 4, 8):
        mine, real = ((m[k:] == m[:-k]).mean() for m in (drawn, member))
        assert mine == pytest.approx(real, abs=0.03)
    assert np.mean(drawn == 0) == pytest.approx(0.5, abs=0.05)
    assert GroupIdentity.fit(member, None).echo == 0.0


def test_a_batch_has_as_many_other_choices_as_batches_had() -> None:
    rng = np.random.default_rng(0)
    label = np.repeat(np.arange(200), 50)
    palette = np.argsort(rng.random((200, 40)), axis=1)[:, :4]  # four places a batch
    codes = palette[label, rng.choice(4, len(label), p=[0.5, 0.2, 0.15, 0.15])]
    first = np.arange(0, len(label) + 1, 50)
    part, own = CategoryPart.fit("0", codes, 41, label, first)
    assert part.kinds == 2
    drawn = part.draw(pd.DataFrame(own), np.diff(first), label, rng)
    for c in (codes, drawn):
        kinds = pd.Series(c).groupby(label).nunique()
        assert kinds.max() == 4
        assert kinds.mean() == pytest.approx(4, abs=0.2)


@pytest.mark.parametrize(
    "numbers",
    [
        [0.0] * 24 + [1.797693e308],
        [0.0] * 22 + [9.979202e291, 1.797693e308, -1.0],
        [1.7e308, -1.7e308, 3.0] * 9,
        [1e308, 1e-300] * 10,
    ],
)
def test_numbers_at_the_end_of_what_floats_hold_overflow_nowhere(numbers: list[float]) -> None:
    table = pd.DataFrame({"c": pd.Categorical(["a"] * len(numbers)), "x": numbers})
    drawn = generators.create("grouped", group="task", settings={"iterations": 2})
    drawn = drawn.fit(table.assign(task=np.arange(len(table)) // 5)).sample(40)
    assert drawn["x"].between(min(numbers), max(numbers)).all()
