"""Names of release 0.1 that changed: they work until release 0.3 and warn."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Final

REMOVED_IN: Final = "0.3"
"""Release in which the old names go."""
SETTINGS: Final = {"given_share": "condition_share", "mind": "context_dim"}
"""Old name of a setting of a generator to its new one; also those in saved folders."""
PARAMETERS: Final = {
    "told": "condition_embedding",
    "given": "condition_embedding",
    "known": "number_mask",
    "fixed": "token_mask",
    "cross": "interaction_embedding",
    "mind": "context",
}
"""Old name of a part of a network to its new one, as in the weights of saved folders."""
GROUPED_ARRAYS: Final = {
    "law": "row_marginals",
    "members": "group_identity",
    "pattern": "within_group_times",
}
"""Old first part of the name of an array of the two-level generator to its new one."""


def warn(old: str, new: str, stacklevel: int = 3) -> None:
    """Warn that `old` is now `new`, and say in which release the old name goes."""
    message = f"{old} is now {new}; the old name is removed in release {REMOVED_IN}"
    warnings.warn(message, FutureWarning, stacklevel=stacklevel)


def renamed_settings(settings: Mapping[str, Any], *, warned: bool = True) -> dict[str, Any]:
    """Return settings under their new names; each old one warns unless `warned` is False."""
    for old in SETTINGS.keys() & settings.keys() if warned else ():
        warn(f"the setting {old!r}", repr(SETTINGS[old]), stacklevel=5)
    return {SETTINGS.get(name, name): value for name, value in settings.items()}


def renamed_array(name: str) -> str:
    """Return the new name of an array of the two-level generator."""
    first, dot, rest = name.partition(".")
    return GROUPED_ARRAYS.get(first, first) + dot + rest


def renamed_parameter(name: str) -> str:
    """Return the new name of a network's parameter, "a.b.weight", part by part."""
    return ".".join(PARAMETERS.get(part, part) for part in name.split("."))
