"""Every registered generator keeps the promises of the interface."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

import generators
from generators.encoding.codecs import CalendarCodec
from generators.errors import GeneratorError
from tests.generators.tables import hostile_table, mixed_table, same_dtypes

NAMES = generators.names()
QUICK: dict[str, Any] = {
    "iterations": 12,
    "batch": 64,
    "width": 16,
    "evaluate_every": 6,
    "steps": 3,
}


def create(name: str, **config: Any) -> Any:
    """Return a generator whose networks, if it has any, are tiny."""
    known = {field.name for field in dataclasses.fields(generators.create(name).config)}
    return generators.create(name, **{k: v for k, v in QUICK.items() if k in known}, **config)


@pytest.fixture(scope="module", params=NAMES)
def fitted(request: pytest.FixtureRequest) -> Any:
    """A generator of each name, fitted to 600 mixed rows with some entries missing."""
    table = mixed_table(600)
    table.loc[::7, "cost"] = np.nan
    table.loc[::11, "kind"] = None
    return create(request.param).fit(table, seed=4), table


def test_rows_have_the_columns_dtypes_levels_and_bounds_of_the_table(fitted: Any) -> None:
    model, table = fitted
    drawn = model.sample(300, seed=1)
    assert same_dtypes(drawn, table)
    assert len(drawn) == 300
    assert list(drawn.index) == list(range(300))
    for name in ("when", "files", "size", "cost"):
        assert drawn[name].min() >= table[name].min()
        assert drawn[name].max() <= table[name].max()
    assert drawn["cost"].isna().any()
    assert set(drawn["kind"].dropna()) <= set(table["kind"].dropna())


def test_the_same_seed_gives_the_same_rows_whatever_is_asked_beyond_them(fitted: Any) -> None:
    model, _ = fitted
    many = model.sample(model.block + 50, seed=7)
    pd.testing.assert_frame_equal(many[:100], model.sample(100, seed=7))
    assert not many.equals(model.sample(model.block + 50, seed=8))
    assert not many[:50].equals(many[model.block :].reset_index(drop=True))


def test_rows_do_not_depend_on_how_their_blocks_are_joined(
    fitted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, _ = fitted
    monkeypatch.setattr(type(model), "block", 8)
    many = model.sample(8 * 35 + 3, seed=2)
    monkeypatch.setattr("generators.base.GATHER", 10**6)
    pd.testing.assert_frame_equal(many, model.sample(8 * 35 + 3, seed=2))


def test_no_rows_are_an_empty_table_of_the_same_types(fitted: Any) -> None:
    model, table = fitted
    empty = model.sample(0)
    assert len(empty) == 0
    assert same_dtypes(empty, table)


def test_given_columns_stand_in_the_rows_exactly(fitted: Any) -> None:
    model, table = fitted
    one = model.sample(60, seed=1, conditions={"kind": "k2", "cost": 123.456, "files": 3})
    assert same_dtypes(one, table)
    assert (one["kind"] == "k2").all()
    assert (one["cost"] == 123.456).all()
    assert (one["files"] == 3).all()
    assert one["when"].nunique() > 1
    for columns in (["when", "size"], ["place", "cost", "when"], list(table.columns)):
        each = table[columns][:70].reset_index(drop=True)
        drawn = model.sample(70, seed=2, conditions=each)
        assert same_dtypes(drawn, table)
        pd.testing.assert_frame_equal(drawn[columns], each)
    arrays = {"kind": [None, *["k1"] * 4], "cost": np.array([np.nan, 1.5, 2.5, 3.5, 4.5])}
    drawn = model.sample(5, conditions=arrays)
    assert drawn["kind"].isna().tolist() == [True, *[False] * 4]
    assert drawn["cost"].tolist()[1:] == [1.5, 2.5, 3.5, 4.5]


def test_rows_under_a_condition_do_not_depend_on_those_asked_for_beyond_them(fitted: Any) -> None:
    model, table = fitted
    n = 120
    given_ = pd.DataFrame({"place": np.resize(table["place"].to_numpy(), n), "size": 5})
    many = model.sample(n, seed=7, conditions=given_)
    pd.testing.assert_frame_equal(many[:50], model.sample(50, seed=7, conditions=given_[:50]))
    pd.testing.assert_frame_equal(many, model.sample(n, seed=7, conditions=given_))
    assert not many.equals(model.sample(n, seed=8, conditions=given_))


def test_a_saved_generator_draws_the_same_rows_under_a_condition(
    fitted: Any, tmp_path: Path
) -> None:
    model, _ = fitted
    model.save(tmp_path / "g")
    again, asked = generators.load(tmp_path / "g"), {"kind": "k1", "size": 0}
    pd.testing.assert_frame_equal(
        again.sample(40, conditions=asked), model.sample(40, conditions=asked)
    )


def test_the_levels_of_a_balanced_category_are_equally_likely(fitted: Any) -> None:
    model, table = fitted
    drawn = model.sample(1000, seed=3, balance="place", conditions={"kind": "k0"})
    share = drawn["place"].value_counts(normalize=True)
    assert share[share > 0].between(0.05, 0.12).all()
    assert set(drawn["place"]) == set(table["place"])
    assert (drawn["kind"] == "k0").all()
    pd.testing.assert_frame_equal(
        drawn[:20], model.sample(20, seed=3, balance="place", conditions={"kind": "k0"})
    )


def test_no_rows_under_a_condition_are_an_empty_table(fitted: Any) -> None:
    model, table = fitted
    assert same_dtypes(model.sample(0, conditions={"kind": "k1"}, balance="place"), table)
    assert len(model.sample(0, conditions={"kind": []})) == 0


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"knid": "k1"}, "kind"),
        ({"kind": "k9"}, "seen at fit"),
        ({"kind": "k5"}, "seen at fit"),
        ({"place": None}, "missing"),
        ({"files": 2.5}, "Int64"),
        ({"cost": "dear"}, "float64"),
        ({"cost": float("inf")}, "finite"),
        ({"kind": ["k1", "k2"]}, "entries as rows"),
        (pd.DataFrame({"kind": ["k1"]}), "1 rows"),
        ("kind", "mapping"),
        ({"cost": pd.Period("2024-03-02", "D")}, "period"),
    ],
    ids=str,
)
def test_a_condition_that_cannot_be_met_is_refused(fitted: Any, asked: Any, message: str) -> None:
    with pytest.raises(GeneratorError, match=message):
        fitted[0].sample(3, conditions=asked)


@pytest.mark.parametrize("column", ["cost", "nothing", "kind"])
def test_a_column_that_cannot_be_balanced_is_refused(fitted: Any, column: str) -> None:
    with pytest.raises(GeneratorError, match="balance"):
        fitted[0].sample(3, conditions={"kind": "k1"}, balance=column)


def test_a_day_or_an_hour_can_be_given_where_they_are_tokens(fitted: Any) -> None:
    model, _ = fitted
    day, hour = pd.Period("2024-03-05", "D"), pd.Period("2024-03-05 13:00", "h")
    if not any(isinstance(codec, CalendarCodec) for codec in model.encoder.codecs):
        with pytest.raises(GeneratorError, match="calendar"):
            model.sample(3, conditions={"when": day})
        return
    for period, unit in ((day, "D"), (hour, "h")):
        drawn = model.sample(80, conditions={"when": period})["when"]
        assert (drawn.dt.to_period(unit) == period).all()
        assert drawn.nunique() > 20
    days = pd.PeriodIndex(["2024-03-02", "2024-03-09"], freq="D")
    assert list(model.sample(2, conditions={"when": days})["when"].dt.to_period("D")) == list(days)
    with pytest.raises(GeneratorError, match="seen at fit"):
        model.sample(3, conditions={"when": pd.Period("2025-01-01", "D")})


def test_a_saved_generator_loads_and_draws_the_same_rows(fitted: Any, tmp_path: Path) -> None:
    model, _ = fitted
    model.save(tmp_path / "g")
    again = generators.load(tmp_path / "g")
    assert type(again) is type(model)
    assert again.config == model.config
    pd.testing.assert_frame_equal(again.sample(200, seed=3), model.sample(200, seed=3))
    assert sorted(f.name for f in (tmp_path / "g").iterdir()) == [
        "generator.json",
        "weights.safetensors",
    ]


def test_a_generator_is_loaded_with_settings_of_its_own_but_not_against_its_weights(
    tmp_path: Path,
) -> None:
    table = mixed_table(300)
    model = create("tabddpm").fit(table, seed=1)
    model.save(tmp_path / "g")
    more = generators.load(tmp_path / "g", steps=9, solver="ddim")
    assert (more.config.steps, more.config.solver) == (9, "ddim")
    assert not more.sample(50, seed=3).equals(model.sample(50, seed=3))
    for wrong in ({"width": 32}, {"stesp": 9}, {"steps": 0}, {"device": "abacus"}):
        with pytest.raises(GeneratorError):
            generators.load(tmp_path / "g", **wrong)


def test_a_model_is_loaded_on_the_cpu_wherever_it_was_fitted(tmp_path: Path) -> None:
    model = create("autoregressive").fit(mixed_table(100))
    elsewhere = dataclasses.replace(model.config)
    object.__setattr__(elsewhere, "device", "cuda:7")
    model.config = elsewhere
    model.save(tmp_path / "g")
    assert generators.load(tmp_path / "g").config.device == "cpu"


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_fits_the_same_model(name: str) -> None:
    table = mixed_table(300)
    first, second = (create(name).fit(table, seed=s).sample(200) for s in (5, 5))
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize("name", NAMES)
@given(table=hostile_table())
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_table_is_fitted_and_sampled_within_its_bounds(name: str, table: pd.DataFrame) -> None:
    drawn = create(name).fit(table).sample(40)
    assert same_dtypes(drawn, table)
    for column in table.columns:
        if not table[column].isna().any():
            assert not drawn[column].isna().any()
        if not isinstance(table[column].dtype, pd.CategoricalDtype):
            assert drawn[column].dropna().between(table[column].min(), table[column].max()).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "columns",
    [["kind", "place"], ["cost"], ["when"], ["files", "size", "cost"], ["kind"]],
    ids="+".join,
)
def test_tables_of_one_kind_of_column_work(name: str, columns: list[str]) -> None:
    table = mixed_table(120)[columns]
    assert same_dtypes(create(name).fit(table).sample(30), table)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [-1, 1.5, "3", True, None])
def test_a_wrong_number_of_rows_is_refused(name: str, n: Any) -> None:
    with pytest.raises(GeneratorError, match="number of rows"):
        create(name).sample(n)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [-1, 1.5, "3", True, None, float("nan")])
def test_a_wrong_seed_is_refused(name: str, seed: Any) -> None:
    with pytest.raises(GeneratorError, match="seed"):
        create(name).fit(mixed_table(20), seed=seed)


@pytest.mark.parametrize("name", NAMES)
def test_an_unfitted_generator_neither_samples_nor_saves(name: str, tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match="fitted"):
        create(name).sample(1)
    with pytest.raises(GeneratorError, match="fitted"):
        create(name).save(tmp_path / "g")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_progress_ends_at_its_total(name: str) -> None:
    calls: list[tuple[int, int, str]] = []
    create(name).fit(mixed_table(300), progress=lambda *call: calls.append(call))
    assert calls
    assert calls[-1][0] == calls[-1][1]
    assert all(isinstance(text, str) and done <= total for done, total, text in calls)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_setting_or_one_out_of_range_is_refused(name: str) -> None:
    with pytest.raises(GeneratorError, match="min_count"):
        generators.create(name, min_cuont=3)
    with pytest.raises(GeneratorError, match="min_count as an integer"):
        generators.create(name, min_count=-3)


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_explained_and_survives_json(name: str) -> None:
    model = generators.create(name)
    source = Path(sys.modules[type(model.config).__module__].__file__ or "").read_text()
    assert dataclasses.is_dataclass(model.config)
    assert type(model.config).__dataclass_params__.frozen
    own = type(model.config).__annotations__
    assert all(f"    {field}:" in source for field in own)
    lines = source.splitlines()
    for field in own:
        at = next(i for i, line in enumerate(lines) if line.startswith(f"    {field}:"))
        assert lines[at + 1].strip().startswith('"""')
        assert lines[at + 1].rstrip().endswith('."""')


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(GeneratorError, match="tabddpm"):
        generators.create("tabdpm")


def test_a_folder_of_another_generator_is_refused_by_its_class(tmp_path: Path) -> None:
    create("smote").fit(mixed_table(50)).save(tmp_path / "g")
    with pytest.raises(GeneratorError, match="tabddpm"):
        type(generators.create("tabddpm")).load(tmp_path / "g")


def test_importing_the_package_loads_neither_torch_nor_pandas() -> None:
    code = "import sys, generators; assert not {'torch', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_smote_needs_no_torch() -> None:
    code = (
        "import sys, generators, pandas as pd;"
        "generators.create('smote').fit(pd.DataFrame({'a': [1.0, 2.0]})).sample(3);"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
