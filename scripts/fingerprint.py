"""Hash what the packages do, to prove that a refactoring changed nothing, bit for bit.

    OMP_NUM_THREADS=1 python scripts/fingerprint.py --out before.json
    OMP_NUM_THREADS=1 python scripts/fingerprint.py --compare before.json
    OMP_NUM_THREADS=1 python scripts/fingerprint.py --only worlds --worlds 100
    OMP_NUM_THREADS=1 python scripts/fingerprint.py --show 137

The parts are `worlds` (random play in random settings), `agents` (choices of the policies),
`surrogates` (sampled rows), `fits` (rows of generators that are fitted anew), `certificate`
(scores of two small tables), `benchmark` (its measures) and `logs` (files and pictures of an
episode). Equal hashes mean equal bytes. A renamed keyword, policy or info key changes no hash:
all such names stand in TABLE. In a checkout that spells one otherwise, edit its line alone.

The script imports the three packages by their doors and no deeper module. PYTHONPATH chooses the
checkout. Hashes hold for one machine and one set of package versions: compare on the same.
Hashes of `texts`, `settings`, `profile`, `curves` and `columns` cover words that files contain.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import gymnasium
import numpy as np
import pandas as pd

import generators
import metrics
import panda_gym

Settings = dict[str, Any]
Draws = Mapping[str, tuple[float, tuple[Any, ...]]]
Hashes = Iterator[tuple[str, str]]

TABLE: Final[Mapping[str, str]] = {
    # Environments and what they are made with.
    "environment": """
        placement=PandaGrid/Placement-v0 data=PandaGrid/DataPlacement-v0
        workflow=PandaGrid/Workflow-v0 pipelines=PandaGrid/Pipelines-v0""",
    "setting": """
        num_envs observation threads render_mode log log_level
        scenario surrogate stream stream_jobs stream_seed platform scale jobs running warmup load
        input_scale reward staleness_s competing network storage failures retries limits
        cancellations outages discipline pilot_s decisions defer defer_s pending_s events
        efficiency bound_s anomaly
        workflow slots granularity mode gap_s launch_s home variants library_seed
        days review_hours sites site_share site_cost models pipeline arrivals_per_day drift
        drift_per_day drift_spread staleness improvement period_days new_data_gb page_hinkley
        monitor_hours noise data_need_gb train_spread training_slots gate weight_spread age_days
        fleet_seed""",
    "competing": "mean daily peak_hour spread memory interval_s trace",
    "network": "level mbps_per_core",
    "storage": "gb_per_core output",
    "failures": "scale most early early_s",
    "retries": "attempts delay_s",
    "limits": "assigned_s activated_s running_s heartbeat_s",
    "cancellations": "share mean_s",
    "outages": "up_s down_s brown_s brown brown_cores step_s",
    "anomaly": "name begin lasts factor share largest",
    # Values that are names themselves.
    "value": """
        dict flat ansi rgb_array default tasks atlas150 small15 tiny4 summit16
        predicted true jobs_in_system slowdown throughput fifo priority easy
        atlas calm saturated data-heavy outage rush stale conference-rush campaign-start
        site-outage broken-release conference_rush campaign_start site_outage broken_release
        ddmd ddmd_authors cdg1 cdg2_split random:layered random:montage random:forkjoin random:ddmd
        set task sequential pipelines sets tasks makespan work net quality
        short standard hardened linear exponential change_points random_walk
        shortest_first earliest_deadline fair_share improvement""",
    # What an environment says.
    "placement observation": "sites job grid action_mask",
    "placement info": "cost costs reward_pred reward_true site time_s",
    "placement costs": "illegal_action wan_tb wasted_core_h closures quota_tb",
    "workflow observation": "sets graph sites pairs action_mask",
    "workflow info": """
        clock_s t_seq_s reward_work reward_makespan decisions cost costs""",
    "workflow costs": "illegal=illegal_action",
    "pipelines observation": "models places fleet action_mask",
    "pipelines info": """
        clock_s reward_net reward_quality requests merged runs ended cost costs""",
    "pipelines costs": "compute illegal=illegal_action",
    "log": """
        now_s warmup bound_s arrival_s site activation_s start_s end_s cores input_bytes
        moved_bytes workload_true workload_pred ideal_s origin attempt placed_s starting_s source
        state_code cause wasted_s priority""",
    "execution": "capacity need start stop node placed",
    "history": "pipes=runs tasks models metrics bytes_read bytes_written cost row_bytes",
    # Policies, measures, certificates.
    "policy": """
        difference-reward-scorer ppo-scorer tuned learned assignment capacity_random data_locality
        earliest_completion fastest heft least_loaded least_queued least_queued_per_slot max_min
        min_min panda_analysis panda_analysis_original panda_production panda_production_draw
        random round_robin shortest_of_few""",
    "policy setting": "folder",
    "compared": "tuned panda=panda_production_draw@scaled oracle=oracle:clairvoyant",
    "measure": """
        mean_slowdown geometric_slowdown p95_slowdown mean_turnaround mean_wait p50_wait p95_wait
        throughput utilisation wan remote_share fairness_projects fairness_sizes
        reward_pred reward_true reward_gap
        unfinished wasted cost""",
    "interval": "value low high n",
    "generator": "smote tvae ctabgan tabddpm autoregressive grouped",
    "generator setting": "iterations group",
    "week": "seed rows_per_week",
    "certify": "target time group loss outcomes seed quick threads",
    "outcomes": "real synthetic",
    "score": "part value low high floor=real_vs_real bound n margin better tail grade",
    "document": """
        settings sizes columns profile curves failures left_out self_test privacy verdict""",
}
"""Every name that is used, by its kind; `word=name` where the checkout's name is another."""

NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    kind: {pair.partition("=")[0]: pair.rpartition("=")[2] for pair in line.split()}
    for kind, line in TABLE.items()
}
"""The same as {kind: {word of this script: name in the checkout}}."""

LEARNED: Final = "medium/agent.json"
"""Last parts of the path of the agent that ships without a name, a file of the package."""

SEED: Final = 20_260
BLOCK: Final = 100
"""Worlds behind one hash."""
DECISIONS: Final = 300
"""Decisions in every world."""
FEW: Final = 20
"""Worlds of each other environment."""
ILLEGAL: Final = 0.03
"""Share of decisions that ignore the mask."""
AGENT_WORLDS: Final = 10
ROWS: Final = 10_000
"""Rows of each surrogate that are hashed."""

SIZES: Final = (
    {"platform": "atlas150", "scale": 0.01},
    {"platform": "atlas150", "scale": 0.03},
    {"platform": "small15", "scale": 0.1},
    {"platform": "small15", "scale": 1.0},
    {"platform": "tiny4", "scale": 1.0},
)
FORMS: Final[tuple[Settings, ...]] = (
    {},
    {},
    {"defer": True},
    {"defer": True, "defer_s": 60.0, "pending_s": 600.0},
    {"decisions": 3},
    {"decisions": 7, "defer": True},
)
EPISODES: Final[Draws] = {
    "jobs": (1.0, (130, 220, 400)),
    "warmup": (0.8, (0, 40, 200)),
    "running": (0.4, (0, 25, 150)),
    "observation": (0.3, ("dict", "flat")),
    "reward": (0.8, ("predicted", "true", "jobs_in_system", "slowdown", "throughput")),
    "discipline": (0.6, ("fifo", "priority", "easy")),
    "bound_s": (0.2, (10.0, 3600.0)),
    "efficiency": (0.2, (0.6, 1.0)),
}
"""What is drawn of every world: the chance that it is given, and its values."""

