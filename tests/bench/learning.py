"""What learners of other libraries reach at their default settings: a table of slowdown ratios.

    python -m tests.bench.learning runs --scenario default atlas --variant reward --seeds 5
    python -m tests.bench.learning runs --scenario atlas --variant callback mlp --steps 40000
    python -m tests.bench.learning runs          # only prints the table of what is there

Every run trains one seed and plays twenty unseen worlds, each until its judged jobs have ended, by
the greedy and by the sampling policy. It writes one JSON file, and a run that is there is not
repeated. Ratios are of the geometric mean bounded slowdown to that of earliest completion in the
same worlds. Intervals (95 %) draw seeds and worlds anew, each with replacement.

    reward     MaskablePPO, policy_kwargs of panda_gym.sb3, discount 0, the default reward
    callback   the same with DifferenceRewardCallback
    mlp        MaskablePPO with the library's own network and discount
    data-mlp   the same in PandaGrid/DataPlacement-v0
    ranked     PPO with every default ("MlpPolicy"), ranked=True, observation="flat", no masks
    ranked-dict, data-ranked   the same with "MultiInputPolicy"; in PandaGrid/DataPlacement-v0
    agent      the project's difference-reward agent after as many decisions
    cleanrl    PPO in one file, examples/41_ppo_one_file.py
    torchrl    torchrl's PPO, examples/adapters/torchrl_ppo_cql.py (needs torchrl)

Settings are chosen on other training seeds (`--first 100`) and worlds (`--world 3000`).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sb3_contrib import MaskablePPO
from stable_baselines3 import PPO

from panda_gym import sb3, sb3_vec_env
from panda_gym.benchmarking.rollout import Actor, rollout
from panda_gym.credit.external_cost import own_costs
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.policies import create
from panda_gym.environments.placement.policies.learned import Learned
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.training import (
    DifferenceRewardCallback,
    DifferenceRewardConfig,
    train_difference_reward,
)

EXAMPLES = Path(__file__).parents[2] / "examples"
CLIENTS = {"cleanrl": "41_ppo_one_file.py", "torchrl": "adapters/torchrl_ppo_cql.py"}
"""Variant to the script that trains it."""
AGAINST_RANDOM = ("mlp", "data-mlp", "ranked", "ranked-dict", "data-ranked")
VARIANTS = ("reward", "callback", *AGAINST_RANDOM, "agent", *CLIENTS)
FIRST_WORLD = 2000
"""Seed of the first world; training draws seeds from 1,000,000 on."""
Choose = Callable[[dict[str, np.ndarray]], np.ndarray]


class Choosing(Actor):
    """A function of the observation as an actor."""

    def __init__(self, batch: PlacementBatch, choose: Choose) -> None:
        self.batch, self.function = batch, choose

    def choose(self, step: int) -> list[np.ndarray]:
        return [self.function(self.batch.observe(copy=False))]  # type: ignore[arg-type]


def played(settings: dict[str, Any], options: Any, choose: Choose) -> list[float]:
    """Return the mean ln(bounded slowdown) of the judged jobs of each world."""
    worlds = options.worlds
    view = {name: settings[name] for name in ("observation", "ranked") if name in settings}
    settings = {name: value for name, value in settings.items() if name not in view}
    batch = PlacementBatch(Scenario.of(**settings).judged_to_end(), worlds, **view)
    seeds = [list(range(options.world, options.world + worlds))]
    if settings.get("data_actions") or view:
        return played_with_data(batch, seeds[0], choose)
    rollout([batch], seeds, Choosing(batch, choose))
    return [mean_ln(batch, e) for e in range(worlds)]


def played_with_data(batch: PlacementBatch, seeds: list[int], choose: Choose) -> list[float]:
    """The same where each decision has a second part, or may be illegal."""
    batch.begin((e, np.random.default_rng(seed)) for e, seed in enumerate(seeds))
    while not batch.done.all():
        actions = choose(batch.observe(copy=False))  # type: ignore[arg-type]
        batch.step(actions, ~batch.done if batch.done.any() else None)
    return [mean_ln(batch, e) for e in range(len(batch))]


def mean_ln(batch: PlacementBatch, e: int) -> float:
    """Return the mean ln(bounded slowdown) of grid e's judged jobs, which have ended."""
    log = batch.log(e)
    return float(own_costs(log)[log.judged].mean())


