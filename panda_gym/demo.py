"""The whole river in one run: records, surrogates, certificates, agent, benchmark, report.

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
from typing import Any

from panda_gym.errors import SettingError
from panda_gym.files import whole_file

Progress = Callable[[int, int, str], None]
SETTINGS = "demo.json"


@dataclass(frozen=True)
class Demo:
    """Settings of a demonstration; the defaults take less than ten minutes on two cores."""

    records: str | None = None
    """A PanDA export; None takes the reference workload."""
    rows: int = 40_000
    """Rows of the reference workload."""
    fits: Mapping[str, Mapping[str, Any]] = field(
        default_factory=lambda: {"smote": {}, "tabddpm": {"minutes": 2.0}}
    )
    """Generators to fit, with their settings; the last one feeds the environment."""
    quick: bool = True
    """Certify on subsamples."""
    head_rows: int = 20_000
    """Jobs of the stream that the environment draws its episodes from."""
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
        "panda_production_draw",
        "panda_analysis",
        "earliest_completion",
    )
    """Policies to compare with the agent."""
    seeds: int = 10
    """Paired worlds of the benchmark."""
    jobs: int = 2_000
    """Decisions of an episode of the benchmark."""
    seed: int = 0
    """Seed of everything."""


def run(out: str | Path, demo: Demo, bars: Callable[[str], Any]) -> Path:
    """Run what is missing below `out` and return the path of the report.

    Args:
        bars: `bars(title)` is a context manager that yields `progress(done, total, message)`.
    """
    from panda_gym.report import write_report

    out = Path(out)
    _same_settings(out, demo)
    _records(out, demo, bars)
    _surrogates(out, demo, bars)
    _agent(out, demo, bars)
    _benchmark(out, demo, bars)
    return write_report(out)


def _same_settings(out: Path, demo: Demo) -> None:
    """Refuse to go on with a run that was started with other settings."""
    wanted = json.loads(json.dumps(asdict(demo)))
    path = out / SETTINGS
    if path.is_file():
        try:
            came = json.loads(path.read_text())
        except ValueError:
            came = "a damaged file"
        if came != wanted:
            raise SettingError(
                f"the settings that {out} was started with",
                "other ones",
                "choose another --out, or remove the folder",
            )
        return
    with whole_file(path) as aside:
        aside.write_text(json.dumps(wanted, indent=1, sort_keys=True) + "\n")


def _records(out: Path, demo: Demo, bars: Callable[[str], Any]) -> None:
    from panda_gym import records

    if (out / "records.parquet").is_file():
        return
    with bars("records") as progress:
        if demo.records:
            table, funnel = records.load_with_funnel(demo.records)
        else:
            table, funnel = records.reference_with_funnel(demo.rows, demo.seed, progress)
        with whole_file(out / "funnel.json") as aside:
            aside.write_text(json.dumps(funnel.as_dict(), indent=1) + "\n")
        records.save_table(table, out / "records.parquet")


def _surrogates(out: Path, demo: Demo, bars: Callable[[str], Any]) -> None:
    """Fit, certify and seal each generator, two processes side by side."""
    missing = [name for name in demo.fits if not (out / "surrogates" / name).is_dir()]
    if not missing:
        return
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, bars("generators and certificates") as progress:
        reports = manager.Queue()
        reader = threading.Thread(target=_pass_on, args=(reports, progress), daemon=True)
        reader.start()
        with ProcessPoolExecutor(max_workers=2, mp_context=context) as pool:
            # The slowest first, so that the others run beside it.
            started = [pool.submit(_surrogate, out, demo, name, reports) for name in missing[::-1]]
            for future in started:
                future.result()
        reports.put(None)
        reader.join()


def _pass_on(reports: Any, progress: Progress) -> None:
    """Show the latest word of the processes; their parts of the bar are not added up."""
    while (word := reports.get()) is not None:
        progress(*word)


def _surrogate(out: Path, demo: Demo, name: str, reports: Any) -> None:
    from panda_gym import records, synthesis

    def progress(done: int, total: int, message: str) -> None:
        reports.put((done, total, f"{name}: {message}"))

    table = records.load_records(out / "records.parquet")
    draft = out / "drafts" / name
    if not draft.is_dir():
        synthesis.fit(
            table,
            draft,
            generator=name,
            config=dict(demo.fits[name]),
            seed=demo.seed,
            progress=progress,
        )
    synthesis.certify(
        draft,
        table,
        out / "surrogates" / name,
        name=name,
        head_rows=demo.head_rows,
        seed=demo.seed,
        quick=demo.quick,
        progress=progress,
    )


def source(demo: Demo) -> str:
    """The generator whose surrogate feeds the environment."""
    return list(demo.fits)[-1]
