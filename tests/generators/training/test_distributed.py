"""Two processes fit as one: the same steps where nothing is random in a row."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import generators
from generators.__main__ import main
from generators.training.distributed import World, joined
from tests.generators.tables import mixed_table

SETTINGS: dict[str, Any] = {
    "iterations": 30,
    "batch": 64,
    "width": 8,
    "hidden": 8,
    "bins": 5,
    "evaluate_every": 15,
    "dropout": 0.0,
    "condition_share": 0.0,
}
FLAGS = [f"{key}={value}" for key, value in SETTINGS.items()]


def test_two_processes_reach_the_weights_of_one_with_the_same_batch(tmp_path: Path) -> None:
    table = mixed_table(500)
    table.to_parquet(tmp_path / "table.parquet", index=False)
    launch = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "generators"]
    order = ["fit", str(tmp_path / "table.parquet"), "autoregressive", str(tmp_path / "two")]
    done = subprocess.run(
        [sys.executable, "-m", *launch, *order, "--set", *FLAGS],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("30/30") == 1  # one process speaks
    assert (tmp_path / "two.checkpoint").is_dir()
    one = generators.create("autoregressive", **SETTINGS).fit(table)
    two = generators.load(tmp_path / "two")
    for name, weight in one._arrays().items():
        assert np.allclose(two._arrays()[name], weight, atol=2e-4)


def test_one_process_is_its_own_world() -> None:
    world, device = World.now(), torch.device("cpu")
    assert world.leads
    assert torch.equal(world.share(torch.arange(5)), torch.arange(5))
    assert world.add({"a": 2.0}, device) == {"a": 2.0}
    assert world.agree(3.0, device) == 3.0
    world.add_gradients(nn.Linear(2, 2).parameters())
    world.wait()


def test_shares_of_a_batch_make_it_whole() -> None:
    parts = [World(rank, 3).share(torch.arange(10)) for rank in range(3)]
    assert torch.equal(torch.cat(parts), torch.arange(10))


def test_gradients_add_up_and_stay_absent_where_none_has_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = "29517"
    settings = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    for key, value in settings.items():
        monkeypatch.setenv(key, value)
    used, idle = nn.Linear(2, 1), nn.Linear(2, 1)
    used(torch.ones(1, 2)).sum().backward()
    before = used.weight.grad.clone()
    with joined("cpu") as device:
        assert device == "cpu"
        World(0, 2).add_gradients([*used.parameters(), *idle.parameters()])
    assert torch.equal(used.weight.grad, before)
    assert idle.weight.grad is None


def test_the_command_fits_and_samples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mixed_table(200).to_parquet(tmp_path / "t.parquet", index=False)
    model, rows = str(tmp_path / "m"), str(tmp_path / "r.parquet")
    assert main(["fit", str(tmp_path / "t.parquet"), "autoregressive", model, "--set", *FLAGS]) == 0
    assert "30/30" in capsys.readouterr().out
    assert main(["sample", model, rows, "--rows", "7", "--condition", "kind=k1", "files=0"]) == 0
    again = str(tmp_path / "again.parquet")
    order = ["sample", model, again, "--rows", "7", "--set", "candidates=1", "--device", "cpu"]
    assert main([*order, "--precision", "float32"]) == 0
    assert len(pd.read_parquet(again)) == 7
    drawn = pd.read_parquet(rows)
    assert len(drawn) == 7
    assert (drawn["kind"] == "k1").all()
    assert (drawn["files"] == 0).all()


@pytest.mark.parametrize(
    "order",
    [
        ["fit", "nowhere.parquet", "smote", "folder"],
        ["fit", "nowhere.parquet", "smoke", "folder"],
        ["fit", "nowhere.parquet", "tabddpm", "folder", "--set", "width"],
        ["sample", "nowhere", "rows.parquet"],
        ["fit", "nowhere.parquet", "autoregressive", "folder", "--device", "abacus"],
        ["fit", "nowhere.parquet", "smote", "folder", "--device", "cpu"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_is_one_line(order: list[str], capsys: Any, tmp_path: Path) -> None:
    order = [str(tmp_path / word) if "where" in word else word for word in order]
    assert main(order) == 2
    assert capsys.readouterr().err.count("\n") == 1
