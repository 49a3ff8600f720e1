"""The reference workload as tables and files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import panda_gym
from panda_gym.errors import RecordsError, SeedError
from panda_gym.records import (
    STAND_IN,
    load_records,
    reference_export,
    reference_records,
    workload_gflop,
    write_reference,
)
from panda_gym.records.columns import check_table
from panda_gym.records.reference import reference_blocks, tables
from panda_gym.records.reference.calibration import KEEP
from panda_gym.records.reference.clock import SECONDS, calendar
from panda_gym.records.reference.export import export_blocks, kept_rows
from panda_gym.records.reference.traits import draw_quantile, format_traits, site_traits
from panda_gym.sites import load_platform


def test_the_package_offers_it_by_its_public_name():
    assert panda_gym.reference_records is reference_records
    assert panda_gym.load_records is load_records


@pytest.mark.parametrize("n", [1, 2, 49, 51, 1_000])
def test_any_size_gives_a_table_that_passes_the_check(n):
    table = reference_records(n, seed=4)
    assert len(table) == n
    pd.testing.assert_frame_equal(check_table(table), table)
    assert table.attrs["origin"] == STAND_IN
    assert "stand-in" in STAND_IN
    assert "stand-in" in reference_records.__doc__


def test_same_seed_same_table_other_seed_other_table():
    first, again, other = (reference_records(500, seed=seed) for seed in (7, 7, 8))
    pd.testing.assert_frame_equal(first, again)
    assert not first["workload"].equals(other["workload"])


def test_extra_columns_do_not_change_the_nine():
    pd.testing.assert_frame_equal(
        reference_records(500, keep=KEEP).iloc[:, :9], reference_records(500)
    )


def test_rows_are_in_order_and_inside_the_period(reference):
    assert reference["creationtime"].is_monotonic_increasing
    assert reference["creationtime"].min() >= tables.START
    assert reference["creationtime"].max() < tables.START + np.timedelta64(SECONDS, "s")


def test_files_and_bytes_are_zero_together(reference):
    no_files, no_bytes = reference["ninputdatafiles"] == 0, reference["inputfilebytes"] == 0
    assert (no_files == no_bytes).all()
    assert 0 < no_files.mean() < 0.05


def test_workload_is_that_of_cores_site_and_cpu_time(reference):
    platform = load_platform(tables.PLATFORM)
    part = reference.iloc[::97]
    power = [platform.power[platform.index(name)] for name in part["computingsite"]]
    cpu, cores = (part[name].astype("int64") for name in ("cpuconsumptiontime", "corecount"))
    assert part["workload"].tolist() == workload_gflop(cores, power, cpu).tolist()


def test_jobs_of_a_task_share_what_a_task_decides(reference):
    by_task = reference.groupby("jeditaskid")
    for name in ("project", "prodstep", "datatype", "corecount"):
        assert (by_task[name].nunique() == 1).all()
    assert (by_task["computingsite"].nunique() <= len(tables.SITES_PER_TASK)).all()


def test_large_sites_run_more(reference):
    traits, platform = site_traits(), load_platform(tables.PLATFORM)
    shares = reference["computingsite"].value_counts(normalize=True)
    slots = pd.Series(platform.cores, index=platform.names)[shares.index]
    assert shares.corr(slots, method="spearman") > 0.6
    assert traits.share.sum() == pytest.approx(1.0)
    assert traits.share @ traits.failure == pytest.approx(tables.FAILED_SHARE)


def test_failed_jobs_use_less_cpu_time(reference):
    cpu = np.log(reference["cpuconsumptiontime"].astype("float64"))
    median = cpu.groupby(reference["jobstatus"], observed=True).median()
    assert median["failed"] < median["finished"] - 0.5


def test_generations_turn_over(reference):
    half = len(reference) // 2
    new = reference.drop_duplicates("jeditaskid")["project"].isin(tables.NEW_PROJECTS)
    early, late = new[new.index < half].mean(), new[new.index >= half].mean()
    assert late > early * 1.1


def test_the_calendar_dips_at_night_at_weekends_and_at_christmas():
    days = calendar().reshape(tables.DAYS, 24)
    assert days[:, 3].sum() < days[:, 15].sum()
    date = tables.START.astype("datetime64[D]") + np.arange(tables.DAYS)
    level = pd.Series(days.mean(axis=1), index=date)
    assert level["2022-12-24"] < level["2022-12-17"] < level["2022-12-14"]


def test_tables_of_shares_sum_to_one():
    assert sum(row[1] for row in tables.PROJECTS) == pytest.approx(1.0)
    assert sum(row[1] for row in tables.FAMILIES) == pytest.approx(1.0)
    assert sum(tables.SITES_PER_TASK) == pytest.approx(1.0)
    assert sum(row[1] for row in tables.DROPPED) == pytest.approx(1.0)
    formats = format_traits()
    assert len(set(formats.names)) == 223
    for shares in (formats.old, formats.new, formats.share):
        assert shares.sum() == pytest.approx(1.0)
        assert (shares >= 0).all()


def test_quantiles_drawn_are_those_of_the_table():
    table = tables.JOBS_PER_TASK
    probability, value = zip(*table, strict=True)
    np.testing.assert_allclose(draw_quantile(table, np.array(probability)), value)
    drawn = draw_quantile(table, np.random.default_rng(0).random(50_000))
    np.testing.assert_allclose(np.quantile(drawn, [0.5, 0.9]), [9.0, 175.0], rtol=0.06)


def assert_same(table: pd.DataFrame, other: pd.DataFrame) -> None:
    """As assert_frame_equal, which takes seconds on long categories."""
    assert table.dtypes.to_dict() == other.dtypes.to_dict()
    assert table.equals(other)


def test_streamed_blocks_and_files_are_the_whole_table(tmp_path):
    whole = reference_records(105_000, seed=6, keep=KEEP)
    blocks = list(reference_blocks(105_000, seed=6, keep=KEEP))
    assert len(blocks) == 2
    texts = dict.fromkeys(whole.columns[whole.dtypes == "category"], "str")
    joined = check_table(pd.concat([block.astype(texts) for block in blocks]), KEEP)
    assert_same(joined, whole)
    calls: list[tuple[int, int, str]] = []
    path = write_reference(
        tmp_path / "r.parquet", 105_000, 6, keep=KEEP, progress=lambda *call: calls.append(call)
    )
    assert_same(load_records(path, KEEP), whole)
    assert [call[1] for call in calls] == [105_000] * 2
    assert calls[-1][0] == 105_000


def test_a_raw_export_in_blocks_is_the_whole_and_keeps_the_records(tmp_path):
    n = 130_000
    sizes = [len(block) for block in export_blocks(n, seed=2)]
    assert len(sizes) == 2
    assert sum(sizes) == n
    path = write_reference(tmp_path / "raw.parquet", n, 2, raw=True)
    assert_same(load_records(path), reference_records(kept_rows(n), seed=2))
    stored = pq.read_table(path, columns=["pandaid", "proddblock"]).to_pandas()
    assert stored["pandaid"].is_monotonic_increasing
    assert stored["pandaid"].is_unique


def test_personal_placeholders_of_an_export_are_neutral(export):
    assert export["produsername"].str.fullmatch(r"user\d{4}").all()
    assert export["jobname"].str.fullmatch(r"user\.user\d{4}\.\d+\.\d{6}").all()
    assert export.attrs["origin"] == STAND_IN


@pytest.mark.parametrize("draw", [reference_records, reference_export, reference_blocks])
@pytest.mark.parametrize("n", [0, -3, 2.0, "many", True, None])
def test_a_wrong_number_of_rows_is_refused(draw, n):
    with pytest.raises(RecordsError, match="number of rows"):
        draw(n)


@pytest.mark.parametrize("draw", [reference_records, reference_export, reference_blocks])
@pytest.mark.parametrize("seed", [-1, 0.5, "0", True, None])
def test_a_wrong_seed_is_refused(draw, seed):
    with pytest.raises(SeedError):
        draw(10, seed)


def test_a_failed_write_leaves_nothing_behind(tmp_path):
    def stop(done: int, total: int, message: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_reference(tmp_path / "r.parquet", 100, progress=stop)
    with pytest.raises(RecordsError, match=r"ending in \.parquet"):
        write_reference(tmp_path / "r.csv", 100)
    with pytest.raises(RecordsError, match="number of rows"):
        write_reference(tmp_path / "r.parquet", 0)
    with pytest.raises(RecordsError, match="both"):
        write_reference(tmp_path / "r.parquet", 10, raw=True, keep=("corecount",))
    assert list(tmp_path.iterdir()) == []
