"""Settings of `PandaGrid/Workflow-v0`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.environments.workflow.reward import REWARDS
from panda_gym.errors import KeywordError, SettingError, check_seed, nearest
from panda_gym.sites import Platform, load_platform, platform_names
from panda_gym.workflows.analytics import t_seq_s, work_s
from panda_gym.workflows.barriers import MODES, stages
from panda_gym.workflows.decisions import RANK, REFERENCE, References
from panda_gym.workflows.execution import mean_transfer_s
from panda_gym.workflows.formats import read_workflow
from panda_gym.workflows.overheads import Overheads
from panda_gym.workflows.pool import Pool
from panda_gym.workflows.random_graphs import SHAPES, random_workflow
from panda_gym.workflows.static_scheduling import RULES, problem_of, shares_and_onward
from panda_gym.workflows.summit import SUMMIT16, WORKFLOWS, summit_workflow
from panda_gym.workflows.workflow import Workflow

Array = np.ndarray

GRANULARITIES: Final = ("set", "task")
POOLS: Final = {SUMMIT16.name: SUMMIT16}
"""Shipped pools by name."""


@dataclass(frozen=True)
class WorkflowScenario:
    """Settings of the environment; everything random is drawn from the episode's seed."""

    workflow: str | Workflow | Sequence[Workflow] = "random:campaign"
    """`random:<shape>` (one of `panda_gym.workflows.random_graphs.SHAPES`), a shipped name such as
    `ddmd`, a file, a Workflow, or several: one is drawn an episode."""
    platform: str | Pool | Platform = "summit16"
    """A shipped pool or platform by name, a Pool or a Platform."""
    scale: float = 1.0
    """Share of a platform's cores."""
    slots: int = 8
    """Ready sets that the agent sees at a time, first come first."""
    granularity: str = "set"
    """What a decision places: `set`, as many tasks as there is room for; `task`, one."""
    mode: str = "sets"
    """What waits for what, one of workflows.barriers.MODES."""
    reward: str = "work"
    """`work`: minus the time integral of unfinished work; `makespan`: minus the time."""
    gap_s: float = 0.0
    """Overhead from the end of a set to the release of those that wait for it, s."""
    launch_s: float = 0.0
    """Overhead of a task, s."""
    plan: str | None = None
    """On a platform: a static schedule of the graph from mean durations that `pairs` shows, one of
    `panda_gym.workflows.static_scheduling.RULES` such as `heft`; None: none is computed."""
    home: str | None = None
    """Site of a platform that holds inputs from outside; None: every site has them."""
    variants: int | None = None
    """Graphs of a random shape of which an episode draws one; None: every episode draws anew."""
    library_seed: int = 0
    """First seed of these graphs."""

    def __post_init__(self) -> None:
        for field, known in (
            ("granularity", GRANULARITIES),
            ("mode", MODES),
            ("reward", tuple(REWARDS)),
        ):
            value = getattr(self, field)
            if value not in known:
                raise SettingError(
                    f"{field} as one of {known}", repr(value), nearest(str(value), known)
                )
        if self.plan is not None and self.plan not in RULES:
            hint = nearest(str(self.plan), RULES)
            raise SettingError(f"plan as None or one of {tuple(RULES)}", repr(self.plan), hint)
        for field in ("slots", "variants"):
            value = getattr(self, field)
            if value is None and field == "variants":
                continue
            if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < 1:
                raise SettingError(
                    f"{field} as a whole number of at least 1", repr(value), "raise it"
                )
        check_seed(self.library_seed)

    @classmethod
    def of(cls, **settings: Any) -> WorkflowScenario:
        """The scenario of keyword settings; SettingError names the nearest for a mistyped one."""
        known = [field.name for field in fields(cls)]
        for key in settings:
            if key not in known:
                raise KeywordError.of("WorkflowEnv", key, nearest(key, known))
        return cls(**settings)

    @property
    def overheads(self) -> Overheads:
        """Overheads of the execution."""
        return Overheads(gap_s=float(self.gap_s), launch_s=float(self.launch_s))

    def open_platform(self) -> Pool | Platform:
        """The pool or platform."""
        found = self._open_platform()
        if self.plan is not None and isinstance(found, Pool):
            raise SettingError("a platform of sites for plan=", "a pool", "change platform=")
        return found

    def _open_platform(self) -> Pool | Platform:
        if not isinstance(self.platform, str):
            return self.platform
        if self.platform in POOLS:
            return POOLS[self.platform]
        known = (*POOLS, *platform_names())
        if self.platform not in known and not Path(self.platform).exists():
            raise SettingError(
                "a pool or platform", repr(self.platform), nearest(self.platform, known)
            )
        return load_platform(self.platform, self.scale)

    @property
    def fresh_shape(self) -> str | None:
        """The shape of which every episode draws its own graph; None: it draws from a library."""
        if not isinstance(self.workflow, str) or self.variants is not None:
            return None
        shape = self.workflow.removeprefix("random:")
        return None if shape == self.workflow else shape

    def open_library(self) -> tuple[Workflow, ...]:
        """The workflows of which an episode draws one; an example where it draws its own."""
        if isinstance(self.workflow, Workflow):
            return (self.workflow,)
        if not isinstance(self.workflow, str):
            library = tuple(self.workflow)
            if not library or not all(isinstance(flow, Workflow) for flow in library):
                raise SettingError("workflows", repr(self.workflow)[:60], "pass Workflow objects")
            return library
        shape = self.workflow.removeprefix("random:")
        if shape != self.workflow:
            first = self.library_seed
            return tuple(random_workflow(shape, first + i) for i in range(self.variants or 1))
        if self.workflow in WORKFLOWS:
            return (summit_workflow(self.workflow),)
        if Path(self.workflow).exists():
            return (read_workflow(self.workflow),)
        known = (*WORKFLOWS, *(f"random:{name}" for name in SHAPES))
        raise SettingError(
            "a workflow by name or file", repr(self.workflow), nearest(self.workflow, known)
        )


def goals_of(
    library: Sequence[Workflow], resource: Pool | Platform, scenario: WorkflowScenario
) -> References:
    """Ranks of the sets, sequential times and static schedules of a library.

    On a platform the sequential time is that of one pool of all its cores, without transfers.
    """
    pool = resource if isinstance(resource, Pool) else Pool.cores(int(resource.cores.sum()))
    whole = np.zeros(len(library), REFERENCE)
    sets = np.zeros((len(library), max(len(flow) for flow in library)), RANK)
    for w, flow in enumerate(library):
        whole[w] = (t_seq_s(flow, pool), work_s(flow))
        _, stage = np.unique(stages(flow), return_inverse=True)
        sets["rank"][w, : len(flow)] = flow.rank(mean_transfer_s(flow, resource))
        sets["order"][w, : len(flow)] = stage.ravel() / max(int(stage.max()), 1)
    return References(whole, sets, _plans(library, resource, scenario))


def _plans(
    library: Sequence[Workflow], resource: Pool | Platform, scenario: WorkflowScenario
) -> Array:
    """Return what the scenario's static schedule says of a library, float32[W, 2, S, P]."""
    if scenario.plan is None or not isinstance(resource, Platform):
        return np.zeros((len(library), 2, 0, 0), np.float32)
    widest = max(len(flow) for flow in library)
    found = np.zeros((len(library), 2, widest, len(resource.cores)), np.float32)
    options: dict[str, Any] = {"overheads": scenario.overheads, "home": scenario.home}
    for w, flow in enumerate(library):
        problem = problem_of(flow, resource, **options)
        found[w, :, : len(flow)] = shares_and_onward(problem, RULES[scenario.plan](problem))
    return found
