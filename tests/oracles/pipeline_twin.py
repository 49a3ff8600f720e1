"""The slow, obvious twin of the pipelines' kernel: SimPy, Python lists, no heaps, no integrals.

It reads the same plan (draws, graphs, models) and states the same physics anew: at one instant
ends come first, by task number, then steps of drift, checks, periods, new data and requests; then
every cluster starts what it can. Integrals are sums over the pieces between all changes.
"""

from __future__ import annotations

import math
from typing import Any

import simpy

MASK = 2**64 - 1
STEP = 0x9E3779B97F4A7C15


def scramble(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def bits(seed: int, stream: int, k: int) -> int:
    key = scramble((seed + STEP * (stream + 1)) & MASK)
    return scramble((key + STEP * (k + 1)) & MASK)


def uniform(seed: int, stream: int, k: int) -> float:
    return (bits(seed, stream, k) >> 11) * 2.0**-53


def normal(seed: int, stream: int, k: int) -> float:
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(seed, stream, 2 * k)))
    return radius * math.cos(2.0 * math.pi * uniform(seed, stream, 2 * k + 1))


class Model:
    """A model in service."""

    def __init__(self, plan: Any, m: int) -> None:
        self.m, self.o = m, {name: plan.models[m][name].item() for name in plan.models.dtype.names}
        self.deployed, self.p0, self.level = -self.o["age"], self.o["expected_performance"], 0.0
        self.runs = self.turns = self.looks = self.underway = 0
        self.data_at = 0.0
        self.seen: list[float] = []
        self.pieces: list[tuple[float, float, float, float]] = []
        self.check = self.turn = self.data = math.inf

    def loss(self, now: float) -> float:
        o, age = self.o, now - self.deployed
        return {1: min(1.0, o["rate"] * age), 2: 1 - math.exp(-o["rate"] * age)}.get(
            o["drift"], self.level
        )

    def performance(self, now: float) -> float:
        return self.p0 * (1.0 - self.loss(now))

    def fresh(self, now: float) -> float:
        if self.o["data_need"] <= 0:
            return 1.0
        return min(1.0, self.o["data_rate"] * (now - self.data_at) / self.o["data_need"])

    def alarm(self) -> float:
        total, least, mean = 0.0, 0.0, 0.0
        for n, x in enumerate(self.seen, start=1):
            mean += (x - mean) / n
            total += mean - x - self.o["delta"]
            least = min(least, total)
        return total - least


