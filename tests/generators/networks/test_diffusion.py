"""Samplers draw from the law that a perfect network describes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from generators.networks import diffusion
from generators.networks.condition_tensors import (
    ConditionTensors,
    draw_conditions,
    draw_number_mask,
)
from generators.networks.layers import NumberNet, OrderedNet, TokenNet, initialise

MEAN, SPREAD = 1.5, 0.4


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Perfect(nn.Module):
    """The exact velocity for numbers that are normal with MEAN and SPREAD."""

    def context(self, tokens: Tensor, generator: Any = None, number_mask: Any = None) -> Tensor:
        return tokens

    def forward(self, x: Tensor, time: Tensor, context: Tensor) -> Tensor:
        alpha, sigma = (
            torch.cos(time * math.pi / 2)[:, None],
            torch.sin(time * math.pi / 2)[:, None],
        )
        total = (alpha * SPREAD) ** 2 + sigma**2
        clean = MEAN + alpha * SPREAD**2 / total * (x - alpha * MEAN)
        noise = sigma / total * (x - alpha * MEAN)
        return alpha * noise - sigma * clean


@pytest.mark.parametrize(
    ("solver", "steps", "eta"),
    [("multistep", 12, 0.0), ("ddim", 60, 0.0), ("ddim", 80, 0.5), ("ancestral", 100, 0.0)],
)
def test_every_solver_draws_the_normal_law_of_a_perfect_network(
    solver: str, steps: int, eta: float
) -> None:
    tokens, present = torch.zeros((6000, 0), dtype=torch.int32), torch.ones((6000, 1))
    drawn = diffusion.sample_numbers(
        Perfect(),  # type: ignore[arg-type]
        tokens,
        present,
        steps,
        solver,
        seeded(),
        eta=eta,
    )
    assert float(drawn.mean()) == pytest.approx(MEAN, abs=0.03)
    assert float(drawn.std()) == pytest.approx(SPREAD, rel=0.06)


def test_ddim_at_eta_one_is_ancestral_and_at_zero_is_one_order_below_multistep() -> None:
    tokens, present = torch.zeros((50, 0), dtype=torch.int32), torch.ones((50, 1))

    def drawn(solver: str, steps: int, eta: float) -> Tensor:
        return diffusion.sample_numbers(
            Perfect(),  # type: ignore[arg-type]
            tokens,
            present,
            steps,
            solver,
            seeded(),
            eta=eta,
        )

    assert torch.equal(drawn("ddim", 9, 1.0), drawn("ancestral", 9, 0.0))
    assert torch.equal(drawn("ddim", 2, 0.0), drawn("multistep", 2, 0.0))
    exact = drawn("multistep", 400, 0.0)
    errors = [(drawn(k, 12, 0.0) - exact).abs().mean() for k in ("multistep", "ddim")]
    assert errors[0] < errors[1] / 3


def test_a_perfect_network_has_less_loss_than_any_shifted_one() -> None:
    numbers = MEAN + SPREAD * torch.randn((20_000, 1), generator=seeded(1))
    present, tokens = torch.ones((20_000, 1), dtype=torch.bool), torch.zeros((20_000, 0))

    class Shifted(Perfect):
        def forward(self, x: Tensor, time: Tensor, context: Tensor) -> Tensor:
            return super().forward(x, time, context) + 0.05

    losses = [
        float(diffusion.number_loss(net, numbers, present, tokens, seeded()))  # type: ignore[arg-type]
        for net in (Perfect(), Shifted())
    ]
    assert losses[0] < losses[1]


def test_absent_numbers_are_zero_and_cost_nothing() -> None:
    net = NumberNet((2,), 2, 8, 1)
    initialise(net, seeded())
    tokens = torch.zeros((50, 1), dtype=torch.int32)
    present = torch.zeros((50, 2), dtype=torch.bool)
    present[:, 0] = True
    numbers = torch.randn((50, 2), generator=seeded())
    other = numbers.clone()
    other[:, 1] = 99.0
    a, b = (diffusion.number_loss(net, x, present, tokens, seeded()) for x in (numbers, other))
    assert torch.equal(a, b)
    drawn = diffusion.sample_numbers(net, tokens, present, 3, "multistep", seeded())
    assert not drawn[:, 1].any()
    assert drawn.abs().max() <= diffusion.CLIP


def test_a_row_judged_at_several_times_counts_as_so_many_rows() -> None:
    net = NumberNet([3, 4], 2, 8, 1, conditional=True)
    initialise(net, seeded(1))
    tokens = torch.randint(3, (50, 2), generator=seeded(2), dtype=torch.int32)
    numbers, present = (
        torch.randn((50, 2), generator=seeded(3)),
        torch.ones((50, 2), dtype=torch.bool),
    )
    mask = torch.rand((50, 2), generator=seeded(4)) < 0.3
    several = diffusion.number_loss(
        net, numbers, present, tokens, seeded(5), mask, draws=3
    ).detach()
    x, there, words, masks = (part.repeat(3, 1) for part in (numbers, present, tokens, mask))
    often = diffusion.number_loss(net, x, there, words, seeded(5), masks).detach()
    assert several.item() == pytest.approx(often.item(), rel=1e-5)
    once = diffusion.number_loss(net, numbers, present, tokens, seeded(5), mask).detach()
    assert once.item() != pytest.approx(often.item(), rel=1e-5)


def test_times_fill_their_range_evenly() -> None:
    times = diffusion.spread_times(100, seeded()).sort().values
    assert torch.equal((times * 100).floor(), torch.arange(100.0))


def test_a_draw_follows_the_softmax() -> None:
    p = torch.tensor([0.5, 0.3, 0.0, 0.2])
    drawn = diffusion.draw(p.log().repeat(20_000, 1), seeded())
    assert np.bincount(drawn.numpy(), minlength=4) / 20_000 == pytest.approx(p.numpy(), abs=0.015)


LAW = torch.tensor([[0.30, 0.05, 0.02], [0.03, 0.20, 0.40]])


def rows_of_law(n: int) -> Tensor:
    index = torch.multinomial(LAW.flatten(), n, True, generator=seeded(3))
    return torch.stack([index // 3, index % 3], dim=1).to(torch.int32)


@pytest.mark.parametrize("process", ["ordered", "masked", "multinomial"])
def test_every_process_learns_and_draws_a_small_joint_law(process: str) -> None:
    net = OrderedNet((2, 3), [], 16, 16) if process == "ordered" else TokenNet((2, 3), 32, 1)
    initialise(net, seeded())
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    loss = getattr(diffusion, f"{process}_loss")
    for step in range(300):
        optimiser.zero_grad()
        loss(net, rows_of_law(512), seeded(step)).backward()
        optimiser.step()
    with torch.no_grad():
        drawn = getattr(diffusion, f"sample_{process}")(net, 20_000, 40, seeded(9))
    share = np.bincount((drawn[:, 0] * 3 + drawn[:, 1]).numpy(), minlength=6) / 20_000
    assert np.abs(share - LAW.flatten().numpy()).sum() / 2 < 0.04


@pytest.mark.parametrize("process", ["ordered", "masked", "multinomial"])
def test_every_process_learns_and_draws_under_a_condition(process: str) -> None:
    ordered = process == "ordered"
    net = OrderedNet((2, 3), [], 16, 16, 0.0, 0) if ordered else TokenNet((2, 3), 32, 1, 0)
    initialise(net, seeded())
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    loss, none = getattr(diffusion, f"{process}_loss"), torch.zeros((512, 0))
    for step in range(500):
        optimiser.zero_grad()
        rows = rows_of_law(4096)[step % 8 :: 8]
        conditions = draw_conditions(rows, none, none.bool(), (), seeded(step))
        loss(net, rows, seeded(step), conditions).backward()
        optimiser.step()
    for column, card, other in ((0, 2, 3), (1, 3, 2)):
        for level in range(card):
            tokens = torch.full((8000, 2), level, dtype=torch.int32)
            conditions = ConditionTensors(
                (column,), tokens, torch.zeros(8000, 0), torch.zeros(8000, 0).bool()
            )
            with torch.no_grad():
                drawn = getattr(diffusion, f"sample_{process}")(
                    net, 8000, 40, seeded(9), conditions
                )
            assert (drawn[:, column] == level).all()
            law = LAW[level] if column == 0 else LAW[:, level]
            share = np.bincount(drawn[:, 1 - column].numpy(), minlength=other) / 8000
            assert np.abs(share - (law / law.sum()).numpy()).sum() / 2 < 0.07


def test_candidates_make_up_for_a_conditional_law_that_was_never_learnt() -> None:
    net = OrderedNet((2, 3), [], 16, 16, 0.0, 0)
    initialise(net, seeded())
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    for step in range(300):
        optimiser.zero_grad()
        diffusion.ordered_loss(net, rows_of_law(512), seeded(step)).backward()
        optimiser.step()
    tokens = torch.full((6000, 2), 2, dtype=torch.int32)
    conditions = ConditionTensors((1,), tokens, torch.zeros(6000, 0), torch.zeros(6000, 0).bool())
    errors = []
    for candidates in (1, 30):
        with torch.no_grad():
            drawn = diffusion.sample_ordered_conditional(
                net, 6000, candidates, seeded(9), conditions
            )
        assert (drawn[:, 1] == 2).all()
        law = LAW[:, 2] / LAW[:, 2].sum()
        share = np.bincount(drawn[:, 0].numpy(), minlength=2) / 6000
        errors.append(float(np.abs(share - law.numpy()).sum() / 2))
    assert errors[1] < 0.05 < errors[0]


def test_tokens_follow_a_fixed_number() -> None:
    net = OrderedNet((2,), [], 16, 16, 0.0, 1)
    initialise(net, seeded())
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    for step in range(300):
        tokens = torch.randint(2, (512, 1), generator=seeded(step), dtype=torch.int32)
        numbers = 2.0 * tokens - 1 + torch.randn((512, 1), generator=seeded(step + 1))
        conditions = ConditionTensors((), tokens, numbers, torch.ones((512, 1), dtype=torch.bool))
        optimiser.zero_grad()
        diffusion.ordered_loss(net, tokens, seeded(step), conditions).backward()
        optimiser.step()
    for number in (-1.0, 0.0, 1.5):
        numbers = torch.full((8000, 1), number)
        conditions = ConditionTensors(
            (), torch.zeros((8000, 1)).int(), numbers, torch.ones((8000, 1)).bool()
        )
        with torch.no_grad():
            drawn = diffusion.sample_ordered(net, 8000, 1, seeded(), conditions)
        exact = 1 / (1 + math.exp(-2 * number))  # two unit normals around -1 and 1
        assert float(drawn.float().mean()) == pytest.approx(exact, abs=0.05)


def test_numbers_follow_a_fixed_number() -> None:
    net = NumberNet((), 2, 48, 2, conditional=True)
    initialise(net, seeded())
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    present, tokens = torch.ones((512, 2), dtype=torch.bool), torch.zeros((512, 0)).int()
    for step in range(500):
        base = torch.randn((512, 2), generator=seeded(step))
        numbers = torch.stack([base[:, 0], 0.8 * base[:, 0] + 0.6 * base[:, 1]], dim=1)
        optimiser.zero_grad()
        mask = draw_number_mask(present, 0.7, seeded(step))
        diffusion.number_loss(net, numbers, present, tokens, seeded(step), mask).backward()
        optimiser.step()
    numbers = torch.full((4000, 2), 1.2)
    mask = torch.tensor([[False, True]]).expand(4000, -1)
    conditions = ConditionTensors((), torch.zeros((4000, 0)).int(), numbers, mask)
    with torch.no_grad():
        drawn = diffusion.sample_numbers(
            net, conditions.tokens, torch.ones((4000, 2)), 12, "multistep", seeded(), conditions
        )[:, 0]
    assert stats.kstest(drawn.numpy(), "norm", args=(0.96, 0.6)).statistic < 0.08


def test_the_multinomial_posterior_equals_bayes_rule_by_counting() -> None:
    kept_now, kept_next, card, n = 0.3, 0.6, 3, 400_000
    rng = np.random.default_rng(0)
    clean = np.zeros(n, np.int64)
    nearer = np.where(rng.random(n) < kept_next, clean, rng.integers(0, card, n))
    now = np.where(rng.random(n) < kept_now / kept_next, nearer, rng.integers(0, card, n))
    for seen in range(card):
        expected = np.bincount(nearer[now == seen], minlength=card) / (now == seen).sum()
        m = 100_000
        drawn = diffusion._posterior(
            torch.full((m, 1), seen),
            torch.zeros((m, 1), dtype=torch.int64),
            torch.randint(card, (m, 1), generator=seeded(1)),
            torch.tensor([card]),
            kept_now,
            kept_next,
            seeded(2),
        )
        share = np.bincount(drawn[:, 0].numpy(), minlength=card) / m
        assert np.abs(share - expected).max() < 0.01


def test_numbers_of_a_trained_network_follow_their_tokens() -> None:
    net = NumberNet((2,), 1, 32, 2)
    initialise(net, seeded())
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    present = torch.ones((512, 1), dtype=torch.bool)
    for step in range(400):
        tokens = torch.randint(2, (512, 1), generator=seeded(step), dtype=torch.int32)
        numbers = (2.0 * tokens - 1) + 0.3 * torch.randn((512, 1), generator=seeded(step + 1))
        optimiser.zero_grad()
        diffusion.number_loss(net, numbers, present, tokens, seeded(step)).backward()
        optimiser.step()
    tokens = torch.ones((2000, 1), dtype=torch.int32)
    with torch.no_grad():
        drawn = diffusion.sample_numbers(
            net, tokens, torch.ones((2000, 1)), 12, "multistep", seeded()
        )
    assert stats.kstest(drawn[:, 0].numpy(), "norm", args=(1.0, 0.3)).statistic < 0.1
