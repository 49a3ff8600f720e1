"""Write the streams of the benchmark that no surrogate ships: reference days, rows without order.

    python scripts/benchmark_streams.py --out runs/streams
    panda-grid benchmark --stream default --stream runs/streams/reference.parquet ...

reference.parquet     a draw of the reference workload (a stand-in, not PanDA data) under a seed
                      that nothing was fitted on; jobs of one task read one dataset
independent.parquet   the same rows in an order of chance behind the same creation times: what a
                      generator gives that knows rows perfectly and nothing between them
NAME.parquet          rows of a generator fitted to another draw (--generator smote), in its order

Predicted workloads are those of the default surrogate's model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

import generators
from panda_gym.jobs import JobStream
from panda_gym.records import reference_records
from panda_gym.surrogate import Surrogate

FITTED_SEED = 0
"""Seed of the reference draw that generators are fitted to."""


def shuffled(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The rows in an order of chance; times and nothing else stay where they are."""
    order = np.random.default_rng([seed, 1]).permutation(len(table))
    mixed = table.drop(columns="jeditaskid").iloc[order].reset_index(drop=True)
    mixed["creationtime"] = table["creationtime"].to_numpy()
    mixed.attrs["origin"] = f"{table.attrs['origin']} Rows in an order of chance."
    return mixed


def sampled(name: str, rows: int) -> pd.DataFrame:
    """Rows of a generator with its defaults, fitted to another draw of the reference workload."""
    train = reference_records(rows, FITTED_SEED)
    drawn = generators.create(name).fit(train, seed=0).sample(rows, seed=1)
    drawn.attrs["origin"] = f"{train.attrs['origin']} Rows of generator {name!r} fitted to it."
    return drawn


def main(
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("runs/streams"),
    rows: Annotated[int, typer.Option(help="Rows of each stream.")] = 200_000,
    seed: Annotated[int, typer.Option(help="Seed of the held-out reference draw.")] = 1,
    generator: Annotated[list[str] | None, typer.Option(help="Also this one; repeat it.")] = None,
) -> None:
    """Write the streams as Parquet."""
    if seed == FITTED_SEED:
        raise typer.BadParameter(f"a seed other than {FITTED_SEED}, which generators are fitted to")
    model = Surrogate.open("default").workload_model
    held_out = reference_records(rows, seed, keep=["corecount", "jeditaskid"])
    tables = {"reference": held_out, "independent": shuffled(held_out, seed)}
    tables |= {name: sampled(name, rows) for name in generator or []}
    for name, table in tables.items():
        JobStream.from_records(table, workload_model=model, name=name).save(out / f"{name}.parquet")
        print(f"{out / name}.parquet: {len(table)} jobs")


if __name__ == "__main__":
    typer.run(main)
