"""A surrogate of job records: a sealed folder that opens only if it is unaltered and certified.

The folder holds:

    generator/            weights and encoding (safetensors and JSON), see `generators`
    workload_model.cbm    predicts workload from what a broker knows; fitted on synthetic rows
                          alone, so that it reveals nothing that the generator does not
    certificate.json      fidelity and privacy, see `metrics`
    first_week.parquet    the first week of stream 0 or its beginning, drawn before sealing: the
                          same on every machine, readable without torch (head.parquet in 0.1)
    seal.json             SHA-256 of each of these
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from panda_gym.deprecated import old_keywords, warn
from panda_gym.errors import SurrogateError, check_seed, nearest
from panda_gym.files import whole_folder
from panda_gym.surrogate.seal import SEAL, Seal, digest, seal_folder, verify_seal
from panda_gym.surrogate.weeks import IndependentWeeks, StreamWeeks
from panda_gym.surrogate.workload_model import WorkloadModel

if TYPE_CHECKING:
    import pandas as pd

    from metrics import Certificate

SHIPPED: Final = Path(__file__).parent / "shipped"
FIRST_WEEK_SEED: Final = 0
"""Seed of the stream whose first week is sealed."""
FIRST_WEEK_FILES: Final = ("first_week.parquet", "head.parquet")
"""File of the sealed first week: its name, and its name in release 0.1, which is still read."""


def surrogate_names() -> tuple[str, ...]:
    """Return the names of the surrogates that ship inside the package."""
    if not SHIPPED.is_dir():
        return ()
    return tuple(sorted(p.name for p in SHIPPED.iterdir() if (p / "seal.json").is_file()))


def find(path_or_name: str | Path) -> Path:
    """Return the folder of a shipped name or a path; SurrogateError names the nearest one."""
    if str(path_or_name) in surrogate_names():
        return SHIPPED / str(path_or_name)
    if Path(path_or_name).is_dir():
        return Path(path_or_name)
    raise SurrogateError(
        "a sealed folder or the name of a shipped surrogate",
        repr(str(path_or_name)),
        nearest(str(path_or_name), surrogate_names()),
    )


class Surrogate:
    """A sealed folder, opened. Generator and workload model load when first needed."""

    def __init__(self, folder: Path, seal: Seal, certificate: Certificate) -> None:
        self.folder, self.seal, self.certificate = folder, seal, certificate

    @classmethod
    def open(cls, path_or_name: str | Path, *, allow_uncertified: bool = False) -> Surrogate:
        """Open a sealed surrogate after checking every hash and its certificate.

        Args:
            path_or_name: a sealed folder, or a name from `surrogate_names()`.
            allow_uncertified: open it although its certificate says "failed".

        Raises:
            SurrogateError: not found, altered, or failing and not allowed.
        """
        from metrics import Certificate

        folder = find(path_or_name)
        seal = verify_seal(folder)
        certificate = Certificate.from_json(folder / "certificate.json")
        _same_weights(folder, certificate)
        _same_origin(seal, certificate)
        if not certificate.passed and not allow_uncertified:
            raise SurrogateError(
                f"a surrogate whose certificate passed ({folder.name})",
                f"a certificate with verdict {certificate.verdict!r}",
                "read its report; to use it all the same pass allow_uncertified=True"
                " (--allow-uncertified)",
            )
        return cls(folder, seal, certificate)

    @classmethod
    @old_keywords(head_rows="first_week_rows")
    def create(
        cls,
        folder: str | Path,
        *,
        name: str,
        generator: Any,
        generator_name: str,
        workload_model: WorkloadModel,
        certificate: Certificate,
        origin: str,
        first_week_rows: int = 20_000,
        start: np.datetime64,
    ) -> Surrogate:
        """Write and seal a folder; it replaces an older one only when it is whole.

        Args:
            generator: fitted, with `.sample(n, seed)` and `.save(folder)`.
            origin: one sentence on the records behind it, repeated wherever results stand.
            first_week_rows: rows of the first week of stream 0, stored ready-made. A generator that
                keeps time sets the number of rows itself; then this is the most that are stored.
            start: the stream begins on the first Monday not before this time.
        """
        with whole_folder(folder, SEAL) as aside:
            generator.save(aside / "generator")
            workload_model.save(aside / "workload_model.cbm")
            certificate.to_json(aside / "certificate.json")
            about = {
                "name": name,
                "generator": generator_name,
                "origin": origin,
                "rows_per_week": int(first_week_rows),
                "start": str(start.astype("datetime64[s]")),
            }
            rows = int(first_week_rows)
            weeks = _weeks(generator, workload_model, start, rows, FIRST_WEEK_SEED, False)
            first = weeks.week(0).iloc[:rows]
            first.to_parquet(aside / FIRST_WEEK_FILES[0], compression="zstd")
            seal_folder(aside, about)
        return cls.open(folder, allow_uncertified=True)

    @property
    def name(self) -> str:
        """The name under which it was sealed."""
        return str(self.seal.about["name"])

    @property
    def origin(self) -> str:
        """One sentence on the records that it was fitted to."""
        return str(self.seal.about["origin"])

    @cached_property
    def generator(self) -> Any:
        """The generator, loaded."""
        import generators

        return generators.load(self.folder / "generator")

    @cached_property
    def workload_model(self) -> WorkloadModel:
        """The workload model, loaded."""
        return WorkloadModel.load(self.folder / "workload_model.cbm")

    def sample(self, n: int, seed: int = 0) -> pd.DataFrame:
        """Draw n synthetic records: the nine columns."""
        return self.generator.sample(n, seed=seed)

    @property
    def keeps_time(self) -> bool:
        """Whether its generator draws a stream of its own, with times and batches."""
        return hasattr(self.generator, "stream")

    def stream(
        self, seed: int = 0, rows_per_week: int | None = None, replay: bool = False
    ) -> IndependentWeeks | StreamWeeks:
        """Synthetic records without end, a table a week, with a column `workload_pred` (Gflop).

        A surrogate with a stream of its own goes on where its records end, at its own rate, and
        its rows come in batches; other surrogates' rows are spread over each week.

        Args:
            seed: same seed, same stream.
            rows_per_week: density of the stream; None takes the sealed one.
            replay: repeat the course of the records' own weeks instead of going on after them.

        Raises:
            SurrogateError: a density for a surrogate with a stream of its own, or a replay of
                another.
        """
        start = np.datetime64(self.seal.about["start"], "s")
        if self.keeps_time and rows_per_week is not None:
            came, do = f"rows_per_week={rows_per_week}", "leave it out; an episode's load= sets it"
            raise SurrogateError(f"no density for {self.name!r}, which has its own", came, do)
        if replay and not self.keeps_time:
            came, do = f"{self.name!r}, whose rows are independent", "leave replay out"
            raise SurrogateError("a surrogate with a stream of its own, to replay", came, do)
        rows = rows_per_week or int(self.seal.about["rows_per_week"])
        return _weeks(self.generator, self.workload_model, start, rows, seed, replay)

    def redraw(self) -> float:
        """Draw the sealed first week again and return the share of rows that are exactly equal.

        Less than 1 where another processor or library rounds differently; the sealed week is the
        same on all machines.
        """
        sealed = self.first_week()
        drawn = self.stream(FIRST_WEEK_SEED).week(0).iloc[: len(sealed)]
        same = [
            (sealed[name].astype(object) == drawn[name].astype(object)).to_numpy()
            for name in drawn.columns
            if name != "workload_pred"
        ]
        return float(np.mean(np.logical_and.reduce(same)))

    def first_week(self) -> pd.DataFrame:
        """Return the sealed first week of stream 0, or its sealed beginning, with `workload_pred`.

        Needs no torch and no CatBoost.
        """
        import pandas as pd

        files = [self.folder / name for name in FIRST_WEEK_FILES]
        table = pd.read_parquet(next((file for file in files if file.is_file()), files[0]))
        # Parquet has no unit of whole seconds; it returns milliseconds.
        table["creationtime"] = table["creationtime"].astype("datetime64[s]")
        table.attrs["origin"] = self.origin
        return table

    def head(self) -> pd.DataFrame:
        """Return `first_week()`; the name of release 0.1."""
        warn("Surrogate.head", "Surrogate.first_week")
        return self.first_week()


def _same_weights(folder: Path, certificate: Certificate) -> None:
    """Refuse a certificate that was issued for other weights than the folder holds."""
    certified, found = certificate.document["sha256"].get("weights"), digest(folder / "generator")
    if certified != found:
        raise SurrogateError(
            f"a certificate of the weights in {folder} ({found[:12]}…)",
            f"one of other weights ({str(certified)[:12]}…)",
            "certify this generator with `panda-grid certify`",
        )


def _same_origin(seal: Seal, certificate: Certificate) -> None:
    """Refuse a folder that says other things of its records than its certificate does."""
    certified, said = certificate.document["provenance"]["origin"], seal.about.get("origin")
    if certified != said:
        raise SurrogateError(
            f"records described as certified ({str(certified)[:60]}…)",
            f"another description ({str(said)[:60]}…)",
            "fetch an unaltered copy, or certify with `panda-grid certify`",
        )


def _weeks(
    generator: Any, model: WorkloadModel, start: np.datetime64, rows: int, seed: int, replay: bool
) -> IndependentWeeks | StreamWeeks:
    """Return the weeks of a generator's own stream if it has one, else of independent rows."""
    if not hasattr(generator, "stream"):
        draw = _with_prediction(generator.sample, model)
        return IndependentWeeks(draw, start=start, rows_per_week=rows, seed=seed)
    check_seed(seed)

    def begin() -> Iterator[pd.DataFrame]:
        for table in generator.stream(seed, replay=replay, rows=4_000):
            yield table.assign(workload_pred=model.predict(table))

    # A replay begins with the records' own weeks, a forecast after them.
    return StreamWeeks(begin, start=None if replay else start)


def _with_prediction(sample: Any, model: WorkloadModel) -> Any:
    """Return a draw function whose tables have the workload that a broker would predict."""

    def draw(n: int, seed: int) -> pd.DataFrame:
        table = sample(n, seed=seed)
        return table.assign(workload_pred=model.predict(table))

    return draw
