"""The result of a benchmark: a value for each policy, stream and seed, and its statistics.

Seeds are paired: the same seed of the same stream gives every policy the same episode to play
(common random numbers).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from panda_gym.benchmarking import render
from panda_gym.benchmarking.intervals import Interval, bootstrap, detectable, mean
from panda_gym.benchmarking.measures import MEASURE, MEASURES
from panda_gym.benchmarking.replies import reply_table
from panda_gym.errors import PolicyError, nearest
from panda_gym.files import whole_file

if TYPE_CHECKING:
    import pandas as pd

HEADLINE: Final = (
    "mean_slowdown",
    "geometric_slowdown",
    "p95_slowdown",
    "mean_turnaround",
    "throughput",
    "wan",
    "fairness_projects",
    "fairness_sizes",
    "reward_pred",
    "reward_gap",
)
"""What `to_markdown` and `to_html` show unless told otherwise."""

CSV_COLUMNS: Final = (
    "stream",
    "scale",
    "policy",
    "fitted_on",
    "metric",
    "unit",
    "better",
    "iqm",
    "low",
    "high",
    "seeds",
    "difference_against",
    "difference",
    "difference_low",
    "difference_high",
    "difference_detectable",
)
"""Columns of `BenchmarkTable.to_csv`."""

LEGEND: Final = "* interval without 0; else ± the smallest difference that these seeds could show"
"""Meaning of the marks beside a paired difference; the power is `intervals.POWER`."""


OLD_MEASURES: Final = {"fairness": "fairness_sizes"}
"""Measure of a table written by 0.1 to today's name."""


@dataclass(frozen=True)
class Row:
    """One episode: a policy on one seed of a stream."""

    policy: str
    stream: str
    seed: int
    values: Mapping[str, float]
    """Measure by name."""


