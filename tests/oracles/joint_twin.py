"""The slow, obvious twin of the evaluation of joint placement: SimPy, one process a transfer."""

from __future__ import annotations

from typing import Any

import simpy


def simulate(instance: Any, schedule: Any) -> dict[str, Any]:
    """Return start and end of each job, the bytes in each store, and what each node read."""
    world = simpy.Environment()
    there = [world.event() for _ in range(instance.datasets)]
    start, end = [0.0] * instance.jobs, [0.0] * instance.jobs
    stored, read = [0.0] * instance.local_stores, [0.0] * instance.nodes

    def stage(data: int) -> Any:
        store = schedule.store[data]
        speed = instance.remote_bandwidth[instance.source[data], store]
        yield world.timeout(instance.size[data] / speed)
        stored[store] += instance.size[data]
        there[data].succeed()

    def fetch(data: int, node: int) -> Any:
        yield there[data]
        speed = instance.local_bandwidth[schedule.store[data], node]
        yield world.timeout(instance.size[data] / speed)
        read[node] += instance.size[data]

    def work(node: int) -> Any:
        jobs = [j for j in range(instance.jobs) if schedule.node[j] == node]
        for job in sorted(jobs, key=lambda j: (schedule.rank[j], j)):
            inputs = [int(d) for d in instance.inputs_of(job)]
            yield world.all_of([world.process(fetch(d, node)) for d in inputs])
            start[job] = world.now
            total = sum(float(instance.size[d]) for d in inputs)
            yield world.timeout(instance.work_per_size * total / instance.speed[node])
            end[job] = world.now

    for data in range(instance.datasets):
        world.process(stage(data))
    for node in range(instance.nodes):
        world.process(work(node))
    world.run()
    return {"start": start, "end": end, "stored": stored, "read": read, "makespan": max(end)}
