"""`panda-grid verify` re-hashes, re-draws, re-measures, and knows whose signature it is."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from metrics import base
from metrics.errors import MetricError
from panda_gym.benchmarking import BenchmarkTable, Row
from panda_gym.benchmarking.measures import MEASURES
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
    assert (shown["signature"], shown["changed since"]) == ("none", [])


def test_the_shipped_surrogate_passes() -> None:
    code, shown = verify("default")
    assert (code, shown["certificate"], shown["seal"]) == (0, "passed", "intact")


def test_the_rows_and_the_numbers_come_out_again(sealed: Surrogate, file: Path) -> None:
    card = sealed.folder / "certificate.json"
    _, shown = verify(card, "--surrogate", sealed.folder, "--data", file, "--rerun", "fidelity")
    assert "are those of the certificate" in shown["data"]
    assert shown["differing"] == "none"


def benchmark(path: Path, means: dict[str, tuple[float, float]]) -> Path:
    """Write a benchmark of policies by their mean slowdowns on real and on synthetic jobs."""
    rows = [
        Row(policy, stream, seed, {m.name: mean + 0.001 * seed for m in MEASURES})
        for policy, both in means.items()
        for stream, mean in zip(("real", "made"), both, strict=True)
        for seed in range(10)
    ]
    BenchmarkTable(tuple(rows), baseline=next(iter(means))).to_json(path)
    return path


def test_rankings_of_policies_are_certified_and_measured_again(
    fitted: Path, file: Path, light_policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "METRICS", {n: base.METRICS[n] for n in ("wd", "ranking")})
    # Of six pairs one changes its place, and the best on synthetic jobs costs half more on real.
    means = {"a": (2.0, 3.0), "b": (3.0, 2.0), "c": (4.0, 4.0), "d": (5.0, 5.0)}
    ranked = benchmark(tmp_path / "benchmark.json", means)
    words = ["certify", fitted, "--records", file, "--out", tmp_path / "s", "--quick", "--json"]
    words += ["--policy", light_policy, "--benchmark", ranked, "--measure", "mean_slowdown"]
    result = CliRunner().invoke(APP, [*map(str, words)], catch_exceptions=False)
    shown = json.loads(result.stdout)
    assert shown["ranking_tau"] == {"value": pytest.approx(4 / 6), "reference": 1.0}
    assert 0.4 <= shown["ranking_regret"]["value"] < 0.5  # 1 on top of 2 and a little more
    card = Surrogate.open(tmp_path / "s", allow_uncertified=True).certificate
    assert card.document["provenance"]["drawn"]["ranked_by"] == "mean_slowdown"

    again = (tmp_path / "s", "--data", file, "--rerun", "ranking")
    _, shown = verify(*again, "--benchmark", ranked)
    assert (shown["measured again"], shown["differing"]) == ("ranking: 2 scores", "none")
    with pytest.raises(MetricError, match="outcomes of policies"):
        verify(*again)
    other = benchmark(tmp_path / "other.json", {**means, "d": (5.0, 5.001)})
    with pytest.raises(MetricError, match="outcomes of policies"):
        verify(*again, "--benchmark", other)


def test_a_benchmark_beside_a_certificate_without_rankings_is_refused(
    sealed: Surrogate, file: Path, tmp_path: Path
) -> None:
    ranked = benchmark(tmp_path / "benchmark.json", {"a": (1.0, 2.0), "b": (2.0, 1.0)})
    with pytest.raises(SurrogateError, match="rankings of policies"):
        verify(sealed.folder, "--data", file, "--rerun", "efficacy", "--benchmark", ranked)


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
