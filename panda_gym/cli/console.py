"""Print results and progress; options that many verbs share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from panda_gym.executors import Executor, RayExecutor, SerialExecutor

Progress = Callable[[int, int, str], None]

Seed = Annotated[int, typer.Option("--seed", min=0, help="Same seed, same result.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
AllowUncertified = Annotated[
    bool,
    typer.Option("--allow-uncertified", help="Open a surrogate although its certificate failed."),
]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray", help="Run on the Ray cluster at this address: auto, or local for one here."
    ),
]


def workers(address: str | None) -> Executor:
    """Where independent tasks run: here, or on a Ray cluster."""
    if address is None:
        return SerialExecutor()
    return RayExecutor(None if address == "local" else address)


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """Yield `progress(done, total, message)` that draws one bar on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[message]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None, message="")

        def progress(done: int, total: int, message: str) -> None:
            bar.update(task, completed=done, total=total, message=message)

        yield progress


def show(result: Mapping[str, Any], as_json: bool) -> None:
    """Print a verb's result: aligned lines for people, one JSON object for programs."""
    if as_json:
        print(json.dumps(result, indent=1, sort_keys=True, default=str))
        return
    width = max((len(name) for name in result), default=0)
    for name, value in result.items():
        print(f"{name:<{width}}  {value}")
