"""Run a comparison: fit and evaluate one generator after another, each in its own process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from panda_gym.errors import InputError, check_seed
from panda_gym.experiments.generator_comparison import render
from panda_gym.experiments.generator_comparison.entry import Entry, read_cost, read_scores
from panda_gym.experiments.generator_comparison.plan import ComparisonFolder, ComparisonPlan
from panda_gym.experiments.generator_comparison.source import Source
from panda_gym.surrogate.fit_record import FitRecord

Progress = Callable[[int, int, str], None]


def compare_generators(
    source: Source,
    folder: str | Path,
    *,
    names: Sequence[str] = (),
    config: Mapping[str, Any] | None = None,
    fitted: Mapping[str, Path] | None = None,
    seed: int = 0,
    quick: bool = False,
    policy: str = "default",
    synthetic_rows: int | None = None,
    command: str = "",
    progress: Progress | None = None,
) -> list[Entry]:
    """Compare generators on one table; write `comparison.md`, `.csv` and `.html` into the folder.

    The rows are split 80/20 at random as in the paper. A run that was stopped, at any moment, goes
    on where it was when it is called again with the same arguments; generators may be added, with
    settings of their own (settings of earlier calls stay).

    Args:
        names: registered generators. If empty, all of them, and one that cannot learn the table
            is left out with its reason.
        config: settings, as `field` for every generator that has it, or `generator.field`.
        fitted: folders of `panda-grid fit` by the generator's name: such a one is not fitted here
            but sampled and evaluated, beside the cost of its fit. It must have learnt this run's
            training rows: the same records, split by the same seed.
        quick: the evaluation subsamples (its certificate says so).
        policy: name or file of the certificate policy.
        synthetic_rows: rows to draw and evaluate; None for as many as there are training rows.
        command: the command that made it, for the pages.

    Raises:
        InputError: for an unknown generator or setting, another run's folder, or a step that
            failed (what was done before it stays).
    """
    import generators

    wanted_by_name = bool(names)
    names = list(names or generators.names())
    place = ComparisonFolder(Path(folder))
    behind = {name: FitRecord.read(Path(path)) for name, path in (fitted or {}).items()}
    theirs = {f"{n}.{k}": v for n, fit in behind.items() for k, v in fit.config.items()}
    wanted = ComparisonPlan(
        origin=source.origin,
        target=source.target,
        time=source.time,
        train_rows=round(0.8 * len(source.table)),
        holdout_rows=len(source.table) - round(0.8 * len(source.table)),
        seed=check_seed(seed),
        quick=quick,
        policy=policy,
        synthetic_rows=synthetic_rows,
        config={**(config or {}), **theirs},
    )
    for name in names:
        generators.create(name, **wanted.config_of(name))
    for name, fit in behind.items():
        wanted.agrees(name, fit)
    plan = place.begin(wanted, source)
    for name, path in (fitted or {}).items():
        place.add_external(name, Path(path))
    left_out: dict[str, str] = {}
    for name in names:
        try:
            _steps(place, name, progress)
        except InputError as fault:
            if wanted_by_name:
                raise
            left_out[name] = fault.came
    entries = [_entry(place, name) for name in names if name not in left_out]
    if not entries:
        came = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        raise InputError("a generator that can learn this table", came, "repair the table")
    render.write(place, plan, entries, command, left_out)
    return entries


def _steps(place: ComparisonFolder, name: str, progress: Progress | None) -> None:
    """Run what is not done yet of one generator."""
    own = place.of(name)
    for step, result in (("fit", own.cost), ("evaluate", own.scores)):
        if not result.is_file():
            _step(place, step, name, progress)


def _entry(place: ComparisonFolder, name: str) -> Entry:
    own = place.of(name)
    return Entry(name, read_cost(own.cost), read_scores(own.scores))


def _step(place: ComparisonFolder, step: str, name: str, progress: Progress | None) -> None:
    """Run one step in a process of its own and pass its progress on."""
    command = [
        sys.executable,
        "-m",
        "panda_gym.experiments.generator_comparison.worker",
        step,
        str(place.root),
        name,
    ]
    errors = place.root / f"{name}.{step}.log"
    with (
        open(errors, "wb") as log,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={"OMP_NUM_THREADS": "1", **os.environ},
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                if progress is not None:
                    _pass_on(line, f"{step} {name}", progress)
            code = process.wait()
        finally:
            process.kill()
    if code:
        raise InputError(f"{name} to {step}", _reason(code, errors), "see the log, or leave it out")
    errors.unlink()


def _pass_on(line: str, title: str, progress: Progress) -> None:
    try:
        done, total, message = json.loads(line)
    except ValueError:
        return
    progress(int(done), int(total), f"{title}: {message}")


def _reason(code: int, errors: Path) -> str:
    if code < 0:
        word = signal.Signals(-code).name
        return f"the end of its process by {word}" + (", perhaps for memory" * (word == "SIGKILL"))
    lines = errors.read_text(errors="replace").strip().splitlines()
    return f"{lines[-1] if lines else f'exit code {code}'} (log {errors})"
