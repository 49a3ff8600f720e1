"""Names of release 0.1 still work, warn, and give the same rows."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import generators
from generators.deprecated import PARAMETERS, SETTINGS
from generators.files import read_folder, write_folder
from tests.generators.tables import mixed_table

QUICK = {"iterations": 4, "batch": 32, "width": 8, "hidden": 8}


def test_the_old_keyword_of_conditions_warns_and_gives_the_same_rows() -> None:
    model = generators.create("smote").fit(mixed_table(60))
    asked = {"kind": "k1"}
    with pytest.warns(FutureWarning, match=r"'given' is now 'conditions'.*0\.3"):
        old = model.sample(9, seed=1, given=asked)
    pd.testing.assert_frame_equal(old, model.sample(9, seed=1, conditions=asked))


@pytest.mark.parametrize(
    ("name", "old", "value"), [("tabddpm", "given_share", 0.5), ("ctabgan", "mind", 8)]
)
def test_an_old_setting_warns_and_means_the_new_one(name: str, old: str, value: float) -> None:
    with pytest.warns(FutureWarning, match=f"'{old}' is now '{SETTINGS[old]}'"):
        model = generators.create(name, **{old: value})
    assert getattr(model.config, SETTINGS[old]) == value


@pytest.mark.parametrize("name", ["autoregressive", "tabddpm", "ctabgan"])
def test_a_folder_with_old_names_opens_silently_and_draws_the_same_rows(
    name: str, tmp_path: Path
) -> None:
    model = generators.create(name, **QUICK).fit(mixed_table(80))
    model.save(tmp_path / "new")
    meta, arrays = read_folder(tmp_path / "new")
    settings = {new: old for old, new in SETTINGS.items()}
    meta["config"] = {settings.get(key, key): value for key, value in meta["config"].items()}
    for junk in ("weights_sha256", "format"):
        del meta[junk]
    write_folder(tmp_path / "old", meta, {_old(name, key): a for key, a in arrays.items()})
    assert set(json.loads((tmp_path / "old/generator.json").read_text())["config"]) & set(SETTINGS)
    again = generators.load(tmp_path / "old")
    pd.testing.assert_frame_equal(again.sample(50, seed=2), model.sample(50, seed=2))


def _old(generator: str, key: str) -> str:
    """Return the name that release 0.1 gave to an array of a folder."""
    parts = {new: old for old, new in PARAMETERS.items() if old != "given"}
    if generator == "ctabgan":
        parts["condition_embedding"] = "given"
    if not key.startswith("model."):
        return key
    return ".".join(parts.get(part, part) for part in key.split("."))
