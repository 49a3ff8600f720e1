"""Joint placement: makespan of each method at equal CPU time, beside the proven lower bound.

    python -m tests.bench.joint                              # ten instances, 10 CPU s a method
    python -m tests.bench.joint --seconds 60 --instances 2

Instances are those of `panda-grid joint draw --seed 0`, `--seed 1` and so on. The exit code is 1 if
the local search is above another method on any instance.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from panda_gym.joint import METHODS, Instance, lower_bound, random_instance, solve
from panda_gym.joint.methods.search import ENOUGH


def arguments(words: list[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, nargs="+", default=[10.0])
    parser.add_argument("--instances", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="seed of the first instance")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--gamma", type=float, default=20.0)
    parser.add_argument("--readers", type=float, default=1.0)
    parser.add_argument("--quota", type=float)
    parser.add_argument("--bound-seconds", type=float, default=30.0)
    return parser.parse_args(words)


def row(instance: Instance, seed: int, options: argparse.Namespace, cpu_s: float) -> dict[str, Any]:
    """Return the bound, and makespans and CPU seconds of all methods, for one instance."""
    begin = time.process_time()
    bound_s = lower_bound(instance, cpu_s=options.bound_seconds)
    found: dict[str, Any] = {"bound": bound_s, "bound CPU": time.process_time() - begin}
    found["one random"] = solve(instance, "random", steps=1, seed=seed).makespan_s
    for name in options.methods:
        solved = solve(instance, name, cpu_s=cpu_s, seed=seed, lower_bound_s=bound_s)
        found[name], found[f"{name} CPU"] = solved.makespan_s, solved.cpu_s
    return found


def table(rows: list[dict[str, Any]], first: int) -> str:
    """Return a Markdown table: makespans by seed, and the mean ratio to the bound."""
    names = [name for name in rows[0] if not name.endswith(" CPU")]
    lines = [["seed", *names]]
    lines += [
        [str(first + k), *(f"{one[name]:.6g}" for name in names)] for k, one in enumerate(rows)
    ]
    over = [sum(one[name] / one["bound"] for one in rows) / len(rows) for name in names]
    spent = [sum(one.get(f"{name} CPU", 0.0) for one in rows) / len(rows) for name in names]
    lines.append(["mean over the bound", *(f"{one:.4f}" for one in over)])
    lines.append(["mean CPU s", *(f"{one:.2f}" for one in spent)])
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(words: list[str] | None = None) -> int:
    """Print a table for each budget; return 1 if the local search is beaten anywhere."""
    options, beaten = arguments(words), False
    for cpu_s in options.seconds:
        rows = []
        for seed in range(options.first, options.first + options.instances):
            instance = random_instance(
                seed, jobs=options.jobs, work_per_size=options.gamma, readers=options.readers,
                quota=options.quota,
            )  # fmt: skip
            rows.append(row(instance, seed, options, cpu_s))
            print(seed, {name: round(value, 4) for name, value in rows[-1].items()}, flush=True)
            best = min(rows[-1][name] for name in options.methods)
            beaten |= rows[-1].get("local_search", best) > best * (1.0 + ENOUGH)
        print(f"\n{cpu_s:g} CPU seconds a method\n\n{table(rows, options.first)}\n", flush=True)
    return int(beaten)


if __name__ == "__main__":
    raise SystemExit(main())
