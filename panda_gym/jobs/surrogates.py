"""Make the fields of a stream from a sealed surrogate.

The first week of stream 0 is stored in the sealed folder and needs neither torch nor CatBoost;
later jobs, and other seeds, are drawn week by week.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from panda_gym.errors import StreamError, check_seed
from panda_gym.jobs.records import from_records
from panda_gym.surrogate import FIRST_WEEK_SEED

if TYPE_CHECKING:
    import pandas as pd

    from panda_gym.surrogate import Surrogate


def from_surrogate(surrogate: Surrogate, jobs: int | None = None, seed: int = 0) -> dict[str, Any]:
    """Return the fields of the first `jobs` jobs of a surrogate's stream.

    Args:
        jobs: None takes the sealed first week, or its sealed beginning.
        seed: of the stream and of the uniforms.

    Raises:
        StreamError: `jobs` is less than 1.
    """
    if jobs is not None and jobs < 1:
        raise StreamError("at least 1 job of the stream", f"{jobs}", "raise the number of jobs")
    jobs = len(surrogate.first_week()) if jobs is None else jobs
    table = _weeks(surrogate, jobs, check_seed(seed))
    return from_records(
        table.iloc[:jobs],
        seed=seed,
        name=f"surrogate:{surrogate.name}",
        origin=f"synthetic jobs of surrogate {surrogate.name!r}; {surrogate.origin}",
    )


def _weeks(surrogate: Surrogate, jobs: int, seed: int) -> pd.DataFrame:
    """Return whole weeks of the stream that hold at least `jobs` rows."""
    import pandas as pd

    if seed == FIRST_WEEK_SEED:
        first = surrogate.first_week()
        if jobs <= len(first):
            return first
    stream = surrogate.stream(seed)
    weeks = [next(stream)]
    while sum(map(len, weeks)) < jobs:
        weeks.append(next(stream))
    return pd.concat(weeks, ignore_index=True)