MECHANISMS: Final[Draws] = {
    "load": (0.8, (None, 0.4, 0.8, 1.05, 1.35, 2.0, 5.0)),
    "input_scale": (0.3, (0.1, 10.0, 100.0)),
    "staleness_s": (0.5, (0.0, 60.0, 450.0, 600.0)),
    "pilot_s": (0.5, (30.0, 300.0, 2000.0)),
    "competing": (
        0.6,
        (
            None,
            0.25,
            0.8,
            {"mean": 0.6, "spread": 0.4, "interval_s": 60.0},
            {"mean": 0.4, "daily": 0.8, "peak_hour": 3.0, "memory": 0.5},
            {"trace": ((0.1,), (0.7,), (0.4,)), "interval_s": 300.0},
        ),
    ),
    "network": (0.75, (0, 1, 2, {"level": 1, "mbps_per_core": 0.02}, {"level": 2})),
    "storage": (0.5, (True, {"gb_per_core": 1.0}, {"gb_per_core": 3.0, "output": 0.5})),
    "failures": (
        0.6,
        (True, {"scale": 3.0}, {"scale": 10.0, "most": 0.7, "early": 0.9, "early_s": 60.0}),
    ),
    "retries": (0.6, (True, {"attempts": 5}, {"attempts": 2, "delay_s": 1800.0})),
    "limits": (
        0.5,
        (
            True,
            {"assigned_s": 600.0, "activated_s": 1500.0},
            {"running_s": 3600.0, "heartbeat_s": 600.0, "activated_s": 6000.0},
        ),
    ),
    "cancellations": (0.4, (True, {"share": 0.3, "mean_s": 3000.0})),
    "outages": (
        0.5,
        (
            True,
            {"up_s": 6000.0, "down_s": 3000.0},
            {"up_s": 20_000.0, "brown_s": 9000.0, "brown": 0.9, "brown_cores": 0.2},
            {"up_s": 86_400.0, "step_s": 60.0},
        ),
    ),
    "anomaly": (
        0.15,
        (
            "conference_rush",
            "broken_release",
            {"name": "conference_rush", "factor": 4.0, "begin": 0.1},
            {"name": "campaign_start", "share": 0.75},
            {"name": "site_outage", "largest": 2, "lasts": 0.6},
        ),
    ),
}
"""What is drawn beside it where no named scenario is."""

SCENARIOS: Final = (
    "default", "atlas", "calm", "saturated", "data-heavy", "outage", "rush", "stale",
    "conference-rush", "campaign-start", "site-outage", "broken-release",
)  # fmt: skip
NAMED: Final = 0.3
"""Share of the worlds that are of a named scenario."""

WORKFLOWS: Final[Draws] = {
    "workflow": (
        1.0,
        (
            "ddmd", "ddmd_authors", "cdg1", "cdg2_split", "random:layered", "random:montage",
            "random:forkjoin", "random:ddmd",
        ),
    ),
    "platform": (0.3, ("small15", "summit16")),
    "scale": (1.0, (1.0, 2.0)),
    "slots": (0.4, (3, 12)),
    "granularity": (0.5, ("set", "task")),
    "mode": (0.5, ("sequential", "pipelines", "sets", "tasks")),
    "reward": (0.5, ("makespan", "work")),
    "gap_s": (0.5, (6.91,)),
    "launch_s": (0.5, (0.5, 3.0)),
    "variants": (1.0, (2, 4)),
    "library_seed": (0.5, (7, 11)),
}  # fmt: skip
PIPELINES: Final[Draws] = {
    "days": (1.0, (4.0, 10.0)),
    "review_hours": (0.5, (2.0, 12.0)),
    "sites": (0.5, (0, 2, 5)),
    "site_share": (0.3, (0.01, 0.1)),
    "reward": (0.5, ("net", "quality")),
    "models": (0.6, (5, 20)),
    "pipeline": (0.5, ("short", "standard", "hardened")),
    "arrivals_per_day": (0.5, (0.0, 10.0)),
    "drift": (0.7, ("linear", "exponential", "change_points", "random_walk")),
    "staleness": (0.4, (None, 0.05)),
    "improvement": (0.3, (0.02,)),
    "period_days": (0.3, (1.0, 2.5)),
    "new_data_gb": (0.3, (8.0,)),
    "page_hinkley": (0.2, (0.1,)),
    "monitor_hours": (0.5, (1.0, 5.0)),
    "noise": (0.4, (0.01,)),
    "data_need_gb": (0.3, (4.0,)),
    "train_spread": (0.3, (0.5,)),
    "training_slots": (0.3, (1, 4)),
    "discipline": (
        0.5,
        ("fifo", "shortest_first", "earliest_deadline", "fair_share", "improvement"),
    ),
    "gate": (0.3, (0.88,)),
    "weight_spread": (0.3, (0.7,)),
    "fleet_seed": (0.5, (1, 2)),
}

LOGGED: Final[Settings] = {
    "scenario": "outage", "platform": "small15", "scale": 0.1, "jobs": 150, "network": 2,
    "defer": True, "failures": {"scale": 3.0},
}  # fmt: skip
BENCHMARKED: Final[Settings] = {"scenario": "atlas", "jobs": 200}
VERSIONS: Final = (
    "numpy", "pandas", "numba", "scipy", "scikit-learn", "catboost", "torch", "gymnasium",
)  # fmt: skip
"""Packages whose versions may change a hash."""


