"""Fit a generator to a Parquet table, or sample a fitted one.

    python -m generators fit table.parquet tabddpm folder --set iterations=4000 minutes=30
    python -m generators sample folder rows.parquet --rows 1000 --condition site=CERN --set steps=50
    torchrun --standalone --nproc-per-node 2 -m generators fit table.parquet tabddpm folder

On a GPU: `--device cuda`, and `--precision bfloat16` if wanted; nothing else changes. A fit that
was stopped and is called again goes on from folder.checkpoint.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd

import generators
from generators.base import Progress
from generators.deprecated import warn
from generators.errors import GeneratorError


def fit(options: argparse.Namespace) -> None:
    """Fit a generator to a table and save it."""
    import torch

    from generators.training.distributed import World, joined
    from generators.training.progress import TensorBoard

    torch.set_num_threads(options.threads)
    config = _settings(options)
    with joined(config.get("device", "cpu")) as device:
        config |= {"device": device} if "device" in config else {}
        model = generators.create(options.name, **config)
        world = World.now()
        table, place = pd.read_parquet(options.table), Path(f"{options.folder}.checkpoint")
        say: Progress | None = _say if world.leads else None
        if say is not None and options.tensorboard:
            say = TensorBoard(options.tensorboard, also=say)
        model.fit(table, seed=options.seed, progress=say, checkpoint=place)
        if world.leads:
            model.save(options.folder)


def sample(options: argparse.Namespace) -> None:
    """Write rows of a saved generator as Parquet."""
    import torch

    torch.set_num_threads(options.threads)
    if options.given:
        warn("the option --given", "--condition")
    conditions = dict(_pair(item) for item in [*options.given, *options.condition]) or None
    model = generators.load(options.folder, **_settings(options))
    rows = model.sample(options.rows, options.seed, conditions, options.balance)
    rows.to_parquet(options.table, index=False)


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that the flags name."""
    flags = {"device": options.device, "precision": options.precision}
    named = {key: value for key, value in flags.items() if value is not None}
    return {**dict(_pair(item) for item in options.set), **named}


def _say(done: int, total: int, text: str) -> None:
    print(f"{done}/{total} {text}", flush=True)


def _pair(item: str) -> tuple[str, Any]:
    key, equals, text = item.partition("=")
    if not equals:
        raise GeneratorError("NAME=VALUE", f"{item!r}", "write for example iterations=4000")
    try:
        return key, json.loads(text)
    except json.JSONDecodeError:
        return key, text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("generators", description=(__doc__ or "").splitlines()[0])
    steps = parser.add_subparsers(required=True)
    one = steps.add_parser("fit", help="fit a generator to a table")
    one.add_argument("table", type=Path, help="Parquet file")
    one.add_argument("name", help="one of " + ", ".join(generators.names()))
    one.add_argument("folder", type=Path, help="where the fitted generator goes")
    one.add_argument("--tensorboard", type=Path, help="folder for TensorBoard")
    one.set_defaults(run=fit)
    two = steps.add_parser("sample", help="write rows of a saved generator")
    two.add_argument("folder", type=Path)
    two.add_argument("table", type=Path, help="Parquet file to write")
    two.add_argument("--rows", type=int, default=1000)
    two.add_argument("--condition", nargs="*", default=[], metavar="COLUMN=VALUE")
    two.add_argument("--given", nargs="*", default=[], help=argparse.SUPPRESS)
    two.add_argument("--balance", help="category whose levels shall be equally likely")
    two.set_defaults(run=sample)
    for step in (one, two):
        step.add_argument("--set", nargs="*", default=[], metavar="FIELD=VALUE")
        step.add_argument("--device", help="torch device; the CPU if not named")
        step.add_argument("--precision", help="float32, bfloat16 or auto")
        step.add_argument("--seed", type=int, default=0)
        step.add_argument("--threads", type=int, default=1)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one step; a wrong input is one line on stderr and status 2."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (GeneratorError, OSError) as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