class PipelineTwin:
    """One simulation."""

    def __init__(self, plan: Any, arrivals: Any, seed: int) -> None:
        self.plan, self.arrivals, self.seed = plan, arrivals, int(seed)
        self.env, self.now, self.called = simpy.Environment(), [], False
        self.models = [Model(plan, m) for m in range(len(plan.models))]
        self.free = [int(c["slots"]) for c in plan.clusters]
        self.queues: list[list[int]] = [[] for _ in plan.clusters]
        self.pipes: list[dict] = []
        self.tasks: list[dict] = []
        self.used = [0.0] * len(plan.shares)
        self.cost = self.read = self.written = 0.0

    def run(self) -> PipelineTwin:
        horizon = float(self.plan.general[0]["horizon"])
        for model in self.models:
            if model.o["period"] > 0:
                self.at(model.o["period"], 3, model.m)
            self.arm(model)
        for a in range(len(self.arrivals) - 1):
            self.at(float(self.arrivals[a]["time"]), 5, a)
        end = self.env.event()
        end._ok, end._value = True, None
        self.env.schedule(end, priority=99, delay=horizon)
        self.env.run(until=end)
        return self

    def at(self, time: float, kind: int, number: int) -> None:
        if time == math.inf:
            return
        if time <= self.env.now and self.called:
            self.now.append((kind, number, time))
        else:
            self.env.process(self.wait(time, kind, number))

    def wait(self, time: float, kind: int, number: int) -> Any:
        yield self.env.timeout(time - self.env.now)
        self.now.append((kind, number, time))
        if not self.called:
            self.called = True
            instant = self.env.event()
            instant._ok, instant._value = True, None
            instant.callbacks.append(lambda _: self.instant())
            self.env.schedule(instant, priority=9)

    def instant(self) -> None:
        while self.now:
            while self.now:
                event = min(self.now)
                self.now.remove(event)
                self.happen(*event)
            for c in range(len(self.free)):
                self.dispatch(c)
        self.called = False

    def happen(self, kind: int, number: int, time: float) -> None:
        now = self.env.now
        if kind == 0:
            return self.end(number)
        if kind == 5:
            return self.launch(
                int(self.arrivals[number]["model"]), 0, int(self.arrivals[number]["row"])
            )
        model, reason, o = self.models[number], None, self.models[number].o
        if kind == 1 and model.turn == time:
            self.drift_step(model)
            if o["monitor"] <= 0:
                reason = self.stirred(model, model.performance(now))
        elif kind == 2 and model.check == time:
            x = model.performance(now)
            if o["noise"] > 0:
                x += o["noise"] * normal(self.seed, 2 * len(self.models) + number, model.looks)
                model.looks += 1
            model.seen.append(x)
            reason, model.check = self.stirred(model, x), math.inf
            if o["monitor"] > 0:
                model.check = time + o["monitor"]
                self.at(model.check, 2, number)
        elif kind == 3:
            reason = 1
            self.at(time + o["period"], 3, number)
        elif kind == 4 and model.data == time:
            reason, model.data = 4, math.inf
        if reason is not None and model.underway == 0:
            self.launch(number, reason, -1)
        return None

    def drift_step(self, model: Model) -> None:
        o, stream = model.o, len(self.models) + model.m
        self.piece(model)
        model.turns += 1
        if o["drift"] == 3:
            model.level = min(1.0, model.level + o["size"])
        else:
            z = normal(self.seed, stream, 2 * model.turns + 1)
            model.level = min(1.0, abs(model.level + o["size"] * math.sqrt(o["step"]) * z))
        model.turn = self.env.now + self.until_turn(model)
        self.at(model.turn, 1, model.m)

    def until_turn(self, model: Model) -> float:
        o, stream = model.o, len(self.models) + model.m
        if o["drift"] == 3:
            return -math.log(1.0 - uniform(self.seed, stream, 4 * model.turns)) / o["rate"]
        return o["step"] if o["drift"] == 4 else math.inf

    def stirred(self, model: Model, x: float) -> int | None:
        o = model.o
        if o["staleness"] > 0 and 1 - x / model.p0 >= o["staleness"] - 1e-9:
            return 2
        gain = model.fresh(self.env.now) * (o["expected_performance"] - x)
        if o["improvement"] > 0 and gain >= o["improvement"] - 1e-9:
            return 3
        return 5 if o["page_hinkley"] > 0 and model.alarm() > o["page_hinkley"] else None

    def arm(self, model: Model) -> None:
        o, now = model.o, self.env.now
        model.seen = []
        model.check = model.data = math.inf
        model.turn = now + self.until_turn(model)
        if o["monitor"] > 0:
            model.check = now + o["monitor"]
        else:
            model.check = max(now, self.crossing(model))
        if o["new_data"] > 0:
            model.data = max(now, model.data_at + o["new_data"] / o["data_rate"])
        for kind, time in ((1, model.turn), (2, model.check), (4, model.data)):
            self.at(time, kind, model.m)

    def crossing(self, model: Model) -> float:
        o, levels = model.o, []
        if o["staleness"] > 0:
            levels.append(o["staleness"])
        if o["improvement"] > 0:
            levels.append(1 - (o["expected_performance"] - o["improvement"]) / model.p0)
        share = min(levels, default=2.0)
        if share > 1 or o["drift"] not in (1, 2):
            return math.inf
        if share <= 0:
            return model.deployed
        if o["drift"] == 1:
            return model.deployed + share / o["rate"]
        return model.deployed - math.log1p(-share) / o["rate"] if share < 1 else math.inf

    def launch(self, m: int, reason: int, row: int) -> None:
        model, plan = self.models[m], self.plan
        first, count = self.steps(m)
        if row < 0:
            pool = int(plan.general[0]["pool"])
            drawn = bits(self.seed, m, model.runs) % pool
            row = int(plan.general[0]["first_pool"]) + model.o["type"] * pool + drawn
        model.runs += 1
        model.underway += 1
        pipe = {
            "requested": self.env.now, "model": m, "row": row, "reason": reason, "ended": math.nan,
            "metrics": [model.p0], "first": len(self.tasks), "failed": False, "open": 0,
            "deployed": False,
        }  # fmt: skip
        self.pipes.append(pipe)
        for i in range(count):
            waits = int(plan.tasks[first + i]["parents"])
            self.tasks.append({"pipe": len(self.pipes) - 1, "i": i, "waits": waits,
                               "ready": math.nan, "start": math.nan, "end": math.nan})  # fmt: skip
        pipe["metrics"] = model.p0
        for i in range(count):
            if plan.tasks[first + i]["parents"] == 0:
                self.ready(pipe["first"] + i)

    def steps(self, m: int) -> tuple[int, int]:
        k = self.models[m].o["type"]
        first = int(self.plan.types[k]["first_task"])
        return first, int(self.plan.types[k + 1]["first_task"]) - first

    def step(self, task: int) -> Any:
        pipe = self.pipes[self.tasks[task]["pipe"]]
        return self.plan.tasks[self.steps(pipe["model"])[0] + self.tasks[task]["i"]]

    def ready(self, task: int) -> None:
        entry = self.tasks[task]
        entry["ready"] = self.env.now
        self.pipes[entry["pipe"]]["open"] += 1
        self.queues[int(self.step(task)["cluster"])].append(task)

    def held(self, task: int, seconds: float) -> float:
        step, place = self.step(task), self.plan.clusters[int(self.step(task)["cluster"])]
        asset, total = self.plan.asset[self.pipes[self.tasks[task]["pipe"]]["row"]], 0.0
        for way in ("read", "write"):
            if step[way] > 0:
                total += place["latency"] + step[way] * asset / place[way]
        return float(seconds / place["speed"] + total)

    def score(self, task: int) -> float:
        pipe = self.pipes[self.tasks[task]["pipe"]]
        model = self.models[pipe["model"]]
        o, now = model.o, self.env.now
        rule = int(self.plan.general[0]["discipline"])
        if rule == 0:
            return self.tasks[task]["ready"]
        if rule == 1:
            return self.held(task, self.step(task)["expected_s"])
        if rule == 2:
            return pipe["requested"] + o["deadline"]
        if rule == 3:
            return self.used[o["owner"]] / self.plan.shares[o["owner"]]
        gain = model.fresh(now) * (o["expected_performance"] - model.performance(now))
        if any(p["model"] == pipe["model"] and p is not pipe and self.begun(p) for p in self.pipes):
            return 0.0
        return -o["weight"] * gain / self.plan.types[o["type"]]["train_s"]

    def begun(self, pipe: dict) -> bool:
        """Whether a run that has not ended has begun to train."""
        first, count = self.steps(pipe["model"])
        trains = [i for i in range(count) if self.plan.tasks[first + i]["trains"]]
        started = any(self.tasks[pipe["first"] + i]["start"] >= 0 for i in trains)
        return math.isnan(pipe["ended"]) and started

    def dispatch(self, c: int) -> None:
        while self.free[c] > 0 and self.queues[c]:
            task = min(self.queues[c], key=lambda t: (self.score(t), t))
            self.queues[c].remove(task)
            pipe, step = self.pipes[self.tasks[task]["pipe"]], self.step(task)
            held = self.held(task, self.plan.seconds[pipe["row"], self.tasks[task]["i"]])
            self.free[c] -= 1
            assert self.free[c] >= 0
            self.tasks[task]["start"] = self.env.now
            self.read += step["read"] * self.plan.asset[pipe["row"]]
            self.written += step["write"] * self.plan.asset[pipe["row"]]
            self.cost += held * self.plan.clusters[c]["cost"]
            self.used[self.models[pipe["model"]].o["owner"]] += held
            self.at(self.env.now + held, 0, task)

    def end(self, task: int) -> None:
        entry, step, now = self.tasks[task], self.step(task), self.env.now
        pipe = self.pipes[entry["pipe"]]
        model = self.models[pipe["model"]]
        entry["end"] = now
        self.free[int(step["cluster"])] += 1
        pipe["open"] -= 1
        first, _ = self.steps(pipe["model"])
        if step["trains"]:
            p, goal = model.performance(now), model.o["base"]
            goal += model.o["spread"] * self.plan.training_noise[pipe["row"]]
            pipe["metrics"] = p + model.fresh(pipe["requested"]) * (goal - p)
        j = first + entry["i"]
        value = self.plan.factor[j, 0] * pipe["metrics"] + self.plan.shift[j, 0]
        pipe["metrics"] = min(1.0, max(0.0, value))
        if step["gates"] and pipe["metrics"] < model.o["gate"]:
            pipe["failed"] = True
        if not pipe["failed"]:
            upto = self.plan.tasks[j + 1]["first_child"]
            for i in self.plan.child[step["first_child"] : upto]:
                child = self.tasks[pipe["first"] + int(i)]
                child["waits"] -= 1
                if child["waits"] == 0:
                    self.ready(pipe["first"] + int(i))
        if pipe["open"] == 0:
            self.conclude(pipe, model)

    def conclude(self, pipe: dict, model: Model) -> None:
        now, o = self.env.now, model.o
        pipe["ended"] = now
        model.underway -= 1
        if not pipe["failed"] and self.plan.types[o["type"]]["deploys"] and pipe["metrics"] > 0:
            self.piece(model)
            pipe["deployed"] = True
            model.deployed, model.p0, model.level = now, pipe["metrics"], 0.0
            model.data_at = max(model.data_at, pipe["requested"])
            return self.arm(model)
        if o["monitor"] <= 0 and (o["staleness"] > 0 or o["improvement"] > 0):
            model.check = now + o["retry"]
            self.at(model.check, 2, model.m)
        if o["new_data"] > 0:
            model.data = now + o["retry"]
            self.at(model.data, 4, model.m)
        return None

    def piece(self, model: Model) -> None:
        """Note a piece of time in which nothing but age changes a model."""
        model.pieces.append((self.env.now, model.deployed, model.p0, model.level))

    def quality(self, m: int, horizon: float, n: int = 4000) -> float:
        """Integral of performance to the horizon, by the midpoint rule within every piece."""
        model, begin, total = self.models[m], 0.0, 0.0
        for end, deployed, p0, level in [
            *model.pieces,
            (horizon, model.deployed, model.p0, model.level),
        ]:
            step = (end - begin) / n
            for k in range(n):
                age = begin + (k + 0.5) * step - deployed
                o = model.o
                lost = {1: min(1.0, o["rate"] * age), 2: 1 - math.exp(-o["rate"] * age)}.get(
                    o["drift"], level
                )
                total += step * p0 * (1 - lost)
            begin = end
        return total
