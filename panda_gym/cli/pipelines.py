"""`panda-grid pipelines`: fit distributions to traces, simulate operations, answer questions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from panda_gym.cli.console import Json, Seed, progress_bar, show
from panda_gym.cli.fit import settings

if TYPE_CHECKING:
    from panda_gym.jobs import JobStream
    from panda_gym.pipelines.fleet import Fleet

pipelines = typer.Typer(
    name="pipelines",
    help="AI operations: distributions of traces, models that drift, experiments.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Set = Annotated[
    list[str] | None, typer.Option("--set", help="Setting of the fleet, key=value; repeatable.")
]
Days = Annotated[float, typer.Option(help="Days that are simulated.")]
Trace = Annotated[
    Path, typer.Argument(help="A trace (.swf, .swf.gz) or records (an export, nine columns).")
]


def _fleet(pairs: list[str] | None) -> Fleet:
    from panda_gym.pipelines.fleet import Fleet

    return Fleet.of(**settings(pairs or []))


def _stream(path: Path) -> JobStream:
    from panda_gym.jobs import JobStream
    from panda_gym.records import load_records
    from panda_gym.schema import STREAM_EXTRAS

    if path.name.endswith((".swf", ".swf.gz")):
        return JobStream.from_swf(path)
    return JobStream.from_records(load_records(path, optional=STREAM_EXTRAS))


def _processors(path: Path) -> int | None:
    """Return the processors that the header of an SWF log states, or None."""
    from panda_gym.jobs.swf import read_swf

    if not path.name.endswith((".swf", ".swf.gz")):
        return None
    header = read_swf(path).header
    stated = header.get("MaxProcs", header.get("MaxNodes", ""))
    return int(stated) if stated.isdigit() and int(stated) > 0 else None


def _week(stream: JobStream) -> float:
    """Time of the week at the stream's time 0, s."""
    from panda_gym.jobs.episode import _time_of_week

    return _time_of_week(stream.epoch, 0.0)


