"""Turn the report of a batch into the info dictionaries of Gymnasium."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray


def one_info(report: dict[str, Any], e: int) -> dict[str, Any]:
    """Return the info of episode e as Python numbers."""
    return {
        name: {k: v[e].item() for k, v in value.items()}
        if isinstance(value, dict)
        else value[e].item()
        for name, value in report.items()
    }


def masked(report: dict[str, Any], which: Array) -> dict[str, Any]:
    """Return batched infos in Gymnasium's form: `_key` says for which episodes `key` is valid.

    All of these masks are the array `which` itself.
    """
    infos: dict[str, Any] = {}
    for name, value in report.items():
        infos[name] = masked(value, which) if isinstance(value, dict) else value
        infos[f"_{name}"] = which
    return infos
