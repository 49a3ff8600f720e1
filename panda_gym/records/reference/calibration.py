"""The public figures that the reference workload is calibrated on, and their measurement.

The classes of source are those of
`tables`. Where a figure counts tasks, it is measured on one job of each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from panda_gym.records.columns import check_table
from panda_gym.schema import EXTRAS

KEEP: Final = tuple(column.name for column in EXTRAS if column.name != "maxwalltime")
"""Columns that `measure` needs beside the nine."""


@dataclass(frozen=True)
class Figure:
    """One calibrated figure."""

    name: str
    """What is measured."""
    target: float
    """The public figure."""
    tolerance: float
    """Largest distance from it: absolute, or of natural logarithms if `relative`. It covers the
    scatter between seeds at 200,000 rows (about 650 independent tasks) and what falls short."""
    source: str
    """Where the figure is from, by class."""
    measured_by: Callable[[pd.DataFrame], float]
    """Measures it on a table of the nine columns and `KEEP`."""
    relative: bool = False
    """Whether the tolerance is one of logarithms."""

    def holds(self, value: float) -> bool:
        """Whether a measured value is within the tolerance."""
        if self.relative:
            return value > 0 and abs(np.log(value / self.target)) <= self.tolerance
        return abs(value - self.target) <= self.tolerance


def measure(table: pd.DataFrame) -> pd.DataFrame:
    """Measure every figure on a table with the columns of `KEEP`.

    Returns:
        One row a figure: name, target, measured, tolerance, relative, holds, source.

    Raises:
        RecordsError: not such a table.
    """
    table = check_table(table, KEEP)
    rows = []
    for figure in FIGURES:
        value = float(figure.measured_by(table))
        fields = (figure.name, figure.target, value, figure.tolerance, figure.relative)
        rows.append((*fields, figure.holds(value), figure.source))
    names = ["name", "target", "measured", "tolerance", "relative", "holds", "source"]
    return pd.DataFrame(rows, columns=names)


# --- measures -----------------------------------------------------------------------------------


def _tasks(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop_duplicates("jeditaskid")


def _cpu(table: pd.DataFrame) -> pd.Series:
    return table["cpuconsumptiontime"].astype("float64")


def _explained(values: pd.Series, group: pd.Series) -> float:
    """Share of the variance of `values` between groups (eta squared)."""
    within = values - values.groupby(group, observed=True).transform("mean")
    return 1.0 - float((within**2).sum() / ((values - values.mean()) ** 2).sum())


def _site_shares(table: pd.DataFrame) -> np.ndarray:
    return table["computingsite"].value_counts(normalize=True).to_numpy()


def _gini(table: pd.DataFrame) -> float:
    shares = np.sort(_site_shares(table))
    n = len(shares)
    return float((2 * np.arange(1, n + 1) - n - 1) @ shares / (n * shares.sum()))


def _top(count: int) -> Callable[[pd.DataFrame], float]:
    return lambda table: float(_site_shares(table)[:count].sum())


def _status(name: str) -> Callable[[pd.DataFrame], float]:
    return lambda table: float((table["jobstatus"] == name).mean())


def _failed(table: pd.DataFrame) -> float:
    counts = table["jobstatus"].value_counts()
    return float(counts["failed"] / (counts["failed"] + counts["finished"]))


def _site_failure(q: float) -> Callable[[pd.DataFrame], float]:
    def measured(table: pd.DataFrame) -> float:
        ended = table[table["jobstatus"].isin(["failed", "finished"])]
        by_site = (ended["jobstatus"] == "failed").groupby(ended["computingsite"], observed=True)
        return float(by_site.mean()[by_site.size() > 100].quantile(q))

    return measured


def _cpu_quantile(q: float) -> Callable[[pd.DataFrame], float]:
    return lambda table: float(_cpu(table).quantile(q))


def _cpu_by(column: str) -> Callable[[pd.DataFrame], float]:
    return lambda table: _explained(np.log(_cpu(table)), table[column])


def _task_size(q: float) -> Callable[[pd.DataFrame], float]:
    return lambda table: float(table["jeditaskid"].value_counts().quantile(q))


def _project(name: str) -> Callable[[pd.DataFrame], float]:
    return lambda table: float((_tasks(table)["project"] == name).mean())


def _family(name: str) -> Callable[[pd.DataFrame], float]:
    pattern = rf"DAOD_{name}(?:\d|$|LITE$|VAL$)"
    return lambda table: float(_tasks(table)["datatype"].astype("str").str.match(pattern).mean())


def _follows_datatype(table: pd.DataFrame) -> float:
    """Share of tasks with the production step that is most common for their data type."""
    tasks = _tasks(table)
    counts = pd.crosstab(tasks["datatype"], tasks["prodstep"])
    return float(counts.max(axis=1).sum() / counts.to_numpy().sum())


def _with_files(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["ninputdatafiles"] > 0]


def _file_size(q: float) -> Callable[[pd.DataFrame], float]:
    def measured(table: pd.DataFrame) -> float:
        mc = _with_files(table[table["project"].astype("str").str.startswith("mc")])
        return float((mc["inputfilebytes"] / mc["ninputdatafiles"] / 1e6).quantile(q))

    return measured


def _bytes_by_task(table: pd.DataFrame) -> float:
    read = _with_files(table)
    return _explained(np.log(read["inputfilebytes"].astype("float64")), read["jeditaskid"])


def _cpu_with_bytes(table: pd.DataFrame) -> float:
    read = _with_files(table)
    return float(_cpu(read).corr(read["inputfilebytes"].astype("float64"), method="spearman"))


def _weekend(table: pd.DataFrame) -> float:
    days = _tasks(table)["creationtime"].dt.floor("D").value_counts()
    weekend = days.index.day_of_week >= 5
    return float(days[weekend].mean() / days[~weekend].mean())


def _week(number: int) -> Callable[[pd.DataFrame], float]:
    def measured(table: pd.DataFrame) -> float:
        weeks = _tasks(table)["creationtime"].dt.isocalendar().week.value_counts()
        return float(weeks.get(number, 0) / weeks.median())

    return measured


def _hours(first: int, last: int) -> Callable[[pd.DataFrame], float]:
    def measured(table: pd.DataFrame) -> float:
        hour = table["creationtime"].dt.hour
        return float(hour.between(first, last).mean() * 24 / (last - first + 1))

    return measured


def _dispersion(table: pd.DataFrame) -> float:
    seconds = table["creationtime"].to_numpy().astype("datetime64[s]").astype(np.int64)
    counts = np.bincount((seconds - seconds.min()) // 3600)
    return float(counts.var() / counts.mean())


def _seconds(table: pd.DataFrame) -> float:
    return float(table["creationtime"].nunique() / len(table))


def _mean_files(table: pd.DataFrame) -> float:
    return float(table["ninputdatafiles"].mean())


# --- the table ----------------------------------------------------------------------------------

_DAY, _CPU, _USER, _TASKS, _LCG, _FILES, _LIT, _SET = (
    "[DAY] all PanDA queues, 2021-09-19",
    "[CPU] 44,238 jobs, January 2024",
    "[USER] 5,000 user jobs, July 2022",
    "[TASKS] user tasks, October 2022 to February 2023",
    "[LCG] LCG-2005 log",
    "[FILES] DAOD dataset listings",
    "[LIT] NorduGrid ATLAS, 2011",
    "[SET] by judgement",
)

FIGURES: Final = (
    Figure("site share, top 1", 0.043, 0.015, _DAY, _top(1)),
    Figure("site share, top 5", 0.200, 0.030, _DAY, _top(5)),
    Figure("site share, top 10", 0.355, 0.040, _DAY, _top(10)),
    Figure("site share, top 20", 0.550, 0.040, _DAY, _top(20)),
    Figure("site share, top 50", 0.830, 0.040, _DAY, _top(50)),
    # .70 over 179 queues; the same distribution over 150 sites.
    Figure("site share, Gini", 0.643, 0.040, _DAY, _gini),
    Figure("failed of failed and finished", 0.125, 0.020, _DAY, _failed),
    Figure("site failure q05", 0.007, 0.010, _DAY, _site_failure(0.05)),
    Figure("site failure q25", 0.030, 0.020, _DAY, _site_failure(0.25)),
    Figure("site failure q50", 0.063, 0.025, _DAY, _site_failure(0.50)),
    Figure("site failure q75", 0.170, 0.060, _DAY, _site_failure(0.75)),
    Figure("site failure q90", 0.340, 0.110, _DAY, _site_failure(0.90)),
    Figure("site failure q95", 0.480, 0.150, _DAY, _site_failure(0.95)),
    Figure("closed", 0.035, 0.020, _SET, _status("closed")),
    Figure("cancelled", 0.030, 0.020, _SET, _status("cancelled")),
    Figure("CPU s q01", 18.0, 0.40, _CPU, _cpu_quantile(0.01), True),
    Figure("CPU s q05", 36.0, 0.30, _CPU, _cpu_quantile(0.05), True),
    Figure("CPU s q10", 91.0, 0.35, _CPU, _cpu_quantile(0.10), True),
    Figure("CPU s q25", 854.0, 0.35, _CPU, _cpu_quantile(0.25), True),
    Figure("CPU s q50", 3_890.0, 0.30, _CPU, _cpu_quantile(0.50), True),
    Figure("CPU s q75", 16_900.0, 0.35, _CPU, _cpu_quantile(0.75), True),
    Figure("CPU s q90", 41_096.0, 0.25, _CPU, _cpu_quantile(0.90), True),
    Figure("CPU s q95", 60_795.0, 0.20, _CPU, _cpu_quantile(0.95), True),
    Figure("CPU s q99", 111_569.0, 0.20, _CPU, _cpu_quantile(0.99), True),
    Figure("ln CPU mean", 8.00, 0.25, _CPU, lambda t: float(np.log(_cpu(t)).mean())),
    Figure("ln CPU sd", 2.20, 0.15, _CPU, lambda t: float(np.log(_cpu(t)).std())),
    Figure("ln CPU skew", -0.56, 0.25, _CPU, lambda t: float(np.log(_cpu(t)).skew())),
    Figure("ln CPU explained by site", 0.10, 0.06, _CPU, _cpu_by("computingsite")),
    Figure("ln CPU explained by task", 0.76, 0.06, _USER, _cpu_by("jeditaskid")),
    Figure("tasks of 1-core jobs", 0.969, 0.010, _CPU, lambda t: (_tasks(t).corecount == 1).mean()),
    Figure("files mean", 6.6, 1.0, _LIT, _mean_files),
    Figure("files mode", 1.0, 0.0, _LIT, lambda t: float(t["ninputdatafiles"].mode()[0])),
    Figure("MB a file q05, simulation", 307.0, 0.25, _FILES, _file_size(0.05), True),
    Figure("MB a file q25, simulation", 514.0, 0.15, _FILES, _file_size(0.25), True),
    Figure("MB a file q50, simulation", 744.0, 0.15, _FILES, _file_size(0.50), True),
    Figure("MB a file q75, simulation", 912.0, 0.15, _FILES, _file_size(0.75), True),
    Figure("MB a file q95, simulation", 1_219.0, 0.20, _FILES, _file_size(0.95), True),
    Figure("ln bytes explained by task", 0.63, 0.14, _USER, _bytes_by_task),
    Figure("Spearman of CPU s and bytes", 0.31, 0.12, _USER, _cpu_with_bytes),
    Figure("jobs a task q50", 9.0, 2.0, _USER, _task_size(0.50)),
    Figure("jobs a task q75", 44.0, 9.0, _USER, _task_size(0.75)),
    Figure("jobs a task q90", 175.0, 0.25, _USER, _task_size(0.90), True),
    Figure("jobs a task q99", 705.0, 0.30, _USER, _task_size(0.99), True),
    Figure("distinct creation seconds a job", 0.077, 0.020, _USER, _seconds),
    Figure("project mc16_13TeV", 0.610, 0.030, _TASKS, _project("mc16_13TeV")),
    Figure("project data18_13TeV", 0.074, 0.016, _TASKS, _project("data18_13TeV")),
    Figure("project data22_13p6TeV", 0.064, 0.016, _TASKS, _project("data22_13p6TeV")),
    Figure("project mc20_13TeV", 0.062, 0.016, _TASKS, _project("mc20_13TeV")),
    Figure("project data17_13TeV", 0.051, 0.014, _TASKS, _project("data17_13TeV")),
    Figure("project data16_13TeV", 0.050, 0.014, _TASKS, _project("data16_13TeV")),
    Figure("project mc21_13p6TeV", 0.034, 0.012, _TASKS, _project("mc21_13p6TeV")),
    Figure("project data15_13TeV", 0.031, 0.012, _TASKS, _project("data15_13TeV")),
    Figure("family PHYS", 0.24, 0.03, _TASKS, _family("PHYS")),
    Figure("family HIGG", 0.17, 0.03, _TASKS, _family("HIGG")),
    Figure("family TOPQ", 0.17, 0.03, _TASKS, _family("TOPQ")),
    Figure("family EXOT", 0.14, 0.03, _TASKS, _family("EXOT")),
    Figure("DAOD formats", 223.0, 30.0, _TASKS, lambda t: float(t["datatype"].nunique())),
    Figure(
        "prodstep deriv", 0.99, 0.008, _TASKS, lambda t: (_tasks(t)["prodstep"] == "deriv").mean()
    ),
    Figure("prodstep follows datatype", 0.99, 0.01, _TASKS, _follows_datatype),
    Figure("weekend to weekday", 0.81, 0.12, _LCG, _weekend),
    Figure("week 51 to median week", 0.53, 0.25, _TASKS, _week(51)),
    Figure("week 52 to median week", 0.77, 0.30, _TASKS, _week(52)),
    Figure("hours 02 to 06 UTC", 0.65, 0.25, _LCG, _hours(2, 6)),
    Figure("hours 10 to 19 UTC", 1.25, 0.20, _LCG, _hours(10, 19)),
    Figure("hourly variance to mean", 124.0, 0.60, _LCG, _dispersion, True),
)
"""The calibrated figures."""