class Hash:
    """A SHA-256 of values: arrays by type, shape and bytes, the rest by type and text."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()

    def add(self, *values: Any) -> Hash:
        """Add values; lists and tuples are added entry by entry."""
        for value in values:
            if isinstance(value, list | tuple) or is_objects(value):
                self._sha.update(f"({len(value)})".encode())
                self.add(*value)
            elif isinstance(value, np.ndarray | np.generic):
                self._array(np.asarray(value))
            elif value is None or isinstance(value, bool | int | float | str):
                self._sha.update(f"{type(value).__name__} {value!r};".encode())
            else:
                raise TypeError(f"needed a number, a text or an array; got {type(value)}")
        return self

    def _array(self, array: np.ndarray) -> None:
        """Add an array; every NaN counts as the same number."""
        if array.dtype.kind == "f" and np.isnan(array).any():
            array = np.where(np.isnan(array), array.dtype.type(np.nan), array)
        head = f"{array.dtype.kind}{array.dtype.itemsize}{array.shape};"
        self._sha.update(head.encode())
        self._sha.update(np.ascontiguousarray(array).tobytes())

    def text(self) -> str:
        """Return the hash in hex."""
        return self._sha.hexdigest()


def is_objects(value: Any) -> bool:
    """Return whether a value is an array of Python objects."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "O"


def hash_of(*values: Any) -> str:
    """Return the hash of values."""
    return Hash().add(*values).text()


# Names


@cache
def warn(text: str) -> None:
    """Print a warning, once."""
    print(f"warning: {text}", file=sys.stderr)


def spelt(kind: str, settings: Mapping[str, Any]) -> Settings:
    """Return settings with the names of the checkout, those of their values included."""
    return {NAMES[kind][word]: _spelt_value(word, value) for word, value in settings.items()}


def _spelt_value(word: str, value: Any) -> Any:
    if isinstance(value, Mapping) and word in NAMES:
        return spelt(word, value)
    return NAMES["value"].get(value, value) if isinstance(value, str) else value


def picked(kind: str, found: Mapping[str, Any]) -> list[Any]:
    """Return the named entries in the order of the table; refuse a mapping that lacks one."""
    names = NAMES[kind].values()
    if missing := [name for name in names if name not in found]:
        raise SystemExit(f"{kind}: needed {missing}, got {sorted(found)}; edit TABLE[{kind!r}]")
    if extra := sorted(name for name in found if name[0] != "_" and name not in names):
        warn(f"{kind}: {extra} stand in no line of the table and are not hashed")
    return [found[name] for name in names]


def attributes(kind: str, thing: Any) -> list[Any]:
    """Return the named attributes in the order of the table; structured arrays field by field."""
    values = [getattr(thing, name) for name in NAMES[kind].values()]
    return [
        [value[field] for field in value.dtype.names] if _structured(value) else value
        for value in values
    ]


