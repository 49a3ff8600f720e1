"""CTABGAN+: each part's loss, the condition, resuming, and a small graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

import generators
from generators.networks.gan import (
    Critic,
    GanGenerator,
    Rows,
    gradient_penalty,
    information_loss,
    one_hot,
)
from generators.networks.layers import initialise
from generators.training.loop import Batch, generator_of
from tests.generators.tables import mixed_table

TINY: dict[str, Any] = {
    "iterations": 40,
    "batch": 32,
    "width": 8,
    "hidden": 8,
    "context_dim": 8,
    "noise": 4,
    "evaluate_every": 10,
    "checkpoint_every": 10,
}


def test_each_loss_moves_its_own_part_alone() -> None:
    model: Any = generators.create("ctabgan", **TINY, critic_steps=1)
    table = mixed_table(100)
    model.fit(table)
    encoder = model.encoder
    data = encoder.encode(table, np.random.default_rng(0))
    nets = model._nets = model._networks(encoder)
    initialise(nets, generator_of(0))
    losses = model._losses(Batch.of(data, torch.device("cpu")), generator_of(0), ())
    assert set(losses) == {"generator", "critic", "classifier"}
    for name, loss in losses.items():
        nets.zero_grad(set_to_none=True)
        loss.backward(retain_graph=True)
        moved = {key.split(".")[0] for key, p in nets.named_parameters() if p.grad is not None}
        assert moved == {name}


def gan_generator(temperature: float = 0.5) -> GanGenerator:
    net = GanGenerator((3, 5), (1, -1), 4, 16, 16, 16, 1, temperature)
    initialise(net, generator_of(0))
    return net


def test_made_tokens_are_one_hot_obey_the_condition_and_gate_their_numbers() -> None:
    condition = torch.tensor([[1, 5], [3, 2], [3, 5]] * 200, dtype=torch.int32)
    rows = gan_generator()(condition, generator_of(1))
    parts = rows.hot.split((3, 5), dim=1)
    for part in parts:
        assert torch.allclose(part.sum(dim=1), torch.ones(600))
        assert ((part.detach() < 1e-5) | (part.detach() > 1 - 1e-5)).all()
    assert (parts[0].argmax(dim=1)[0::3] == 1).all()
    assert (parts[1].argmax(dim=1)[1::3] == 2).all()
    assert len(set(parts[1].argmax(dim=1)[2::3].tolist())) > 1
    gone = parts[1].argmax(dim=1) != 0
    assert not rows.numbers[gone, 0].any()
    assert (rows.numbers[:, 1] != 0).all()


def test_the_gradient_reaches_open_tokens_only() -> None:
    condition = torch.tensor([[1, 5]] * 50, dtype=torch.int32)
    net = gan_generator()
    rows = net(condition, generator_of(1))
    (rows.hot * torch.randn(rows.hot.shape, generator=generator_of(2))).sum().backward()
    assert net.head[0].weight.grad is None or not net.head[0].weight.grad.any()
    assert net.head[1].weight.grad is not None
    assert net.head[1].weight.grad.any()


def test_tokens_are_drawn_from_the_softmax() -> None:
    net = gan_generator()
    with torch.no_grad():
        net.head[0].weight.zero_()
        net.head[0].bias.copy_(torch.tensor([0.7, 0.2, 0.1]).log())
        rows = net(torch.tensor([[3, 5]] * 20_000, dtype=torch.int32), generator_of(3))
    assert rows.hot[:, :3].mean(dim=0).tolist() == pytest.approx([0.7, 0.2, 0.1], abs=0.015)


def test_the_penalty_is_that_of_one_row_after_another() -> None:
    critic = Critic((3, 5), 2, 16, 16, 1)
    initialise(critic, generator_of(0))
    draw = generator_of(1)
    condition = torch.full((6, 2), 0, dtype=torch.int32)
    real = Rows(
        one_hot(torch.zeros(6, 2, dtype=torch.int32), (3, 5)), torch.randn(6, 2, generator=draw)
    )
    made = Rows(torch.rand(6, 8, generator=draw), torch.randn(6, 2, generator=draw))
    found = gradient_penalty(critic, real, made, condition, generator_of(2))
    share = torch.rand(6, 1, generator=generator_of(2))
    norms = []
    for i in range(6):
        x = torch.cat([real.hot[i : i + 1], real.numbers[i : i + 1]], dim=1)
        y = torch.cat([made.hot[i : i + 1], made.numbers[i : i + 1]], dim=1)
        point = (x + share[i] * (y - x)).requires_grad_(True)
        score, _ = critic(Rows(point[:, :8], point[:, 8:]), condition[i : i + 1])
        (slope,) = torch.autograd.grad(score.sum(), point)
        norms.append(float(slope.norm()))
    assert found.item() == pytest.approx(np.mean((np.array(norms) - 1) ** 2), rel=1e-4)


def test_features_of_the_same_rows_have_no_information_loss() -> None:
    features = torch.randn(50, 4, generator=generator_of(0))
    assert float(information_loss(features, features)) == 0
    assert float(information_loss(features, features + 3)) == pytest.approx(6, rel=1e-4)


def test_a_stopped_fit_resumes_to_the_same_weights(tmp_path: Path) -> None:
    table = mixed_table(500)
    whole: Any = generators.create("ctabgan", **TINY).fit(table, seed=2)

    def stop(done: int, total: int, message: str) -> None:
        if done == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generators.create("ctabgan", **TINY).fit(table, seed=2, progress=stop, checkpoint=tmp_path)
    resumed: Any = generators.create("ctabgan", **TINY).fit(table, seed=2, checkpoint=tmp_path)
    for name, weight in whole._arrays().items():
        assert np.array_equal(resumed._arrays()[name], weight)


def test_a_small_graph_is_learnt() -> None:
    table = mixed_table(3000)
    model = generators.create(
        "ctabgan", iterations=250, batch=128, width=64, hidden=64, context_dim=32, ema=0.98
    ).fit(table)
    drawn = model.sample(4000, seed=1)
    for name in ("kind", "place"):
        share = [t[name].value_counts(normalize=True) for t in (table, drawn)]
        assert share[0].sub(share[1], fill_value=0).abs().sum() / 2 < 0.2
    for name in ("cost", "files"):
        gap = stats.ks_2samp(table[name].astype(float), drawn[name].astype(float)).statistic
        assert gap < 0.25
    joint = [pd.crosstab(t["kind"], t["place"], normalize=True).stack() for t in (table, drawn)]
    alone = np.outer(
        *(table[n].value_counts(normalize=True, sort=False) for n in ("kind", "place"))
    )
    apart = np.abs(joint[0].unstack().to_numpy() - alone[: len(joint[0].unstack())]).sum() / 2
    assert joint[0].sub(joint[1], fill_value=0).abs().sum() / 2 < 0.95 * apart
