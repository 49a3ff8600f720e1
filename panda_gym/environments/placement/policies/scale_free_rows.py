"""Compute numbers of a site that mean the same at every scale, for `scale_free_value`.

Amounts are taken a core, relative to the job's own run time, or relative to the other sites. Only
the rows of `SIZE_ROWS` know how large a site is; they say how much chance there is in its queue.
The first row is the rule of earliest completion: the expected ln(bounded slowdown) of the job.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

from panda_gym.environments.base.features import position
from panda_gym.environments.placement.observation import GRID_FEATURES, JOB_FEATURES, SITE_FEATURES
from panda_gym.environments.placement.policies.scorer import ALMOST_ONE, natural
from panda_gym.units import SECONDS_PER_HOUR

BOUND_S: Final = 600.0
"""Run times below it count as this, as in the bounded slowdown."""

SITE_ROWS: Final[Mapping[str, str]] = {
    "slowdown": "ln of the expected bounded slowdown: wait + stage-in + run over the ideal run",
    "regret": "the same less that of the best legal site",
    "slow": "ln of the speed of the fastest legal core over this one's",
    "queue": "ln(1 + predicted hours of work ahead a core)",
    "queue / run": "ln(1 + predicted work ahead a core over the job's ideal run)",
    "busy": "share of the cores that are taken",
    "fits": "1 where as many cores are free as the job needs",
    "own share": "share of the site's cores that the job takes",
    "waiting": "ln(1 + waiting jobs a core)",
    "staging": "ln(1 + jobs a core whose input is on its way)",
    "running": "ln(1 + this broker's running jobs a core)",
    "wait": "ln(1 + hours of the job's expected wait)",
    "wait / run": "ln(1 + expected wait over the job's ideal run)",
    "stage-in": "ln(1 + expected stage-in / 600 s)",
    "stage-in / run": "ln(1 + expected stage-in over the job's ideal run)",
    "remote": "1 where input must move",
    "remote bytes": "input / (input + 5 GB) where input must move",
    "far": "closeness to the best replica / 11 where input must move",
    "failures": "recent share of failures",
    "more failures": "the same less the mean over the legal sites",
    "longer wait": "row `wait` less its mean over the legal sites",
    "longer queue": "row `queue` less its mean over the legal sites",
    "large": "ln of the site's cores less its mean over the legal sites, / 4",
}
"""Rows of a site, by name."""

SIZE_ROWS: Final[Mapping[str, str]] = {
    "cores": "ln of the site's cores / 8",
    "free": "ln(1 + free cores over those that the job needs) / 4",
    "activated": "ln(1 + waiting jobs) / 4",
}
"""Rows of a site that grow with its size."""

CONTEXT_ROWS: Final[Mapping[str, str]] = {
    "size": "ln of the job's ideal run / 2 h",
    "job cores": "ln of the job's cores / ln 8",
    "input": "ln(1 + input / 5 GB)",
    "load": "ln(1 + predicted queued work of the grid / core s in an hour)",
    "free share": "share of all cores in nobody's use",
    "age": "ln(1 + age of the counters / 300 s)",
    "best slowdown": "least row `slowdown` of the legal sites",
    "legal fits": "share of the legal sites with room for the job now",
}
"""Rows that all sites of an observation share."""

ROWS: Final = (*SITE_ROWS, *SIZE_ROWS, *CONTEXT_ROWS)
"""All rows in order; an agent opens only where they are the ones that it was trained on."""


def rows(sites: Tensor, job: Tensor, grid: Tensor, mask: Tensor) -> Tensor:
    """Return what the network sees of every site, float32[B, S, len(ROWS)].

    sites [B, F, S], job [B, J], grid [B, G] are codes of the observation, mask [B, S].
    """
    legal = mask.bool()
    wait, stage_in, run = (natural(sites, name) for name in ("wait", "transfer", "run"))
    cores, power = natural(sites, "cores").clamp(min=1.0), _linear(sites, "power").clamp(min=1e-3)
    top = (power * legal).amax(dim=1, keepdim=True).clamp(min=1e-3)
    ideal = (run * power * legal / top).amax(dim=1, keepdim=True).clamp(min=BOUND_S)
    needed = _job(job, "cores").clamp(min=1.0)
    slowdown = torch.log(((wait + stage_in + run) / ideal).clamp(min=1.0 / 16.0))
    best = torch.where(legal, slowdown, torch.inf).amin(dim=1, keepdim=True)
    best = torch.where(best.isinf(), 0.0, best)
    free, work = natural(sites, "free_cores"), natural(sites, "queued_work") / cores
    fits = (free > needed - 0.5).float()  # codes are rounded
    size, given = _job(job, "input_bytes"), torch.log(cores)
    remote = ((_linear(sites, "local_share") < 1.0) & (size > 0.0)).float()
    failures = _linear(sites, "failure_rate")
    queue, waits = torch.log1p(work / SECONDS_PER_HOUR), torch.log1p(wait / SECONDS_PER_HOUR)
    waiting = natural(sites, "activated")
    of_sites = (
        slowdown,
        slowdown - best,
        torch.log(top / power),
        queue,
        torch.log1p(work / ideal),
        1.0 - (free / cores).clamp(max=1.0),
        fits,
        (needed / cores).clamp(max=1.0),
        torch.log1p(waiting / cores),
        torch.log1p(natural(sites, "assigned") / cores),
        torch.log1p(natural(sites, "running") / cores),
        waits,
        torch.log1p(wait / ideal),
        torch.log1p(stage_in / 600.0),
        torch.log1p(stage_in / ideal),
        remote,
        remote * (size / (size + 5e9)),
        remote * _linear(sites, "closeness") / 11.0,
        failures,
        failures - _mean(failures, legal),
        waits - _mean(waits, legal),
        queue - _mean(queue, legal),
        (given - _mean(given, legal)) / 4.0,
        given / 8.0,
        torch.log1p(free / needed) / 4.0,
        torch.log1p(waiting) / 4.0,
    )
    of_all = (
        torch.log(ideal / 7200.0),
        torch.log(needed) / 2.0794,
        torch.log1p(size / 5e9),
        _logged(grid, "queued_share"),
        grid[:, position(GRID_FEATURES, "free_share"), None],
        _logged(grid, "counter_age"),
        best,
        _mean(fits, legal),
    )
    shared = torch.cat(of_all, dim=1)[:, :, None].expand(-1, -1, sites.shape[2])
    return torch.cat([torch.stack(of_sites, dim=1), shared], dim=1).transpose(1, 2)


def _linear(sites: Tensor, name: str) -> Tensor:
    row = position(SITE_FEATURES, name)
    return sites[:, row] * SITE_FEATURES[row].scale


def _job(job: Tensor, name: str) -> Tensor:
    """A ratio feature of the job in natural units, [B, 1]."""
    row = position(JOB_FEATURES, name)
    code = job[:, row, None].clamp(max=ALMOST_ONE)
    return code * JOB_FEATURES[row].scale / (1.0 - code)


def _logged(grid: Tensor, name: str) -> Tensor:
    """ln(1 + x / scale) of a ratio feature of the grid, [B, 1]."""
    code = grid[:, position(GRID_FEATURES, name), None]
    return -torch.log1p(-code.clamp(max=ALMOST_ONE))


def _mean(values: Tensor, legal: Tensor) -> Tensor:
    """Mean over the legal sites, [B, 1]."""
    return (values * legal).sum(dim=1, keepdim=True) / legal.sum(dim=1, keepdim=True).clamp(min=1)
