"""Render a fleet of models as text or as a frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from panda_gym.environments.base.rendering.bars import Panel, bar_painter
from panda_gym.environments.pipeline.batch import PipelineBatch
from panda_gym.environments.pipeline.observation import PipelineView
from panda_gym.units import SECONDS_PER_DAY


def painter(mode: str, batch: PipelineBatch) -> Callable[[int], Any]:
    """Return a function that renders fleet e of the batch in mode "ansi" or "rgb_array"."""
    return bar_painter(mode, lambda e: describe(batch, e))


def describe(batch: PipelineBatch, e: int) -> tuple[str, Sequence[Panel]]:
    """Return the headline and the panels of fleet e."""
    view = PipelineView({name: part[e : e + 1] for name, part in batch.parts.items()})
    days = float(batch.report()["clock_s"][e]) / SECONDS_PER_DAY
    busy, performance = view.model("running")[0], view.model("performance")[0]
    models = [f"model {m}{' *' if on else ''}" for m, on in enumerate(busy > 0.5)]
    places = [one.name for one in batch.operations.clusters[: batch.places]]
    used, queued = 1.0 - view.place("free")[0], view.place("queued")[0]
    loss = view.model("loss")[0]
    headline = f"day {days:.2f} of {batch.scenario.days:g}   {busy.sum():.0f} runs (*)"
    return headline, (
        Panel("models: performance", models, performance, 1.0),
        Panel("models: share lost", models, loss, 0.2),
        Panel("places: slots in use", places, used, 1.0),
        Panel("places: waiting tasks", places, queued, float(queued.max(initial=1.0))),
    )
