"""A two-level surrogate beside rows drawn one by one, on streams that neither has seen.

    python -m tests.bench.two_levels reference --rows 2000000
    python -m tests.bench.two_levels lcg --trace LCG-2005.swf.gz --base smote
    python -m tests.bench.two_levels policies
    python -m tests.bench.two_levels rates --bases autoregressive tabddpm
    python -m tests.bench.two_levels rates --bases tabddpm --steps 50
    python -m tests.bench.two_levels shipped --trace LCG-2005.swf.gz
    python -m tests.bench.two_levels predictor
    python -m tests.bench.two_levels power --rows 2000000 --seeds 8

`reference`: fitted on days 1 to 120 of the reference workload, compared with days 121 to 150. The
floor is other worlds of the same reference (other seeds, the same days). `lcg`: fitted on days 1
to 8 of the LCG-2005 log, compared with days 9 to 11, and on days 1 to 5, compared with days 6 to
8; the floor is other days of the same log. `policies`: how policies rank on each kind of stream;
the floor is another world. `rates`: rows streamed in a CPU second. `shipped`: the shipped surrogate
of tasks beside the reference workload and LCG-2005, and its rate. `predictor`: how well workload
models fitted to its jobs predict tasks of another world. `power`: whether the policy `stream` can
show of so many real tasks that they are as good as real. The reference workload is a stand-in, not
PanDA data. Every table also goes to a JSON file. Knows public names.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import generators
import metrics
import panda_gym

FIGURES = (
    "fano",
    "autocorrelation_1",
    "autocorrelation_24",
    "hour_of_week",
    "batch_size_ks",
    "interarrival_ks",
)
POLICIES = (
    "earliest_completion",
    "least_loaded",
    "least_queued",
    "panda_production@scaled",
    "panda_analysis@scaled",
    "capacity_random",
    "data_locality",
    "round_robin",
    "random",
)
SINGLE = "autoregressive"
"""Generator of single rows."""
FLOORS = 5
"""Other worlds."""
TASK, TIME = "jeditaskid", "creationtime"
Tables = Iterator[tuple[str, pd.DataFrame]]


def days(table: pd.DataFrame, first: int, last: int, start: pd.Timestamp) -> pd.DataFrame:
    """Return the rows of days first to last, counted from 1 at `start`."""
    low, high = start + pd.Timedelta(days=first - 1), start + pd.Timedelta(days=last)
    return table[(table[TIME] >= low) & (table[TIME] < high)].reset_index(drop=True)


def forecast(model: Any, seed: int, end: pd.Timestamp) -> pd.DataFrame:
    """Return the rows of a two-level stream from the window's end up to `end`."""
    parts = []
    for part in model.stream(seed, rows=5_000):
        parts.append(part)
        if part[TIME].iloc[-1] >= end:
            break
    table = pd.concat(parts, ignore_index=True)
    return table[table[TIME] < end].reset_index(drop=True)


def alone(model: Any, seed: int, n: int, low: pd.Timestamp, high: pd.Timestamp) -> pd.DataFrame:
    """Return n rows drawn one by one, moved to the window with weekday and time of day kept."""
    rows = model.sample(2 * n, seed=seed)
    rng, week = np.random.default_rng(seed), pd.Timedelta(days=7)
    weeks = int(np.ceil((high - low) / week))
    later = pd.to_timedelta(7 * rng.integers(weeks, size=2 * n), "D")
    moved = low + (rows[TIME] - low) % week + later
    rows = rows.assign(**{TIME: moved.astype(rows[TIME].dtype)})
    rows = rows[moved < high].iloc[:n]
    return rows.assign(**{TASK: np.arange(len(rows))}).sort_values(TIME, ignore_index=True)


def fit(table: pd.DataFrame, options: argparse.Namespace, **config: Any) -> tuple[Any, Any]:
    """Return the two-level model and the model of single rows; fitted ones are kept and reread."""
    two = {"group": TASK, "time": TIME, "base": options.base, **config}
    asked = [
        ("two-levels", "grouped", two, table),
        ("single-rows", SINGLE, {"iterations": options.iterations}, table.drop(columns=TASK)),
    ]
    models = []
    for word, name, settings, rows in asked:
        key = f"{word}-{'lcg' if options.kind == 'lcg' else 'reference'}-{len(rows)}"
        if not (options.out / key).is_dir():
            clock = time.process_time()
            model = generators.create(name, **settings).fit(rows, seed=0)
            print(f"{key}: {time.process_time() - clock:.0f} CPU s of fit", flush=True)
            model.save(options.out / key)
        models.append(generators.load(options.out / key))
    return models[0], models[1]