def policy(name: str, worlds: int) -> Choose:
    """Return a shipped policy as a function of the observation."""
    found, rng = create(name), np.random.default_rng(0)
    found.reset(worlds)
    return lambda observation: found(observation, rng)


def data_random() -> Choose:
    """Return a policy that draws each part of an action among the legal ones."""
    rng = np.random.default_rng(0)

    def draw(mask: np.ndarray) -> np.ndarray:
        return np.where(mask > 0, rng.random(mask.shape), -1.0).argmax(axis=1)

    def choose(observation: dict[str, np.ndarray]) -> np.ndarray:
        mask, sites = observation["action_mask"], observation["sites"].shape[-1]
        return np.stack([draw(mask[:, :sites]), draw(mask[:, sites:])], axis=1)

    return choose


def learned(model: Any, deterministic: bool) -> Choose:
    """Return a model's policy as a function of the observation."""

    def choose(observation: Any) -> np.ndarray:
        if not isinstance(model, MaskablePPO):
            return model.predict(observation, deterministic=deterministic)[0]
        mask = observation["action_mask"].astype(bool)
        return model.predict(observation, deterministic=deterministic, action_masks=mask)[0]

    return choose


def trained(variant: str, settings: dict[str, Any], seed: int, options: Any) -> Any:
    """Return the trained model of a variant."""
    env = sb3_vec_env(options.envs, seed=1_000_000 + 1000 * seed, **settings)
    if "ranked" in settings:
        name = "MlpPolicy" if settings.get("observation") == "flat" else "MultiInputPolicy"
        return PPO(name, env, seed=seed, device="cpu").learn(options.steps)
    ours = {"gamma": 0.0, "policy_kwargs": sb3.policy_kwargs()}
    kwargs = {} if variant.endswith("mlp") else ours
    model = MaskablePPO("MultiInputPolicy", env, seed=seed, device="cpu", **kwargs)
    model.learn(options.steps, DifferenceRewardCallback() if variant == "callback" else None)
    return model


