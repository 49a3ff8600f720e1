"""Run the demonstration: records, surrogates, certificates, agent, benchmark, report.

Every step writes its own folder, whole or not at all; a run that was interrupted goes on with the
first step whose folder is missing. A folder that was made with other settings is refused.
"""

from __future__ import annotations

import json
import multiprocessing
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from panda_gym.errors import SettingError
from panda_gym.files import whole_file
from panda_gym.jobs import JobStream
from panda_gym.surrogate import Surrogate
from panda_gym.visualization.report import RunFolder, write_report
from panda_gym.visualization.report.intervals import standalone

Progress = Callable[[int, int, str], None]
SHIPPED: Final = "default surrogate"
"""Label of the shipped surrogate's jobs in the benchmark: the same jobs in every run."""


@dataclass(frozen=True)
class Demo:
    """Settings of a demonstration; the defaults take less than ten minutes on two cores."""

    records: str | None = None
    """A PanDA export; None takes the reference workload."""
    rows: int = 50_000
    """Rows of the reference workload."""
    fits: Mapping[str, Mapping[str, Any]] = field(
        default_factory=lambda: {"smote": {}, "tabddpm": {"minutes": 2.0}}
    )
    """Generators to fit, with their settings; the last one feeds the environment."""
    quick: bool = True
    """Certify on subsamples."""
    demands: str = "default"
    """Policy of the certificates: a shipped name or a TOML file."""
    first_week_rows: int = 20_000
    """Jobs of the stream that the environment draws its episodes from."""
    scale: float = 0.01
    """Size of the platform, of the full ATLAS grid's cores."""
    steps: int = 200_000
    """Decisions that the agent trains on."""
    policies: tuple[str, ...] = (
        "random",
        "capacity_random",
        "round_robin",
        "fastest",
        "data_locality",
        "least_loaded",
        "panda_production",
        "panda_production@scaled",
        "panda_production_draw@scaled",
        "panda_analysis@scaled",
        "earliest_completion",
    )
    """Policies to compare with the agent; "@scaled": PanDA's absolute constants (10, 20) times
    the platform's scale, since they were made for sites a hundred times as large."""
    seeds: int = 20
    """Paired worlds of the benchmark."""
    jobs: int = 2_000
    """Decisions of an episode of the benchmark."""
    seed: int = 0
    """Seed of everything."""
    command: str = "panda-grid demo"
    """The command line that started the run."""

    @property
    def source(self) -> str:
        """The generator whose surrogate feeds the environment."""
        return list(self.fits)[-1]


def run(out: str | Path, demo: Demo, bars: Callable[[str], Any]) -> Path:
    """Run what is missing below `out` and return the path of the report.

    Args:
        bars: `bars(title)` is a context manager that yields `progress(done, total, message)`.
    """
    folder = RunFolder(Path(out))
    _same_settings(folder, demo)
    for step in (_records, _surrogates, _agent, _benchmark):
        step(folder, demo, bars)
    return write_report(folder.root)


def verdicts(out: str | Path, demo: Demo) -> dict[str, str]:
    """Return the verdict of each generator's certificate: passed, failed or void."""
    run = RunFolder(Path(out))
    return {
        name: Surrogate.open(run.surrogate(name), allow_uncertified=True).certificate.verdict
        for name in demo.fits
    }


def _same_settings(run: RunFolder, demo: Demo) -> None:
    """Refuse to go on with a run that was started with other settings."""
    wanted = json.loads(json.dumps(asdict(demo)))
    if run.settings.is_file():
        if _started_with(run) != {**wanted, "command": None}:
            raise SettingError(
                f"the settings that {run.root} was started with",
                "other ones",
                "choose another --out, or remove the folder",
            )
        return
    with whole_file(run.settings) as aside:
        aside.write_text(json.dumps(wanted, indent=1) + "\n")


def _started_with(run: RunFolder) -> dict[str, Any]:
    try:
        return {**json.loads(run.settings.read_text()), "command": None}
    except (ValueError, TypeError) as error:
        raise SettingError(
            f"readable settings in {run.settings}", f"{error}", "remove the folder"
        ) from error


def _records(run: RunFolder, demo: Demo, bars: Callable[[str], Any]) -> None:
    """The nine columns, from the user's export or the reference workload's."""
    if run.records.is_file():
        return
    from panda_gym import records

    with bars("records") as progress:
        if demo.records is None:
            records.write_reference(run.export, demo.rows, demo.seed, raw=True, progress=progress)
        table = records.load_records(demo.records or run.export)
        funnel = table.attrs.get("funnel", {"steps": [_all(table)], "notes": {}})
        with whole_file(run.funnel) as aside:
            aside.write_text(json.dumps(funnel, indent=1) + "\n")
        records.save_records(table, run.records)


