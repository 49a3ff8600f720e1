"""A cache on disk of arrays that are expensive to compute.

An array lies under a hash of everything that it depends on. A run that was killed, or one on other
synthetic rows beside the same real ones, reads it instead of computing it again.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from metrics.files import write_whole


@dataclass(frozen=True)
class ArrayCache:
    """Arrays by the hash of their key; without a folder nothing is kept."""

    folder: Path | None = None
    """Where they lie, or None."""

    def get(self, key: Mapping[str, Any], make: Callable[[], np.ndarray]) -> np.ndarray:
        """Return the array of this key (plain JSON types), made by `make` if it is not there."""
        if self.folder is None:
            return make()
        text = json.dumps(key, sort_keys=True)
        path = self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.npy"
        kept = _read(path)
        if kept is None:
            kept = make()
            file = io.BytesIO()
            np.save(file, kept, allow_pickle=False)
            write_whole(path, file.getvalue())
        return kept


def _read(path: Path) -> np.ndarray | None:
    """Return the array in a file, or None where there is none that can be read."""
    try:
        kept: np.ndarray = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return kept
