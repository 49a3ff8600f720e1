"""The same policies on the same cores in 50, 150 and 500 sites, agents without retraining.

    python scripts/agent_sizes.py --policy tuned@atlas --policy difference-reward-scorer

50 sites are every third of the platform's by cores; 500 are copies of its sites, of which no
two of one site share a replica: the link between copies is the median of the site's links. Cores
are scaled so that the whole grid has as many as the platform at --scale.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from panda_gym.benchmarking import benchmark
from panda_gym.benchmarking.leaderboard import Section, markdown
from panda_gym.cli.console import progress_bar
from panda_gym.files import whole_file
from panda_gym.sites import Platform, load_platform

MATRICES = ("bandwidth_mbps", "latency_s", "closeness")


def resized(platform: Platform, sites: int) -> Platform:
    """A platform of so many sites with the given one's kinds of sites and links."""
    ranks = np.argsort(-np.asarray(platform.cores), kind="stable")
    whole = len(ranks)
    places = np.arange(sites) % whole if sites > whole else np.arange(sites) * whole // sites
    row, copy = ranks[places], np.arange(sites) // whole
    names = [
        f"{platform.names[s]}{f'#{c + 1}' if c else ''}" for s, c in zip(row, copy, strict=True)
    ]
    parts = {name: _between(getattr(platform, name), row, copy) for name in MATRICES}
    return Platform(
        name=f"{platform.name}x{sites}",
        names=tuple(names),
        region=tuple(platform.region[s] for s in row),
        cores=np.asarray(platform.cores)[row],
        power=np.asarray(platform.power)[row],
        disk_tb=np.asarray(platform.disk_tb)[row],
        **parts,
    )


def _between(matrix: np.ndarray, row: np.ndarray, copy: np.ndarray) -> np.ndarray:
    """A matrix over the chosen sites; between two copies of a site its median to others."""
    found = np.asarray(matrix)[np.ix_(row, row)].copy()
    apart = np.where(np.eye(len(matrix), dtype=bool), np.nan, np.asarray(matrix, dtype=np.float64))
    usual = np.nanmedian(apart, axis=1)
    same = (row[:, None] == row[None, :]) & (copy[:, None] != copy[None, :])
    found[same] = usual[row[np.nonzero(same)[0]]].astype(found.dtype)
    return found


def main(
    policy: Annotated[list[str], typer.Option(help="As `panda-grid benchmark`; repeat it.")],
    scenario: Annotated[str, typer.Option(help="Named scenario.")] = "atlas",
    platform: Annotated[str, typer.Option(help="Where sites are taken from.")] = "atlas150",
    scale: Annotated[
        float, typer.Option(help="Cores of the whole grid over the platform's.")
    ] = 0.01,
    jobs: Annotated[int, typer.Option(help="Decisions of an episode.")] = 2_000,
    seeds: Annotated[int, typer.Option(help="Paired seeds.")] = 10,
    seed: Annotated[int, typer.Option(help="The first of them.")] = 1000,
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("runs/sizes"),
) -> None:
    """Print a ranking for each size."""
    base, sections = load_platform(platform), []
    wanted = float(base.cores.sum()) * scale
    for sites in (50, 150, 500):
        grid = resized(base, sites)
        with progress_bar(f"{sites} sites") as progress:
            table = benchmark(
                policy,
                seeds=range(seed, seed + seeds),
                folder=out / "cells",
                progress=progress,
                platform=grid,
                scale=wanted / float(grid.cores.sum()),
                scenario=scenario,
                jobs=jobs,
            )
        command = " ".join(f"--policy {name}" for name in policy)
        sections.append(
            Section(f"{sites} sites", table, f"python scripts/agent_sizes.py {command}")
        )
    text = markdown(sections)
    with whole_file(out / "sizes.md") as aside:
        aside.write_text(text)
    print(re.sub(r"\n{3,}", "\n\n", text))


if __name__ == "__main__":
    typer.run(main)
