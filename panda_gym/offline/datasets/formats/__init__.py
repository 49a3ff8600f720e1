"""Export data sets to the formats that offline learners read."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from panda_gym.errors import SettingError, nearest

if TYPE_CHECKING:
    from panda_gym.offline.datasets.dataset import OfflineDataset

FORMATS: Final = {
    "d3rlpy": "panda_gym.offline.datasets.formats.d3rlpy:write",
    "dsrl": "panda_gym.offline.datasets.formats.dsrl:write",
    "minari": "panda_gym.offline.datasets.formats.minari:write",
}
"""Format to "module:function(data, path)"; the data set itself is Parquet."""


def export(data: OfflineDataset, form: str, path: str | Path, **options: Any) -> Path:
    """Write a data set atomically in another format; return its path."""
    if form not in FORMATS:
        raise SettingError("the name of a format", repr(form), nearest(str(form), FORMATS))
    module, _, function = FORMATS[form].partition(":")
    return getattr(importlib.import_module(module), function)(data, Path(path), **options)
