"""A table of the reference workload that the tests of this room share."""

from __future__ import annotations

import pandas as pd
import pytest

from panda_gym.records import reference_export, reference_records
from panda_gym.records.reference.calibration import KEEP


@pytest.fixture(scope="session")
def reference() -> pd.DataFrame:
    """200,000 rows with the extra columns; copy before changing."""
    return reference_records(200_000, seed=0, keep=KEEP)


@pytest.fixture(scope="session")
def export() -> pd.DataFrame:
    """A raw export of 3,000 rows; copy before changing."""
    return reference_export(3_000, seed=5)
