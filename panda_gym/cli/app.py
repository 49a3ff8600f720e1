"""Build the command from its verbs; turn errors of input into exit code 2."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import warnings
from typing import Annotated, Any, Final

import typer

from panda_gym import __version__
from panda_gym.deprecated import renamed

VERBS: Final = (
    "records",
    "fit",
    "sample",
    "certify",
    "verify",
    "compare",
    "simulate",
    "replay",
    "train",
    "tune",
    "benchmark",
    "serve",
    "dataset",
    "report",
    "workflow",
    "pipelines",
    "joint",
    "monitor",
    "demo",
    "doctor",
)
"""Verbs in the order of the river: each is `panda_gym/cli/<verb>.py` with a function `<verb>`, or a
`typer.Typer` of that name with verbs of its own."""

RENAMED: Final = {"table1": "compare", "watch": "monitor"}
"""Verbs of 0.1 by their new names: hidden, and they warn."""

BAD_INPUT: Final = 2


def print_version(wanted: bool) -> None:
    """Print the version and end, where it was asked for."""
    if wanted:
        print(f"panda-grid {__version__}")
        raise typer.Exit


def start(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=print_version, is_eager=True),
    ] = False,
) -> None:
    """From job records to a trained scheduler: surrogate, certificate, grid, policies."""


def build() -> typer.Typer:
    """The command with all its verbs."""
    app = typer.Typer(
        name="panda-grid",
        help="From job records to a trained scheduler: surrogate, certificate, grid, policies.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(start)
    for verb in VERBS:
        module = importlib.import_module(f"panda_gym.cli.{verb}")
        found = getattr(module, verb)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=verb)
        else:
            app.command(name=verb)(found)
    for old, verb in RENAMED.items():
        found = getattr(importlib.import_module(f"panda_gym.cli.{verb}"), verb)
        app.command(name=old, hidden=True)(
            renamed(f"panda-grid {old}", f"panda-grid {verb}", found)
        )
    return app


def show_readings() -> None:
    """Print on standard error what every reader took, dropped and assumed, a line a file."""
    logger = logging.getLogger("panda_gym")
    if not logger.handlers:
        logger.addHandler(logging.StreamHandler())
        logger.setLevel(logging.INFO)


def one_line(message: Warning | str, *_: Any, **__: Any) -> str:
    """Format a warning as one line."""
    return f"warning: {message}\n"


def main() -> None:
    """Entry point: run a verb; bad input prints one line and exits with 2."""
    # One thread by default: with small networks two threads are many times slower.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from generators.errors import GeneratorError
    from metrics.errors import MetricError
    from panda_gym.errors import InputError

    show_readings()
    warnings.formatwarning = one_line
    try:
        build()()
    except (InputError, GeneratorError, MetricError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(BAD_INPUT)
    except ImportError as error:
        needed = f"the package {error.name or 'that an import names'}"
        print(f"error: needed {needed}; got {error}; run `panda-grid doctor`", file=sys.stderr)
        sys.exit(BAD_INPUT)
    except OSError as error:
        print(f"error: {error.strerror or error}: {error.filename or ''}", file=sys.stderr)
        sys.exit(BAD_INPUT)