def compare(
    streams: dict[str, list[pd.DataFrame]], true: pd.DataFrame, numbers: tuple[str, ...]
) -> pd.DataFrame:
    """Return each figure's distance from the true stream's: mean and sd over each kind's draws."""
    shown = [*FIGURES, *(f"batch_share.{name}" for name in numbers)]
    rows = {}
    for word, tables in streams.items():
        found = [metrics.temporal.time_figures(t, true, time=TIME, group=TASK) for t in tables]
        for id in shown:
            values = [figures[id] for figures in found]
            rows[id, word] = f"{np.mean(values):.4f} ({np.std(values):.4f})"
    return pd.Series(rows).unstack().loc[shown, list(streams)]


def plain(table: pd.DataFrame, numbers: tuple[str, ...]) -> dict[str, float]:
    """Return the figures of one stream by themselves."""
    from metrics.temporal.batches import explained

    seconds = table[TIME].to_numpy().astype("datetime64[s]").astype(np.int64)
    counts = np.bincount((seconds - seconds.min()) // 3600).astype(float)
    around = counts - counts.mean()
    memory = {k: float(around[k:] @ around[:-k] / (around @ around)) for k in (1, 24)}
    label = np.unique(table[TASK].to_numpy(np.int64), return_inverse=True)[1]
    out = {
        "rows": float(len(table)),
        "tasks": float(label.max() + 1),
        "fano": float(counts.var() / counts.mean()),
        "autocorrelation 1 h": memory[1],
        "autocorrelation 24 h": memory[24],
        "rows in one second with the row before": float((np.diff(np.sort(seconds)) == 0).mean()),
    }
    for name in numbers:
        x = table[name].to_numpy(float)
        here = x > 0
        out[f"ln {name} explained by task"] = explained(np.log(x[here]), label[here])
    return out


def table_of(streams: dict[str, list[pd.DataFrame]], numbers: tuple[str, ...]) -> pd.DataFrame:
    """Return `plain` figures, mean over each kind's draws."""
    return pd.DataFrame(
        {w: pd.DataFrame([plain(t, numbers) for t in ts]).mean() for w, ts in streams.items()}
    )


def paper(streams: dict[str, list[pd.DataFrame]], true: pd.DataFrame) -> pd.DataFrame:
    """Return the paper's metrics against the true rows, mean and sd over each kind's draws."""
    real, out = true.drop(columns=TASK), {}
    for word, tables in streams.items():
        found = []
        for table in tables:
            rows = table.drop(columns=TASK)
            found.append({
                "WD, rank scale": metrics.wd(rows, real),
                "JSD, bits": metrics.jsd(rows, real),
                "diff-CORR": metrics.diff_corr(rows, real),
                "C2ST": metrics.c2st(
                    rows.sample(min(len(rows), 10_000), random_state=0),
                    real.sample(min(len(real), 10_000), random_state=0),
                ),
            })  # fmt: skip
        every = pd.DataFrame(found)
        out[word] = [
            f"{m:.4f} ({s:.4f})" for m, s in zip(every.mean(), every.std(ddof=0), strict=True)
        ]
    return pd.DataFrame(out, index=list(every.columns))


def on_reference(options: argparse.Namespace) -> Tables:
    """Compare on the reference workload."""
    numbers = ("workload", "inputfilebytes")

    def world(seed: int) -> pd.DataFrame:
        return panda_gym.reference_records(options.rows, seed=seed, keep=[TASK])

    records = world(0)
    start = records[TIME].min().floor("D")
    low, high = start + pd.Timedelta(days=120), start + pd.Timedelta(days=150)
    train, true = days(records, 1, 120, start), days(records, 121, 150, start)
    two, one = fit(train, options)
    seeds = range(options.seeds)
    streams = {
        "other worlds (floor)": [days(world(100 + s), 121, 150, start) for s in range(FLOORS)],
        "two levels": [forecast(two, s, high) for s in seeds],
        "single rows": [alone(one, s, len(true), low, high) for s in seeds],
    }
    yield "by themselves", table_of({"true days": [true], **streams}, numbers)
    yield "distance from the true days", compare(streams, true, numbers)
    both = streams["other worlds (floor)"], streams["two levels"]
    worlds, drawn = (joined(tables[: min(map(len, both))]) for tables in both)
    title = "draws together against as many other worlds together"
    yield title, compare({"two levels": [drawn]}, worlds, numbers)
    yield "the paper's metrics against the true days", paper(streams, true)


def joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Return tables one after the other in time, whole weeks apart, their tasks kept apart."""
    parts = []
    for i, table in enumerate(tables):
        task = table[TASK].to_numpy(np.int64)
        moved = table[TIME] + pd.Timedelta(days=35 * i)
        parts.append(table.assign(**{TIME: moved, TASK: task + i * 10**9}))
    return pd.concat(parts, ignore_index=True)


def later(table: pd.DataFrame, days: int) -> pd.DataFrame:
    """Return rows moved to later days, to lie in the window that they are compared with."""
    return table.assign(**{TIME: table[TIME] + pd.Timedelta(days=days)})


def lcg(path: Path) -> pd.DataFrame:
    """Return the LCG-2005 log as a table: user as group (a number), site as category."""
    from panda_gym.jobs.swf import read_swf

    field = read_swf(path).fields
    keep = field["run_s"] >= 0
    user = pd.factorize(field["user"][keep])[0]
    submit = field["submit_s"][keep].astype("timedelta64[s]")
    return pd.DataFrame({
        TIME: np.datetime64("2005-11-20T00:00:05", "s") + submit,
        "site": pd.Categorical(field["partition"][keep].astype(int).astype(str)),
        "organisation": pd.Categorical(field["group"][keep].astype(int).astype(str)),
        "run": pd.array(field["run_s"][keep].astype(np.int64), dtype="Int64"),
        TASK: pd.array(user, dtype="Int64"),
    }).sort_values(TIME, kind="stable", ignore_index=True)  # fmt: skip


SPLITS = ((8, 11, ((3, 5), (6, 8))), (5, 8, ((1, 3), (3, 5))))
"""Last day of the fit, last day compared, and the days that are the floor."""


def on_lcg(options: argparse.Namespace) -> Tables:
    """Compare on the LCG-2005 log."""
    records = lcg(options.trace)
    start = records[TIME].min().floor("D")
    own = {"pause_h": options.pause, "longest_h": options.longest, "min_count": 3}
    for fitted, last, others in SPLITS:
        low, high = (start + pd.Timedelta(days=day) for day in (fitted, last))
        train, true = days(records, 1, fitted, start), days(records, fitted + 1, last, start)
        two, one = fit(train, options, **own)
        streams = {
            f"days {a} to {b} (floor)": [later(days(records, a, b, start), last - b)]
            for a, b in others
        }
        seeds = range(options.seeds)
        streams["two levels"] = [forecast(two, s, high) for s in seeds]
        if fitted >= 7:  # single rows keep their weekday: all must have been seen
            streams["single rows"] = [alone(one, s, len(true), low, high) for s in seeds]
        word = f"days {fitted + 1} to {last}"
        yield f"{word} by themselves", table_of({word: [true], **streams}, ("run",))
        yield f"distance from {word}", compare(streams, true, ("run",))


def on_policies(options: argparse.Namespace) -> Tables:
    """Rank policies on a week of streams of each kind, from which every world cuts a window."""
    from panda_gym.jobs import JobStream

    records = panda_gym.reference_records(options.rows, seed=0, keep=[TASK])
    start = records[TIME].min().floor("D")
    low, high = start + pd.Timedelta(days=120), start + pd.Timedelta(days=127)
    true = days(records, 121, 127, start)
    two, one = fit(days(records, 1, 120, start), options)
    world = panda_gym.reference_records(options.rows, seed=100, keep=[TASK])
    tables = {
        "reference": true,
        "another world": days(world, 121, 127, start),
        "two levels": forecast(two, 0, high),
        "single rows": alone(one, 0, len(true), low, high).drop(columns=TASK),
    }
    streams = {
        word: JobStream.from_records(table, name=word.replace(" ", "-"), origin="bench")
        for word, table in tables.items()
    }
    slowdown = {}
    for word, stream in streams.items():
        table = panda_gym.benchmark(
            POLICIES, {word.replace(" ", "-"): stream}, seeds=range(options.worlds),
            platform="atlas150", scale=options.scale, jobs=options.jobs,
            folder=options.out / "cells",
        )  # fmt: skip
        slowdown[word] = per_world(table)
    yield "mean slowdown", ranking(slowdown)


def per_world(table: Any) -> pd.DataFrame:
    """Return the mean bounded slowdown of each policy (column) in each world (row)."""
    rows = [(row.seed, row.policy, row.values["mean_slowdown"]) for row in table.rows]
    return pd.DataFrame(rows, columns=["world", "policy", "slowdown"]).pivot(
        index="world", columns="policy", values="slowdown"
    )


def ranking(slowdown: dict[str, pd.DataFrame], times: int = 2_000) -> pd.DataFrame:
    """Return mean slowdowns, Kendall's tau and relative error against the reference, 95 %."""
    from scipy.stats import kendalltau

    rng, out = np.random.default_rng(0), {}
    true = slowdown["reference"]
    for word, table in slowdown.items():
        column = {name: f"{table[name].mean():.2f}" for name in true}
        taus, errors = [], []
        for draw in range(times + 1):
            at = [rng.integers(len(t), size=len(t)) if draw else slice(None) for t in (true, table)]
            a, b = true.iloc[at[0]].mean(), table.iloc[at[1]].mean()
            taus.append(kendalltau(a, b[a.index]).statistic)
            errors.append(float((b / a - 1.0).abs().median()))
        for label, values in (("Kendall's tau", taus), ("median relative error", errors)):
            low, high = np.quantile(values[1:], [0.025, 0.975])
            column[label] = f"{values[0]:.2f} [{low:.2f}, {high:.2f}]"
        out[word] = column
    return pd.DataFrame(out)


def rates(options: argparse.Namespace) -> Tables:
    """Measure rows streamed in a CPU second, by base generator."""
    records = panda_gym.reference_records(options.rows, seed=0, keep=[TASK])
    out, settings = {}, {"steps": options.steps} if options.steps else {}
    for base in options.bases:
        model = generators.create(
            "grouped", group=TASK, time=TIME, base=base, iterations=100, settings=settings
        )
        model.fit(records, seed=0)
        out[base] = {"jobs / CPU s": f"{rate(model.stream(0, rows=10_000), 30):,.0f}"}
    yield "rates", pd.DataFrame(out).T


def rate(stream: Iterator[pd.DataFrame], tables: int) -> float:
    """Return the rows in a CPU second of the next tables of a stream, after its first."""
    next(stream)
    clock = time.process_time()
    rows = sum(map(len, islice(stream, tables)))
    return rows / (time.process_time() - clock)


def shipped(options: argparse.Namespace) -> Tables:
    """Put the shipped surrogate of tasks beside the reference workload and LCG-2005."""
    records = panda_gym.reference_records(options.rows, seed=0, keep=[TASK])
    start, opened = records[TIME].min().floor("D"), panda_gym.Surrogate.open("tasks")
    forecast, replay = (
        pd.concat(islice(opened.stream(0, replay=again), 4), ignore_index=True)
        for again in (False, True)
    )
    numbers = ("workload", "inputfilebytes")
    single = panda_gym.Surrogate.open("default").first_week()
    tables = {
        "reference, days 121 to 148": days(records, 121, 148, start),
        "tasks, four weeks on": forecast,
        "tasks, four weeks of a replay": replay,
        "default, a week": single.assign(**{TASK: np.arange(len(single))}),
    }
    found = {word: plain(table, numbers) for word, table in tables.items()}
    if options.trace is not None:
        found["LCG-2005, 11 days"] = plain(lcg(options.trace), ("run",))
    yield "by themselves", pd.DataFrame(found)
    rates = {
        "with predicted workload": rate(iter(opened.stream(1)), 3),
        "records alone": rate(opened.generator.stream(1, rows=10_000), 30),
    }
    yield "jobs in a CPU second", pd.DataFrame({"tasks": rates}).round(0)


def predictor(options: argparse.Namespace) -> Tables:
    """Compare settings of the workload model on tasks that it has not seen."""
    from panda_gym.surrogate.workload_model import (
        OF_TASKS,
        WorkloadConfig,
        WorkloadModel,
        log_workload,
    )

    drawn = panda_gym.Surrogate.open("tasks").sample(400_000, seed=1)
    fresh = panda_gym.reference_records(options.rows, seed=100, keep=[TASK])
    rows = {}
    for word, config in (("independent rows", WorkloadConfig()), ("tasks", OF_TASKS)):
        model = WorkloadModel.fit(drawn, config=config)
        model.save(options.out / "workload_model.cbm")
        rows[f"settings for {word}"] = {
            "error on fresh tasks": model.rmse(fresh),
            "on rows of the fit": model.rmse(drawn),
            "sd of fresh tasks": log_workload(fresh).std(),
            "bytes": (options.out / "workload_model.cbm").stat().st_size,
        }
    yield "error of ln(workload)", pd.DataFrame(rows).T.round(3)


def power(options: argparse.Namespace) -> Tables:
    """Score real tasks as if they were synthetic, by the quick settings of `stream`."""
    from metrics import base
    from metrics.certificate import policy
    from metrics.statistics import equivalence
    from metrics.tables.samples import read

    rules = policy.load("stream")
    records = panda_gym.reference_records(options.rows, seed=0, keep=[TASK])
    label = np.unique(records[TASK].to_numpy(np.int64), return_inverse=True)[1]
    found: dict[str, list[Any]] = {}
    passed = 0
    for seed in range(options.seeds):
        part = np.random.default_rng(seed).choice(3, label.max() + 1, p=[0.6, 0.2, 0.2])[label]
        words = enumerate(("train", "holdout", "synthetic"))
        samples: Any = read({word: records[part == k] for k, word in words}, TASK)
        settings = {**rules.settings, **rules.quick}
        study = base.Study(**samples, target="workload", time=TIME, seed=seed, settings=settings)
        parts = ("wd", "jsd", "diff_corr", "strata", "k_anonymity", "time")
        scores = [score for name in parts for score in base.load(name)(study)]
        graded = [replace(s, margin=m) for s in scores if (m := rules.margin(s.id)) is not None]
        tested = equivalence.graded(graded, rules.alpha, dict.fromkeys(base.PARTS, True))
        passed += all(score.passed for score in tested)
        for score in tested:
            found.setdefault(score.id, []).append(score)
    rows = {}
    for id, scores in found.items():
        p = np.array([equivalence.p_value(score, rules.alpha) for score in scores])
        rows[id] = {
            "margin": scores[0].margin,
            "excess, mean": np.mean([s.excess for s in scores]),
            "excess, sd": np.std([s.excess for s in scores]),
            "bound - excess": np.mean([s.bound - s.excess for s in scores]),
            "shown at 5 %": (p <= rules.alpha).mean(),
            "at 5 % / 8": (p <= rules.alpha / 8).mean(),
        }
    title = f"{label.max() + 1} tasks, {passed} of {options.seeds} splits pass all of these"
    yield title, pd.DataFrame(rows).T.round(4)


KINDS = {
    "reference": on_reference,
    "lcg": on_lcg,
    "policies": on_policies,
    "rates": rates,
    "shipped": shipped,
    "predictor": predictor,
    "power": power,
}


def main() -> None:
    """Read the command line, print the tables and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--base", default="autoregressive")
    parser.add_argument("--bases", nargs="+", default=["autoregressive", "tabddpm"])
    parser.add_argument("--steps", type=int, default=0, help="of a diffusion, 0: its own")
    parser.add_argument("--iterations", type=int, default=200, help="of the model of single rows")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trace", type=Path)
    parser.add_argument("--pause", type=float, default=1.0, help="hours, LCG-2005 only")
    parser.add_argument("--longest", type=float, default=0.25, help="hours, LCG-2005 only")
    parser.add_argument("--worlds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=1_000)
    parser.add_argument("--scale", type=float, default=0.01)
    parser.add_argument("--out", type=Path, default=Path("runs/two-levels"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    body = {}
    for title, table in KINDS[options.kind](options):
        print(f"\n{options.kind}: {title}\n{table.to_string()}", flush=True)
        body[title] = table.to_dict()
        text = json.dumps(body, indent=1, default=str)
        (options.out / f"{options.kind}.json").write_text(text)


if __name__ == "__main__":
    main()
