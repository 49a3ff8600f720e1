"""Predict a job's workload from what a broker may know before the job runs; no site is an input.

A CatBoost regressor of ln(workload) on the columns of a job that exist before placement.

NOTE[DIFF] arXiv 2410.07940, section IV-B: the paper's regressor has depth 10 and learning rate
1.0; depth 8 and 0.5 err as little (1.635 against 1.630 in ln(workload) on held-out rows of the
reference workload) at half the size. So do 150 trees, pairs of categories and 200,000 of the
shipped surrogate's rows (mean squared error 4.05 where 400,000 rows, 200 trees and all combinations
reach 3.93 with 5.2 MB instead of 2). The paper also counts `computingsite` as known; here the
broker is the one who chooses it, so it is no feature. Workload is in Gflop, free of site speed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from panda_gym.errors import RecordsError, SurrogateError, check_seed
from panda_gym.files import whole_file
from panda_gym.schema import CATEGORIES, INPUT_SIZES

if TYPE_CHECKING:
    import pandas as pd

SMALLEST_GFLOP: Final = 1.0
"""Workloads below this count as this, so that the logarithm of a job that never ran is finite."""


@dataclass(frozen=True)
class WorkloadConfig:
    """Settings of the regressor."""

    iterations: int = 150
    """Trees."""
    depth: int = 8
    """Depth of each tree."""
    learning_rate: float = 0.5
    """Shrinkage."""
    combinations: int = 2
    """Most categories whose combined levels a tree may look at; each costs a table of levels."""
    rows: int = 200_000
    """Most rows to learn from, the first ones; more cost megabytes and win little."""
    threads: int = 1
    """Threads of CatBoost."""


OF_TASKS: Final = WorkloadConfig(
    iterations=100, depth=6, learning_rate=0.05, combinations=1, rows=10**9
)
"""Settings for rows that come in tasks of rows alike, of which a fit holds few thousand.

The settings above overfit to those tasks: on tasks of the reference workload that the fit has
not seen they err by more than the standard deviation of ln(workload), and these by less
(`python -m tests.bench.two_levels predictor`).
"""


def log_workload(table: pd.DataFrame) -> np.ndarray:
    """ln(workload in Gflop), float64[n], from below at `SMALLEST_GFLOP`."""
    return np.log(np.maximum(table["workload"].to_numpy(dtype=np.float64), SMALLEST_GFLOP))


def features(table: pd.DataFrame) -> pd.DataFrame:
    """The columns that a broker knows; RecordsError names those that are missing."""
    import pandas as pd

    wanted = [*CATEGORIES, *INPUT_SIZES]
    missing = [name for name in wanted if name not in table.columns]
    if missing:
        raise RecordsError(
            f"columns {wanted}", f"a table without {missing}", "add them, or load with load_records"
        )
    # Strings, not codes: levels may come in another order in another table.
    columns: dict[str, Any] = {name: table[name].astype(str).to_numpy() for name in CATEGORIES}
    columns |= {name: table[name].to_numpy(dtype=np.float64) for name in INPUT_SIZES}
    return pd.DataFrame(columns)


class WorkloadModel:
    """A fitted regressor of ln(workload)."""

    def __init__(self, regressor: Any, config: WorkloadConfig) -> None:
        self._regressor, self.config = regressor, config

    @classmethod
    def fit(
        cls, table: pd.DataFrame, seed: int = 0, config: WorkloadConfig | None = None
    ) -> WorkloadModel:
        """Fit on a table with the nine columns."""
        from catboost import CatBoostRegressor

        config = config or WorkloadConfig()
        regressor = CatBoostRegressor(
            iterations=config.iterations,
            depth=config.depth,
            learning_rate=config.learning_rate,
            loss_function="RMSE",
            cat_features=list(CATEGORIES),
            max_ctr_complexity=config.combinations,
            random_seed=check_seed(seed),
            thread_count=config.threads,
            allow_writing_files=False,
            verbose=False,
        )
        table = table[: config.rows]
        regressor.fit(features(table), log_workload(table))
        return cls(regressor, config)

    def predict(self, table: pd.DataFrame) -> np.ndarray:
        """Predicted workload, float64[n] Gflop: exp of the mean of the logarithm."""
        if len(table) == 0:
            return np.empty(0)
        log = self._regressor.predict(features(table), thread_count=self.config.threads)
        return np.exp(np.asarray(log, dtype=np.float64))

    def rmse(self, table: pd.DataFrame) -> float:
        """Root mean squared error of ln(workload) on a table."""
        error = np.log(self.predict(table)) - log_workload(table)
        return float(np.sqrt(np.mean(error**2)))

    def save(self, path: str | Path) -> None:
        """Write CatBoost's own binary format (no pickle) and a JSON of the settings beside it."""
        with whole_file(path) as aside:
            self._regressor.save_model(str(aside), format="cbm")
        with whole_file(Path(path).with_suffix(".json")) as aside:
            aside.write_text(json.dumps(asdict(self.config), sort_keys=True) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> WorkloadModel:
        """Read what `save` wrote; SurrogateError if it is damaged."""
        from catboost import CatBoostError, CatBoostRegressor

        regressor = CatBoostRegressor()
        try:
            config = WorkloadConfig(**json.loads(Path(path).with_suffix(".json").read_text()))
            regressor.load_model(str(path), format="cbm")
        except (CatBoostError, OSError, ValueError, TypeError) as error:
            raise SurrogateError(
                f"a workload model at {path}", f"{error}", "fit the surrogate again"
            ) from error
        return cls(regressor, config)
