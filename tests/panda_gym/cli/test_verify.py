"""`panda-grid verify` re-hashes, re-draws, re-measures, and knows whose signature it is."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from panda_gym.cli.app import build
from panda_gym.errors import SurrogateError
from panda_gym.records import save_records
from panda_gym.surrogate import Surrogate

APP = build()


def verify(*arguments: object) -> tuple[int, dict[str, str]]:
    result = CliRunner().invoke(
        APP, ["verify", *map(str, arguments), "--json"], catch_exceptions=False
    )
    return result.exit_code, json.loads(result.stdout)


@pytest.fixture(scope="module")
def file(records: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("records") / "records.parquet"
    save_records(records, path)
    return path


def test_a_folder_says_what_it_holds(sealed: Surrogate) -> None:
    code, shown = verify(sealed.folder)
    assert code == 1  # its certificate did not pass
    assert shown["seal"] == "intact"
    assert shown["certificate"] == sealed.certificate.verdict
    assert shown["sha256"] == sealed.certificate.seal
    assert (shown["signature"], shown["changed since"]) == ("none", "nothing")


def test_the_shipped_surrogate_passes() -> None:
    code, shown = verify("default")
    assert (code, shown["certificate"], shown["seal"]) == (0, "passed", "intact")


def test_the_rows_and_the_numbers_come_out_again(sealed: Surrogate, file: Path) -> None:
    card = sealed.folder / "certificate.json"
    _, shown = verify(card, "--surrogate", sealed.folder, "--data", file, "--rerun", "fidelity")
    assert "are those of the certificate" in shown["data"]
    assert shown["differing"] == "none"


def test_other_records_are_found(sealed: Surrogate, records: pd.DataFrame, tmp_path: Path) -> None:
    other = records.copy()
    other.loc[0, "inputfilebytes"] += 1
    other.attrs.update(records.attrs)
    save_records(other, tmp_path / "other.parquet")
    with pytest.raises(ValueError, match=r"(train|holdout) table of the certificate"):
        verify(sealed.folder, "--data", tmp_path / "other.parquet")


def test_what_is_missing_is_named(sealed: Surrogate, file: Path) -> None:
    with pytest.raises(SurrogateError, match="--data"):
        verify(sealed.folder, "--rerun", "privacy")
    with pytest.raises(SurrogateError, match="--surrogate"):
        verify(sealed.folder / "certificate.json", "--data", file)
    with pytest.raises(SurrogateError, match="other weights"):
        verify(sealed.folder / "certificate.json", "--surrogate", "default")


def test_a_signature_is_asked_for_by_its_key(sealed: Surrogate, tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a key with")
    private, public = tmp_path / "key.pem", tmp_path / "public.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    signed = sealed.certificate.signed(private).to_json(tmp_path / "signed.json")
    _, shown = verify(signed, "--signer", public)
    assert shown["signature"].startswith("right, by")
    with pytest.raises(SurrogateError, match="no signature"):
        verify(sealed.folder, "--signer", public)
