"""A surrogate opens only whole and certified, and streams without end."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

import generators
from panda_gym.errors import SurrogateError
from panda_gym.surrogate import Surrogate, digest, surrogate_names
from panda_gym.surrogate.seal import seal_folder


@pytest.fixture
def copy(sealed: Surrogate, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed.folder, tmp_path / "copy"))


def test_a_failing_surrogate_opens_only_when_asked_to(sealed: Surrogate) -> None:
    assert not sealed.certificate.passed
    with pytest.raises(SurrogateError, match="allow-uncertified"):
        Surrogate.open(sealed.folder)
    assert Surrogate.open(sealed.folder, allow_uncertified=True).name == "small"


@pytest.mark.parametrize(
    "name", ["generator", "workload_model.cbm", "certificate.json", "first_week.parquet"]
)
def test_an_altered_file_is_found(copy: Path, name: str) -> None:
    path = copy / name
    path = next(p for p in sorted(path.iterdir()) if p.is_file()) if path.is_dir() else path
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)
    with pytest.raises(SurrogateError, match="altered after sealing"):
        Surrogate.open(copy, allow_uncertified=True)


def test_a_changed_word_about_the_records_is_found(copy: Path) -> None:
    seal = copy / "seal.json"
    seal.write_text(seal.read_text().replace("stand-in", "stand-up"))
    with pytest.raises(SurrogateError, match="altered after sealing"):
        Surrogate.open(copy, allow_uncertified=True)


def test_other_words_about_the_records_than_certified_are_found_even_under_a_fresh_seal(
    copy: Path, sealed: Surrogate
) -> None:
    seal_folder(copy, {**sealed.seal.about, "origin": "Real records of a great experiment."})
    with pytest.raises(SurrogateError, match="described as certified"):
        Surrogate.open(copy, allow_uncertified=True)


def test_a_certificate_of_other_weights_is_found_even_under_a_fresh_seal(
    copy: Path, sealed: Surrogate, records: pd.DataFrame
) -> None:
    generators.create("smote").fit(records.iloc[:800], seed=9).save(copy / "generator")
    seal_folder(copy, sealed.seal.about)
    with pytest.raises(SurrogateError, match="other weights"):
        Surrogate.open(copy, allow_uncertified=True)


def test_an_unknown_name_is_one_clear_error() -> None:
    with pytest.raises(SurrogateError, match="shipped"):
        Surrogate.open("no-such-surrogate")


def test_the_certificate_names_the_weights(sealed: Surrogate) -> None:
    assert sealed.certificate.document["sha256"]["weights"] == digest(sealed.folder / "generator")


def test_the_head_is_the_first_week_of_stream_0(sealed: Surrogate) -> None:
    assert sealed.redraw() == 1.0
    assert len(sealed.first_week()) == 300
    assert sealed.first_week()["creationtime"].dtype == "datetime64[s]"


def test_the_stream_has_predictions_and_no_end(sealed: Surrogate) -> None:
    stream = sealed.stream(seed=5, rows_per_week=40)
    weeks = [next(stream) for _ in range(3)]
    assert [len(week) for week in weeks] == [40, 40, 40]
    assert all((week["workload_pred"] > 0).all() for week in weeks)
    assert pd.concat(weeks)["creationtime"].is_monotonic_increasing


def test_the_stream_begins_after_the_records(sealed: Surrogate, records: pd.DataFrame) -> None:
    assert sealed.first_week()["creationtime"].min() >= records["creationtime"].max()


def test_the_origin_is_that_of_the_records(sealed: Surrogate, records: pd.DataFrame) -> None:
    assert sealed.origin == records.attrs["origin"]
    assert sealed.first_week().attrs["origin"] == sealed.origin


def test_the_first_week_goes_by_its_old_name_too(sealed: Surrogate) -> None:
    with pytest.warns(FutureWarning, match="first_week"):
        pd.testing.assert_frame_equal(sealed.head(), sealed.first_week())


@pytest.mark.parametrize("name", surrogate_names())
def test_a_shipped_surrogate_of_release_0_1_has_its_first_week(name: str) -> None:
    shipped = Surrogate.open(name)
    assert (shipped.folder / "head.parquet").is_file()
    assert len(shipped.first_week()) > 0
