"""The training loop: budgets, early stopping, and resuming bit for bit."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import generators
from generators.encoding.encoder import Encoded
from generators.errors import GeneratorError
from generators.files import WEIGHTS
from generators.training.loop import (
    CHECKPOINT,
    Batch,
    TrainingConfig,
    autocast,
    generator_of,
    train,
)
from tests.generators.tables import mixed_table

TINY: dict[str, Any] = {
    "iterations": 40,
    "batch": 32,
    "width": 8,
    "hidden": 8,
    "evaluate_every": 10,
    "checkpoint_every": 10,
}


def rows(n: int = 500) -> Encoded:
    numbers = np.random.default_rng(0).normal(2.0, 1.0, (n, 1)).astype(np.float32)
    return Encoded(np.zeros((n, 0), np.int32), numbers, np.ones((n, 1), bool))


class Mean(nn.Module):
    """One number that should become the mean of the data."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(self.inner.weight)

    def losses(self, batch: Batch, generator: Any, parts: Any) -> dict[str, Tensor]:
        return {"inner": (batch.numbers - self.inner.weight).square().mean()}


def weights(model: Any) -> dict[str, np.ndarray]:
    return model._arrays()


def test_the_loop_finds_the_minimum() -> None:
    net = Mean()
    train(net, net.losses, rows(), TrainingConfig(iterations=400, learning_rate=0.05), 0)
    assert net.inner.weight.item() == pytest.approx(2.0, abs=0.15)
    assert not net.inner.weight.requires_grad


def test_the_fit_stops_when_the_held_out_loss_no_longer_falls() -> None:
    calls: list[int] = []
    net = Mean()

    def worse_with_time(batch: Any, generator: Any, parts: Any) -> dict[str, Tensor]:
        calls.append(1)
        return {"inner": net.inner.weight.sum() * 0 + len(calls)}

    config = TrainingConfig(iterations=10_000, evaluate_every=5, patience=2)
    train(net, worse_with_time, rows(), config, 0)
    assert len(calls) < 40


def test_a_time_budget_ends_the_fit_and_its_learning_rate() -> None:
    net = Mean()
    start = time.monotonic()
    config = TrainingConfig(iterations=10**9, minutes=0.01, evaluate_every=10**6)
    train(net, net.losses, rows(), config, 0)
    assert time.monotonic() - start < 20


def test_a_loss_that_is_not_finite_is_one_clear_error() -> None:
    net = Mean()

    def broken(batch: Any, generator: Any, parts: Any) -> dict[str, Tensor]:
        return {"inner": net.inner.weight.sum() / 0}

    with pytest.raises(GeneratorError, match="finite loss"):
        train(net, broken, rows(), TrainingConfig(iterations=3), 0)


def test_parts_are_stopped_apart_each_at_its_own_best() -> None:
    net = nn.ModuleDict({"good": Mean(), "bad": Mean()})
    asked: list[set[str]] = []

    def losses(batch: Batch, generator: Any, parts: Any) -> dict[str, Tensor]:
        asked.append(set(parts))
        out = {p: net[p].losses(batch, generator, parts)["inner"] for p in parts}
        if "bad" in out:
            out["bad"] = out["bad"] + len(asked)
        return out

    config = TrainingConfig(
        iterations=300, learning_rate=0.05, evaluate_every=10, patience=2, ema=0.9
    )
    train(net, losses, rows(), config, 0)
    assert asked[0] == {"good", "bad"}
    assert asked[-1] == {"good"}
    assert net["good"].inner.weight.item() == pytest.approx(2.0, abs=0.2)
    assert net["bad"].inner.weight.item() < 1.0


def test_a_fit_stopped_at_any_checkpoint_resumes_to_the_same_weights(tmp_path: Path) -> None:
    table = mixed_table(500)
    whole = generators.create("tabddpm", **TINY).fit(table, seed=2)

    class Stop(Exception):
        pass

    def stop_at(step: int) -> Any:
        def progress(done: int, total: int, message: str) -> None:
            if done == step:
                raise Stop

        return progress

    for step in (20, 30):
        with pytest.raises(Stop):
            generators.create("tabddpm", **TINY).fit(
                table, seed=2, progress=stop_at(step), checkpoint=tmp_path
            )
    assert (tmp_path / CHECKPOINT).is_file()
    resumed = generators.create("tabddpm", **TINY).fit(table, seed=2, checkpoint=tmp_path)
    again = generators.create("tabddpm", **TINY).fit(table, seed=2, checkpoint=tmp_path)
    for name, weight in weights(whole).items():
        assert np.array_equal(weights(resumed)[name], weight)
        assert np.array_equal(weights(again)[name], weight)


