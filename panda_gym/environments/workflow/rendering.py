"""Render a running workflow as text or as a frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from panda_gym.environments.base.rendering.bars import Panel, bar_painter
from panda_gym.environments.workflow.batch import WorkflowBatch
from panda_gym.environments.workflow.observation import WorkflowView


def painter(mode: str, batch: WorkflowBatch) -> Callable[[int], Any]:
    """Return a function that renders execution e of the batch in mode "ansi" or "rgb_array"."""
    return bar_painter(mode, lambda e: describe(batch, e))


def describe(batch: WorkflowBatch, e: int) -> tuple[str, Sequence[Panel]]:
    """Return the headline and the panels of execution e."""
    view = WorkflowView({name: part[e : e + 1] for name, part in batch.parts.items()})
    clock, flow = float(batch.report()["clock_s"][e]), batch.workflow(e)
    waiting, running = view.set("waiting")[0], view.set("running")[0]
    slots = [f"slot {k}" if here > 0 else "" for k, here in enumerate(view.set("present")[0])]
    used = 1.0 - view.site("free")[0]
    left = view.graph("tasks_left")[0, 0]
    whole = ("threads", "GPUs", "memory")
    free = 1.0 - np.array([view.graph(f"free_{name.lower()}")[0, 0] for name in whole])
    headline = f"{flow.name}   t = {clock:.0f} s   {left:.0%} of {flow.total_tasks} tasks left"
    return headline, (
        Panel("ready sets: waiting tasks", slots, waiting, float(waiting.max(initial=1.0))),
        Panel("ready sets: running tasks", slots, running, float(running.max(initial=1.0))),
        Panel("sites: threads in use", [f"site {p}" for p in range(view.sites)], used, 1.0),
        Panel("machine: in use", whole, free, 1.0),
    )