def _all(table: Any) -> dict[str, Any]:
    why = "the file already had the nine columns"
    return {"name": "gross", "why": why, "rows": len(table)}


def _surrogates(run: RunFolder, demo: Demo, bars: Callable[[str], Any]) -> None:
    """Fit, certify and seal each generator, two processes side by side."""
    missing = [name for name in demo.fits if not run.surrogate(name).is_dir()]
    if not missing:
        return
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, bars("generators and certificates") as progress:
        words = manager.Queue()
        reader = threading.Thread(target=_pass_on, args=(words, progress), daemon=True)
        reader.start()
        with ProcessPoolExecutor(max_workers=2, mp_context=context) as pool:
            # The slowest first, so that the others run beside it.
            started = [pool.submit(_surrogate, run, demo, name, words) for name in missing[::-1]]
            for future in started:
                future.result()
        words.put(None)
        reader.join()


def _pass_on(words: Any, progress: Progress) -> None:
    """Show the latest word of whichever process spoke."""
    while (word := words.get()) is not None:
        progress(*word)


def _surrogate(run: RunFolder, demo: Demo, name: str, words: Any) -> None:
    from panda_gym import records
    from panda_gym.surrogate import build

    def progress(done: int, total: int, message: str) -> None:
        words.put((done, total, f"{name}: {message}"))

    table = records.load_records(run.records)
    if not run.fitted(name).is_dir():
        build.fit(
            table,
            run.fitted(name),
            generator=name,
            config=dict(demo.fits[name]),
            seed=demo.seed,
            progress=progress,
        )
    build.certify(
        run.fitted(name),
        table,
        run.surrogate(name),
        name=name,
        first_week_rows=demo.first_week_rows,
        seed=demo.seed,
        quick=demo.quick,
        policy=demo.demands,
        progress=progress,
    )


def _agent(run: RunFolder, demo: Demo, bars: Callable[[str], Any]) -> None:
    """Train on synthetic jobs alone."""
    if run.agent.is_dir():
        return
    from panda_gym.training import TrainConfig, train

    with bars("training") as progress:
        train(
            run.training,
            TrainConfig(steps=demo.steps, seed=demo.seed),
            scenario={"stream": _stream(run, demo), "scale": demo.scale},
            command=demo.command,
            progress=progress,
        )


def _benchmark(run: RunFolder, demo: Demo, bars: Callable[[str], Any]) -> None:
    """Compare on seeds unseen in training: on the run's own surrogate, on records that it did
    not see, and on the surrogate that ships."""
    if (run.benchmark / "benchmark.json").is_file():
        return
    from panda_gym.benchmarking import benchmark
    from panda_gym.benchmarking.standard_suite import EVALUATION_SEEDS

    entries: dict[str, Any] = {**{name: name for name in demo.policies}, "agent": run.agent}
    with bars("benchmark") as progress:
        table = benchmark(
            entries,
            {
                "synthetic": _stream(run, demo),
                "held-out records": _holdout(run, demo),
                SHIPPED: JobStream.from_surrogate(Surrogate.open("default")),
            },
            range(EVALUATION_SEEDS, EVALUATION_SEEDS + demo.seeds),
            baseline="panda_production@scaled",
            folder=run.benchmark / "cells",
            split="whole",  # the records are held out already
            jobs=demo.jobs,
            scale=demo.scale,
            progress=progress,
        )
    table.to_csv(run.benchmark / "benchmark.csv")
    texts = {"md": table.to_markdown(), "svg": standalone(table, "geometric_slowdown", SHIPPED)}
    for ending, text in texts.items():
        with whole_file(run.benchmark / f"benchmark.{ending}") as aside:
            aside.write_text(text)
    table.to_json(run.benchmark / "benchmark.json")


def _stream(run: RunFolder, demo: Demo) -> JobStream:
    """Synthetic jobs; from a surrogate that failed its certificate as well, as the report says."""
    sealed = Surrogate.open(run.surrogate(demo.source), allow_uncertified=True)
    return JobStream.from_surrogate(sealed)


def _holdout(run: RunFolder, demo: Demo) -> JobStream:
    """Jobs of the records that the generator did not see, predicted by the surrogate's model."""
    from panda_gym.records import load_records
    from panda_gym.surrogate import build

    sealed = Surrogate.open(run.surrogate(demo.source), allow_uncertified=True)
    _, holdout = build.split(load_records(run.records), seed=0)
    return JobStream.from_records(
        holdout, workload_model=sealed.workload_model, name="held-out records"
    )
