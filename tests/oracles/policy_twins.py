"""Slow, obvious twins of the policies' formulas: one site at a time, plain floats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

Site = dict[str, float]


def production_weights(
    sites: list[Site], job: Site, legal: list[bool], scale: float
) -> list[float]:
    """W of each site after PanDA's production job broker."""
    weights, skipped = [], []
    out = left_out(sites, legal, scale)
    for site in sites:
        activated, assigned = site["activated"] / scale, site["assigned"] / scale
        running = site["running"] / scale
        if running < 20:
            workers = running + site["free_cores"] / job["cores"] / scale
            running = max(running, min(workers, 20))
        transfer = job["input_bytes"] > 0 and site["local_share"] < 1
        queue = activated + (assigned if transfer else 0)
        weight = (running + 1) / (queue + 10)
        if transfer:
            weight /= min(max((assigned + 1) / (activated + 1), 1), 2)
        if job["input_bytes"] > 0:
            local = site["local_share"] * job["input_bytes"]
            to_move = job["input_files"] * (1 - site["local_share"])
            weight *= (job["input_bytes"] + local) / job["input_bytes"] / (to_move / 100 + 1)
        if transfer:
            weight *= 0.5 * (1 + 1 + (11 - site["closeness"]) / 11)
        weights.append(weight)
        skipped.append(queue > max(20, 2 * running))
    rest = [k for k in range(len(sites)) if legal[k] and not out[k]]
    if all(skipped[k] for k in rest):
        skipped = [False] * len(sites)
    return [0.0 if skipped[k] or out[k] else weights[k] for k in range(len(sites))]


def left_out(sites: list[Site], legal: list[bool], scale: float) -> list[bool]:
    """Which legal sites PanDA's filters leave out; none where it would be all of them."""
    found = [
        allowed
        and (
            site["failure_rate"] >= 2 / 3
            or site["assigned"] / scale > max(2000, 2 * site["running"] / scale)
        )
        for site, allowed in zip(sites, legal, strict=True)
    ]
    return [False] * len(sites) if found == legal else found


def analysis_original_weights(
    sites: list[Site], job: Site, legal: list[bool], scale: float
) -> list[float]:
    """W of each site after PanDA's original analysis broker."""
    out = left_out(sites, legal, scale)
    return [
        0.0
        if out[k]
        else (site["running"] / scale + 1)
        / ((site["activated"] + site["assigned"]) / scale + 1)
        * (1 + site["local_share"] * job["input_bytes"] / 1e9 / 10)
        for k, site in enumerate(sites)
    ]


def analysis_weights(sites: list[Site], job: Site, legal: list[bool], scale: float) -> list[float]:
    """W of each site after PanDA's current analysis broker, one job to place."""
    out = left_out(sites, legal, scale)
    legal = [allowed and not skip for allowed, skip in zip(legal, out, strict=True)]
    queues = [(site["activated"] + site["assigned"]) / scale for site in sites]
    candidates = [queue for queue, allowed in zip(queues, legal, strict=True) if allowed]
    longest = max(candidates)
    total = sum(longest - queue for queue in candidates)
    weights = []
    for site, queue, allowed in zip(sites, queues, legal, strict=True):
        share = 1 / len(candidates)
        if total > 1:
            share = max(longest - queue - 1 / len(candidates), 0) / (total - 1)
        disk_gb = site["local_share"] * job["input_bytes"] / 1e9
        weights.append(share * (1 + disk_gb / 10) if allowed else 0.0)
    return weights


def scores(name: str, site: Site, job: Site) -> Any:
    """How a ranking policy sees one site, higher is better."""
    queued = site["activated"] + site["assigned"]
    busy = site["cores"] - site["free_cores"] + (queued + 1) * job["cores"]
    start = site["transfer"] + site["wait"]
    return {
        "fastest": site["power"],
        "least_queued": -queued,
        "least_queued_per_slot": -(queued + 1) / site["cores"],
        "least_loaded": -busy / (site["cores"] * site["power"]),
        "earliest_completion": -(start + site["run"]),
        "data_locality": (site["local_share"], -(site["transfer"] + site["wait"])),
    }[name]


def turn_completion(pair: Site, booked: float, taken: float) -> float:
    """Expected completion of one job at one site of a turn, behind what is booked there."""
    if not pair["legal"]:
        return math.inf
    wait = pair["wait"]
    if pair["spare"] - taken < pair["cores"]:
        wait += booked / pair["site_cores"]
    return pair["transfer"] + wait + pair["run"]


