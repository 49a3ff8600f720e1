"""`panda-grid joint`: draw, solve and judge instances of joint data placement and allocation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from panda_gym.cli.console import Json, Quantity, Seed, progress_bar, show

if TYPE_CHECKING:
    from panda_gym.joint import Instance, Solution

joint = typer.Typer(
    name="joint",
    help="Data placement and job allocation together, offline: instances, methods, bounds.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

File = Annotated[Path, typer.Argument(help="Instance, a JSON file.")]
Bound = Annotated[
    float, typer.Option(min=0.0, help="CPU seconds for the lower bound; 0: none is sought.")
]


@joint.command()
def draw(
    file: Annotated[Path, typer.Argument(help="JSON file to write.")],
    jobs: Annotated[int, typer.Option(min=1, help="Jobs; each reads 5 to 10 datasets.")] = 200,
    nodes: Annotated[int, typer.Option(min=1, help="Nodes.")] = 148,
    local_stores: Annotated[int, typer.Option(min=1, help="Local stores (disk).")] = 114,
    remote_stores: Annotated[int, typer.Option(min=1, help="Remote stores (tape).")] = 16,
    gamma: Annotated[float, typer.Option(help="Work of a job for each unit of its input.")] = 20.0,
    readers: Annotated[float, typer.Option(help="Mean number of jobs that read a dataset.")] = 1.0,
    quota: Annotated[
        float | None, typer.Option(help="All quotas over all data; default: no quotas.")
    ] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Draw a random instance; the defaults are those of arXiv 2502.00261."""
    from panda_gym.joint import random_instance, write_instance

    instance = random_instance(
        seed, jobs=jobs, nodes=nodes, local_stores=local_stores, remote_stores=remote_stores,
        work_per_size=gamma, readers=readers, quota=quota,
    )  # fmt: skip
    write_instance(file, instance)
    show({"file": str(file), **_sizes(instance)}, json)


@joint.command()
def solve(
    file: File,
    method: Annotated[
        list[str] | None,
        typer.Option(help="random, list, alternation or local_search; repeatable; default: all."),
    ] = None,
    seconds: Annotated[float, typer.Option(help="CPU seconds for each method.")] = 10.0,
    steps: Annotated[
        int | None, typer.Option(help="Draws, moves or models after which a method ends.")
    ] = None,
    bound_seconds: Bound = 30.0,
    out: Annotated[Path | None, typer.Option(help="JSON file for the best schedule.")] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Solve an instance by one or all methods; give the makespan, the lower bound and the gap.

    Makespans are those of the exact evaluation. A method that spends its time gives its best.
    """
    from panda_gym.joint import METHODS, read_instance, write_schedule
    from panda_gym.joint import solve as solved

    instance = read_instance(file)
    bound_s = _bound_s(instance, bound_seconds)
    found: list[Solution] = []
    for name in method or METHODS:
        with progress_bar(name) as progress:
            found.append(solved(
                instance, name, cpu_s=seconds, steps=steps, seed=seed, lower_bound_s=bound_s,
                progress=progress,
            ))  # fmt: skip
    best = min(found, key=lambda one: one.makespan_s)
    if out is not None:
        write_schedule(out, best.schedule)
    bound = Quantity(bound_s, "s") if bound_s else None
    rows = {one.method: _figures(one) for one in found}
    show({**_sizes(instance), "lower bound": bound, **rows, "best": best.method}, json)


@joint.command()
def evaluate(
    file: File,
    schedule: Annotated[Path, typer.Argument(help="Schedule, a JSON file.")],
    bound_seconds: Bound = 30.0,
    json: Json = False,
) -> None:
    """Judge a schedule of an instance exactly, by whatever program made it."""
    from panda_gym.joint import evaluate as judged
    from panda_gym.joint import read_instance, read_schedule

    instance = read_instance(file)
    makespan_s = judged(instance, read_schedule(schedule)).makespan_s
    bound_s = _bound_s(instance, bound_seconds)
    gap = Quantity(100.0 * (makespan_s / bound_s - 1.0), "%") if bound_s else None
    bound = Quantity(bound_s, "s") if bound_s else None
    show({"makespan": Quantity(makespan_s, "s"), "lower bound": bound, "gap": gap}, json)


def _bound_s(instance: Instance, cpu_s: float) -> float:
    from panda_gym.joint import lower_bound

    return lower_bound(instance, cpu_s=cpu_s) if cpu_s else 0.0


def _sizes(instance: Instance) -> dict[str, Any]:
    return {
        "instance": instance.name, "jobs": instance.jobs, "datasets": instance.datasets,
        "nodes": instance.nodes, "local stores": instance.local_stores,
    }  # fmt: skip


def _figures(solution: Solution) -> dict[str, Any]:
    """Return the figures of a solution: its gap only where there is a bound."""
    gap = {"gap": Quantity(100.0 * solution.gap, "%")} if solution.lower_bound_s else {}
    return {
        "makespan": Quantity(solution.makespan_s, "s"), **gap, "steps": solution.steps,
        "CPU": Quantity(solution.cpu_s, "s"),
    }  # fmt: skip