def example(name: str) -> Any:
    """Return a script of examples/ as a module."""
    path = EXAMPLES / name
    spec = importlib.util.spec_from_file_location(path.stem.lstrip("0123456789_"), path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def client(variant: str, scenario: str, seed: int, options: Any) -> torch.nn.Module:
    """Return the network that the script of another library trained at its default settings."""
    module, first = example(CLIENTS[variant]), 1_000_000 + 1000 * seed
    return module.train(
        module.parse_args(
            [
                *("--scenario", scenario, "--total-timesteps", str(options.steps)),
                *("--seed", str(seed), "--env-seed", str(first), *options.extra.split()),
            ]
        )
    )


def network_policy(network: torch.nn.Module, deterministic: bool) -> Choose:
    """Return the policy of a `SiteActorCritic` as a function of the observation."""
    torch.manual_seed(0)

    @torch.inference_mode()
    def choose(observation: dict[str, np.ndarray]) -> np.ndarray:
        logits, _ = network({name: torch.as_tensor(part) for name, part in observation.items()})
        if deterministic:
            return logits.argmax(dim=1).numpy()
        return torch.distributions.Categorical(logits=logits).sample().numpy()

    return choose


def own_agent(settings: dict[str, Any], seed: int, options: Any, folder: Path) -> Choose:
    """Return the greedy policy of the project's own difference-reward agent."""
    grids = max(1, round(options.steps / (options.rounds * Scenario.of(**settings).jobs)))
    config = DifferenceRewardConfig(
        steps=options.rounds * grids * Scenario.of(**settings).jobs,
        num_envs=grids, evaluate_envs=4, seed=seed, checkpoints=False,
    )  # fmt: skip
    found = Learned(train_difference_reward(folder, config, [settings])[0])
    rng = np.random.default_rng(0)
    found.reset(options.worlds)
    return lambda observation: found(observation, rng)


def run(scenario: str, variant: str, seed: int, options: Any, path: Path) -> None:
    """Train one seed, play the worlds and write what came."""
    settings: dict[str, Any] = {"scenario": scenario}
    if variant.startswith("data"):
        settings["data_actions"] = True
    if "ranked" in variant:
        settings |= {"ranked": True}
        settings |= {} if variant.endswith("dict") else {"observation": "flat"}
    begun, result = time.process_time(), {"seed": seed, "steps": options.steps}
    if variant == "agent":
        choose = own_agent(settings, seed, options, path.with_suffix(""))
        result["cpu_s"] = time.process_time() - begun
        result["greedy"] = result["sampled"] = played(settings, options, choose)
    else:
        if variant in CLIENTS:
            model, acting = client(variant, scenario, seed, options), network_policy
        else:
            model, acting = trained(variant, settings, seed, options), learned
        result["cpu_s"] = time.process_time() - begun
        for name in ("greedy",) if "ranked" in variant else ("greedy", "sampled"):
            result[name] = played(settings, options, acting(model, name == "greedy"))
    path.write_text(json.dumps(result))


def reference(name: str, scenario: str, data: bool, options: Any) -> np.ndarray:
    """Return what a shipped policy has in every world, from its file if it has been played."""
    path = options.folder / f"{scenario}-{name}{'-data' * data}-{options.worlds}.json"
    if not path.exists():
        settings = {"scenario": scenario, **({"data_actions": True} if data else {})}
        choose = data_random() if data else policy(name, options.worlds)
        path.write_text(json.dumps(played(settings, options, choose)))
    return np.array(json.loads(path.read_text()))


def interval(differences: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of the mean of differences [seeds, worlds], as ratios."""
    rng, (seeds, worlds) = np.random.default_rng(0), differences.shape
    means = [
        differences[rng.integers(seeds, size=seeds)][:, rng.integers(worlds, size=worlds)].mean()
        for _ in range(4000)
    ]
    low, high = np.exp(np.quantile(means, [0.025, 0.975]))
    return float(low), float(high)


def rows(options: Any) -> Iterator[str]:
    """One line a scenario and variant."""
    yield "| scenario | learner | decisions | seeds | CPU s | greedy | sampled | against |"
    yield "|---|---|---|---|---|---|---|---|"
    for scenario in options.scenario:
        for variant in VARIANTS:
            paths = sorted(options.folder.glob(f"{scenario}-{variant}-s*-n*.json"))
            found = [json.loads(path.read_text()) for path in paths]
            for steps in sorted({one["steps"] for one in found}):
                yield line(scenario, variant, [o for o in found if o["steps"] == steps], options)


def line(scenario: str, variant: str, found: list[dict[str, Any]], options: Any) -> str:
    """One line of the table."""
    name = "random" if variant in AGAINST_RANDOM else "earliest_completion"
    base = reference(name, scenario, variant.startswith("data"), options)
    cells = []
    for kind in ("greedy", "sampled"):
        if kind not in found[0]:
            cells.append("")
            continue
        differences = np.array([one[kind] for one in found]) - base
        low, high = interval(differences)
        cells.append(f"{np.exp(differences.mean()):.3f} [{low:.3f}, {high:.3f}]")
    spent = np.mean([one["cpu_s"] for one in found])
    head = f"| {scenario} | {variant} | {found[0]['steps']:,} | {len(found)} | {spent:.0f} |"
    return f"{head} {cells[0]} | {cells[1]} | {name} |"


def main() -> None:
    """Do the runs that are missing and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where runs are kept")
    parser.add_argument("--scenario", nargs="+", default=["default", "atlas"])
    parser.add_argument("--variant", nargs="*", default=[], choices=VARIANTS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="first training seed")
    parser.add_argument("--steps", type=int, default=200_000, help="decisions to learn from")
    parser.add_argument("--envs", type=int, default=2, help="environments side by side")
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--world", type=int, default=FIRST_WORLD, help="seed of the first world")
    parser.add_argument("--extra", default="", help="more arguments of cleanrl and torchrl")
    parser.add_argument("--rounds", type=int, default=4, help="rounds of the project's own agent")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    for seed in range(options.first, options.first + options.seeds):
        for scenario in options.scenario:
            for variant in options.variant:
                path = options.folder / f"{scenario}-{variant}-s{seed}-n{options.steps}.json"
                if not path.exists():
                    run(scenario, variant, seed, options, path)
                    print("\n".join(rows(options)), flush=True)
    print("\n".join(rows(options)))


if __name__ == "__main__":
    main()
