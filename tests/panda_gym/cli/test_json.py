"""Every verb's `--json` is valid JSON in which numbers are numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from panda_gym.cli.app import VERBS, build
from panda_gym.cli.console import Quantity, lines_of_table, plain, show, text
from panda_gym.records import save_records
from panda_gym.surrogate import Surrogate

APP = build()
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*%?", re.IGNORECASE)


def strict(output: str) -> Any:
    """Parse JSON; NaN and Infinity are errors."""

    def refuse(word: str) -> Any:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(output, parse_constant=refuse)


def strings(value: Any) -> Iterator[str]:
    """Yield every string among the values."""
    if isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)
    elif isinstance(value, str):
        yield value


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, records: pd.DataFrame, sealed: Surrogate, fitted: Path
) -> dict[str, str]:
    """Inputs of the verbs, by the word that stands for them in CASES."""
    root = tmp_path_factory.mktemp("verbs")
    save_records(records, root / "records.parquet")
    return {"ROOT": str(root), "SEALED": str(sealed.folder), "FITTED": str(fitted)}


GRID = ("--stream", "SEALED", "--jobs", "30", "--allow-uncertified")
CASES: dict[str, tuple[str, ...]] = {
    "records": ("records", "--reference", "500", "--out", "ROOT/r.parquet"),
    "fit": ("fit", "ROOT/records.parquet", "--generator", "smote", "--out", "ROOT/fitted"),
    "sample": ("sample", "SEALED", "--rows", "20", "--out", "ROOT/s.csv", "--allow-uncertified"),
    "verify": ("verify", "SEALED", "--redraw"),
    "simulate": ("simulate", *GRID, "--policy", "fastest", "--log", "ROOT/log.parquet"),
    "replay": ("replay", "ROOT/log.parquet", "--out", "ROOT/replay.html", "--frames", "10"),
    "train": ("train", *GRID, "--steps", "64", "--num-envs", "2", "--out", "ROOT/train"),
    "benchmark": ("benchmark", *GRID, "--policy", "random", "--policy", "fastest", "--seeds", "2",
                  "--out", "ROOT/benchmark"),
    "dataset": ("dataset", "--out", "ROOT/dataset", "--policy", "random", "--transitions", "60",
                *GRID),
    "workflow": ("workflow", "compare", "ddmd"),
    "pipelines": ("pipelines", "run", "--days", "2"),
    "joint": ("joint", "draw", "ROOT/joint.json", "--jobs", "5", "--nodes", "4",
              "--local-stores", "3", "--remote-stores", "1"),
    "doctor": ("doctor",),
}  # fmt: skip
LONG = {"certify", "compare", "tune", "report", "monitor", "demo", "serve"}
"""Verbs that fit, search or wait for requests: their tests stand beside the verbs' own."""


def test_every_verb_has_a_case() -> None:
    assert {*CASES, *LONG} == set(VERBS)


def test_the_output_of_every_verb_is_strict_json_with_numbers(place: dict[str, str]) -> None:
    runner = CliRunner()
    for verb, words in CASES.items():
        for name, value in place.items():
            words = tuple(word.replace(name, value) for word in words)
        ran = runner.invoke(APP, [*words, "--json"], catch_exceptions=False)
        assert ran.exit_code in (0, 1), (verb, ran.output)
        found = strict(ran.stdout)
        assert isinstance(found, dict), verb
        assert not [one for one in strings(found) if NUMBER.fullmatch(one)], verb


def test_a_number_that_is_not_finite_is_null(capsys: pytest.CaptureFixture[str]) -> None:
    show({"a": float("nan"), "b": [np.float64("inf"), np.int64(3)], "c": Path("x")}, True)
    assert strict(capsys.readouterr().out) == {"a": None, "b": [None, 3], "c": "x"}


def test_quantities_have_units_for_people_and_are_numbers_in_json() -> None:
    assert text({"wait": Quantity(1234.5678, "s")}) == "wait 1234.57 s"
    assert plain({"wait": Quantity(1234.5678, "s")}) == {"wait": 1234.5678}


def test_a_wide_table_is_broken_into_blocks_that_fit() -> None:
    head = ["policy", *(f"measure {k}" for k in range(6))]
    lines = lines_of_table(head, [["random", *["1.23 [1.00, 1.50]"] * 6]], 60)
    assert max(map(len, lines)) <= 60
    assert sum(line.startswith("random") for line in lines) == 3
    assert sum("measure" in line for line in lines) == 3
