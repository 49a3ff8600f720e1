"""Overheads of running a workflow: bootstrap, stage gap, task launch and tail."""

from __future__ import annotations

from dataclasses import dataclass, fields

from panda_gym.errors import WorkflowError


@dataclass(frozen=True)
class Overheads:
    """Overheads of a workflow system on an allocation, s; all zero by default."""

    bootstrap_s: float = 0.0
    """From the start of the allocation to the first task."""
    gap_s: float = 0.0
    """From the end of a stage (or set) to the release of those that wait for it."""
    launch_s: float = 0.0
    """From taking the resources to the start of a task's work."""
    tail_s: float = 0.0
    """From the end of the last task to the end of the allocation."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0.0 <= value < float("inf"):
                raise WorkflowError(
                    f"overhead {field.name} finite and at least 0", repr(value), "correct it"
                )
