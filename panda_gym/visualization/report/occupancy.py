"""Draw one run as inline SVG: a heat map of sites over time, a Gantt chart of jobs on cores."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

import numpy as np

from panda_gym.episode_log.occupancy import by_site
from panda_gym.simulator import EpisodeLog
from panda_gym.units import SECONDS_PER_HOUR

Array = np.ndarray

SITES: Final = 40
"""Sites of a heat map, those of the most cores."""
TIMES: Final = 72
"""Columns of a heat map."""
GANTT_SITES: Final = 3
"""Sites of a Gantt chart, those that ran the most jobs of at most GANTT_CORES cores."""
GANTT_CORES: Final = 24
DRAWN: Final = 0.9
"""Share of all jobs that have ended where a picture ends."""


def window(log: EpisodeLog) -> tuple[float, float]:
    """From the first judged arrival to the time by which the share DRAWN of all jobs have ended, s.

    The last few take weeks: with them all others would stand at the left edge.
    """
    return float(log.arrival_s[log.warmup]), float(np.nanquantile(log.end_s, DRAWN))


def heat_maps(log: EpisodeLog, cores: Array, names: Sequence[str], title: str) -> str:
    """Two figures: the share of each site's cores that jobs hold, and cores asked for a core."""
    first, last = window(log)
    times = np.linspace(first, last, TIMES)
    rows = np.argsort(-cores, kind="stable")[:SITES]
    found = by_site(log, times, len(cores))
    held = found["cores"][:, rows].T / cores[rows, None]
    wanted = np.log1p(found["wanted"][:, rows].T / cores[rows, None]) / np.log1p(8.0)
    labels = [names[s] for s in rows]
    hours = (last - first) / SECONDS_PER_HOUR
    return _heat(f"{title}: cores held", held, labels, hours, "heat") + _heat(
        f"{title}: queue, ln(1 + cores asked for a core)", wanted, labels, hours, "heat queue"
    )


def _heat(title: str, level: Array, names: Sequence[str], hours: float, kind: str) -> str:
    cell, tall, left = 5, 9, 130
    width, height = left + cell * level.shape[1] + 4, tall * len(level) + 22
    parts = [
        f'<text class="small" x="{left - 4}" y="{tall * row + 8}" text-anchor="end">'
        f"{escape(name[:22])}</text>"
        for row, name in enumerate(names)
    ]
    for row, column in zip(*np.nonzero(level > 0.02), strict=True):
        shade = min(float(level[row, column]), 1.0)
        parts.append(
            f'<rect x="{left + cell * column}" y="{tall * row}" width="{cell}" '
            f'height="{tall - 1}" fill-opacity="{shade:.2f}"/>'
        )
    parts.append(_axis(left, cell * level.shape[1], height, hours))
    return _figure(title, width, height, parts, kind)


def gantt(log: EpisodeLog, cores: Array, names: Sequence[str], title: str) -> str:
    """Jobs on the cores of a few sites; those that did not finish in another colour."""
    first, last = window(log)
    rows = np.flatnonzero((log.site >= 0) & (log.starting_s < last) & (log.end_s > first))
    jobs = np.bincount(log.site[rows], minlength=len(cores)) * (cores <= GANTT_CORES)
    left, wide, tall, parts, y = 130, 360, 5, [], 0
    for site in np.argsort(-jobs, kind="stable")[:GANTT_SITES]:
        parts.append(f'<text class="small" x="{left - 4}" y="{y + 9}" text-anchor="end">')
        parts.append(f"{escape(names[site][:22])}</text>")
        here = rows[log.site[rows] == site]
        here = here[np.argsort(log.starting_s[here], kind="stable")]
        for j, rows_held in zip(here, _rows(log, here, int(cores[site])), strict=True):
            x, end = (
                left + wide * (np.clip(t, first, last) - first) / (last - first)
                for t in (log.starting_s[j], log.end_s[j])
            )
            lost = "" if log.state[j] == "finished" else ' class="lost"'
            parts += [
                f'<rect{lost} x="{x:.1f}" y="{y + tall * row}" width="{max(end - x, 0.5):.1f}" '
                f'height="{tall - 1}"/>'
                for row in rows_held
            ]
        y += tall * int(cores[site]) + 10
    parts.append(_axis(left, wide, y + 18, (last - first) / SECONDS_PER_HOUR))
    return _figure(f"{title}: jobs on cores", left + wide + 4, y + 18, parts, "gantt")


def _rows(log: EpisodeLog, jobs: Array, cores: int) -> list[list[int]]:
    """The cores that each job holds, the lowest that are free; jobs in order of their start."""
    free_at, found = np.full(cores, -np.inf), []
    for j in jobs:
        free = np.flatnonzero(free_at <= log.starting_s[j])
        rows_held = [int(row) for row in free[: int(log.cores[j])]]
        free_at[rows_held] = log.end_s[j]
        found.append(rows_held)
    return found


def _axis(left: int, wide: int, height: float, hours: float) -> str:
    return (
        f'<text class="small" x="{left}" y="{height - 4}">0 h</text>'
        f'<text class="small" x="{left + wide}" y="{height - 4}" text-anchor="end">{hours:.1f} h'
        "</text>"
    )


def _figure(title: str, width: float, height: float, parts: Sequence[str], kind: str) -> str:
    word = escape(title)
    return (
        f'<figure class="{kind}"><figcaption>{word}</figcaption><svg role="img" '
        f'aria-label="{word}" viewBox="0 0 {width:.0f} {height:.0f}">{"".join(parts)}</svg>'
        "</figure>"
    )
