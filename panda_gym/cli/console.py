"""Print results and progress; options that many verbs share."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Quantity:
    """A number with its unit: the number alone in JSON, both in text."""

    value: float
    unit: str

    def __str__(self) -> str:
        return f"{text(self.value)} {self.unit}".rstrip()


def show(result: Mapping[str, Any], as_json: bool) -> None:
    """Print a verb's result: aligned lines for people, one JSON object for programs.

    JSON holds numbers as numbers; a number that is not finite is null.
    """
    if as_json:
        print(json.dumps(plain(result), indent=1, sort_keys=True, allow_nan=False))
        return
    width = max((len(name) for name in result), default=0)
    for name, value in result.items():
        print(f"{name:<{width}}  {text(value)}")


def plain(value: Any) -> Any:
    """Return what JSON holds of a value; NaN and infinities become None."""
    if isinstance(value, Quantity):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | range):
        return [plain(one) for one in value]
    value = value.item() if hasattr(value, "item") else value  # a number of numpy
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def text(value: Any) -> str:
    """Return one line for people: six significant digits, `name value` pairs, lists by commas."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {text(one)}" for key, one in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(text, value)) or "none"
    return str(value)


def lines_of_table(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return a table as lines of at most `width` columns.

    The first column names the rows; columns that do not fit go into further blocks below.
    """
    wide = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines: list[str] = []
    rest = list(range(1, len(head)))
    while rest:
        taken, used = [rest.pop(0)], wide[0]
        used += 2 + wide[taken[0]]
        while rest and used + 2 + wide[rest[0]] <= width:
            used += 2 + wide[rest[0]]
            taken.append(rest.pop(0))
        for row in (head, *rows):
            cells = "".join(f"  {row[k]:>{wide[k]}}" for k in taken)
            lines.append(f"{row[0]:<{wide[0]}}{cells}".rstrip())
        lines += [""] if rest else []
    return lines


def terminal_width() -> int:
    """Return the columns of the terminal, 100 where there is none."""
    return shutil.get_terminal_size((100, 24)).columns
