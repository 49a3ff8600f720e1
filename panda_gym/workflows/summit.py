"""Reproduce the six runs on Summit behind arXiv 2208.11069 from their task sets.

The sets and every measured figure come from the authors' raw data (MIT licence,
radical-experiments, commit c77d3b2): mean durations per set, times of the tasks, bootstrap and
termination of the pilots. The tasks were sleeps; a core has four hardware threads. Graphs whose
sets are split (`..._split`) assume edges from the names of the stages. They are a reconstruction
and serve only for the degrees of asynchronicity.
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
"""Measured overheads: the mean gap between stages in the three sequential runs (6.87, 6.36 and
7.59 s; 17 gaps, standard deviation 1.0 s) and the launch of a task. The asynchronous runs were
not used."""

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
    """Return DeepDriveMD as three iterations one after the other."""
    sets = [_set(row, f"{row[0]}{i}") for i in _ITERATIONS for row in _DDMD]
    names = [s.id for s in sets]
    return Workflow.of("ddmd_chain", sets, list(itertools.pairwise(names)))


def ddmd() -> Workflow:
    """Return DeepDriveMD pipelined: a chain of simulations, each followed by its three phases.

    A stage is a phase of an iteration, so that the mode `sequential` is `ddmd_chain`.
    """
    sets = [_set(_DDMD[0], f"Simulation{i}") for i in _ITERATIONS]
    sets += [_set(row, f"{row[0]}{i}") for i in _ITERATIONS for row in _DDMD[1:]]
    edges = [("Simulation1", "Simulation2"), ("Simulation2", "Simulation3")]
    edges += _phases({i: f"Simulation{i}" for i in _ITERATIONS})
    stage = {f"{row[0]}{i}": 4 * i + k for i in _ITERATIONS for k, row in enumerate(_DDMD)}
    return Workflow.of("ddmd", sets, edges, stage=stage)


def ddmd_authors() -> Workflow:
    """Return DeepDriveMD in the layout of the asynchronous run.

    The simulations of two iterations run at once; then their phases run in two pipelines, beside
    a third with the last iteration.
    """
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
    """Return T0 -> T1T2 -> (T3T6 | T4T5 -> T7), as the pipelines were submitted."""
    edges = [("T0", "T1T2"), ("T1T2", "T3T6"), ("T1T2", "T4T5"), ("T4T5", "T7")]
    return Workflow.of(name, [_set(row) for row in rows], edges)


def cdg1() -> Workflow:
    """Return the first concrete dependency graph, sets merged as submitted."""
    return _merged("cdg1", _CDG1)


def cdg2() -> Workflow:
    """Return the second concrete dependency graph, sets merged as submitted."""
    return _merged("cdg2", _CDG2)


def _split(name: str, rows: tuple[tuple[str, int, float, int, int], ...]) -> Workflow:
    """Return sets T0 to T7 separately, each half of a merged pair; the edges are assumed."""
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
    """Return the first graph with its sets separate (assumed edges)."""
    return _split("cdg1_split", _CDG1)


def cdg2_split() -> Workflow:
    """Return the second graph with its sets separate (assumed edges)."""
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
    """Return a shipped workflow by name; WorkflowError names the nearest if unknown."""
    if name not in WORKFLOWS:
        raise WorkflowError(
            "an existing file or a shipped workflow", repr(name), nearest(str(name), WORKFLOWS)
        )
    return WORKFLOWS[name]()


@dataclass(frozen=True)
class RecordedRun:
    """Recorded run: its layout and its measured figures."""

    workflow: str
    """Name in WORKFLOWS."""
    mode: str
    """Execution mode that corresponds to its layout."""
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
    "ddmd_seq": RecordedRun("ddmd", "sequential", 1660.2, 0.684, 0.156, 1711.7, 37.9),
    "ddmd_async": RecordedRun("ddmd_authors", "sets", 1331.5, 0.853, 0.195, 1410.7, 38.0),
    "cdg1_seq": RecordedRun("cdg1", "sequential", 1902.6, 0.783, 0.347, 1946.7, 35.4),
    "cdg1_async": RecordedRun("cdg1", "sets", 1909.2, 0.780, 0.346, 1979.6, 35.5),
    "cdg2_seq": RecordedRun("cdg2", "sequential", 1800.1, 0.641, 0.233, 1859.6, 36.5),
    "cdg2_async": RecordedRun("cdg2", "sets", 1332.7, 0.866, 0.315, 1374.3, 33.5),
}
"""The six runs; `ddmd_async` is the one called ddmd_async_alt in the raw data."""

TOLERANCES: Final = {"ttx": 0.015, "utilisation": 0.02, "improvement": 0.02}
"""Tolerances of a reproduction: relative, absolute, absolute."""


@dataclass(frozen=True)
class Reproduction:
    """Simulation of one recorded run with the measured overheads."""

    name: str
    """Name in RUNS."""
    run: RecordedRun
    """The recorded run."""
    ideal: Execution
    """Simulated execution without overheads."""
    simulated: Execution
    """Simulated execution with the measured overheads."""

    @property
    def ttx_error(self) -> float:
        """Relative error of the simulated time to execution."""
        return self.simulated.ttx_s / self.run.ttx_s - 1.0

    @property
    def utilisation_errors(self) -> tuple[float, float]:
        """Simulated minus measured utilisation of (GPUs, threads)."""
        found = self.simulated.utilisation
        return (
            found["gpus"] - self.run.gpu_utilisation,
            found["threads"] - self.run.thread_utilisation,
        )

    @property
    def agrees(self) -> bool:
        """Whether all three errors are within `TOLERANCES`."""
        worst = max(abs(error) for error in self.utilisation_errors)
        return abs(self.ttx_error) <= TOLERANCES["ttx"] and worst <= TOLERANCES["utilisation"]


def reproduce() -> dict[str, Reproduction]:
    """Simulate the six runs from their task sets, by name."""
    found = {}
    for name, run in RUNS.items():
        flow = WORKFLOWS[run.workflow]()
        ideal, simulated = (
            simulate(flow, SUMMIT16, run.mode, overheads=o) for o in (Overheads(), MEASURED)
        )
        found[name] = Reproduction(name, run, ideal, simulated)
    return found


PAIRS: Final = {name: (f"{name}_seq", f"{name}_async") for name in ("ddmd", "cdg1", "cdg2")}
"""Names of the sequential and the asynchronous run of every workflow."""


def improvements(found: dict[str, Reproduction]) -> dict[str, tuple[float, float]]:
    """Return the relative improvement I of every pair of runs: (simulated, measured)."""
    return {
        name: (
            improvement(found[before].simulated.ttx_s, found[after].simulated.ttx_s),
            improvement(RUNS[before].ttx_s, RUNS[after].ttx_s),
        )
        for name, (before, after) in PAIRS.items()
    }
