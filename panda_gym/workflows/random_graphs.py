"""Random workflows by shape and seed, for training and for tests.

`montage` and `ddmd` have the stages and fan-in of the workflows they are named after. `campaign`
mixes layered graphs of task sets with the form of `ddmd`. Sizes and durations are round numbers of
ours, not fitted to recorded runs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from panda_gym.errors import WorkflowError, check_seed, nearest
from panda_gym.workflows.taskset import DISTRIBUTION_NAMES, TaskSet
from panda_gym.workflows.workflow import Edge, Workflow

Array = np.ndarray


def random_workflow(shape: str, seed: int = 0, **size: int) -> Workflow:
    """Return a random workflow of a shape, one of `SHAPES`; `size` holds settings of the shape.

    Raises WorkflowError for an unknown shape or setting, or a setting below 1.
    """
    if shape not in SHAPES:
        raise WorkflowError("a shape of workflow", repr(shape), nearest(str(shape), SHAPES))
    make, defaults = SHAPES[shape]
    for name, value in size.items():
        if name not in defaults:
            raise WorkflowError(
                f"a setting of shape {shape!r}", repr(name), nearest(name, defaults)
            )
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise WorkflowError(
                f"{name} as a whole number of at least 1", repr(value), "correct it"
            )
    rng = np.random.default_rng(check_seed(seed))
    return make(rng, f"{shape}-{seed}", **{**defaults, **size})


def _layered(
    rng: np.random.Generator, name: str, tasks: int, layers: int, kinds: int, parents: int
) -> Workflow:
    """Layers of tasks; each task waits for some of the previous layer."""
    layers = min(layers, tasks)
    layer = np.sort(np.concatenate([np.arange(layers), rng.integers(0, layers, tasks - layers)]))
    edges = _layer_edges(rng, layer, parents)
    kind = rng.integers(0, kinds, tasks)
    scale = rng.uniform(20.0, 400.0, kinds)
    output = rng.lognormal(np.log(50e6), 1.0, tasks)
    children = np.maximum(np.bincount(edges[:, 0], minlength=tasks), 1)
    return Workflow(
        name=name,
        ids=tuple(f"t{i}" for i in range(tasks)),
        kind_names=tuple(f"k{i}" for i in range(kinds)),
        kind=kind,
        tasks=np.ones(tasks),
        cores=rng.choice([1, 1, 1, 2, 4], kinds)[kind],
        threads=np.zeros(tasks),
        gpus=np.zeros(tasks),
        memory_gb=np.zeros(tasks),
        mean_s=scale[kind] * rng.lognormal(-0.125, 0.5, tasks),
        sd_s=np.zeros(tasks),
        distribution=np.zeros(tasks),
        input_bytes=np.where(layer == 0, output, 0.0),
        output_bytes=output,
        edges=edges,
        each=np.zeros(len(edges)),
        edge_bytes=(output / children)[edges[:, 0]],
    )


def _layer_edges(rng: np.random.Generator, layer: Array, parents: int) -> Array:
    """Draw up to `parents` parents of every task from the previous layer, int32[m, 2]."""
    first = np.searchsorted(layer, np.arange(layer.max() + 2))
    child = np.repeat(np.flatnonzero(layer > 0), parents)
    low, high = first[layer[child] - 1], first[layer[child]]
    parent = low + (rng.random(len(child)) * (high - low)).astype(np.int64)
    # The first drawn parent is always kept, every other one with probability 1/2.
    kept = (np.arange(len(child)) % parents == 0) | (rng.random(len(child)) < 0.5)
    return np.unique(np.stack([parent, child], axis=1)[kept], axis=0)


def _forkjoin(rng: np.random.Generator, name: str, width: int, rounds: int) -> Workflow:
    """Rounds of split, parallel work and join."""
    sets: list[TaskSet] = []
    edges: list[Edge] = []
    for r in range(rounds):
        work, join = rng.uniform(30.0, 300.0), rng.uniform(5.0, 60.0)
        sets += [
            TaskSet(f"split{r}", 1, join, "split", cores=1, output_bytes=width * 1e7),
            TaskSet(
                f"work{r}", width, work, "work", cores=1, sd_s=0.2 * work, distribution="lognormal",
                output_bytes=1e7,
            ),
            TaskSet(f"join{r}", 1, join, "join", cores=1, output_bytes=width * 1e7),
        ]  # fmt: skip
        edges += [Edge(f"split{r}", f"work{r}"), Edge(f"work{r}", f"join{r}")]
        if r:
            edges.append(Edge(f"join{r - 1}", f"split{r}"))
    return Workflow.of(name, sets, edges)


_MONTAGE: Final = (
    # kind, mean s, tasks as a multiple of the images, MB written by a task
    ("mProject", 16.0, 1, 8.0),
    ("mDiffFit", 1.0, 3, 0.5),
    ("mConcatFit", 2.0, 0, 0.1),
    ("mBgModel", 3.0, 0, 0.1),
    ("mBackground", 1.5, 1, 8.0),
    ("mImgtbl", 1.0, 0, 0.1),
    ("mAdd", 20.0, 0, 150.0),
    ("mShrink", 5.0, 0, 5.0),
)
"""Stages of Montage in order; multiple 0 means one task. Durations are round numbers of ours."""


def _montage(rng: np.random.Generator, name: str, images: int) -> Workflow:
    """Image mosaic: project, fit differences, model and correct the background, add up."""
    sets = [
        TaskSet(
            kind, max(times * images, 1), mean * rng.uniform(0.7, 1.4), kind, cores=1,
            sd_s=0.2 * mean, distribution="lognormal", output_bytes=size * 1e6,
        )
        for kind, mean, times, size in _MONTAGE
    ]  # fmt: skip
    names = [kind for kind, *_ in _MONTAGE]
    edges = [Edge(a, b) for a, b in itertools.pairwise(names)]
    # The correction of an image also reads that image.
    return Workflow.of(name, sets, [*edges, Edge("mProject", "mBackground", "each")])


def _ddmd(rng: np.random.Generator, name: str, iterations: int, simulations: int) -> Workflow:
    """DeepDriveMD: pipelined iterations of simulation, aggregation, training and inference."""
    few = max(simulations // 6, 1)
    phases = (
        ("Simulation", simulations, 340.0, 4, 1),
        ("Aggregation", few, 85.0, 32, 0),
        ("Training", 1, 62.5, 4, 1),
        ("Inference", simulations, 37.5, 16, 1),
    )
    factor = rng.uniform(0.6, 1.6, len(phases))
    sets = [
        TaskSet(f"{kind}{i}", n, mean * f, kind, threads=threads, gpus=gpus, output_bytes=1e8)
        for (kind, n, mean, threads, gpus), f in zip(phases, factor, strict=True)
        for i in range(iterations)
    ]
    chain = [(f"Simulation{i}", f"Simulation{i + 1}") for i in range(iterations - 1)]
    within = [
        (f"{a[0]}{i}", f"{b[0]}{i}")
        for i in range(iterations)
        for a, b in itertools.pairwise(phases)
    ]
    stage = {
        s.id: int(s.id[len(s.kind) :]) * 4 + [p[0] for p in phases].index(s.kind) for s in sets
    }
    return Workflow.of(name, sets, [*chain, *within], stage=stage)


_NOISE: Final = 0.2
"""Standard deviation of the durations of a campaign's tasks over their mean."""


