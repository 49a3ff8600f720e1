"""`panda-grid workflow`: analyse, simulate and schedule workflows; reproduce the Summit runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from panda_gym.cli.console import Json, Quantity, Seed, show

if TYPE_CHECKING:
    from panda_gym.sites import Platform
    from panda_gym.workflows import Execution, Overheads, Pool, Workflow

workflow = typer.Typer(
    name="workflow",
    help="Workflows of task sets: degrees of asynchronicity, execution, comparison.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

File = Annotated[
    str,
    typer.Argument(help="A file (task sets, WfFormat, Alibaba CSV, WTA folder) or a shipped name."),
]
Nodes = Annotated[int | None, typer.Option(min=1, help="Nodes of the pool.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Hardware threads of a node.")]
Gpus = Annotated[int | None, typer.Option(min=0, help="GPUs of a node.")]
Sites = Annotated[
    str | None, typer.Option("--platform", help="Run on the sites of this platform instead.")
]
Gap = Annotated[float, typer.Option(min=0.0, help="Overhead between stages or sets, s.")]
Launch = Annotated[float, typer.Option(min=0.0, help="Overhead of a task, s.")]
Job = Annotated[
    str | None, typer.Option(help="Workflow of a file that holds several; default: all of them.")
]
Plot = Annotated[
    list[Path] | None, typer.Option(help="Picture to write, .html or .png; repeatable.")
]


def _opened(
    file: str, job: str | None, nodes: int | None, threads: int | None, gpus: int | None
) -> tuple[dict[str, Workflow], Pool]:
    """Return workflows by name, and the pool of the options, else of the file, else of Summit."""
    from panda_gym.workflows.formats import read_workflow, read_workflows
    from panda_gym.workflows.formats.documents import read_document
    from panda_gym.workflows.formats.setfile import pool_of
    from panda_gym.workflows.pool import Pool
    from panda_gym.workflows.summit import SUMMIT16, WORKFLOWS, summit_workflow

    path, pool = Path(file), SUMMIT16
    if file in WORKFLOWS or not path.exists():
        flows = {file: summit_workflow(file)}
    else:
        flows = read_workflows(path) if job is None else {job: read_workflow(path, job)}
        if path.suffix == ".json":
            pool = pool_of(read_document(path), path.name) or pool
    if nodes is not None or threads is not None or gpus is not None:
        pool = Pool(
            "pool",
            nodes=nodes or pool.nodes,
            threads=threads or pool.threads,
            gpus=pool.gpus if gpus is None else gpus,
            threads_per_core=1 if threads else pool.threads_per_core,
        )
    return flows, pool


def _one(flows: dict[str, Workflow], files: object) -> None:
    """Raise WorkflowError if files are to be written and there are several workflows."""
    if files and len(flows) > 1:
        from panda_gym.errors import WorkflowError

        needed, came = "one workflow for a picture or export", f"{len(flows)}"
        raise WorkflowError(needed, came, "name one with --job")


def _unwrapped(results: dict[str, Any]) -> dict[str, Any]:
    """Return the result of a single workflow, or all results by name."""
    return next(iter(results.values())) if len(results) == 1 else results


@workflow.command()
def analyse(
    file: File,
    job: Job = None,
    nodes: Nodes = None,
    threads: Threads = None,
    gpus: Gpus = None,
    json: Json = False,
) -> None:
    """Degrees of asynchronicity, span, area, sequential time and the best that can be gained."""
    from panda_gym.workflows.analytics import analyse as analysis

    flows, pool = _opened(file, job, nodes, threads, gpus)
    show(_unwrapped({name: analysis(flow, pool).to_dict() for name, flow in flows.items()}), json)


@workflow.command()
def run(
    file: File,
    job: Job = None,
    mode: Annotated[str, typer.Option(help="sequential, pipelines, sets or tasks.")] = "sets",
    priority: Annotated[str, typer.Option(help="fifo, upward_rank, longest_first, ...")] = "fifo",
    nodes: Nodes = None,
    threads: Threads = None,
    gpus: Gpus = None,
    platform: Sites = None,
    gap: Gap = 0.0,
    launch: Launch = 0.0,
    plot: Plot = None,
    export: Annotated[Path | None, typer.Option(help="WfFormat 1.5 file to write.")] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Simulate one execution event by event; the lower bound is that of mean durations."""
    from panda_gym.workflows import Overheads, simulate, write_wfformat

    flows, pool = _opened(file, job, nodes, threads, gpus)
    _one(flows, plot or export)
    overheads = Overheads(gap_s=gap, launch_s=launch)
    where = _resource(platform, pool)
    runs = {
        name: simulate(flow, where, mode, priority=priority, overheads=overheads, seed=seed)
        for name, flow in flows.items()
    }
    for name, ran in runs.items():
        for path in plot or ():
            _draw(path, {f"{name}, {mode}": ran})
        if export is not None:
            write_wfformat(export, ran, threads_per_core=pool.threads_per_core)
    bounds = {name: _bound_s(flow, where, overheads) for name, flow in flows.items()}
    show(
        _unwrapped(
            {name: {**_figures(ran), "lower_bound_s": bounds[name]} for name, ran in runs.items()}
        ),
        json,
    )