def _structured(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.names is not None


# Random settings


def one_of(rng: np.random.Generator, values: Sequence[Any]) -> Any:
    """Return one of some values, each as likely."""
    return values[int(rng.integers(len(values)))]


def drawn(rng: np.random.Generator, draws: Draws) -> Settings:
    """Return settings drawn from a table."""
    given = {word: (rng.random() < chance, one_of(rng, v)) for word, (chance, v) in draws.items()}
    return {word: value for word, (is_given, value) in given.items() if is_given}


def interface(rng: np.random.Generator, threads: bool = False) -> Settings:
    """Return how an environment is made: alone, or as a vector of 1 to 3."""
    size, two = int(rng.integers(0, 4)), rng.random() < 0.1
    if size == 0:
        return {}
    return {"num_envs": size, **({"threads": 2} if two and threads else {})}


def placement(number: int) -> Settings:
    """Return the settings of world `number`; they depend on nothing else."""
    rng = np.random.default_rng([SEED, number])
    chosen = {"stream": one_of(rng, ("default", "tasks", "records"))}
    chosen |= interface(rng, threads=True) | one_of(rng, SIZES) | one_of(rng, FORMS)
    chosen |= drawn(rng, EPISODES)
    named, name, free = rng.random() < NAMED, one_of(rng, SCENARIOS), drawn(rng, MECHANISMS)
    return chosen | ({"scenario": name} if named else free)


def data_placement(number: int) -> Settings:
    """Return the settings of a world with actions on data."""
    rng = np.random.default_rng([SEED, 1, number])
    chosen = interface(rng) | one_of(rng, SIZES[2:]) | {"defer": bool(rng.random() < 0.3)}
    chosen |= drawn(rng, EPISODES) | drawn(rng, MECHANISMS)
    return {"stream": "records", "storage": True, **chosen}


def workflow(number: int) -> Settings:
    """Return the settings of a world of workflows."""
    rng = np.random.default_rng([SEED, 2, number])
    chosen = interface(rng) | drawn(rng, WORKFLOWS)
    if chosen.get("platform") == "small15":
        chosen["workflow"] = one_of(rng, ("random:layered", "random:montage", "random:forkjoin"))
    return chosen


def pipelines(number: int) -> Settings:
    """Return the settings of a world of pipelines."""
    rng = np.random.default_rng([SEED, 3, number])
    chosen = interface(rng) | drawn(rng, PIPELINES)
    if {"page_hinkley", "noise", "improvement"} & chosen.keys():  # they need observations
        chosen.setdefault("monitor_hours", 2.0)
    return chosen


# Play


@cache
def stream(name: str) -> panda_gym.JobStream:
    """Return a stream of jobs: of a surrogate that ships, or of the reference records."""
    if name == "records":
        return panda_gym.JobStream.from_records(records(4_000, 0), name="reference")
    return panda_gym.JobStream.from_surrogate(panda_gym.Surrogate.open(spelling(name)))


def spelling(value: str) -> str:
    """Return the checkout's spelling of a value that is a name."""
    return NAMES["value"][value]


def records(rows: int, seed: int) -> pd.DataFrame:
    """Return reference records."""
    return panda_gym.reference_records(rows, seed=seed)


def make(kind: str, settings: Settings) -> Any:
    """Make an environment of settings in this script's words; a vector if `num_envs` is given."""
    given = spelt("setting", {k: v for k, v in settings.items() if k != "stream"})
    if "stream" in settings:
        given[NAMES["setting"]["stream"]] = stream(settings["stream"])
    maker = gymnasium.make_vec if "num_envs" in settings else gymnasium.make
    return maker(NAMES["environment"][kind], **given)


def play(kind: str, env: Any, seed: int, steps: int) -> Hash:
    """Play random actions and hash all that the environment returns."""
    kind = "placement" if kind == "data" else kind
    found, rng = Hash(), np.random.default_rng([SEED, 4, seed])
    observation, info = env.reset(seed=seed)
    found.add(seen(kind, observation), told(kind, info))
    for _ in range(steps):
        observation, reward, terminated, truncated, info = env.step(actions(env, rng))
        found.add(seen(kind, observation), reward, terminated, truncated, told(kind, info))
        if single(env) and (terminated or truncated):
            found.add(recorded(kind, env))
            observation, info = env.reset()
            found.add(seen(kind, observation), told(kind, info))
    return found


def single(env: Any) -> bool:
    """Return whether an environment is no vector."""
    return not isinstance(env.unwrapped, gymnasium.vector.VectorEnv)


def actions(env: Any, rng: np.random.Generator) -> Any:
    """Draw actions among the legal ones, and now and then among all."""
    space = env.unwrapped.action_space if single(env) else env.unwrapped.single_action_space
    mask = env.unwrapped.action_masks()
    open_to = mask | (rng.random((*mask.shape[:-1], 1)) < ILLEGAL)
    luck = rng.random(mask.shape) * open_to
    if isinstance(space, gymnasium.spaces.Discrete):
        return luck.argmax(axis=-1)
    parts = np.split(luck, np.cumsum(space.nvec)[:-1], axis=-1)
    return np.stack([part.argmax(axis=-1) for part in parts], axis=-1)


def seen(kind: str, observation: Any) -> Any:
    """Return an observation, or an array of those of ended episodes, as what can be hashed."""
    if isinstance(observation, Mapping):
        return picked(f"{kind} observation", observation)
    if is_objects(observation):
        return [None if one is None else seen(kind, one) for one in observation]
    return observation


def told(kind: str, info: Mapping[str, Any]) -> list[Any]:
    """Return an info as what can be hashed, with what it says of ended episodes."""
    final = {"final_info", "final_obs"}
    own = picked(f"{kind} info", {k: v for k, v in info.items() if k not in final})
    parts = [picked(f"{kind} costs", v) if isinstance(v, Mapping) else v for v in own]
    if "final_info" in info:
        parts += [told(kind, info["final_info"]), seen(kind, info["final_obs"])]
        parts += [info["_final_info"], info["_final_obs"]]
    return parts


def recorded(kind: str, env: Any) -> list[Any]:
    """Return what a single environment keeps of an episode that has ended."""
    if kind == "workflow":
        return attributes("execution", env.unwrapped.execution())
    if kind == "pipelines":
        return attributes("history", env.unwrapped.history())
    return attributes("log", env.unwrapped.episode_log())


def world(kind: str, number: int, settings: Settings) -> str:
    """Return the hash of one world: its play and, of placement, the jobs of its last grid."""
    env = make(kind, settings)
    found = play(kind, env, number, DECISIONS // settings.get("decisions", 1))
    if kind in ("placement", "data"):
        grid = () if single(env) else (settings["num_envs"] - 1,)
        found.add(attributes("log", env.unwrapped.episode_log(*grid)))
    env.close()
    return found.text()


# The parts


def worlds(number: int, each: list[str]) -> Hashes:
    """Hash random worlds, BLOCK together and all together; keep the hash of each in `each`."""
    for first in range(0, number, BLOCK):
        block = range(first, min(first + BLOCK, number))
        each += [world("placement", n, placement(n)) for n in block]
        yield f"placement {block[0]:04d}-{block[-1]:04d}", hash_of(each[first:])
    yield f"placement all {number}", hash_of(list(each))
    for kind, draw in (("data", data_placement), ("workflow", workflow), ("pipelines", pipelines)):
        for n in range(FEW):
            yield f"{kind} {n:02d}", world(kind, n, draw(n))
    longer = {"surrogate": "tasks", "stream_jobs": 5_000, "stream_seed": 3, "jobs": 200}
    for n, settings in enumerate(({"surrogate": "default", "jobs": 200}, longer)):
        yield f"surrogate {n}", world("placement", n, settings)


def agents() -> Hashes:
    """Hash the sites that every policy chooses, and the rewards."""
    for word, name in NAMES["policy"].items():
        settings = {}
        if word == "learned":
            (card,) = Path(panda_gym.__file__).parent.rglob(LEARNED)
            settings = {NAMES["policy setting"]["folder"]: card.parent}
        yield word, decided(panda_gym.policies.create(name, **settings))


def decided(policy: Any) -> str:
    """Return the hash of what a policy decides in some worlds of default settings."""
    env = make("placement", {"stream": "default", "num_envs": AGENT_WORLDS, "jobs": DECISIONS})
    found, rng = Hash(), np.random.default_rng([SEED, 5])
    observation, _ = env.reset(seed=1000)
    policy.reset(AGENT_WORLDS)
    for _ in range(DECISIONS):
        sites = policy(observation, rng)
        observation, rewards, *_ = env.step(sites)
        found.add(sites, rewards)
    return found.text()


def surrogates() -> Hashes:
    """Hash rows of the surrogates that ship: sampled, sealed, and of their streams."""
    weeks = {"default": {"seed": 1, "rows_per_week": 2_000}, "tasks": {"seed": 1}}
    for word, week in weeks.items():
        surrogate = panda_gym.Surrogate.open(spelling(word))
        tables = {
            "sample": surrogate.sample(ROWS, seed=0),
            "head": surrogate.first_week(),
            "stream": next(surrogate.stream(**spelt("week", week))).iloc[:ROWS],
        }
        for name, table in tables.items():
            yield from columns(f"{word} {name}", table)


def fits() -> Hashes:
    """Hash rows of every generator, after a short fit, saved and loaded."""
    tasks = panda_gym.Surrogate.open(spelling("tasks")).sample(800, seed=7)
    for word, name in NAMES["generator"].items():
        config: Settings = {} if word == "smote" else {"iterations": 30}
        if word == "grouped":
            config["group"] = "jeditaskid"
        table = tasks if word == "grouped" else records(600, 2)
        fitted = generators.create(name, **spelt("generator setting", config)).fit(table, seed=0)
        with tempfile.TemporaryDirectory() as folder:
            fitted.save(Path(folder, "saved"))
            rows = generators.load(Path(folder, "saved")).sample(200, seed=1)
        yield from columns(word, rows)


def columns(name: str, table: pd.DataFrame) -> Hashes:
    """Hash every column of a table, and their order."""
    yield f"{name} columns", hash_of(list(table.columns), len(table))
    for column in table.columns:
        yield f"{name} {column}", hash_of(*plain(table[column]))


def plain(column: pd.Series) -> list[Any]:
    """Return a column's type, levels and values as what can be hashed."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return ["category", list(column.cat.categories), column.cat.codes.to_numpy()]
    if column.dtype.kind in "mM":
        return [str(column.dtype), column.to_numpy().view(np.int64)]
    if pd.api.types.is_extension_array_dtype(column.dtype) and column.dtype.kind in "iuf":
        missing = column.isna().to_numpy()
        return [str(column.dtype), missing, column.fillna(0).to_numpy(column.dtype.numpy_dtype)]
    if column.dtype.kind in "biuf":
        return [column.to_numpy()]
    return ["text", [None if pd.isna(value) else str(value) for value in column]]


def certificates() -> Hashes:
    """Hash two certificates: of rows by SMOTE, and of tasks with everything that may be asked."""
    real = records(1_200, 1)
    train, holdout = real.iloc[::2], real.iloc[1::2]
    smote = generators.create(NAMES["generator"]["smote"]).fit(train, seed=0)
    yield from certificate("rows", (train, holdout, smote.sample(600, seed=0)), {})
    tasks = panda_gym.Surrogate.open(spelling("tasks"))
    real, synthetic = (tasks.sample(n, seed=n).iloc[::50] for n in (60_000, 30_000))
    odd = real["jeditaskid"].rank(method="dense").astype(int) % 2 == 1
    rng = np.random.default_rng([SEED, 6])
    asked = {
        "group": "jeditaskid",
        "loss": lambda table: np.log1p(table["workload"].to_numpy(np.float64)),
        "outcomes": {word: pd.DataFrame(rng.random((4, 8))) for word in ("real", "synthetic")},
    }
    yield from certificate("tasks", (real[odd], real[~odd], synthetic), asked)


def certificate(name: str, tables: tuple[pd.DataFrame, ...], asked: Settings) -> Hashes:
    """Hash a certificate: every score, the verdict, all else that it says, and its texts."""
    settings = spelt("certify", {**asked, "quick": True, "threads": 1})
    issued = metrics.certify(*tables, **settings)
    yield f"{name} tables", hash_of([metrics.table_sha256(table) for table in tables])
    yield f"{name} verdict", hash_of(issued.verdict, sorted(issued.grades.items()))
    for id, score in issued.scores.items():
        yield f"{name} score {id}", hash_of(attributes("score", score))
    said = dict(zip(NAMES["document"], picked("document", _known(issued.document)), strict=True))
    texts = [said.pop("failures"), said.pop("left_out"), said.pop("self_test")]
    texts += [said.pop("privacy"), said.pop("verdict")]
    yield f"{name} failures", hash_of(*(sorted(part) for part in texts[:2]))
    yield f"{name} self-test", hash_of([[k, v["passed"]] for k, v in sorted(texts[2].items())])
    for word, part in said.items():
        yield f"{name} {word}", hash_of(json.dumps(part, sort_keys=True))
    texts.append([score.note for score in issued.scores.values()])
    yield f"{name} texts", hash_of(json.dumps(texts, sort_keys=True))


def _known(document: Mapping[str, Any]) -> Settings:
    """Return the entries of a certificate that the table names: no time, version or code."""
    return {name: document[name] for name in NAMES["document"].values() if name in document}


def benchmark() -> Hashes:
    """Hash the measures of three policies in two worlds, and their intervals."""
    compared = dict(NAMES["compared"])
    settings = spelt("setting", BENCHMARKED)
    table = panda_gym.benchmark(compared, [spelling("default")], (1000, 1001), **settings)
    for word in compared:
        for measure, name in NAMES["measure"].items():
            interval = attributes("interval", table.difference(word, name))
            yield f"{word} {measure}", hash_of(table.values(word, name), interval)


def logs() -> Hashes:
    """Hash the files that keep an episode, column by column, and its pictures."""
    with tempfile.TemporaryDirectory() as folder:
        asked = {"log": str(Path(folder, "episode.parquet")), "log_level": "events"}
        env = make("placement", {**LOGGED, **asked, "stream": "records"})
        yield "play", play("placement", env, 0, 2 * LOGGED["jobs"]).text()
        for path in sorted(Path(folder).glob("*.parquet")):
            yield from columns(path.name, pd.read_parquet(path))
    for mode in ("ansi", "rgb_array"):
        env = make("placement", {**LOGGED, "render_mode": mode, "stream": "records"})
        play("placement", env, 0, 100)
        yield f"render {mode}", hash_of(env.render())


PARTS: Final[Mapping[str, Callable[[], Hashes]]] = {
    "agents": agents,
    "surrogates": surrogates,
    "fits": fits,
    "certificate": certificates,
    "benchmark": benchmark,
    "logs": logs,
}
"""Parts beside `worlds`, by name."""


# The command


def measured(parts: Sequence[str], number: int) -> Settings:
    """Run the parts and return the document: what was asked, versions, hashes."""
    hashes: dict[str, str] = {}
    each: list[str] = []
    for part in parts:
        began = time.process_time()
        found = worlds(number, each) if part == "worlds" else PARTS[part]()
        for key, value in found:
            hashes[f"{part}/{key}"] = value
        print(f"{part}: {time.process_time() - began:.0f} CPU s", file=sys.stderr)
    return {
        "parts": list(parts),
        "worlds": number if "worlds" in parts else 0,
        "versions": {name: importlib.metadata.version(name) for name in VERSIONS},
        "hashes": hashes,
        "each_world": [one[:16] for one in each],
    }


def differences(there: Settings, here: Settings) -> list[str]:
    """Return what differs between two documents, of the parts that both ran.

    With other numbers of worlds, hashes of placement that one side lacks are passed over.
    """
    shared, lines = set(there["parts"]) & set(here["parts"]), []
    a, b = there["hashes"], here["hashes"]
    for key in sorted(a.keys() | b.keys()):
        word = "differs" if key in a and key in b else "only there" if key in a else "only here"
        fewer = key.startswith("worlds/placement") and there["worlds"] != here["worlds"]
        passed_over = key.split("/")[0] not in shared or (fewer and word != "differs")
        if not passed_over and a.get(key) != b.get(key):
            lines.append(f"{word}: {key}")
    pairs = zip(there["each_world"], here["each_world"], strict=False)
    return lines + [f"differs: world {n}" for n, (one, other) in enumerate(pairs) if one != other]


def compare(there: Settings, here: Settings) -> int:
    """Print what differs; return 1 if anything does, or if nothing was compared."""
    if there["versions"] != here["versions"]:
        warn(f"other versions: {there['versions']} and {here['versions']}")
    lines = differences(there, here)
    alike = sum(there["hashes"].get(key) == value for key, value in here["hashes"].items())
    print(*lines, f"{alike} hashes are equal, {len(lines)} lines differ", sep="\n")
    return int(bool(lines) or alike == 0)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ("worlds", *PARTS)
    parser.add_argument("--worlds", type=int, default=1_000, help="number of placement worlds")
    parser.add_argument("--only", default=",".join(names), help="parts, separated by commas")
    parser.add_argument("--out", type=Path, help="file to write instead of the screen")
    parser.add_argument("--compare", type=Path, help="file of an earlier run; exit 1 if it differs")
    parser.add_argument("--show", type=int, metavar="WORLD", help="print one world's settings")
    asked = parser.parse_args()
    asked.parts = asked.only.split(",")
    if unknown := set(asked.parts) - set(names):
        parser.error(f"needed parts among {names}, got {sorted(unknown)}")
    if os.environ.get("OMP_NUM_THREADS") != "1":
        parser.error("needed one thread; set OMP_NUM_THREADS=1")
    return asked


def main() -> int:
    """Run, save, compare; return the exit status."""
    asked = arguments()
    print(f"packages of {Path(panda_gym.__file__).parent.parent}", file=sys.stderr)
    if asked.show is not None:
        settings = placement(asked.show)
        print(json.dumps(settings, indent=1), world("placement", asked.show, settings), sep="\n")
        return 0
    there = json.loads(asked.compare.read_text()) if asked.compare else None
    here = measured(asked.parts, asked.worlds)
    text = json.dumps(here, indent=1) + "\n"
    if asked.out:
        asked.out.write_text(text)
    elif there is None:
        print(text, end="")
    return 0 if there is None else compare(there, here)


if __name__ == "__main__":
    sys.exit(main())
