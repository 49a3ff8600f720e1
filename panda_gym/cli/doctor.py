"""`panda-grid doctor`: check this installation and list all faults."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
from typing import Final

import typer

from panda_gym.cli.console import Json, show

PACKAGES: Final = (
    "gymnasium",
    "numpy",
    "pandas",
    "numba",
    "torch",
    "catboost",
    "stable-baselines3",
    "sb3-contrib",
    "imbalanced-learn",
    "pyarrow",
)
ROBOT_ARMS: Final = "panda-gym"


def clash() -> str | None:
    """What is wrong if the robot-arm package of the same import name is installed."""
    try:
        version = importlib.metadata.version(ROBOT_ARMS)
    except importlib.metadata.PackageNotFoundError:
        return None
    return (
        f"{ROBOT_ARMS} {version} (robot arms) is installed and writes into the same import name: "
        f"use another virtual environment, or `pip uninstall {ROBOT_ARMS}` and then "
        "`pip install --force-reinstall panda-grid-gym`"
    )


def shadowed() -> list[str]:
    """Import names of ours that another file or package hides."""
    ours = importlib.util.find_spec("panda_gym.cli")
    home = str(ours.origin).rsplit("panda_gym", 1)[0] if ours and ours.origin else ""
    found = {name: importlib.util.find_spec(name) for name in ("generators", "metrics")}
    return [n for n, s in found.items() if s is None or not str(s.origin).startswith(home)]


def doctor(json: Json = False) -> None:
    """Print versions and problems; exit code 1 if there is a problem."""
    result: dict[str, object] = {"python": platform.python_version()}
    problems: list[str] = []
    for name in PACKAGES:
        try:
            result[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            problems.append(f"{name} is missing: pip install panda-grid-gym")
    problems += [text] if (text := clash()) else []
    problems += [f"another '{name}' hides ours on the import path" for name in shadowed()]
    from panda_gym.surrogate import surrogate_names, verify_seal
    from panda_gym.surrogate.surrogate import find

    for name in surrogate_names():
        verify_seal(find(name))
        result[f"surrogate {name}"] = "seal intact"
    show({**result, "problems": problems or "none"}, json)
    raise typer.Exit(1 if problems else 0)
