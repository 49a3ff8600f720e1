"""Play one episode in every grid of one or more batches: the one loop of decisions.

Benchmarks, data sets, training evaluation and tuning all play their episodes here. They differ in
the actor: who decides, and what is recorded. `rollout` fixes the order of what happens:

1. every grid begins its episode, and the actor is told (`Actor.begin`, then `Actor.observe`);
2. the actor names a site for every job at hand (`Actor.choose`), the batches are stepped
   (`Actor.record`), and show the next observation (`Actor.observe`), until all grids are done;
3. with `finish`, the placed jobs still in the system come to their end; nothing is placed.

Episodes with `Scenario.tail_jobs` differ in length: a grid that is done takes no more actions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.errors import PolicyError

Array = np.ndarray
Map = Callable[[Callable[[int], Any], Iterable[int]], Iterable[Any]]
"""`map`, or the same over threads."""


class Actor(ABC):
    """Who decides in a rollout, and what it records.

    `observe` and `record` are called once a batch, from the thread that steps the batch.
    """

    @abstractmethod
    def choose(self, step: int) -> Sequence[Array]:
        """Return the sites for the jobs at hand: int64[E] (or [E, K]) for each batch."""

    def begin(self) -> None:  # noqa: B027
        """Prepare to decide: all grids have begun an episode."""

    def observe(self, k: int, step: int) -> None:  # noqa: B027
        """See batch k before decision `step`; the last call follows the last decision."""

    def record(self, k: int, step: int) -> None:  # noqa: B027
        """Record what decision `step` led to in batch k."""


def rollout(
    batches: Sequence[PlacementBatch],
    seeds: Sequence[Sequence[int]],
    actor: Actor,
    *,
    label: str = "policy",
    finish: bool = True,
    each: Map = map,
) -> None:
    """Play one episode in every grid of all batches.

    Args:
        batches: the grids to be played.
        seeds: one a grid, batch by batch; the episode is the one of `reset(seed=...)`.
        actor: who decides.
        label: the actor's name in errors.
        finish: whether the judged jobs come to their end, so that `batch.log` is complete.
        each: `map` over the numbers of the batches, in threads if they are to run side by side.

    Raises:
        PolicyError: the actor answers with anything but legal sites.
    """

    def begin(k: int) -> None:
        batches[k].begin((e, np.random.default_rng(seed)) for e, seed in enumerate(seeds[k]))
        actor.observe(k, 0)

    def step(k: int) -> None:
        batch, done = batches[k], batches[k].simulator.done
        chosen = legal(sites[k], batch.simulator.mask, label)
        if not done.all():
            batch.step(chosen, ~done if done.any() else None)
        actor.record(k, number)
        actor.observe(k, number + 1)

    every, number = range(len(batches)), 0
    _run(each, begin, every)
    actor.begin()
    while not all(batch.simulator.done.all() for batch in batches):
        sites = actor.choose(number)
        _run(each, step, every)
        number += 1
    if finish:
        _run(each, lambda k: finish_jobs(batches[k]), every)


def finish_jobs(batch: PlacementBatch) -> None:
    """Let all placed jobs of every grid end."""
    for e in range(len(batch)):
        batch.simulator.drain(e)


def legal(sites: Any, mask: Array, label: str) -> Array:
    """Return a policy's answer as int64[E] (or [E, K]); PolicyError if it is none, or masked.

    mask: int8[E, A], or [E, K, A] for K decisions at once.
    """
    answer = np.asarray(sites)
    if answer.dtype.kind not in "iu" or answer.shape != mask.shape[:-1]:
        shape = " x ".join(map(str, mask.shape[:-1]))
        raise PolicyError(
            f"{shape} whole numbers from policy {label!r}",
            f"{answer.dtype} of shape {answer.shape}",
            "return one site an environment and job",
        )
    flat = answer.ravel()
    inside = (flat >= 0) & (flat < mask.shape[-1])
    allowed = inside & (
        mask.reshape(-1, mask.shape[-1])[np.arange(flat.size), np.where(inside, flat, 0)] > 0
    )
    if not allowed.all():
        allowed = allowed.reshape(answer.shape)
        where = tuple(np.argwhere(~allowed)[0])
        raise PolicyError(
            f"legal sites from policy {label!r}",
            f"site {answer[where]} in environment {where[0]}",
            "choose where action_mask is 1",
        )
    return answer.astype(np.int64)


def _run(each: Map, work: Callable[[int], Any], every: Iterable[int]) -> None:
    """Call `work` for every batch and wait for all."""
    for _ in each(work, every):
        pass
