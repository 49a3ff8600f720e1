"""The default certificate, nothing subsampled: same inputs and seed, same bytes, in any order."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import metrics
from metrics.certificate.certificate import Certificate, canonical

CODE = """
import sys, pandas as pd, metrics
tables = [pd.read_parquet(path) for path in sys.argv[1:4]]
work = sys.argv[5] if len(sys.argv) > 5 else None
print(metrics.certify(*tables, policy=sys.argv[4], work=work).fingerprint)
"""


def loss(table: pd.DataFrame) -> np.ndarray:
    """A stand-in for a generator's loss of rows, by their content alone."""
    return np.log(table["workload"].to_numpy())


def outcomes() -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(0)
    means = np.arange(4.0)[:, None]
    words = ("real", "synthetic")
    return {w: pd.DataFrame(means + rng.normal(size=(4, 10)), index=[*"abcd"]) for w in words}


@pytest.fixture(scope="module")
def tables(make) -> list[pd.DataFrame]:
    whole = make(2400, 7).sample(frac=1, random_state=0)
    whole["task"] = np.arange(len(whole)) // 3
    return [whole.iloc[:1000], whole.iloc[1000:1600], whole.iloc[1600:]]


@pytest.fixture(scope="module")
def first(tables, small) -> Certificate:
    return certificate(tables, small)


def certificate(tables: list[pd.DataFrame], policy: Path, **asked) -> Certificate:
    """Certify by everything that there is: a group, a loss of rows, outcomes of policies."""
    how = {"group": "task", "loss": loss, "outcomes": outcomes(), **asked}
    return metrics.certify(*tables, policy=policy, **how)


def timeless(card: Certificate) -> str:
    return canonical({key: entry for key, entry in card.document.items() if key != "times"})


def test_everything_was_measured_in_full(first):
    assert first.document["quick"] is False
    assert first.document["failures"] == {}
    assert {"mlef", "white_box_tpr", "ranking_tau", "fano", "singling_out_univariate"} <= set(
        first.scores
    )


def test_another_order_of_rows_and_other_threads_give_the_same_bytes(first, tables, small):
    mixed = [t.sample(frac=1, random_state=i) for i, t in enumerate(tables)]
    again = certificate(mixed, small, threads=3)
    assert again.scores == first.scores
    assert timeless(again) == timeless(first)


def test_what_a_work_folder_keeps_gives_the_same_bytes(first, tables, small, tmp_path):
    before, after = (certificate(tables, small, work=tmp_path) for _ in range(2))
    assert timeless(before) == timeless(after) == timeless(first)
    kept = {"mlef.json", "white_box.json", "wd.json"}
    assert kept <= {path.name for path in tmp_path.rglob("*.json")}


@pytest.fixture(scope="module")
def command(tables, small, tmp_path_factory) -> list[str]:
    """The command line that certifies the tables, without their group, and prints a hash."""
    folder = tmp_path_factory.mktemp("tables")
    paths = [folder / f"{i}.parquet" for i in range(3)]
    for path, table in zip(paths, tables, strict=True):
        table.drop(columns="task").to_parquet(path)
    return [sys.executable, "-c", CODE, *map(str, paths), str(small)]


@pytest.mark.long
def test_neither_hash_seeds_nor_threads_matter(command):
    prints = set()
    for number in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": number, "OMP_NUM_THREADS": number}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        prints.add(done.stdout)
    assert len(prints) == 1


@pytest.mark.long
def test_a_process_that_is_killed_goes_on_where_it_stopped(command, tmp_path):
    text = Path(command[-1]).read_text()
    slow = tmp_path / "slow.toml"  # fits that take a while, so that it is killed between two
    slow.write_text(text.replace("catboost_depth = 4", "catboost_depth = 9"))
    command, work = [*command[:-1], str(slow)], tmp_path / "work"
    whole = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    running = subprocess.Popen([*command, str(work)], stdout=subprocess.DEVNULL)
    while running.poll() is None and not [*work.rglob("*.npy")]:
        time.sleep(0.05)
    running.kill()
    assert running.wait() != 0  # it was killed after its first fit
    kept = {path: path.stat().st_mtime_ns for path in work.rglob("[!.]*.*") if path.is_file()}
    assert {"wd.json", "dcr.json"} <= {path.name for path in kept}
    again = subprocess.run([*command, str(work)], capture_output=True, text=True, check=True).stdout
    assert again == whole
    assert all(path.stat().st_mtime_ns == at for path, at in kept.items())
