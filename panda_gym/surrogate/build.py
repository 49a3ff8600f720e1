"""Build a surrogate from job records: split, fit a generator, certify its rows, seal the folder.

`fit` writes a folder of the fitted generator (see `panda_gym.surrogate.fit_record`), `certify` the
sealed folder (see `panda_gym.surrogate`). A folder appears whole or not at all, so that an
interrupted run continues with the step that it did not finish.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from panda_gym.deprecated import old_keywords
from panda_gym.errors import SurrogateError, check_seed
from panda_gym.files import check_room, whole_folder
from panda_gym.surrogate import SEAL, Surrogate, digest
from panda_gym.surrogate.fit_record import FIT_FILE, FitRecord, peak_mb
from panda_gym.surrogate.workload_model import OF_TASKS, WorkloadModel

if TYPE_CHECKING:
    import pandas as pd


Progress = Callable[[int, int, str], None]


class PolicyBenchmark(Protocol):
    """A benchmark of policies on a stream of real and a stream of synthetic jobs."""

    def outcomes(self, measure: str, /) -> dict[str, pd.DataFrame]:
        """Return for each stream a table of `measure`, a row a seed and a column a policy."""
        ...


def split(
    records: pd.DataFrame, seed: int, group: str | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split records 80/20 into training and holdout rows, by rows or by whole groups."""
    from panda_gym.records import split_by_groups, split_by_rows

    if group is not None:
        return split_by_groups(records, group, seed=seed)
    return split_by_rows(records, seed=seed)


def fit(
    records: pd.DataFrame,
    folder: str | Path,
    *,
    generator: str = "tabddpm",
    config: dict[str, Any] | None = None,
    seed: int = 0,
    split_seed: int = 0,
    progress: Progress | None = None,
) -> FitRecord:
    """Fit a registered generator to the training part of `records`; write it into `folder`.

    The record of the fit is returned and stands in the folder as `fit.json`.
    """
    import generators

    model = generators.create(generator, **(config or {}))
    train, _ = split(records, check_seed(split_seed), (config or {}).get("group"))
    cpu, wall, base = time.process_time(), time.perf_counter(), peak_mb()
    folder = Path(folder)
    check_room(folder, FIT_FILE)  # before the long work, not after it
    # Beside the folder, so that a fit that was killed goes on from its last checkpoint.
    checkpoint = folder.with_name(f"{folder.name}.checkpoint")
    model.fit(train, seed=check_seed(seed), progress=progress, checkpoint=checkpoint)
    done = FitRecord(
        generator=generator,
        config=config or {},
        origin=str(records.attrs.get("origin", "records of unknown origin")),
        rows=len(train),
        split_seed=split_seed,
        seed=seed,
        cpu_s=round(time.process_time() - cpu, 1),
        wall_s=round(time.perf_counter() - wall, 1),
        rss_mb=round(peak_mb()),
        base_rss_mb=round(base),
    )
    with whole_folder(folder, FIT_FILE) as aside:
        model.save(aside / "generator")
        done.write(aside)
    shutil.rmtree(checkpoint, ignore_errors=True)
    return done


@old_keywords(draft="fitted", head_rows="first_week_rows")
def certify(
    fitted: str | Path,
    records: pd.DataFrame,
    folder: str | Path,
    *,
    name: str,
    rows: int | None = None,
    first_week_rows: int = 20_000,
    seed: int = 0,
    quick: bool = False,
    policy: str | Path = "default",
    key: str | Path | None = None,
    benchmark: PolicyBenchmark | None = None,
    measure: str = "geometric_slowdown",
    work: str | Path | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Surrogate:
    """Sample from a fitted generator, certify the sample, and seal all of it into `folder`.

    Args:
        fitted: folder that `fit` wrote.
        records: the same table that `fit` saw; the split is drawn again from its seed.
        folder: where the sealed surrogate is written.
        name: name of the surrogate.
        rows: synthetic rows to certify; None takes as many as the training part has.
        first_week_rows: rows of the first week of the stream, sealed ready-made; the most rows
            that are sealed of it where the generator sets their number itself.
        quick: subsample for the expensive parts, and say so in the certificate.
        policy: name or file of the demands, see `metrics.certificate.policy`.
        key: private ed25519 key in PEM that signs the certificate (extra `sign`).
        benchmark: policies on a stream of real and one of synthetic jobs, in this order: the
            certificate then says whether both rank them alike.
        measure: the benchmark's measure that ranks them.
        work: a folder that keeps what is measured, so that a run that was killed goes on.
        threads: threads of the regressor; they change no number.

        seed: of the certificate, the synthetic rows and the workload model.
        progress: called as progress(done, total, message).

    The surrogate is sealed whatever the verdict; one that failed opens only when asked to.

    Raises:
        SurrogateError: `fitted` holds no fitted generator, or one of other records.
        InputError: `folder` holds something else, or the policy or key cannot be used.
    """
    import generators
    import metrics

    record = FitRecord.read(Path(fitted))
    check_room(folder, SEAL)
    _check_rules(policy, key)
    model = generators.load(Path(fitted) / "generator")
    group = record.config.get("group")
    train, holdout = split(records, record.split_seed, group)
    if len(train) != record.rows:
        raise SurrogateError(
            f"the records that the generator was fitted to ({record.rows} training rows)",
            f"records with {len(train)} training rows",
            "pass the same records file to `panda-grid certify`",
        )
    # Attributes tell the certificate where the rows come from; pandas may drop them in a split.
    train.attrs["origin"] = record.origin
    drawn: dict[str, Any] = {"split_seed": record.split_seed, "rows": rows or len(train)}
    drawn |= {"sample_seed": seed + 1}
    outcomes = None
    if benchmark is not None:
        outcomes, drawn["ranked_by"] = benchmark.outcomes(measure), measure
    synthetic = model.sample(drawn["rows"], seed=drawn["sample_seed"])
    certificate = metrics.certify(
        train,
        holdout,
        synthetic,
        target="workload",
        time="creationtime",
        group=group,
        seed=seed,
        quick=quick,
        policy=policy,
        loss=model.losses if model.has_losses else None,
        outcomes=outcomes,
        weights_sha256=digest(Path(fitted) / "generator"),
        drawn=drawn,
        work=work,
        threads=threads,
        progress=progress,
    )
    if key is not None:
        certificate = certificate.signed(key)
    settings = None if group is None else OF_TASKS
    workload_model = WorkloadModel.fit(synthetic, seed=seed, config=settings)
    return Surrogate.create(
        folder,
        name=name,
        generator=model,
        generator_name=record.generator,
        workload_model=workload_model,
        certificate=certificate,
        origin=record.origin,
        first_week_rows=first_week_rows,
        start=records["creationtime"].max().to_datetime64(),
    )


def _check_rules(policy: str | Path, key: str | Path | None) -> None:
    """Refuse a policy or a key that cannot be used before the long work begins."""
    from metrics.certificate.policy import load
    from metrics.certificate.signature import sign

    load(policy)
    if key is not None:
        sign(b"", key)
