"""Seed the global generators of torch and numpy for a run, and restore them afterwards.

stable-baselines3 samples actions from torch's global generator and shuffles by numpy's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor


@contextmanager
def own_generators(seed: int, threads: int) -> Iterator[None]:
    """Seed the global generators of torch and numpy within the block, restore them after it."""
    numpy_state = np.random.get_state()  # noqa: NPY002 - the library draws from it
    before = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        try:
            torch.manual_seed(seed)
            np.random.seed(seed % 2**32)  # noqa: NPY002
            torch.set_num_threads(threads)
            yield
        finally:
            np.random.set_state(numpy_state)  # noqa: NPY002
            torch.set_num_threads(before)


def read_generators() -> dict[str, Tensor]:
    """Return the states of both generators as tensors."""
    _, keys, position, *_ = np.random.get_state(legacy=True)  # noqa: NPY002
    return {
        "torch_generator": torch.get_rng_state(),
        "numpy_generator": torch.as_tensor(np.asarray(keys, dtype=np.int64)),
        "numpy_position": torch.tensor([int(position)]),
    }


def write_generators(states: dict[str, Tensor]) -> None:
    """Set both generators to states that `read_generators` returned."""
    torch.set_rng_state(states["torch_generator"])
    keys = states["numpy_generator"].numpy().astype(np.uint32)
    np.random.set_state(("MT19937", keys, int(states["numpy_position"][0]), 0, 0.0))  # noqa: NPY002
