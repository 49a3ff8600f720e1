"""Slow, obvious twins of the policies' formulas: one site at a time, plain floats."""

from __future__ import annotations

from typing import Any

Site = dict[str, float]


def production_weights(
    sites: list[Site], job: Site, legal: list[bool], scale: float
) -> list[float]:
    """W of each site after PanDA's production job broker."""
    weights, skipped = [], []
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
    if all(skip for skip, allowed in zip(skipped, legal, strict=True) if allowed):
        return weights
    return [0.0 if skip else weight for weight, skip in zip(weights, skipped, strict=True)]


def analysis_original_weights(sites: list[Site], job: Site, scale: float) -> list[float]:
    """W of each site after PanDA's original analysis broker."""
    return [
        (site["running"] / scale + 1)
        / ((site["activated"] + site["assigned"]) / scale + 1)
        * (1 + site["local_share"] * job["input_bytes"] / 1e9 / 10)
        for site in sites
    ]


def analysis_weights(sites: list[Site], job: Site, legal: list[bool], scale: float) -> list[float]:
    """W of each site after PanDA's current analysis broker, one job to place."""
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
