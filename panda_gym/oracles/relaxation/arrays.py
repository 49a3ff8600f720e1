"""Arrays of the relaxation of one grid: sites over time, jobs, and what each job may do."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray


class Sites(NamedTuple):
    """The sites of a grid over B bins of time, and the work that no policy can move."""

    origin: Array  # float64[1] start of the first bin, s
    width: Array  # float64[1] width of a bin, s
    opens: Array  # float64[S] when the last job of the present queue starts there, s
    lost: Array  # float64[S] when the site next loses its running jobs, s; inf: never
    start: Array  # float64[R] when each job of the present queues takes its cores, s; inf: dropped
    end: Array  # float64[R] when it releases them, s
    cut: Array  # float64[R] when a job is cancelled, s; inf: never
    time: Array  # float64[S, P] times at which the cores left change
    left: Array  # int64[S, P] cores that competing work and the present jobs leave from then on
    points: Array  # int64[S] how many times there are
    most: Array  # float64[S, B] most cores left within each bin
    least: Array  # float64[S, B] below which the capacity of a bin never is, see `sites`
    capacity: Array  # float64[S, B] core s


class Jobs(NamedTuple):
    """J judged jobs, and O ways in which they may run."""

    row: Array  # int64[J] row of the grid
    cores: Array  # int64[J]
    came: Array  # float64[J] first arrival, s
    ideal: Array  # float64[J] run on the fastest core, but at least the bound of the slowdown, s
    unfinished: Array  # float64[J] least ln slowdown without a whole run
    first: Array  # int64[J + 1] where the options of each job begin, by cost
    site: Array  # int64[O]
    begin: Array  # float64[O] earliest start, s
    hold: Array  # float64[O] time for which it takes its cores, s
    cost: Array  # float64[O] ln slowdown if it starts then


def allocate_jobs(jobs: int, options: int) -> Jobs:
    """Return arrays for so many jobs of at most so many options each."""
    many = jobs * options
    return Jobs(
        row=np.zeros(jobs, np.int64),
        cores=np.zeros(jobs, np.int64),
        came=np.zeros(jobs),
        ideal=np.zeros(jobs),
        unfinished=np.zeros(jobs),
        first=np.zeros(jobs + 1, np.int64),
        site=np.zeros(many, np.int64),
        begin=np.zeros(many),
        hold=np.zeros(many),
        cost=np.zeros(many),
    )


def allocate_sites(world: Any, e: int, bins: int, width: float) -> Sites:
    """Return arrays for the sites of grid e; nothing is forecast yet."""
    sites, rows = world.sites.shape[1], world.job_states.shape[1]
    return Sites(
        origin=np.array([float(world.grids[e]["clock"])]),
        width=np.array([width]),
        opens=np.full(sites, float(world.grids[e]["clock"])),
        lost=np.full(sites, np.inf),
        start=np.full(rows, np.inf),
        end=np.full(rows, np.inf),
        cut=np.full(rows, np.inf),
        time=np.zeros((0, 0)),
        left=np.zeros((0, 0), np.int64),
        points=np.zeros(sites, np.int64),
        most=np.zeros((sites, bins)),
        least=np.zeros((sites, bins)),
        capacity=np.zeros((sites, bins)),
    )
