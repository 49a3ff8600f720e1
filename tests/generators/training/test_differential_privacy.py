"""Private fits: the account, the clipped gradients against a slow twin, the noisy marginals."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings

import generators
from generators.errors import GeneratorError
from generators.networks.layers import OrderedNet, initialise
from generators.training.differential_privacy import Account, Mechanism, noisy_marginals, spent
from tests.generators.tables import hostile_table, mixed_table, same_dtypes

pytest.importorskip("opacus")
CARDS = (3, 5, 2)
TINY: dict[str, Any] = {
    "iterations": 12,
    "batch": 64,
    "width": 8,
    "hidden": 8,
    "bins": 5,
    "evaluate_every": 6,
    "checkpoint_every": 6,
    "dropout": 0.0,
    "epsilon": 3.0,
    "delta": 1e-4,
}


def net() -> OrderedNet:
    made = OrderedNet(CARDS, [(0, 1)], 8, 4, 0.0, 0)
    initialise(made, torch.Generator().manual_seed(0))
    return made.train()


def rows(n: int) -> torch.Tensor:
    rng = np.random.default_rng(1)
    return torch.from_numpy(np.stack([rng.integers(0, k, n) for k in CARDS], 1)).int()


def test_clipped_gradients_equal_those_of_one_row_at_a_time() -> None:
    module, batch, clip = net(), rows(12), 4.26
    expected = [torch.zeros_like(p) for p in module.parameters()]
    norms = []
    for row in batch:
        loss = module.losses(row[None]).sum()
        own = torch.autograd.grad(loss, list(module.parameters()), allow_unused=True)
        parts = [
            torch.zeros_like(p) if g is None else g
            for g, p in zip(own, module.parameters(), strict=True)
        ]
        norm = torch.sqrt(sum(g.square().sum() for g in parts))
        norms.append(float(norm))
        for total, g in zip(expected, parts, strict=True):
            total += g * min(1.0, clip / float(norm))
    assert min(norms) < clip < max(norms)
    mechanism = Mechanism(lambda b, g: module.losses(b).sum(1), 0.0, clip, 12)
    mechanism.gradients(module, batch, torch.Generator())
    for parameter, total in zip(module.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, total / 12, atol=1e-5, rtol=1e-4)


def test_an_empty_batch_and_an_unused_weight_get_noise_all_the_same() -> None:
    module = net()
    mechanism = Mechanism(lambda b, g: module.losses(b).sum(1), 2.0, 0.5, 10)
    mechanism.gradients(module, rows(0), torch.Generator().manual_seed(0))
    noise = torch.cat([p.grad.flatten() for p in module.parameters()])  # type: ignore[union-attr]
    assert float(noise.std()) == pytest.approx(2.0 * 0.5 / 10, rel=0.1)


def test_every_row_joins_a_batch_by_the_same_chance() -> None:
    mechanism = Mechanism(lambda b, g: torch.zeros(0), 1.0, 1.0, 30)
    joined = torch.zeros(100)
    for seed in range(600):
        joined[mechanism.rows(100, torch.Generator().manual_seed(seed))] += 1
    assert float(joined.mean()) == pytest.approx(180, rel=0.02)
    assert float(joined.std()) == pytest.approx(np.sqrt(600 * 0.3 * 0.7), rel=0.3)


def test_the_account_equals_that_of_opacus_and_adds_the_marginals() -> None:
    from opacus.accountants import RDPAccountant

    accountant = RDPAccountant()
    accountant.history = [(1.1, 0.01, 1000)]
    alone = spent(1.1, 1e9, 0.01, 1000, 1e-5)
    assert alone == pytest.approx(accountant.get_epsilon(1e-5), rel=0.01)
    assert spent(1.1, 5.0, 0.01, 1000, 1e-5) > alone
    assert spent(None, 5.0, 0.01, 0, 1e-5) < spent(1.1, 5.0, 0.01, 1000, 1e-5)


@pytest.mark.parametrize("epsilon", [1.0, 10.0])
def test_the_noise_spends_the_budget_and_no_more(epsilon: float) -> None:
    account = Account.within(epsilon, 1e-6, 0.01, 500)
    total = spent(account.gradients, account.marginals, 0.01, 500, 1e-6)
    assert 0.98 * epsilon < total <= epsilon
    assert spent(None, account.marginals, 0.0, 0, 1e-6) <= epsilon / 4


def test_a_budget_that_cannot_be_met_is_refused() -> None:
    with pytest.raises(GeneratorError, match="epsilon"):
        Account.within(1e-9, 1e-12, 0.5, 10_000)


def test_marginals_with_little_noise_are_those_of_the_table() -> None:
    table = mixed_table(20_000)
    drawn = noisy_marginals(table, 1e-3, np.random.default_rng(0))
    assert same_dtypes(drawn, table)
    for name in ("kind", "place"):
        shares = [t[name].value_counts(normalize=True, sort=False) for t in (drawn, table)]
        assert shares[0].sub(shares[1]).abs().sum() / 2 < 0.02
    for name in ("files", "cost"):
        levels = [0.05, 0.3, 0.5, 0.8, 0.99]
        ratio = (1 + drawn[name].quantile(levels)) / (1 + table[name].quantile(levels))
        assert ratio.between(0.93, 1.07).all()
    assert (drawn["size"] == 0).mean() == pytest.approx((table["size"] == 0).mean(), abs=0.01)
    assert (drawn["when"].dt.date.nunique()) == 30


def test_counts_that_noise_could_make_are_dropped() -> None:
    table = mixed_table(20_000)
    drawn = noisy_marginals(table, 10.0, np.random.default_rng(0))
    assert set(drawn["when"].dt.year) <= {2024}
    assert drawn["cost"].abs().max() < 1e9
    assert not drawn.isna().any(axis=None)


@given(table=hostile_table())
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_marginals_of_any_table_are_a_table_of_its_types(table: pd.DataFrame) -> None:
    assert same_dtypes(noisy_marginals(table, 1.0, np.random.default_rng(0)), table)


def test_a_private_fit_repeats_resumes_and_samples(tmp_path: Path) -> None:
    table = mixed_table(600)

    class Stop(Exception):
        pass

    def stop(done: int, total: int, message: str) -> None:
        assert "loss" not in message
        raise Stop

    whole = generators.create("autoregressive", **TINY).fit(table, seed=1)
    with pytest.raises(Stop):
        generators.create("autoregressive", **TINY).fit(table, 1, stop, tmp_path / "c")
    again = generators.create("autoregressive", **TINY).fit(table, 1, None, tmp_path / "c")
    for name, weight in whole._arrays().items():
        assert np.array_equal(again._arrays()[name], weight)
    assert same_dtypes(whole.sample(50), table)
    whole.save(tmp_path / "g")
    assert generators.load(tmp_path / "g").config.epsilon == 3.0


def test_without_opacus_a_private_fit_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [m for m in sys.modules if m.split(".")[0] == "opacus"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opacus", None)
    with pytest.raises(GeneratorError, match="opacus"):
        generators.create("autoregressive", **TINY).fit(mixed_table(100))
