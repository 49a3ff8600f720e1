"""Describe a comparison: the settings that decide its numbers, and the files of its folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from panda_gym.errors import InputError
from panda_gym.experiments.generator_comparison.source import Source
from panda_gym.files import whole_file, whole_folder
from panda_gym.surrogate.fit_record import FIT_FILE, FitRecord


@dataclass(frozen=True)
class ComparisonPlan:
    """All that decides the numbers of a run; `plan.json`."""

    origin: str
    """One sentence on the real rows."""
    target: str
    """What a model learns to predict."""
    time: str | None
    """The column that orders rows in time."""
    train_rows: int
    """Rows that the generators are fitted to."""
    holdout_rows: int
    """Rows that none of them sees."""
    seed: int
    """Seed of the split, the fits, the draws and the evaluation."""
    quick: bool
    """Whether the evaluation subsamples."""
    policy: str
    """Certificate policy."""
    synthetic_rows: int | None
    """Rows to draw; None for as many as there are training rows."""
    config: Mapping[str, Any]
    """Settings, as `field` for every generator that has it or `generator.field` for one."""
    data_sha256: str = ""
    """Hash of the training and held-out rows as they lie in the folder."""

    def agrees(self, name: str, behind: FitRecord) -> None:
        """Refuse a fitted generator that is another one or has seen other rows than this run's."""
        wanted = (name, self.origin, self.train_rows, self.seed)
        came = (behind.generator, behind.origin, behind.rows, behind.split_seed)
        if wanted != came or behind.config.get("group") is not None:
            raise InputError(
                "a {} of this run's rows ({} {} to learn, split seed {})".format(*wanted),
                "a {} of others ({} {} to learn, split seed {})".format(*came),
                "fit it to the same records with the same seed, or leave it out",
            )

    def config_of(self, name: str) -> dict[str, Any]:
        """Return the settings of one generator."""
        import generators

        known = set(generators.create(name).config.__dataclass_fields__)
        shared = {k: v for k, v in self.config.items() if "." not in k and k in known}
        start = f"{name}."
        own = {k[len(start) :]: v for k, v in self.config.items() if k.startswith(start)}
        return {**shared, **own}


@dataclass(frozen=True)
class GeneratorFolder:
    """The parts of one generator in a run's folder."""

    root: Path
    """ComparisonFolder of the generator."""

    @property
    def model(self) -> Path:
        """The fitted generator."""
        return self.root / "generator"

    @property
    def external(self) -> Path:
        """Fit record of a generator that was fitted elsewhere; absent if it was fitted here."""
        return self.root / FIT_FILE

    @property
    def checkpoint(self) -> Path:
        """Checkpoint of a running fit."""
        return self.root / "checkpoint"

    @property
    def rows(self) -> Path:
        """The synthetic rows."""
        return self.root / "synthetic.parquet"

    @property
    def cost(self) -> Path:
        """Cost of fit and draw; written last, so that its presence means "fitted and sampled"."""
        return self.root / "cost.json"

    @property
    def certificate(self) -> Path:
        """The certificate."""
        return self.root / "certificate.json"

    @property
    def scores(self) -> Path:
        """The table's scores; written last, so that its presence means "evaluated"."""
        return self.root / "scores.json"


@dataclass(frozen=True)
class ComparisonFolder:
    """The folder of a run."""

    root: Path
    """Its path."""

    @property
    def train(self) -> Path:
        """The training rows."""
        return self.root / "train.parquet"

    @property
    def holdout(self) -> Path:
        """The held-out rows."""
        return self.root / "holdout.parquet"

    @property
    def measured(self) -> Path:
        """Cache of measurements, shared by all generators."""
        return self.root / "evaluated"

    def of(self, name: str) -> GeneratorFolder:
        """Return the parts of one generator."""
        return GeneratorFolder(self.root / name)

    def add_external(self, name: str, fitted: Path) -> None:
        """Copy a generator that was fitted elsewhere into the run; refuse a second one."""
        own = self.of(name)
        if not own.external.is_file():
            with whole_folder(own.root) as aside:
                shutil.copytree(fitted / "generator", aside / own.model.name)
                shutil.copy(fitted / FIT_FILE, aside / FIT_FILE)
        elif FitRecord.read(own.root) != FitRecord.read(fitted):
            needed, came = f"the {name} that was added here before", f"another one, {fitted}"
            raise InputError(needed, came, "name another folder with --out")

    def plan(self) -> ComparisonPlan:
        """Return the plan of the run."""
        try:
            return ComparisonPlan(**json.loads((self.root / "plan.json").read_text()))
        except (OSError, ValueError, TypeError) as fault:
            needed = f"the folder of a run at {self.root}"
            raise InputError(needed, f"{fault}", "name the folder of an earlier run") from fault

    def begin(self, plan: ComparisonPlan, source: Source) -> ComparisonPlan:
        """Write the split and the plan, or check that those of an earlier run are the same."""
        from panda_gym.records import split_by_rows

        train, holdout = split_by_rows(source.table, seed=plan.seed)
        for path, part in ((self.train, train), (self.holdout, holdout)):
            if not (self.root / "plan.json").is_file():
                with whole_file(path) as aside:
                    part.to_parquet(aside)
        return self._agreed(
            ComparisonPlan(**{**asdict(plan), "data_sha256": _content(train, holdout)})
        )

    def _agreed(self, plan: ComparisonPlan) -> ComparisonPlan:
        """Return the plan with the settings of all calls; refuse one that differs in the rest."""
        path = self.root / "plan.json"
        if path.is_file():
            before = self.plan()
            plan = replace(plan, config={**before.config, **plan.config})
            known, now = asdict(before), asdict(plan)
            differ = [k for k in now if k != "config" and known.get(k) != now[k]]
            differ += self._fitted_otherwise(plan)
            if differ:
                raise InputError(
                    f"the plan of the run that lies at {self.root}",
                    "another " + ", ".join(sorted(differ)),
                    "name another folder with --out, or delete that one",
                )
        with whole_file(path) as aside:
            aside.write_text(json.dumps(asdict(plan), indent=1) + "\n")
        return plan

    def _fitted_otherwise(self, plan: ComparisonPlan) -> list[str]:
        """Return whose settings differ from those that it was fitted with."""
        import generators
        from panda_gym.experiments.generator_comparison.entry import read_cost

        done = [name for name in generators.names() if self.of(name).cost.is_file()]
        return [
            f"setting of {name}"
            for name in done
            if dict(read_cost(self.of(name).cost).config) != plan.config_of(name)
        ]


def _content(*tables: Any) -> str:
    """Return a hash of the content of tables."""
    import hashlib

    from pandas.util import hash_pandas_object

    digest = hashlib.sha256()
    for table in tables:
        digest.update(hash_pandas_object(table, index=False).to_numpy().tobytes())
    return digest.hexdigest()