@pytest.mark.long
@pytest.mark.parametrize(("name", "kills"), [("tabddpm", 20), ("autoregressive", 20)])
def test_kill_at_random_moments_and_resume_end_with_identical_weights(
    name: str, kills: int, tmp_path: Path
) -> None:
    code = (
        "import sys, torch, generators; torch.set_num_threads(1);"
        "from tests.generators.tables import mixed_table;"
        "config = dict(iterations=6000, batch=32, width=8, hidden=8, checkpoint_every=3,"
        "              patience=10**6);"
        "table = mixed_table(500); print('now', flush=True);"
        "model = generators.create(sys.argv[1], **config).fit(table, checkpoint=sys.argv[2]);"
        "model.save(sys.argv[3])"
    )
    root = Path(__file__).parents[3]
    rng = np.random.default_rng(0)

    def command(label: str) -> list[str]:
        places = [str(tmp_path / f"c{label}"), str(tmp_path / label)]
        return [sys.executable, "-c", code, name, *places]

    saved = tmp_path / "ckilled" / CHECKPOINT
    for kill in range(kills):
        before = saved.stat().st_mtime_ns if saved.is_file() else 0
        process = subprocess.Popen(command("killed"), cwd=root, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "now\n"
        while kill % 2 == 0 and not (saved.is_file() and saved.stat().st_mtime_ns > before):
            time.sleep(0.01)  # every other kill comes after some progress, the rest at any moment
        time.sleep(0.6 * rng.random())
        assert process.poll() is None  # still fitting, so that the kill is one
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    for label in ("killed", "whole"):
        subprocess.run(command(label), cwd=root, check=True, stdout=subprocess.DEVNULL)
    killed, whole = (tmp_path / k / "weights.safetensors" for k in ("killed", "whole"))
    assert killed.read_bytes() == whole.read_bytes()


def test_a_checkpoint_of_another_fit_is_refused(tmp_path: Path) -> None:
    table = mixed_table(500)
    generators.create("tabddpm", **TINY).fit(table, seed=2, checkpoint=tmp_path)
    with pytest.raises(GeneratorError, match="another fit"):
        generators.create("tabddpm", **TINY).fit(table, seed=3, checkpoint=tmp_path)
    with pytest.raises(GeneratorError, match="another fit"):
        generators.create("tabddpm", **TINY).fit(table[1:], seed=2, checkpoint=tmp_path)


@pytest.mark.parametrize(
    "setting",
    [
        {"iterations": 0},
        {"minutes": -1},
        {"learning_rate": float("nan")},
        {"holdout": 0.9},
        {"precision": "float16"},
        {"device": "abacus"},
        {"batch": 2.5},
    ],
    ids=lambda s: next(iter(s)),
)
def test_a_setting_out_of_range_is_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(GeneratorError):
        TrainingConfig(**setting)


def test_half_precision_is_on_only_where_asked_for_and_stays_near() -> None:
    x, layer = torch.randn(8, 16, generator=generator_of(0)), nn.Linear(16, 16)
    with autocast(TrainingConfig()):
        exact = layer(x)
    with autocast(TrainingConfig(precision="bfloat16")):
        near = layer(x)
    assert exact.dtype == torch.float32
    assert near.dtype == torch.bfloat16
    torch.testing.assert_close(near.float(), exact, atol=0.05, rtol=0.05)


@pytest.mark.parametrize("name", ["tabddpm", "autoregressive"])
def test_a_fit_in_half_precision_reaches_the_same_loss(name: str) -> None:
    table = mixed_table(800)
    reached = []
    for precision in ("float32", "bfloat16"):
        last: list[Any] = []
        settings = {**TINY, "iterations": 120, "evaluate_every": 60, "learning_rate": 1e-2}
        model = generators.create(name, precision=precision, **settings)
        model.fit(table, progress=lambda done, total, text, last=last: last.append(text.losses))
        reached.append(last[-1])
        assert not model.sample(50).isna().any(axis=None)
    for part, loss in reached[0].items():
        assert reached[1][part] == pytest.approx(loss, rel=0.02)


def test_a_fitted_generator_can_be_stored_in_half_the_bytes_later(tmp_path: Path) -> None:
    settings = {"iterations": 4, "batch": 64, "width": 16, "evaluate_every": 2}
    table = mixed_table(300)
    generators.create("tabddpm", **settings).fit(table).save(tmp_path / "whole")
    generators.load(tmp_path / "whole", stored="float16").save(tmp_path / "half")
    generators.create("tabddpm", stored="float16", **settings).fit(table).save(tmp_path / "fitted")
    assert (tmp_path / "half" / WEIGHTS).read_bytes() == (
        tmp_path / "fitted" / WEIGHTS
    ).read_bytes()


def test_streams_of_one_seed_differ_and_repeat() -> None:
    draws = [int(generator_of(5, *s).initial_seed()) for s in ((0, 1), (1, 0), (0, 1))]
    assert draws[0] == draws[2] != draws[1]


def test_the_configuration_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainingConfig().batch = 3  # type: ignore[misc]
