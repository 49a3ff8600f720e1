"""Weights in files: every parameter returns, and half the bytes draw the rows of the fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import generators
from generators.files import WEIGHTS, read_folder
from generators.networks.weights import from_arrays, round_off, to_arrays
from tests.generators.tables import mixed_table


def test_arrays_hold_every_parameter_and_misshapen_ones_are_refused() -> None:
    first, second = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.ones_(first.weight)
    from_arrays(second, dict(to_arrays(first)))
    assert torch.equal(first.weight, second.weight)
    with pytest.raises(RuntimeError, match="size mismatch"):
        from_arrays(second, {"weight": np.zeros((2, 2), np.float32)})


def test_weights_are_rounded_to_eleven_bits_unless_they_are_out_of_range() -> None:
    module = nn.ModuleDict({name: nn.Linear(2, 3, bias=False) for name in "abc"})
    usual = torch.tensor([[1.0, -0.3], [1e-4, 0.2], [1e-9, 0.0]])
    for name, scale in (("a", 1.0), ("b", 1e6), ("c", 1e-9)):
        module[name].weight.data = usual * scale
    round_off(module, "float32")
    assert torch.equal(module["a"].weight, usual)
    round_off(module, "float16")
    torch.testing.assert_close(module["a"].weight, usual, atol=2.0**-11, rtol=0.0)
    assert not torch.equal(module["a"].weight, usual)
    assert torch.equal(module["b"].weight, usual * 1e6)
    assert torch.equal(module["c"].weight, usual * 1e-9)
    kinds = {name: array.dtype for name, array in to_arrays(module, "float16")}
    assert kinds == {"a.weight": np.float16, "b.weight": np.float32, "c.weight": np.float32}


@pytest.mark.parametrize("name", ["tabddpm", "autoregressive", "tvae", "ctabgan"])
def test_weights_stored_in_half_the_bytes_draw_the_rows_of_the_fit(
    name: str, tmp_path: Path
) -> None:
    table = mixed_table(300)
    settings = {"iterations": 12, "batch": 64, "width": 16, "evaluate_every": 6}
    for stored in ("float32", "float16"):
        model = generators.create(name, stored=stored, **settings).fit(table, seed=3)
        model.save(tmp_path / stored)
    again = generators.load(tmp_path / "float16")
    pd.testing.assert_frame_equal(model.sample(50, seed=1), again.sample(50, seed=1))
    again.save(tmp_path / "again")
    first, second = (tmp_path / folder / WEIGHTS for folder in ("float16", "again"))
    assert first.read_bytes() == second.read_bytes()
    whole, half = (read_folder(tmp_path / folder)[1] for folder in ("float32", "float16"))
    shorter = {key for key, array in half.items() if array.dtype == np.float16}
    assert all(key.startswith("model.") for key in shorter)
    assert sum(whole[key].size for key in shorter) > 0.99 * sum(
        array.size for array in whole.values() if array.dtype == np.float32
    )
    for key in shorter:
        limit = np.abs(whole[key]).max() * 2.0**-11
        assert np.abs(half[key].astype(np.float32) - whole[key]).max() <= limit
