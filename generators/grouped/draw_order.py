"""The order in which batches are drawn: as a sample of the window, or as a stream in time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from generators.arrivals.arrivals import HOUR_S
from generators.grouped.block import Block, joined
from generators.grouped.two_level_model import Times, TwoLevelModel

PATH, BODY, ORDER = range(10, 13)
"""Streams of random numbers; those below are the base class's."""
LONGEST = 60 * 24
"""Most hours drawn at once."""


def sample(model: TwoLevelModel, seed: int) -> Iterator[Block]:
    """Yield batches without end, in no order of time, as the fitted window had them.

    The window is passed through again and again, its batches in a random order, so that rows
    asked for in any number show the whole of it. Rows after its end are dropped, as they were
    when it was recorded.
    """
    number, round_ = 0, 0
    for starts in _beginnings(model, seed):
        block = model.bodies(starts, _count(model, starts), number, [seed, BODY, round_])
        number, round_ = number + _count(model, starts), round_ + 1
        if model.times is not None:
            unit = model.columns.unit
            block = block.between(-np.inf, model.times.arrivals.last_s * unit)
        yield block


def _count(model: TwoLevelModel, starts: np.ndarray | None) -> int:
    return model.at_once if starts is None else len(starts)


def _beginnings(model: TwoLevelModel, seed: int) -> Iterator[np.ndarray | None]:
    """Yield when the batches drawn at once begin, or None where there are no times."""
    round_ = 0
    while model.times is None:
        yield None
    arrivals = model.times.arrivals
    while True:
        rng = np.random.default_rng([seed, ORDER, round_])
        path = arrivals.path(int(rng.integers(2**62)))
        starts = path.events(0, arrivals.cycles.hours)
        starts = rng.permutation(starts[starts <= arrivals.last_s])
        for at in range(0, len(starts), model.at_once):
            yield starts[at : at + model.at_once]
        round_ += 1


def stream(model: TwoLevelModel, times: Times, seed: int, replay: bool) -> Iterator[Block]:
    """Yield rows without end in order of time, some hours at a time.

    A forecast begins after the window, with what its last batches still send; a replay begins
    with the window's last whole weeks and repeats them.
    """
    arrivals, unit = times.arrivals, model.columns.unit
    hours = arrivals.cycles.hours
    step = int(np.clip(model.at_once / max(times.per_hour, 1e-9), 1, LONGEST))
    path = arrivals.path(seed, replay)
    warm = min(int(np.ceil(times.reach_s / HOUR_S)), hours)
    at = hours - arrivals.period if replay else hours - warm
    born = -np.inf if replay else arrivals.last_s * unit
    waiting, number, round_ = model.empty(), 0, 0
    while True:
        starts = path.events(at, at + step)
        if len(starts):
            drawn = model.bodies(starts, len(starts), number, [seed, PATH, round_], in_order=True)
            waiting = joined([waiting, drawn]).sorted()
        number, round_, at = number + len(starts), round_ + 1, at + step
        end = (arrivals.cycles.first + at) * HOUR_S * unit - 1
        ready, waiting = waiting.between(born, end), waiting.between(end, np.inf)
        if len(ready):
            yield ready
