"""The six runs on Summit behind arXiv 2208.11069, retold: their task sets and their figures.

Source of the sets and of every measured figure: the authors' raw data (MIT licence,
radical-experiments, commit c77d3b2): mean durations per set, times of the tasks, bootstrap and
termination of the pilots. The tasks were sleeps; a core has four hardware threads. Graphs in
which sets are split (`..._split`) assume edges from the names of the stages: they serve the
degrees of asynchronicity only, and are called a reconstruction.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from panda_gym.errors import WorkflowError, nearest
from panda_gym.workflows.analytics import improvement
from panda_gym.workflows.execution import Execution, simulate
from panda_gym.workflows.overheads import Overheads
from panda_gym.workflows.pool import Pool
from panda_gym.workflows.taskset import TaskSet
from panda_gym.workflows.workflow import Workflow

SUMMIT16: Final = Pool("summit16", nodes=16, threads=168, gpus=6, threads_per_core=4)
"""The pilot of every run: 16 nodes of 42 cores with four threads each and 6 GPUs."""

MEASURED: Final = Overheads(gap_s=6.91, launch_s=0.55)
"""Measured: the gap between stages in the three sequential runs (6.87, 6.36 and 7.59 s; one of
17 gaps 1 s of spread) and the launch of a task. The asynchronous runs did not inform them."""

_DDMD: Final = (
    # kind, tasks, mean s, hardware threads, GPUs
    ("Simulation", 96, 340.0, 4, 1),
    ("Aggregation", 16, 85.0, 32, 0),
    ("Training", 1, 62.5, 4, 1),
    ("Inference", 96, 37.5, 16, 1),
)
_CDG1: Final = (
    ("T0", 96, 766.4, 16, 1),
    ("T1T2", 32, 234.9, 40, 0),
    ("T3T6", 16, 124.7, 4, 0),
    ("T4T5", 16, 152.6, 4, 0),
    ("T7", 96, 721.7, 4, 1),
)
_CDG2: Final = (
    ("T0", 96, 384.6, 16, 1),
    ("T1T2", 32, 153.8, 40, 0),
    ("T3T6", 96, 769.2, 4, 1),
    ("T4T5", 16, 230.7, 4, 0),
    ("T7", 16, 461.5, 4, 0),
)
_ITERATIONS: Final = (1, 2, 3)


def _set(row: tuple[str, int, float, int, int], name: str = "", tasks: int = 0) -> TaskSet:
    kind, count, mean, threads, gpus = row
    return TaskSet(name or kind, tasks or count, mean, kind, threads=threads, gpus=gpus)


def ddmd_chain() -> Workflow:
    """DeepDriveMD, three iterations one after the other."""
    sets = [_set(row, f"{row[0]}{i}") for i in _ITERATIONS for row in _DDMD]
    names = [s.id for s in sets]
    return Workflow.of("ddmd_chain", sets, list(itertools.pairwise(names)))


def ddmd() -> Workflow:
    """DeepDriveMD pipelined: simulations in a row, each followed by its own three phases.

    A stage is a phase of an iteration, so that the mode `sequential` is `ddmd_chain`.
    """
    sets = [_set(_DDMD[0], f"Simulation{i}") for i in _ITERATIONS]
    sets += [_set(row, f"{row[0]}{i}") for i in _ITERATIONS for row in _DDMD[1:]]
    edges = [("Simulation1", "Simulation2"), ("Simulation2", "Simulation3")]
    edges += _phases({i: f"Simulation{i}" for i in _ITERATIONS})
    stage = {f"{row[0]}{i}": 4 * i + k for i in _ITERATIONS for k, row in enumerate(_DDMD)}
    return Workflow.of("ddmd", sets, edges, stage=stage)


def ddmd_authors() -> Workflow:
    """DeepDriveMD as the asynchronous run laid it out: two iterations' simulations at once, then
    their phases in two pipelines beside a third with the last iteration."""
    sets = [_set(_DDMD[0], "Simulation12", 192)]
    sets += [_set(row, f"{row[0]}{i}") for i in (1, 2) for row in _DDMD[1:]]
    sets += [_set(row, f"{row[0]}3") for row in _DDMD]
    edges = [("Simulation12", "Simulation3")]
    edges += _phases({1: "Simulation12", 2: "Simulation12", 3: "Simulation3"})
    return Workflow.of("ddmd_authors", sets, edges)


def _phases(simulation: dict[int, str]) -> list[tuple[str, str]]:
    edges = []
    for i in _ITERATIONS:
        names = [simulation[i], *(f"{row[0]}{i}" for row in _DDMD[1:])]
        edges += list(itertools.pairwise(names))
    return edges


def _merged(name: str, rows: tuple[tuple[str, int, float, int, int], ...]) -> Workflow:
    """T0 -> T1T2 -> (T3T6 | T4T5 -> T7), as the pipelines were submitted."""
    edges = [("T0", "T1T2"), ("T1T2", "T3T6"), ("T1T2", "T4T5"), ("T4T5", "T7")]
    return Workflow.of(name, [_set(row) for row in rows], edges)


def cdg1() -> Workflow:
    """The first concrete dependency graph, sets merged as submitted."""
    return _merged("cdg1", _CDG1)


def cdg2() -> Workflow:
    """The second concrete dependency graph, sets merged as submitted."""
    return _merged("cdg2", _CDG2)


def _split(name: str, rows: tuple[tuple[str, int, float, int, int], ...]) -> Workflow:
    """Sets T0 to T7 apart, each of half a merged pair; the edges are an assumption."""
    row = {r[0]: r for r in rows}
    halves = ("T1T2", "T3T6", "T4T5")
    sets = [_set(row["T0"])]
    for pair in halves:
        half = (pair, row[pair][1] // 2, *row[pair][2:])
        sets += [_set((name, *half[1:])) for name in (pair[:2], pair[2:])]
    sets.append(_set(row["T7"]))
    edges = [
        ("T0", "T1"), ("T0", "T2"), ("T1", "T3"), ("T3", "T6"),
        ("T2", "T4"), ("T2", "T5"), ("T4", "T7"), ("T5", "T7"),
    ]  # fmt: skip
    return Workflow.of(name, sets, edges)


def cdg1_split() -> Workflow:
    """The first graph with its sets apart (assumed edges)."""
    return _split("cdg1_split", _CDG1)


def cdg2_split() -> Workflow:
    """The second graph with its sets apart (assumed edges)."""
    return _split("cdg2_split", _CDG2)


WORKFLOWS: Final[dict[str, Callable[[], Workflow]]] = {
    "cdg1": cdg1,
    "cdg1_split": cdg1_split,
    "cdg2": cdg2,
    "cdg2_split": cdg2_split,
    "ddmd": ddmd,
    "ddmd_authors": ddmd_authors,
    "ddmd_chain": ddmd_chain,
}
"""Shipped workflows by name."""


def summit_workflow(name: str) -> Workflow:
    """A shipped workflow; WorkflowError names the nearest if there is none."""
    if name not in WORKFLOWS:
        raise WorkflowError(
            "an existing file or a shipped workflow", repr(name), nearest(str(name), WORKFLOWS)
        )
    return WORKFLOWS[name]()


@dataclass(frozen=True)
class Run:
    """A recorded run: how it was laid out and what was measured."""

    workflow: str
    """Name in WORKFLOWS."""
    mode: str
    """Execution mode that stands for its layout."""
    ttx_s: float
    """Measured time to execution, first start to last stop of the tasks."""
    gpu_utilisation: float
    """Measured, over that time."""
    thread_utilisation: float
    """Measured, over that time."""
    lifetime_s: float
    """Measured lifetime of the pilot."""
    bootstrap_s: float
    """Measured, from the start of the pilot to the first task."""


RUNS: Final = {
    "ddmd_seq": Run("ddmd", "sequential", 1660.2, 0.684, 0.156, 1711.7, 37.9),
    "ddmd_async": Run("ddmd_authors", "sets", 1331.5, 0.853, 0.195, 1410.7, 38.0),
    "cdg1_seq": Run("cdg1", "sequential", 1902.6, 0.783, 0.347, 1946.7, 35.4),
    "cdg1_async": Run("cdg1", "sets", 1909.2, 0.780, 0.346, 1979.6, 35.5),
    "cdg2_seq": Run("cdg2", "sequential", 1800.1, 0.641, 0.233, 1859.6, 36.5),
    "cdg2_async": Run("cdg2", "sets", 1332.7, 0.866, 0.315, 1374.3, 33.5),
}
"""The six runs; `ddmd_async` is the one called ddmd_async_alt in the raw data."""

TOLERANCES: Final = {"ttx": 0.015, "utilisation": 0.02, "improvement": 0.02}
"""Within which a reproduction agrees: relative, absolute, absolute."""


@dataclass(frozen=True)
class Reproduction:
    """One run simulated with the measured overheads, beside what was measured."""

    name: str
    """Name in RUNS."""
    run: Run
    """What was measured."""
    ideal: Execution
    """Simulated without overheads."""
    simulated: Execution
    """Simulated with the measured overheads."""

    @property
    def ttx_error(self) -> float:
        """Simulated over measured time to execution, - 1."""
        return self.simulated.ttx_s / self.run.ttx_s - 1.0

    @property
    def utilisation_errors(self) -> tuple[float, float]:
        """Simulated minus measured utilisation of GPUs and threads."""
        found = self.simulated.utilisation
        return (
            found["gpus"] - self.run.gpu_utilisation,
            found["threads"] - self.run.thread_utilisation,
        )

    @property
    def agrees(self) -> bool:
        """Whether all three are within TOLERANCES."""
        worst = max(abs(error) for error in self.utilisation_errors)
        return abs(self.ttx_error) <= TOLERANCES["ttx"] and worst <= TOLERANCES["utilisation"]


def reproduce() -> dict[str, Reproduction]:
    """The six runs, simulated from their task sets."""
    found = {}
    for name, run in RUNS.items():
        flow = WORKFLOWS[run.workflow]()
        ideal, simulated = (
            simulate(flow, SUMMIT16, run.mode, overheads=o) for o in (Overheads(), MEASURED)
        )
        found[name] = Reproduction(name, run, ideal, simulated)
    return found


PAIRS: Final = {name: (f"{name}_seq", f"{name}_async") for name in ("ddmd", "cdg1", "cdg2")}
"""Workflow to its sequential and its asynchronous run."""


def improvements(found: dict[str, Reproduction]) -> dict[str, tuple[float, float]]:
    """Relative improvement I of every pair of runs: (simulated, measured)."""
    return {
        name: (
            improvement(found[before].simulated.ttx_s, found[after].simulated.ttx_s),
            improvement(RUNS[before].ttx_s, RUNS[after].ttx_s),
        )
        for name, (before, after) in PAIRS.items()
    }
