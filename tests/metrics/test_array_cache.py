"""A cache gives back what was put in, tells keys apart, and makes anew what is damaged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from metrics import base
from metrics.array_cache import ArrayCache
from metrics.efficacy import models as efficacy
from tests.metrics.studies import scored, study_of


def counted(made: list[int]):
    def make() -> np.ndarray:
        made.append(1)
        return np.arange(3.0) + len(made)

    return make


def test_an_array_is_made_once_for_each_key(tmp_path):
    made: list[int] = []
    for _ in range(2):
        cache = ArrayCache(tmp_path / "deep")
        first = cache.get({"a": 1, "b": "x"}, counted(made))
        again = cache.get({"b": "x", "a": 1}, counted(made))
        np.testing.assert_array_equal(first, again)
    assert len(made) == 1
    cache.get({"a": 2, "b": "x"}, counted(made))
    assert len(made) == 2
    assert {path.suffix for path in (tmp_path / "deep").iterdir()} == {".npy"}


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"text", b"\x80\x04K\x01."])
def test_a_damaged_file_is_made_anew(tmp_path, damage):
    made: list[int] = []
    cache = ArrayCache(tmp_path)
    cache.get({"a": 1}, counted(made))
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage)
    found = cache.get({"a": 1}, counted(made))
    assert len(made) == 2
    np.testing.assert_array_equal(np.load(path), found)


def test_without_a_folder_nothing_is_kept():
    made: list[int] = []
    for _ in range(2):
        ArrayCache().get({"a": 1}, counted(made))
    assert len(made) == 2


@pytest.fixture
def fits(monkeypatch):
    """Tables that a regressor was fitted to, by their number of rows."""
    seen: list[int] = []
    fit = efficacy.predictions

    def spied(table, *rest):
        seen.append(len(table))
        return fit(table, *rest)

    monkeypatch.setattr(efficacy, "predictions", spied)
    return seen


def test_fits_on_real_rows_are_shared_and_a_killed_metric_goes_on(
    make, independent, tmp_path, fits, monkeypatch
):
    train, holdout, rows = make(300, 0), make(200, 1), make(300, 2)
    trees = {"catboost_iterations": 5, "catboost_depth": 3}
    plain = scored("mlef", study_of(train, holdout, rows, **trees))
    kept = replace(study_of(train, holdout, rows, **trees), cache=ArrayCache(tmp_path))
    said: list[str] = []

    def dying(words: str) -> None:
        said.append(words)
        if len(said) == 3:
            raise KeyboardInterrupt

    fits.clear()
    with pytest.raises(KeyboardInterrupt):
        base.load("mlef")(replace(kept, report=dying))
    assert (len(fits), said[-1]) == (2, "fit 1 of 2 on 300 train rows")
    assert scored("mlef", kept) == plain
    assert len(fits) == 4  # two before it was killed, two after
    other = study_of(train, holdout, independent(rows, 0), **trees)
    found = scored("mlef", replace(other, cache=ArrayCache(tmp_path)))
    assert len(fits) == 6  # those on the training rows lay there
    assert found == scored("mlef", other)
    assert found != plain