@dataclass(frozen=True)
class BenchmarkTable:
    """Policies x streams x seeds."""

    rows: tuple[Row, ...]
    """One a policy, stream and seed."""
    baseline: str
    """Policy that differences are taken against."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Scenario, origin of the streams, versions."""
    level: float = 0.95
    """Coverage of the intervals."""

    @property
    def policies(self) -> tuple[str, ...]:
        """Policies in the order in which they were run."""
        return tuple(dict.fromkeys(row.policy for row in self.rows))

    @property
    def streams(self) -> tuple[str, ...]:
        """Streams in the order in which they were run."""
        return tuple(dict.fromkeys(row.stream for row in self.rows))

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds in the order in which they were run."""
        return tuple(dict.fromkeys(row.seed for row in self.rows))

    @property
    def scale(self) -> float | None:
        """Factor on the cores of every site; None: a table of 0.1, which does not say."""
        found: float | None = self.provenance.get("scale")
        return found

    def marks(self, stream: str | None = None) -> Mapping[str, str]:
        """Return what each policy was fitted on, by policy; the only stream if none is named.

        The words stand in `panda_gym.benchmarking.training_data`; tables of 0.1 have none.
        """
        found: Mapping[str, str] = self.provenance.get("fitted_on", {}).get(
            self._stream(stream), {}
        )
        return found

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the measures, in the order of MEASURES; tables of 0.1 lack some."""
        known = self.rows[0].values if self.rows else {}
        return tuple(measure.name for measure in MEASURES if measure.name in known)

    def values(self, policy: str, metric: str, stream: str | None = None) -> np.ndarray:
        """Return a measure by seed, float64[seeds]; the only stream if none is named."""
        stream = self._stream(stream)
        self._check("policy", policy, self.policies)
        self._check("metric", metric, self.metrics)
        found = {
            row.seed: row.values[metric]
            for row in self.rows
            if row.policy == policy and row.stream == stream
        }
        return np.array([found[seed] for seed in self.seeds])

    def episodes(self, policy: str, stream: str | None = None) -> list[Mapping[str, float]]:
        """Return all values of each episode: measures, classes of jobs, counts of replies."""
        stream = self._stream(stream)
        self._check("policy", policy, self.policies)
        return [r.values for r in self.rows if r.policy == policy and r.stream == stream]

    def outcomes(self, metric: str) -> dict[str, pd.DataFrame]:
        """Return a measure on both streams, {"real", "synthetic"}: a row a policy, a column a seed.

        The benchmark must be of two streams, real jobs first. Ready for `metrics.certify`: lower is
        better, so that a measure of which more is better has its sign changed.
        """
        import pandas as pd

        self._check("metric", metric, self.metrics)
        sign = {"low": 1.0, "high": -1.0}.get(MEASURE[metric].better)
        if sign is None:
            do = f"choose of {', '.join(m.name for m in MEASURES if m.better != 'neither')}"
            raise PolicyError("a measure that ranks policies", repr(metric), do)
        if len(self.streams) != 2:
            came = ", ".join(self.streams)
            do = "benchmark the policies on these two in this order"
            raise PolicyError("two streams, real jobs and synthetic ones", came, do)
        return {
            word: pd.DataFrame(
                {p: sign * self.values(p, metric, stream) for p in self.policies}, self.seeds
            ).T
            for word, stream in zip(("real", "synthetic"), self.streams, strict=True)
        }

    def interval(self, policy: str, metric: str, stream: str | None = None) -> Interval:
        """Return the interquartile mean over seeds with its bootstrap interval."""
        return bootstrap([self.values(policy, metric, stream)], level=self.level)

    def difference(
        self, policy: str, metric: str, *, against: str | None = None, stream: str | None = None
    ) -> Interval:
        """Return the IQM of policy - `against` (the baseline) over paired seeds.

        stream: one stream; without it all streams together, seeds drawn within each.
        """
        return bootstrap(self._differences(policy, metric, against, stream), level=self.level)

    def detectable(
        self, policy: str, metric: str, *, against: str | None = None, stream: str | None = None
    ) -> float:
        """Return the smallest difference that these seeds could have shown, with power 0.8.

        An interval of `difference` that includes 0 excludes no difference smaller than this; see
        `panda_gym.benchmarking.intervals.detectable`. Arguments as in `difference`.
        """
        return detectable(self._differences(policy, metric, against, stream), level=self.level)

    def log_ratio(
        self, policy: str, metric: str, *, against: str | None = None, stream: str | None = None
    ) -> Interval:
        """Return the mean of ln(policy / `against`) over paired seeds, for a positive measure.

        exp of it is the ratio of the geometric means; against, stream: as in `difference`.
        """
        pairs = self._log_ratios(policy, metric, against, stream)
        return bootstrap(pairs, level=self.level, statistic=mean)

    def detectable_ratio(
        self, policy: str, metric: str, *, against: str | None = None, stream: str | None = None
    ) -> float:
        """Return the smallest ratio above 1 that these seeds could have shown, with power 0.8.

        As `detectable`, for the ratio of `log_ratio`; its inverse is the ratio below 1.
        """
        pairs = self._log_ratios(policy, metric, against, stream)
        return float(np.exp(detectable(pairs, level=self.level, statistic=mean)))

    def separated(self, a: str, b: str, metric: str, stream: str | None = None) -> bool:
        """Whether the intervals of two policies do not overlap; on every stream if none named."""
        streams = self.streams if stream is None else (stream,)
        return all(self.interval(a, metric, s).apart(self.interval(b, metric, s)) for s in streams)

    def to_markdown(self, metrics: Sequence[str] = HEADLINE) -> str:
        """Return Markdown: for each stream IQMs with intervals, then paired differences."""
        return render.markdown(self.text_tables(metrics))

    def to_html(self, metrics: Sequence[str] = HEADLINE) -> str:
        """Return the same as an HTML fragment; every name in it is escaped."""
        return render.html(self.text_tables(metrics))

    def to_csv(self, path: str | Path) -> None:
        """Write one line a stream, policy and measure: IQM, interval, paired difference."""
        with whole_file(path) as aside:
            aside.write_text(render.csv(CSV_COLUMNS, self._lines()))

    def to_json(self, path: str | Path) -> None:
        """Write the rows, so that every statistic can be computed again by `from_json`."""
        document = {
            "baseline": self.baseline,
            "level": self.level,
            "provenance": dict(self.provenance),
            "rows": [{**vars(row), "values": dict(row.values)} for row in self.rows],
        }
        with whole_file(path) as aside:
            aside.write_text(json.dumps(document, indent=1) + "\n")

    @classmethod
    def from_json(cls, path: str | Path) -> BenchmarkTable:
        """Read what `to_json` wrote; PolicyError if it is no such file."""
        try:
            document = json.loads(Path(path).read_text())
            rows = tuple(_row(row) for row in document["rows"])
            return cls(rows, document["baseline"], document["provenance"], document["level"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PolicyError(
                "a benchmark written by to_json", f"{path}: {error}", "run the benchmark again"
            ) from error

    def text_tables(self, metrics: Sequence[str]) -> list[render.TextTable]:
        """For each stream the values and, of more than one policy, the differences in pairs."""
        metrics = [name for name in metrics if name in self.metrics or name not in MEASURE]
        for metric in metrics:
            self._check("metric", metric, self.metrics)
        headings = [render.heading(MEASURE[metric]) for metric in metrics]
        others = [policy for policy in self.policies if policy != self.baseline]
        found = []
        for stream in self.streams:
            values = [
                [
                    policy,
                    self.marks(stream).get(policy, "–"),
                    *(render.span(self.interval(policy, metric, stream)) for metric in metrics),
                ]
                for policy in self.policies
            ]
            head = ["policy", "fitted on", *headings]
            found.append(render.TextTable(self._caption(stream), head, values))
            apart = [
                [policy, *(self._starred(policy, metric, stream) for metric in metrics)]
                for policy in others
            ]
            if others:
                title = f"{stream}: difference to {self.baseline} on the same seeds"
                found.append(render.TextTable(f"{title} ({LEGEND})", ["policy", *headings], apart))
            played = {policy: self.episodes(policy, stream) for policy in self.policies}
            replies = reply_table(stream, played)
            found += [] if replies is None else [replies]
        return found

    def _caption(self, stream: str) -> str:
        """What the numbers of one stream are."""
        origin = self.provenance.get("streams", {}).get(stream, "")
        at = "" if self.scale is None else f" at scale {self.scale:g}"
        return (
            f"{stream}{at}{f' ({origin})' if origin else ''}: interquartile mean over "
            f"{len(self.seeds)} paired seeds [{self.level:.0%} bootstrap interval]"
        )

    def _starred(self, policy: str, metric: str, stream: str) -> str:
        """Return a paired difference with a star, or with the smallest detectable difference."""
        apart = self.difference(policy, metric, stream=stream)
        if apart.excludes(0.0):
            return f"{render.span(apart)} *"
        least = self.detectable(policy, metric, stream=stream)
        return f"{render.span(apart)} (±{render.number(least)})"

    def _lines(self) -> Iterator[tuple[object, ...]]:
        """One a stream, policy and measure, in the order of CSV_COLUMNS."""
        for stream in self.streams:
            for policy in self.policies:
                for measure in (MEASURE[name] for name in self.metrics):
                    at = self.interval(policy, measure.name, stream)
                    off = self.difference(policy, measure.name, stream=stream)
                    fitted = self.marks(stream).get(policy, "")
                    scale = "" if self.scale is None else f"{self.scale:g}"
                    about = (stream, scale, policy, fitted)
                    what = (measure.name, measure.unit, measure.better)
                    numbers = (at.value, at.low, at.high, at.n)
                    ends = (off.value, off.low, off.high)
                    least = self.detectable(policy, measure.name, stream=stream)
                    yield (*about, *what, *numbers, self.baseline, *ends, least)

    def _differences(
        self, policy: str, metric: str, against: str | None, stream: str | None
    ) -> list[np.ndarray]:
        """Return the paired differences to `against` (the baseline), one array a stream."""
        other = self.baseline if against is None else against
        streams = self.streams if stream is None else (stream,)
        return [self.values(policy, metric, s) - self.values(other, metric, s) for s in streams]

    def _log_ratios(
        self, policy: str, metric: str, against: str | None, stream: str | None
    ) -> list[np.ndarray]:
        """Return the logarithms of the paired ratios, one array a stream."""
        other = self.baseline if against is None else against
        streams = self.streams if stream is None else (stream,)
        return [
            np.log(self.values(policy, metric, s) / self.values(other, metric, s)) for s in streams
        ]

    def _stream(self, stream: str | None) -> str:
        if stream is None and len(self.streams) == 1:
            return self.streams[0]
        if stream is None:
            raise PolicyError(
                "a stream's name", "none, of several", f"name one of {', '.join(self.streams)}"
            )
        self._check("stream", stream, self.streams)
        return stream

    @staticmethod
    def _check(what: str, name: str, known: Sequence[str]) -> None:
        if name not in known:
            raise PolicyError(f"a {what} of this benchmark", repr(name), nearest(name, known))


def _row(document: dict[str, Any]) -> Row:
    """Return a row of a file; tables of 0.1 called the fairness between job sizes `fairness`."""
    values = {OLD_MEASURES.get(name, name): value for name, value in document["values"].items()}
    return Row(**{**document, "values": values})