@workflow.command()
def compare(
    file: File,
    job: Job = None,
    nodes: Nodes = None,
    threads: Threads = None,
    gpus: Gpus = None,
    platform: Sites = None,
    gap: Gap = 0.0,
    launch: Launch = 0.0,
    plot: Plot = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Compare execution modes and static schedules with a lower bound of the time to execution.

    Every mode is simulated by FIFO and by upward rank with earliest finish. Static schedules take
    mean durations, and so does the bound. The improvement is that over sequential FIFO.
    """
    from panda_gym.workflows import Overheads

    flows, pool = _opened(file, job, nodes, threads, gpus)
    _one(flows, plot)
    overheads, where = Overheads(gap_s=gap, launch_s=launch), _resource(platform, pool)
    results: dict[str, Any] = {}
    for name, flow in flows.items():
        runs = _compared(flow, where, overheads, seed)
        for path in plot or ():
            _draw(path, {key: ran for key, ran in runs.items() if key.endswith("fifo")})
        results[name] = _comparison(flow, where, overheads, runs)
    if json:
        show(_unwrapped(results), json)
        return
    several = len(results) > 1
    show({
        f"{name}, {key}" if several else key: _line(row)
        for name, rows in results.items() for key, row in rows.items()
    }, json)  # fmt: skip


MOST_PLANNED = 5_000
"""Tasks up to which `compare` makes static schedules, which take some ms a task."""


def _compared(
    flow: Workflow, where: Pool | Platform, overheads: Overheads, seed: int
) -> dict[str, Execution]:
    """Return the executions of every mode, and the static schedules of small workflows."""
    from panda_gym.workflows import simulate
    from panda_gym.workflows.barriers import MODES
    from panda_gym.workflows.static_scheduling import RULES, schedule

    runs = {
        f"{mode} {rule}": simulate(flow, where, mode, priority=rule, overheads=overheads, seed=seed)
        for mode in MODES
        for rule in ("fifo", "upward_rank")
    }
    if flow.total_tasks <= MOST_PLANNED:
        runs |= {
            f"static {rule}": schedule(flow, where, rule, overheads=overheads) for rule in RULES
        }
    return runs


def _comparison(
    flow: Workflow,
    where: Pool | Platform,
    overheads: Overheads,
    runs: dict[str, Execution],
) -> dict[str, Any]:
    """Return the figures of executions beside the lower bound."""
    from panda_gym.workflows.analytics import improvement

    bound = _bound_s(flow, where, overheads)
    base = runs["sequential fifo"].ttx_s
    return {
        name: {
            **_figures(ran),
            "lower_bound_s": bound,
            "over_bound": ran.ttx_s / bound if bound > 0.0 else 1.0,
            "improvement": improvement(base, ran.ttx_s),
            "masked_s": base - ran.ttx_s,
        }
        for name, ran in runs.items()
    }


def _bound_s(flow: Workflow, where: Pool | Platform, overheads: Overheads) -> float:
    from panda_gym.workflows.static_scheduling import lower_bound_s, problem_of

    return lower_bound_s(problem_of(flow, where, overheads=overheads))


def _line(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "time": Quantity(row["ttx_s"], "s"),
        "lower bound": Quantity(row["lower_bound_s"], "s"),
        "improvement": row["improvement"],
        "masked": Quantity(row["masked_s"], "s"),
    }


@workflow.command()
def reproduce(
    recorded: Annotated[
        Path | None, typer.Option(help="Folder of the recorded runs (CSV), to replay them too.")
    ] = None,
    plot: Plot = None,
    json: Json = False,
) -> None:
    """The six runs on Summit behind arXiv 2208.11069; exit code 1 if one does not agree."""
    from panda_gym.workflows import summit
    from panda_gym.workflows.degrees import degrees

    found = summit.reproduce()
    result: dict[str, Any] = {
        name: {
            "simulated": Quantity(r.simulated.ttx_s, "s"),
            "measured": Quantity(r.run.ttx_s, "s"),
            "error": Quantity(100.0 * r.ttx_error, "%"),
            "error of GPU utilisation": r.utilisation_errors[0],
            "error of thread utilisation": r.utilisation_errors[1],
            "ideal": Quantity(r.ideal.ttx_s, "s"),
        }
        for name, r in found.items()
    }
    agree = all(r.agrees for r in found.values())
    for name, (simulated, measured) in summit.improvements(found).items():
        result[f"{name} improvement"] = {"simulated": simulated, "measured": measured}
        agree = agree and abs(simulated - measured) <= summit.TOLERANCES["improvement"]
    for name in ("ddmd", "cdg1_split", "cdg2_split", "ddmd_chain"):
        d = degrees(summit.summit_workflow(name), summit.SUMMIT16)
        result[f"{name} degree of asynchronicity (reconstructed)"] = {
            "by dependencies": d.doa_dep,
            "by resources": d.doa_res,
            "workload level": d.wla,
        }
    result |= _policies() | _recorded(recorded)
    for path in plot or ():
        _draw(path, {name: r.simulated for name, r in found.items()})
    result["agreement"] = "all within tolerance" if agree else "OUT OF TOLERANCE"
    show(result, json)
    raise typer.Exit(0 if agree else 1)


def _policies() -> dict[str, Any]:
    from panda_gym.workflows import simulate
    from panda_gym.workflows.summit import SUMMIT16, summit_workflow

    result = {}
    for name in ("ddmd", "ddmd_authors"):
        times = [
            simulate(summit_workflow(name), SUMMIT16, "sets", priority=rule).ttx_s
            for rule in ("fifo", "upward_rank")
        ]
        result[f"{name} by policy, ideal"] = {
            "FIFO": Quantity(times[0], "s"),
            "upward rank": Quantity(times[1], "s"),
        }
    return result


def _recorded(folder: Path | None) -> dict[str, Any]:
    if folder is None:
        return {}
    from panda_gym.workflows.replay import excess, read_recorded
    from panda_gym.workflows.summit import SUMMIT16

    result = {}
    for path in sorted(folder.glob("*.csv")):
        ran = read_recorded(path, SUMMIT16)
        result[f"{path.stem} recorded"] = {
            "time to execution": Quantity(ran.ttx_s, "s"),
            "capacity exceeded": bool(excess(ran).any()),
        }
    return result


def _resource(platform: str | None, pool: Pool) -> Pool | Platform:
    from panda_gym.sites import load_platform

    return pool if platform is None else load_platform(platform)


def _figures(ran: Any) -> dict[str, Any]:
    return {
        "workflow": ran.workflow.name,
        "resource": ran.resource,
        "mode": ran.mode,
        "tasks": ran.workflow.total_tasks,
        "ttx_s": round(ran.ttx_s, 6),
        **{f"utilisation_{name}": round(value, 6) for name, value in ran.utilisation.items()},
    }


def _draw(path: Path, runs: dict[str, Any]) -> None:
    from panda_gym.workflows.gantt import draw

    draw(path, runs)