def turn_plan(name: str, jobs: list[list[Site]]) -> list[int]:
    """Sites of a turn's jobs under min-min, max-min or HEFT."""
    sites = len(jobs[0])
    booked, taken = [0.0] * sites, [0.0] * sites
    plan, left = [-1] * len(jobs), list(range(len(jobs)))

    def best(j: int) -> tuple[float, int]:
        return min((turn_completion(jobs[j][s], booked[s], taken[s]), s) for s in range(sites))

    def rank(j: int) -> float:
        runs = [pair["run"] for pair in jobs[j] if pair["legal"]]
        return sum(runs) / len(runs)

    while left:
        if name == "heft":
            j = max(left, key=rank)
        else:
            pick = min if name == "min_min" else max
            j = pick(left, key=lambda j: best(j)[0])
        plan[j] = best(j)[1]
        booked[plan[j]] += jobs[j][plan[j]]["cores"] * jobs[j][plan[j]]["run"]
        taken[plan[j]] += jobs[j][plan[j]]["cores"]
        left.remove(j)
    return plan


def assignment_value(jobs: list[list[Site]], plan: Sequence[int], bound_s: float = 600.0) -> float:
    """What the assignment planner minimises, of one plan."""
    total, runs = 0.0, []
    for job, site in zip(jobs, plan, strict=True):
        ideal = max(min(pair["run"] for pair in job if pair["legal"]), bound_s)
        total += math.log(max(turn_completion(job[site], 0.0, 0.0) / ideal, 1.0))
        runs += [pair["run"] for pair in job if pair["legal"]]
    for site in range(len(jobs[0])):
        asked = sum(job[site]["cores"] for job, s in zip(jobs, plan, strict=True) if s == site)
        over = max(0.0, asked - jobs[0][site]["spare"])
        wait = sum(runs) / len(runs) / jobs[0][site]["site_cores"]
        total += over * math.log1p(wait / bound_s)
    return total


def tuned_cost(
    site: Site, job: Site, sites: list[Site], queued_share: float, weights: dict[str, float]
) -> float:
    """What the policy `tuned` minimises, at one site."""
    fastest = max(other["power"] for other in sites)
    ideal = max(max(other["run"] * other["power"] for other in sites) / fastest, 600.0)
    mean_ln = sum(math.log(other["cores"]) for other in sites) / len(sites)
    remote = float(site["local_share"] < 1.0 and job["input_bytes"] > 0.0)
    rows = {
        "failures": site["failure_rate"],
        "queue": math.log1p(site["queued_work"] / site["cores"] / 3600.0),
        "busy": 1.0 - min(site["free_cores"] / site["cores"], 1.0),
        "fast": math.log(site["power"] / 10.0),
        "large": (math.log(site["cores"]) - mean_ln) / 4.0,
        "remote": remote,
        "remote bytes": remote * job["input_bytes"] / (job["input_bytes"] + 5e9),
        "staging": math.log1p(site["assigned"] / site["cores"]),
        "far": remote * site["closeness"] / 11.0,
        "waiting": math.log1p(site["activated"] / site["cores"]),
        "wait hours": math.log1p(site["wait"] / 3600.0),
        "stage-in": math.log1p(site["transfer"] / 600.0),
        "fits": float(site["free_cores"] >= job["cores"]),
        "share": min(job["cores"] / site["cores"], 1.0),
        "size": math.log(ideal / 7200.0),
        "size^2": math.log(ideal / 7200.0) ** 2,
        "cores": math.log(job["cores"], 8.0),
        "load": math.log1p(queued_share),
    }
    late = (
        math.exp(weights["wait"]) * site["wait"]
        + math.exp(weights["transfer"]) * site["transfer"]
        + math.exp(weights["delay"]) * 300.0
    )
    added = sum(
        weight * math.prod(rows[part] for part in name.split(" x "))
        for name, weight in weights.items()
        if name not in ("wait", "transfer", "delay")
    )
    return math.log((late + site["run"]) / ideal) + added


def dispatching_index(site: Site, job: Site, ideal: float) -> float:
    """Index of size-aware dispatching, at one site: rho .9, mean run 2 h, typical run 30 min."""
    added = site["run"] * job["cores"] / site["cores"]
    later = 0.9 / 0.1 * site["cores"] / 7200 * (site["wait"] * added + added**2 / 2) / 1800
    return (site["transfer"] + site["wait"] + site["run"]) / max(ideal, 600.0) + later
