"""From records to a sealed surrogate, and what is refused on the way."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from panda_gym.errors import SurrogateError
from panda_gym.surrogate import build
from panda_gym.surrogate.fit_record import FitRecord


def test_a_fit_says_what_it_was_made_of(fitted: Path, records: pd.DataFrame) -> None:
    made = FitRecord.read(fitted)
    assert (made.generator, made.rows) == ("smote", round(0.8 * len(records)))
    assert made.origin == records.attrs["origin"]
    assert 50 < (made.base_rss_mb or 0) <= (made.rss_mb or 0)


def test_other_records_than_those_of_the_fit_are_refused(
    fitted: Path, records: pd.DataFrame, tmp_path: Path
) -> None:
    with pytest.raises(SurrogateError, match="training rows"):
        build.certify(fitted, records.iloc[:900], tmp_path / "s", name="s")
    assert not (tmp_path / "s").exists()


def test_a_folder_without_a_fit_is_refused(records: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(SurrogateError, match="panda-grid fit"):
        build.certify(tmp_path, records, tmp_path / "s", name="s")


@pytest.mark.parametrize(
    ("asked", "word"),
    [({"policy": "defualt"}, "a policy"), ({"key": "none.pem"}, "private ed25519 key")],
)
def test_a_wrong_policy_or_key_is_met_before_the_work(
    fitted: Path,
    records: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked: dict[str, str],
    word: str,
) -> None:
    pytest.importorskip("cryptography")
    monkeypatch.setattr("metrics.certify", lambda *tables, **how: pytest.fail("it judged"))
    with pytest.raises(ValueError, match=word):
        build.certify(fitted, records, tmp_path / "s", name="s", **asked)


def test_a_fit_that_breaks_off_leaves_no_folder(records: pd.DataFrame, tmp_path: Path) -> None:
    def stop(done: int, total: int, message: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build.fit(records, tmp_path / "d", generator="smote", progress=stop)
    assert not (tmp_path / "d").exists()
