"""`panda-grid doctor`: check this installation and list all faults."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import typer

from panda_gym.cli.console import Json, show

PACKAGES: Final = {
    "gymnasium": "gymnasium",
    "numpy": "numpy",
    "pandas": "pandas",
    "numba": "numba",
    "torch": "torch",
    "catboost": "catboost",
    "stable-baselines3": "stable_baselines3",
    "sb3-contrib": "sb3_contrib",
    "imbalanced-learn": "imblearn",
    "pyarrow": "pyarrow",
}
"""Required packages and their import names."""
OURS: Final = (
    "panda_gym.simulator",
    "panda_gym.environments.placement.env",
    "panda_gym.environments.workflow.env",
    "panda_gym.environments.pipeline.env",
    "panda_gym.benchmarking",
    "panda_gym.training",
    "generators",
    "metrics",
)
"""Modules of the project that must import."""
ROBOT_ARMS: Final = "panda-gym"
REINSTALL: Final = "pip install --force-reinstall panda-grid-gym"


def clash() -> str | None:
    """Return what is wrong if the robot-arm package of the same import name is installed."""
    try:
        version = importlib.metadata.version(ROBOT_ARMS)
    except importlib.metadata.PackageNotFoundError:
        return None
    return (
        f"{ROBOT_ARMS} {version} (robot arms) is installed and writes into the same import name: "
        f"use another virtual environment, or `pip uninstall {ROBOT_ARMS}` and then `{REINSTALL}`"
    )


def shadowed() -> list[str]:
    """Return the import names of the project that another file or package hides."""
    home = Path(__file__).resolve().parents[2]
    found = {name: importlib.util.find_spec(name) for name in ("generators", "metrics")}
    return [
        name
        for name, spec in found.items()
        if spec is None or home not in Path(str(spec.origin)).resolve().parents
    ]


def overwritten() -> bool:
    """Return whether `panda_gym/__init__.py` is another project's: ours registers environments."""
    import panda_gym

    return not hasattr(panda_gym, "ENVIRONMENTS")


def broken(name: str) -> str | None:
    """Return why a module does not import, None if it does."""
    try:
        importlib.import_module(name)
    except Exception as error:  # whatever a broken installation raises is a finding
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no text'}"
    return None


def packages(result: dict[str, object]) -> Iterator[str]:
    """Import every required package; put versions into `result`, yield faults."""
    for name, module in PACKAGES.items():
        try:
            result[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield f"{name} is missing: pip install {name}"
            continue
        if (why := broken(module)) is not None:
            yield f"{name} does not import ({why}): pip install --force-reinstall {name}"


def project() -> Iterator[str]:
    """Yield faults of the project's own modules."""
    if (text := clash()) is not None:
        yield text
    if overwritten():
        yield f"another package has overwritten panda_gym/__init__.py: {REINSTALL}"
    yield from (f"another '{name}' hides ours on the import path" for name in shadowed())
    for name in OURS:
        if (why := broken(name)) is not None:
            yield f"{name} does not import ({why})"


def surrogates(result: dict[str, object]) -> Iterator[str]:
    """Check the seals of the shipped surrogates; put them into `result`, yield faults."""
    try:
        from panda_gym.errors import SurrogateError
        from panda_gym.surrogate import surrogate_names, verify_seal
        from panda_gym.surrogate.surrogate import find
    except Exception as error:  # reported by `project` as well; here the seals stay unchecked
        yield f"the shipped surrogates could not be checked ({type(error).__name__})"
        return
    for name in surrogate_names():
        try:
            verify_seal(find(name))
            result[f"surrogate {name}"] = "seal intact"
        except SurrogateError as error:
            result[f"surrogate {name}"] = "seal broken"
            yield f"the shipped surrogate {name} was changed ({error}): {REINSTALL}"


def doctor(json: Json = False) -> None:
    """Print versions and all problems; exit code 1 if there is a problem."""
    result: dict[str, object] = {"python": platform.python_version()}
    problems = [*packages(result), *project(), *surrogates(result)]
    show({**result, "problems": problems}, json)
    raise typer.Exit(1 if problems else 0)
