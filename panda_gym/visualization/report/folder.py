"""Name the files of a run in its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run of the whole river. Parts that were not made are simply absent."""

    root: Path
    """The folder."""

    @property
    def settings(self) -> Path:
        """What the run was started with, JSON."""
        return self.root / "demo.json"

    @property
    def export(self) -> Path:
        """The reference workload as a raw export, Parquet; absent where the user brought one."""
        return self.root / "export.parquet"

    @property
    def records(self) -> Path:
        """The nine columns, Parquet."""
        return self.root / "records.parquet"

    @property
    def funnel(self) -> Path:
        """Rows left after each filter, JSON."""
        return self.root / "funnel.json"

    def fitted(self, generator: str) -> Path:
        """Folder of a fitted generator."""
        return self.root / "drafts" / generator

    def surrogate(self, generator: str) -> Path:
        """Sealed folder of a generator."""
        return self.root / "surrogates" / generator

    def surrogates(self) -> list[Path]:
        """Sealed folders that exist, by name."""
        return sorted(p.parent for p in self.root.glob("surrogates/*/seal.json"))

    @property
    def training(self) -> Path:
        """Folder of the training run."""
        return self.root / "training"

    @property
    def agent(self) -> Path:
        """Folder of the trained agent."""
        return self.training / "agent"

    @property
    def curve(self) -> Path:
        """Learning curve, CSV."""
        return self.training / "curve.csv"

    @property
    def benchmark(self) -> Path:
        """Folder of the benchmark: benchmark.json, .csv, .md."""
        return self.root / "benchmark"

    def table(self, name: str) -> Path:
        """A table that a script wrote: calibration, link_levels."""
        return self.root / name / "table.csv"

    @property
    def report(self) -> Path:
        """The page."""
        return self.root / "report.html"
