"""Makers of small tables and streams for the tests of jobs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from panda_gym.jobs import JobStream

MakeRecords = Callable[..., pd.DataFrame]
MakeStream = Callable[..., JobStream]
SITES = ("NORTH", "EAST", "SOUTH", "ELSEWHERE")


def table_of(n: int = 200, seed: int = 0) -> pd.DataFrame:
    """n records of a week, with the nine columns."""
    rng = np.random.default_rng(seed)
    time = np.datetime64("2024-01-03T12:00:00", "s") + np.sort(rng.integers(0, 604_800, n))
    files = rng.integers(1, 9, n)
    return pd.DataFrame(
        {
            "creationtime": time,
            "computingsite": pd.Categorical(rng.choice(SITES, n)),
            "project": pd.Categorical(rng.choice(["mc20_13TeV", "data22_13p6TeV"], n)),
            "prodstep": pd.Categorical(["deriv"] * n),
            "datatype": pd.Categorical(rng.choice(["DAOD_PHYS", "AOD"], n)),
            "ninputdatafiles": pd.array(files, dtype="Int64"),
            "inputfilebytes": pd.array(files * 10**9, dtype="Int64"),
            "jobstatus": pd.Categorical(rng.choice(["finished", "failed", "closed"], n)),
            "workload": rng.lognormal(9.0, 1.5, n),
        }
    )


@pytest.fixture(scope="session")
def make_records() -> MakeRecords:
    return table_of


@pytest.fixture(scope="session")
def make_stream() -> MakeStream:
    return lambda n=200, seed=0: JobStream.from_records(table_of(n, seed), seed=seed)


@pytest.fixture(scope="session")
def stream() -> JobStream:
    return JobStream.from_records(table_of())
