"""Import packages that only an extra of this distribution installs."""

from __future__ import annotations

import importlib
from typing import Any

from panda_gym.errors import SettingError

__all__ = ["import_extra"]


def import_extra(module: str, extra: str) -> Any:
    """Return a module that the named extra installs; SettingError says how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as fault:
        package = module.partition(".")[0]
        raise SettingError(
            f"the package {package}",
            f"none ({fault})",
            f"pip install 'panda-grid-gym[{extra}]'",
        ) from fault