@pipelines.command()
def run(
    option: Set = None,
    days: Days = 60.0,
    out: Path | None = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Simulate one fleet; --out FILE.parquet writes a row a run."""
    from panda_gym.files import whole_file
    from panda_gym.pipelines.simulation import simulate
    from panda_gym.units import SECONDS_PER_DAY

    ran = simulate(_fleet(option).open(), days * SECONDS_PER_DAY, seed)
    if out is not None:
        with whole_file(out) as aside:
            ran.table().to_parquet(aside)
    show({name: round(value, 6) for name, value in ran.summary().items()}, json)


@pipelines.command()
def experiment(
    out: Annotated[Path, typer.Option(help="Folder; a run that was interrupted goes on there.")],
    vary: Annotated[
        list[str] | None, typer.Option(help="Values of a setting, key=[a,b,c] in JSON; repeatable.")
    ] = None,
    option: Set = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 0, 1, ...")] = 10,
    days: Days = 60.0,
    title: Annotated[str, typer.Option(help="Title of the dashboard.")] = "experiment",
    json: Json = False,
) -> None:
    """Run every combination of --vary with every seed; write results and a dashboard."""
    from panda_gym.pipelines.dashboard import write_dashboard
    from panda_gym.pipelines.experiment import Experiment, run

    plan = Experiment(_fleet(option), settings(vary or []), range(seeds), days, title)
    with progress_bar("experiment") as progress:
        table = run(plan, out, progress)
    page = write_dashboard(out)
    show(
        {"runs": len(table), "results": str(out / "results.parquet"), "dashboard": str(page)}, json
    )


@pipelines.command()
def ask(
    question: Annotated[str, typer.Argument(help="capacity, threshold or scheduler.")],
    out: Annotated[Path, typer.Option(help="Folder; goes on where it stopped.")],
    values: Annotated[str | None, typer.Option(help="Values to try, as JSON.")] = None,
    option: Set = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 0, 1, ...")] = 10,
    days: Days = 60.0,
    target: Annotated[float, typer.Option(help="Mean wait that capacity keeps, hours.")] = 1.0,
    json: Json = False,
) -> None:
    """Which capacity, which trigger threshold, which scheduler: run, read off, draw."""
    from panda_gym.pipelines.dashboard import write_dashboard
    from panda_gym.pipelines.questions import ask

    tried = None if values is None else tuple(settings([f"values={values}"])["values"])
    fleet = _fleet(option)
    with progress_bar(question) as progress:
        answer = ask(
            question, out, fleet=fleet, values=tried, seeds=range(seeds), days=days,
            target=target, progress=progress,
        )  # fmt: skip
    page = write_dashboard(out)
    figures = {
        f"{row[0]} {row.measure}": {"value": row.value, "low": row.low, "high": row.high}
        for row in answer.figures.itertuples(index=False)
        if row.measure in ("worth", "performance", "wait_mean_s", "cost")
    }
    show({"answer": answer.sentence, **figures, "dashboard": str(page)}, json)


@pipelines.command()
def fit(
    trace: Trace,
    out: Annotated[Path, typer.Option(help="File to write.")],
    model: Annotated[
        str, typer.Option(help="poisson, exponentiated_weibull, hour_of_week or trace.")
    ] = "hour_of_week",
    durations: Annotated[bool, typer.Option(help="Fit run times by project instead.")] = False,
    json: Json = False,
) -> None:
    """Fit a distribution of arrivals (or of run times) to a trace and save it."""
    import numpy as np

    from panda_gym.distributions import Stratified, fit_arrivals, save_distribution

    stream = _stream(trace)
    if durations:
        names = np.array(stream.levels["project"], dtype=object)[stream.project]
        lasted = np.maximum(stream.workload_true / stream.cores / 10.0, 0.5)
        distribution: Any = Stratified.fit(lasted, names)
    else:
        distribution = fit_arrivals(stream.arrival_s, model, _week(stream))
    save_distribution(distribution, out, origin=stream.origin)
    show(
        {
            "distribution": distribution.kind,
            "jobs": len(stream),
            "origin": stream.origin,
            "written": str(out),
        },
        json,
    )


@pipelines.command()
def replay(
    distribution: Annotated[
        Path, typer.Argument(help="A distribution of arrivals that `fit` wrote.")
    ],
    days: Days = 7.0,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(help="CSV of arrival times to write, s.")] = None,
    json: Json = False,
) -> None:
    """Draw arrivals from a saved distribution: how many, and how bursty."""
    import numpy as np

    from panda_gym.distributions import Arrivals, load_distribution
    from panda_gym.errors import DistributionError
    from panda_gym.files import whole_file

    opened = load_distribution(distribution)
    if not isinstance(opened, Arrivals):
        raise DistributionError(
            "a distribution of arrivals", opened.kind, "fit one without --durations"
        )
    times = opened.until(np.random.default_rng(seed), days * 86_400.0)
    if out is not None:
        with whole_file(out) as aside:
            aside.write_text("arrival_s\n" + "".join(f"{t:.3f}\n" for t in times))
    hourly = np.bincount((times // 3600.0).astype(int), minlength=max(int(days * 24), 1))
    figures = {"distribution": opened.kind, "arrivals": len(times), "a_day": len(times) / days}
    show(figures | {"fano_factor": float(hourly.var() / max(hourly.mean(), 1e-12))}, json)


@pipelines.command()
def validate(
    trace: Trace,
    out: Annotated[Path, typer.Option(help="Folder for validation.json and validation.html.")],
    days: Annotated[float, typer.Option(help="First days of the trace that are fitted.")] = 8.0,
    model: Annotated[str, typer.Option(help="Model of arrivals.")] = "hour_of_week",
    seeds: Annotated[int, typer.Option(min=1, help="How often the rest is simulated.")] = 5,
    processors: Annotated[
        int | None,
        typer.Option(min=1, help="Processors of the queue; default: MaxProcs of an SWF header."),
    ] = None,
    json: Json = False,
) -> None:
    """Fit the first days of a trace, simulate the rest, compare: profile, Fano, Q-Q, waits."""
    import numpy as np

    from panda_gym.pipelines.validation import validate

    stream = _stream(trace)
    names = np.array(stream.levels["project"], dtype=object)[stream.project]
    found = validate(
        stream.arrival_s, stream.workload_true / stream.cores / 10.0, names, days=days,
        cores=stream.cores, processors=processors or _processors(trace), start_s=_week(stream),
        model=model, seeds=seeds, origin=stream.origin,
    )  # fmt: skip
    page = found.write(out)
    result = {
        "jobs": {"fitted": found.fitted_jobs, **found.total},
        "profile correlation": round(found.profile_correlation, 4),
        "the same a week before": round(found.baseline_correlation, 4),
        "Fano factor": found.fano,
        "KS of gaps": round(found.gaps["ks"], 4),
        "KS of durations": round(found.durations["ks"], 4),
        "durations, largest Q-Q deviation": round(found.durations["largest_deviation"], 4),
        "the same on the fitted part": round(found.fitted_durations["largest_deviation"], 4),
        "waits": found.waits,
        "report": str(page),
    }
    show(result, json)


@pipelines.command()
def dashboard(
    folder: Annotated[Path, typer.Argument(help="Folder of an experiment that has ended.")],
    out: Annotated[Path | None, typer.Option(help="Page to write.")] = None,
    json: Json = False,
) -> None:
    """Draw an experiment as one self-contained page."""
    from panda_gym.pipelines.dashboard import write_dashboard

    show({"dashboard": str(write_dashboard(folder, out))}, json)
