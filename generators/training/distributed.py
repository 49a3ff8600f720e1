"""Fit one model in several processes with torch.distributed.

Each process computes the gradient of its own rows of every batch; the gradients are added up, so
that all make the same step as one process with the whole batch would:

    torchrun --standalone --nproc-per-node 2 -m generators fit table.parquet tabddpm folder

Processes communicate by gloo on CPUs and by nccl on GPUs, one GPU each. Random numbers of a row
come from a stream of its process: fits of different numbers of processes agree in distribution.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class World:
    """The processes of one fit, seen from one of them."""

    rank: int = 0
    """Number of this process."""
    size: int = 1
    """How many there are."""

    @classmethod
    def now(cls) -> World:
        """Return the processes that have joined, one where none were asked for."""
        if dist.is_available() and dist.is_initialized():
            return cls(dist.get_rank(), dist.get_world_size())
        return cls()

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes and reports."""
        return self.rank == 0

    def share(self, index: Tensor) -> Tensor:
        """Return this process's part of a batch."""
        return index.tensor_split(self.size)[self.rank]

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Put the sum over all processes into every gradient; None where no process has one."""
        if self.size == 1:
            return
        each = list(parameters)
        flags = torch.tensor([p.grad is not None for p in each], dtype=torch.float32)
        parts = [p.new_zeros(p.numel()) if p.grad is None else p.grad.flatten() for p in each]
        flat = torch.cat([*parts, flags.to(each[0].device)])
        dist.all_reduce(flat)
        sizes = [p.numel() for p in each]
        *sums, found = flat.split([*sizes, len(each)])
        for parameter, total, there in zip(each, sums, found.tolist(), strict=True):
            parameter.grad = total.view_as(parameter).clone() if there else None

    def add(self, values: dict[str, float], device: torch.device) -> dict[str, float]:
        """Return the sum of each value over all processes."""
        if self.size == 1:
            return values
        kind = torch.float64 if device.type != "mps" else torch.float32
        total = torch.tensor(list(values.values()), dtype=kind, device=device)
        dist.all_reduce(total)
        return dict(zip(values, total.tolist(), strict=True))

    def agree(self, value: float, device: torch.device) -> float:
        """Return the leader's value."""
        if self.size == 1:
            return value
        value_of_leader = torch.tensor([value], dtype=torch.float64, device=device)
        dist.broadcast(value_of_leader, 0)
        return float(value_of_leader)

    def wait(self) -> None:
        """Return once all processes have come here."""
        if self.size > 1:
            dist.barrier()


@contextmanager
def joined(device: str) -> Iterator[str]:
    """Join the processes that torchrun started, if it did; give this process's own device."""
    if "WORLD_SIZE" not in os.environ:
        yield device
        return
    cuda = torch.device(device).type == "cuda"
    own = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if cuda else device
    if cuda:
        torch.cuda.set_device(own)
    dist.init_process_group("nccl" if cuda else "gloo")
    try:
        yield own
    finally:
        dist.destroy_process_group()
