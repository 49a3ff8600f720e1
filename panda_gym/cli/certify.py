"""`panda-grid certify`: evaluate a fitted generator, issue its certificate and seal it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from panda_gym.cli.console import Json, Seed, progress_bar, show

if TYPE_CHECKING:
    from metrics import Certificate


def certify(
    fitted: Annotated[Path, typer.Argument(help="Folder written by `panda-grid fit`.")],
    records: Annotated[Path, typer.Option(help="The records that it was fitted to.")],
    out: Annotated[Path, typer.Option(help="Sealed folder to write.")] = Path("runs/surrogate"),
    name: Annotated[str | None, typer.Option(help="Name; the folder's if left out.")] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="Synthetic rows to certify.")] = None,
    policy: Annotated[
        str, typer.Option(help="Certificate policy: a shipped name or a TOML file.")
    ] = "default",
    quick: Annotated[bool, typer.Option(help="Subsample the expensive parts.")] = False,
    key: Annotated[
        Path | None, typer.Option(help="Private ed25519 key in PEM that signs the certificate.")
    ] = None,
    benchmark: Annotated[
        Path | None,
        typer.Option(help="A benchmark.json of two streams, real jobs first: are rankings alike?"),
    ] = None,
    measure: Annotated[
        str, typer.Option(help="The benchmark's measure that ranks policies.")
    ] = "geometric_slowdown",
    work: Annotated[
        Path | None, typer.Option(help="Folder that caches measurements; a rerun resumes there.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of the regressor; no number changes.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Folder of the report; OUT.report if left out.")
    ] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Certify fidelity and privacy; seal generator, workload model and certificate; report.

    Exit code 0 if the certificate passed, 1 if it failed (the folder is sealed all the same and
    opens only with --allow-uncertified).
    """
    import metrics
    from panda_gym.benchmarking import BenchmarkTable
    from panda_gym.records import load_records
    from panda_gym.surrogate import build
    from panda_gym.surrogate.fit_record import FitRecord

    ranked = None if benchmark is None else BenchmarkTable.from_json(benchmark)
    group = FitRecord.read(fitted).config.get("group")
    table = load_records(records, keep=[] if group is None else [group])
    with progress_bar("certify") as progress:
        sealed = build.certify(
            fitted,
            table,
            out,
            name=name or out.name,
            rows=rows,
            seed=seed,
            quick=quick,
            policy=policy,
            key=key,
            benchmark=ranked,
            measure=measure,
            work=work,
            threads=threads,
            progress=progress,
        )
    report = out.with_name(f"{out.name}.report") if report is None else report
    page = metrics.write_report(report, {sealed.name: sealed.certificate}, title=sealed.name)
    written = {"written": str(out), "report": str(page)}
    if json:
        show({**_summary(sealed.certificate), **written}, json)
    else:
        print(sealed.certificate.summary())
        show(written, json)
    raise typer.Exit(0 if sealed.certificate.passed else 1)


def _summary(card: Certificate) -> dict[str, Any]:
    """Return verdict, grades, reasons and every score beside that of real rows."""
    scores = {k: {"value": s.value, "reference": s.real_vs_real} for k, s in card.scores.items()}
    return {
        "certificate": card.verdict,
        "grades": card.grades,
        "reasons": card.failures,
        **scores,
    }
