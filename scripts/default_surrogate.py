"""Makes the surrogates that ship inside the package, from nothing but a seed.

    python scripts/default_surrogate.py [--rows 1648759] [--set iterations=1000] [--quick]
    python scripts/default_surrogate.py --recertify
    python scripts/default_surrogate.py --generator grouped --name tasks --rows 2000000 \\
        --iterations 800 --work runs/tasks-surrogate

Reference workload -> 80/20 split -> TabDDPM -> certificate -> sealed folder
panda_gym/surrogate/shipped/default. The default number of rows leaves the paper's 1,319,007 to
learn. Same versions, same processor: same folder. With `--recertify` the weights that ship are
judged by the policy of today and sealed again, without fitting. With `--generator grouped` tasks
are split whole, modelled in two levels, and judged as tasks by the policy `stream`, in which time
decides as well.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

import generators
import panda_gym
from panda_gym.cli.console import progress_bar
from panda_gym.cli.fit import settings
from panda_gym.files import whole_folder
from panda_gym.surrogate import SEAL, Surrogate, build, surrogate_names
from panda_gym.surrogate.fit_record import FIT_FILE, FitRecord
from panda_gym.surrogate.surrogate import SHIPPED

LIMIT_BYTES = 16_000_000
"""Of all surrogates that ship together."""
TASK = "jeditaskid"
SMALL = {"stored": "float16"}
"""What ships is stored in half the bytes; it is judged as it is stored."""
RECIPES: dict[str, dict[str, Any]] = {
    "tabddpm": {
        "iterations": 5_000,
        "batch": 1_024,
        "learning_rate": 3e-3,
        "hidden": 352,
        "depth": 3,
        "dropout": 0.1,
        "number_dropout": 0.05,
        "number_draws": 4,
        "max_knots": 8_000,
        "precision": "auto",
        "evaluate_every": 500,
        **SMALL,
    },
    "grouped": {"group": TASK, "time": "creationtime", "settings": SMALL},
}
"""Settings of what ships, see docs/results/generators.md and time_and_tasks.md."""


def main(
    rows: Annotated[int, typer.Option(help="Rows of the reference workload.")] = 1_648_759,
    iterations: Annotated[int | None, typer.Option(help="Optimiser steps.")] = None,
    batch: Annotated[int | None, typer.Option(help="Rows in one optimiser step.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--set", help="field=value of the generator.")
    ] = None,
    generator: Annotated[str, typer.Option(help="Registered generator.")] = "tabddpm",
    name: Annotated[str, typer.Option(help="Name of the shipped surrogate.")] = "default",
    work: Annotated[Path, typer.Option(help="Folder of the fit; goes on where it stopped.")] = Path(
        "runs/default-surrogate"
    ),
    seed: Annotated[int, typer.Option(help="Seed of everything.")] = 0,
    recertify: Annotated[
        bool, typer.Option("--recertify", help="Judge the shipped weights again; no fit.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Subsample the expensive parts.")] = False,
) -> None:
    grouped = generator == "grouped"
    records = panda_gym.reference_records(rows, seed=seed, keep=[TASK] if grouped else [])
    given = {"iterations": iterations, "batch": batch, **settings(option or [])}
    config = RECIPES[generator] | {k: v for k, v in given.items() if v is not None}
    fitted = work / ("shipped" if recertify else "fitted")
    if recertify:
        fitted_of_shipped(SHIPPED / name, fitted, records, seed, config)
    elif not fitted.is_dir():
        with progress_bar(f"fit {generator}") as progress:
            build.fit(
                records,
                fitted,
                generator=generator,
                config=config,
                seed=seed,
                progress=progress,
            )
    draw_in_single_precision(fitted / "generator")
    with progress_bar("certify") as progress:
        sealed = build.certify(
            fitted,
            records,
            work / name,
            name=name,
            # As many as were held out: thinned tasks are no tasks, so that none are thinned; and
            # more rows of TabDDPM would show little more for four times the regressors' time.
            rows=len(build.split(records, seed, TASK if grouped else None)[1]),
            first_week_rows=50_000,
            seed=seed,
            quick=quick,
            policy="stream" if grouped else "default",
            work=work / "judged",
            progress=progress,
        )
    print(sealed.certificate.summary())
    others = [SHIPPED / other for other in surrogate_names() if other != name]
    size = sum(map(bytes_of, [sealed.folder, *others]))
    print(f"{bytes_of(sealed.folder):,} bytes, {size:,} with the others that ship")
    if not sealed.certificate.passed or size > LIMIT_BYTES:
        raise SystemExit("not shipped: the certificate failed or the folder is too large")
    target = SHIPPED / name
    ship(sealed.folder, target)
    print(f"shipped as {Surrogate.open(target).name}")


def fitted_of_shipped(
    folder: Path, fitted: Path, records: pd.DataFrame, seed: int, config: dict[str, Any]
) -> None:
    """Write the weights that ship as if they had just been fitted to these records."""
    about = json.loads((folder / "seal.json").read_text())["about"]
    train, _ = build.split(records, seed, config.get("group"))
    with whole_folder(fitted, FIT_FILE) as aside:
        generators.load(folder / "generator").save(aside / "generator")
        FitRecord(
            generator=about["generator"],
            config={"group": config["group"]} if "group" in config else {},
            origin=about["origin"],
            rows=len(train),
            split_seed=seed,
            seed=seed,
            cpu_s=0.0,
            wall_s=0.0,
        ).write(aside)


def draw_in_single_precision(folder: Path) -> None:
    """Let a generator that was fitted in half precision draw in single, alike on all machines."""
    model = generators.load(folder)
    if getattr(model.config, "precision", "float32") != "float32":
        generators.load(folder, precision="float32").save(folder)


def bytes_of(folder: Path) -> int:
    """Return the size of a folder's files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def ship(folder: Path, target: Path) -> None:
    """Copy a sealed folder into the package, whole."""
    with whole_folder(target, SEAL) as aside:
        shutil.copytree(folder, aside, dirs_exist_ok=True)


if __name__ == "__main__":
    typer.run(main)