def _campaign(
    rng: np.random.Generator, name: str, layers: int, width: int, kinds: int, tasks: int
) -> Workflow:
    """Campaign on GPU nodes: three of four are layers of task sets, one of four is pipelined.

    Layered: half of `layers` to `layers` layers of half of `width` to `width` sets. A set waits for
    one or two sets of the layer before. It is of one of `kinds` kinds (see `_kinds`), with its
    duration drawn around that of the kind. Pipelined: the form of `ddmd` with 2 to 4 iterations of
    24 to 96 simulations. Durations of tasks are lognormal.
    """
    if rng.random() < 0.25:
        iterations, simulations = int(rng.integers(2, 5)), int(rng.integers(24, 97))
        return _noisy(_ddmd(rng, name, iterations, simulations))
    drawn = _kinds(rng, kinds, tasks)
    sets: list[TaskSet] = []
    edges: list[Edge] = []
    before: list[str] = []
    for layer in range(_from_half(rng, layers)):
        now = []
        for k in range(_from_half(rng, width)):
            kind = drawn[int(rng.integers(kinds))]
            mean = kind.mean_s * rng.lognormal(-0.02, 0.2)
            sets.append(replace(kind, id=f"{kind.kind}-{layer}.{k}", mean_s=mean))
            now.append(sets[-1].id)
            parents = rng.permutation(before)[: int(rng.integers(1, 3))]
            edges += [Edge(str(parent), now[-1]) for parent in parents]
        before = now
    return _noisy(Workflow.of(name, sets, edges))


def _from_half(rng: np.random.Generator, most: int) -> int:
    """Draw a whole number from half of `most` to `most`."""
    return int(rng.integers((most + 1) // 2, most + 1))


def _kinds(rng: np.random.Generator, kinds: int, tasks: int) -> list[TaskSet]:
    """Draw kinds of task sets: a quarter of `tasks` to `tasks` tasks with needs and a duration.

    Three of five kinds hold 1, 2, 3 or 6 GPUs and 28 threads a GPU; the others hold 16, 32, 84 or
    168 threads. Durations are lognormal around a mean of 200 s, sigma .7.
    """
    found = []
    for k in range(kinds):
        gpus = int(rng.choice([1, 2, 3, 6])) if rng.random() < 0.6 else 0
        threads = 28 * gpus or int(rng.choice([16, 32, 84, 168]))
        count = int(rng.integers((tasks + 3) // 4, tasks + 1))
        mean = 200.0 * rng.lognormal(-0.245, 0.7)
        found.append(TaskSet(f"k{k}", count, mean, f"k{k}", threads=threads, gpus=gpus))
    return found


def _noisy(flow: Workflow) -> Workflow:
    """Return the workflow with lognormal durations around the same means."""
    code = np.full(len(flow), DISTRIBUTION_NAMES.index("lognormal"))
    return replace(flow, sd_s=_NOISE * flow.mean_s, distribution=code)


SHAPES: Final[dict[str, tuple[Callable[..., Workflow], dict[str, Any]]]] = {
    "campaign": (_campaign, {"layers": 8, "width": 6, "kinds": 6, "tasks": 32}),
    "ddmd": (_ddmd, {"iterations": 3, "simulations": 96}),
    "forkjoin": (_forkjoin, {"width": 32, "rounds": 3}),
    "layered": (_layered, {"tasks": 100, "layers": 10, "kinds": 4, "parents": 3}),
    "montage": (_montage, {"images": 16}),
}
"""Shape to its constructor and the constructor's settings with defaults."""
