"""`panda-grid verify`: check hashes, signature, data and numbers of a certificate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from panda_gym.cli.console import Json, Quantity, progress_bar, show
from panda_gym.errors import SurrogateError

if TYPE_CHECKING:
    from metrics import Certificate
    from panda_gym.surrogate import Surrogate

SHOWN = 12
"""Digits of a hash that are printed."""


def verify(
    target: Annotated[
        str, typer.Argument(help="Sealed folder, shipped name, or certificate file.")
    ] = "default",
    surrogate: Annotated[
        str | None, typer.Option(help="The sealed folder that a certificate file is about.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="The records: split, drawn and hashed again.")
    ] = None,
    rerun: Annotated[
        str | None,
        typer.Option(help="Measure a part (or one metric) again and compare; needs --data."),
    ] = None,
    benchmark: Annotated[
        Path | None,
        typer.Option(help="The benchmark.json whose rankings it judges, to measure them again."),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of the regressor; no number changes.")
    ] = None,
    signer: Annotated[
        Path | None, typer.Option(help="Public ed25519 key in PEM that must have signed it.")
    ] = None,
    redraw: Annotated[
        bool, typer.Option("--redraw", help="Draw the sealed head again and compare it.")
    ] = False,
    json: Json = False,
) -> None:
    """Re-hash everything; exit code 2 if a file was altered, 1 if the certificate failed.

    Exit code 1 as well if a part that was measured again gave other numbers.
    """
    card, opened = _read(target, surrogate)
    result: dict[str, Any] = {} if opened is None else _folder(opened)
    result |= _certificate(card)
    if signer is not None:
        result["signature"] = _signed_by(card, signer)
    if redraw:
        result["rows drawn again exactly"] = Quantity(100.0 * _needed(opened).redraw(), "%")
    same = True
    if data is not None:
        same = _against(card, _needed(opened), data, rerun, benchmark, threads, result)
    elif rerun is not None:
        raise SurrogateError("the records to measure on", "--rerun alone", "add --data RECORDS")
    show(result, json)
    raise typer.Exit(0 if card.passed and same else 1)


def _read(target: str, surrogate: str | None) -> tuple[Certificate, Surrogate | None]:
    """Return the certificate, and the folder that it is about where one is named."""
    from metrics import Certificate
    from panda_gym.surrogate import Surrogate

    if not Path(target).is_file():
        opened = Surrogate.open(target, allow_uncertified=True)
        return opened.certificate, opened
    card = Certificate.from_json(target)
    if surrogate is None:
        return card, None
    opened = Surrogate.open(surrogate, allow_uncertified=True)
    if opened.certificate.document["sha256"]["weights"] != card.document["sha256"]["weights"]:
        do = "name the folder that it came with"
        raise SurrogateError(f"the folder that {target} is about", "one of other weights", do)
    return card, opened


def _needed(opened: Surrogate | None) -> Surrogate:
    if opened is None:
        do = "add --surrogate FOLDER"
        raise SurrogateError("the folder that the certificate is about", "none", do)
    return opened


def _folder(opened: Surrogate) -> dict[str, Any]:
    files = len(opened.seal.files)
    return {"name": opened.name, "origin": opened.origin, "files": files, "seal": "intact"}


def _certificate(card: Certificate) -> dict[str, Any]:
    from metrics.certificate.rerun import changed

    rules, signature = card.document["policy"], card.signature
    word = "none" if signature is None else f"right, by key {signature['public_key'][:SHOWN]}…"
    return {
        "certificate": card.verdict,
        "grades": card.grades,
        "policy": f"{rules['name']} {rules['version']}",
        "signature": word,
        "changed since": list(changed(card)),
        "sha256": card.seal,
    }


def _signed_by(card: Certificate, signer: Path) -> str:
    from metrics.certificate.signature import public_key

    wanted = public_key(signer)
    found = None if card.signature is None else card.signature["public_key"]
    if found != wanted:
        came = "no signature" if found is None else f"one by key {found[:SHOWN]}…"
        do = "ask the one who vouches for it for a signed copy"
        raise SurrogateError(f"a certificate signed by {wanted[:SHOWN]}…", came, do)
    return f"right, by {signer}"


def _against(
    card: Certificate,
    opened: Surrogate,
    data: Path,
    part: str | None,
    benchmark: Path | None,
    threads: int | None,
    result: dict[str, Any],
) -> bool:
    """Check the records, and a part if one is named; return whether its numbers came again."""
    from metrics import table_sha256
    from metrics.certificate.rerun import check_tables, rerun
    from panda_gym.records import load_records
    from panda_gym.surrogate.evidence import tables

    model = opened.generator
    group = card.document["columns"]["group"]
    records = load_records(data, keep=[] if group is None else [group])
    train, holdout, synthetic = tables(card, records, model)
    words = {"train": train, "holdout": holdout, "synthetic": synthetic}
    check_tables(card, {word: table_sha256(table, group) for word, table in words.items()})
    result["data"] = "train, holdout and synthetic rows are those of the certificate"
    if part is None:
        return True
    with progress_bar(f"measure {part}") as progress:
        loss = model.losses if model.has_losses else None
        how: dict[str, Any] = {"loss": loss, "threads": threads, "progress": progress}
        how["outcomes"] = _outcomes(card, benchmark)
        again = rerun(card, train, holdout, synthetic, part, **how)
    result["measured again"] = f"{part}: {len(again.found)} scores"
    result["differing"] = _differing(again) or "none"
    return again.same


def _outcomes(card: Certificate, benchmark: Path | None) -> Any:
    """Return the outcomes of policies by the certificate's own measure, or None without a file."""
    from panda_gym.benchmarking import BenchmarkTable

    if benchmark is None:
        return None
    measure = (card.document["provenance"]["drawn"] or {}).get("ranked_by")
    if measure is None:
        do = "leave out --benchmark"
        raise SurrogateError("a certificate that judges rankings of policies", "none in it", do)
    return BenchmarkTable.from_json(benchmark).outcomes(measure)


def _differing(again: Any) -> str:
    return ", ".join(
        f"{id} {again.certified.get(id, 'none')} was, {again.found.get(id, 'none')} is"
        for id in again.differing
    )
