"""What learners of stable-baselines3 reach in workflows and pipelines; tables on standard output.

    python -m tests.bench.families workflow     # agents against HEFT and other rules
    python -m tests.bench.families pipelines    # MaskablePPO, discount by time, against rules
    python -m tests.bench.families default ID   # PPO as it is made, against random; also --ranked

Worlds of a comparison are held out (seeds from `--first` on, 1,000; validation begins at 900,000
and training at 1,000,000) and the same for every policy. Intervals are 95 %, by a bootstrap over
training seeds and worlds. `--seeds`, `--steps`, `--worlds` change the size.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np
import torch
from sb3_contrib import MaskablePPO
from stable_baselines3 import PPO

from panda_gym import sb3, sb3_vec_env
from panda_gym.environments.pipeline import policies as pipeline_policies
from panda_gym.environments.pipeline.batch import PipelineBatch
from panda_gym.environments.pipeline.scenario import PipelineScenario
from panda_gym.environments.workflow import policies as workflow_policies
from panda_gym.environments.workflow.batch import WorkflowBatch
from panda_gym.environments.workflow.observation import WorkflowView
from panda_gym.environments.workflow.policies.base import actions_of
from panda_gym.environments.workflow.policies.fitted import FittedSites, fitted_size
from panda_gym.environments.workflow.policies.rollout import SiteRollout
from panda_gym.environments.workflow.scenario import WorkflowScenario
from panda_gym.training import TimeDiscountCallback, fit_workflow_sites
from panda_gym.workflows.static_scheduling import schedule

Array = np.ndarray
Act = Callable[[Any, np.random.Generator], Array]
Make = Callable[[WorkflowBatch], Act]

FIRST_WORLD: Final = 1_000
FIRST_TRAINING: Final = 1_000_000
FIRST_VALIDATION: Final = 900_000
REPEATS: Final = 2_000
DAY_S: Final = 86_400.0
SETTINGS: Final[dict[str, Any]] = {
    "n_steps": 256, "batch_size": 512, "n_epochs": 4, "gamma": 1.0, "learning_rate": 1e-3,
}  # fmt: skip
"""Settings of MaskablePPO with 16 environments; its own beside these."""


def played(batch: Any, act: Act, first: int) -> tuple[Array, dict[str, Any]]:
    """Return each episode's return and last report; world k is drawn from seed first + k."""
    batch.begin((e, np.random.default_rng(first + e)) for e in range(len(batch)))
    total, rng = np.zeros(len(batch)), np.random.default_rng(0)
    while not batch.done.all():
        running = ~batch.done
        batch.step(np.asarray(act(batch.observe(), rng)), running)
        total += np.where(running, batch.rewards(), 0.0)
    return total, batch.report()


def greedy(model: Any, masked: bool = True) -> Act:
    """Return a model as a function of observations."""

    def act(observation: Any, rng: np.random.Generator) -> Array:
        masks = {"action_masks": observation["action_mask"]} if masked else {}
        actions: Array = model.predict(observation, deterministic=True, **masks)[0]
        return actions

    return act


def interval(values: Array) -> tuple[float, float, float]:
    """Return mean and 95 % interval of float64[seeds, worlds], both drawn anew."""
    rng, (n, m) = np.random.default_rng(0), values.shape
    means = [
        values[rng.integers(n, size=n)][:, rng.integers(m, size=m)].mean() for _ in range(REPEATS)
    ]
    return float(values.mean()), *(float(x) for x in np.quantile(means, [0.025, 0.975]))


def row(name: str, cells: list[str]) -> None:
    """Print a row of a table."""
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def ratio(values: Array) -> str:
    """Return a geometric mean of ratios and its interval, from their logarithms [seeds, worlds]."""
    middle, low, high = (np.exp(one) for one in interval(np.atleast_2d(values)))
    return f"{middle:.4f} [{low:.4f}, {high:.4f}]"


def trained(
    env_id: str, kind: Any, seed: int, args: argparse.Namespace, callback: Any, **scenario: Any
) -> Any:
    """Return MaskablePPO over the pair network, trained on 16 environments.

    Every 8,192 decisions it plays worlds of its own greedily; the best of these agents is kept.
    """
    env = sb3_vec_env(16, env_id, seed=FIRST_TRAINING + 1_000 * seed, **scenario)
    settings = {**SETTINGS, "policy_kwargs": sb3.policy_kwargs(), **args.ppo}
    model = MaskablePPO("MultiInputPolicy", env, seed=seed, **settings)
    best, kept = -np.inf, {}
    for _ in range(args.steps // 8_192):
        model.learn(8_192, callback=callback, reset_num_timesteps=False)
        batch = kind[1](kind[0].of(**scenario), 16)
        reached = played(batch, greedy(model), FIRST_VALIDATION)[0].mean()
        if reached > best:
            state = model.policy.state_dict()
            best, kept = reached, {name: one.clone() for name, one in state.items()}
    model.policy.load_state_dict(kept)
    return model


def workflow(args: argparse.Namespace) -> None:
    """Minus return and makespan over those of upward rank and earliest finish (HEFT online).

    On a platform the agent is `fit_workflow_sites`, or MaskablePPO with `--learner ppo`; its
    makespan is compared with static HEFT too. In a pool it is MaskablePPO.
    """
    scenario = WorkflowScenario.of(**args.settings)
    sites = WorkflowBatch(scenario, 1).view.pairs.shape[3]
    spent = 0.0

    def measure(make: Make) -> Array:
        nonlocal spent
        batch, begin = WorkflowBatch(scenario, args.worlds), time.process_time()
        total, last = played(batch, make(batch), args.first)
        spent = time.process_time() - begin
        return np.log(np.stack([-total, last["clock_s"] / last["t_seq_s"]]))

    online = measure(lambda batch: workflow_policies.create("upward_rank_earliest_finish"))
    static = measure(planned) if sites > 1 else online

    def show(name: str, log: Array) -> None:
        cells = [*(log - online[:, None]), *([(log - static[:, None])[1]] if sites > 1 else [])]
        row(name, [ratio(one) for one in cells])

    columns = [f"minus return, {scenario.reward}", "makespan"]
    columns += ["makespan over static HEFT"] if sites > 1 else []
    row("policy", columns)
    row("---", ["---"] * len(columns))
    for name in ("upward_rank_earliest_finish", "fifo", "masking_aware", "random"):
        show(name, measure(lambda _, name=name: workflow_policies.create(name))[:, None])
    if sites > 1:
        show("static HEFT, its plan followed", static[:, None])
    if args.lookahead:
        look = measure(partial(planned, rule="lookahead"))[:, None]
        show("static HEFT with lookahead, its plan followed", look)
    logs: dict[str, list[Array]] = {"agent": [], "agent, rollout": []}
    if args.rollout:
        plain = FittedSites(np.zeros(fitted_size(scenario.plan is not None, sites)))
        log = measure(rollout(plain, args.rollout))[:, None]
        show(f"HEFT online, rollout, {spent / args.worlds:.2f} CPU s a graph", log)
    for seed in range(args.seeds):
        begin = time.process_time()
        agent = workflow_agent(args, seed, sites)
        took = time.process_time() - begin
        logs["agent"].append(measure(lambda _, agent=agent: agent))
        show(f"agent, seed {seed}, {took:.0f} CPU s", logs["agent"][-1][:, None])
        if args.rollout:
            logs["agent, rollout"].append(measure(rollout(agent, args.rollout)))
            show(f"agent, seed {seed}, rollout", logs["agent, rollout"][-1][:, None])
    for name, found in logs.items():
        if found:
            show(f"{name}, all seeds", np.stack(found, axis=1))


def rollout(base: Any, candidates: int) -> Make:
    """Return one-step rollout of a fitted policy, as a function of the batch."""

    def make(batch: WorkflowBatch) -> Act:
        policy = SiteRollout(base, candidates)
        policy.attach(batch)
        return policy

    return make


def workflow_agent(args: argparse.Namespace, seed: int, sites: int) -> Any:
    """Return the policy that a training seed gives."""
    if sites > 1 and args.learner == "cmaes":
        return fit_workflow_sites(args.settings, seed=seed, **args.search)
    kind = WorkflowScenario, WorkflowBatch
    return greedy(trained("PandaGrid/Workflow-v0", kind, seed, args, None, **args.settings))


def planned(batch: WorkflowBatch, rule: str = "heft") -> Act:
    """Return a policy that follows a static schedule: its sites, in the order of its starts.

    It knows the graphs that the batch plays, which are planned when they are first seen.
    """
    start: Array = np.zeros(0)
    site: Array = np.zeros(0)

    def act(observation: Any, rng: np.random.Generator) -> Array:
        nonlocal start, site
        if len(start) == 0:
            flows = [batch.workflow(e) for e in range(len(batch))]
            plans = [schedule(flow, batch.resource, rule) for flow in flows]
            start = np.stack([plan.set_start() for plan in plans])
            site = np.stack([plan.node[plan.workflow.first_task[:-1]] for plan in plans])
        view = WorkflowView(observation)
        ready = batch._state.sets["ready"][:, : view.slots]
        rows = np.arange(len(batch))[:, None]
        away = np.arange(view.sites) != site[rows, ready][:, :, None]
        return actions_of(view, view.set("present") > 0, -start[rows, ready], away.astype(float))

    return act


def pipelines(args: argparse.Namespace) -> None:
    """Quality hours minus cost: differences from `improvement` in the same worlds."""
    scenario = PipelineScenario.of(reward="net", **args.settings)

    def measure(act: Act) -> tuple[Array, Array]:
        total, last = played(PipelineBatch(scenario, args.worlds), act, args.first)
        return total, last["runs"]

    def show(name: str, totals: Array, runs: Array) -> None:
        middle, low, high = interval(np.atleast_2d(totals) - reference)
        cells = [f"{totals.mean():.1f}", f"{middle:+.1f} [{low:+.1f}, {high:+.1f}]"]
        row(name, [*cells, f"{runs.mean():.0f}"])

    row("policy", ["quality hours minus cost", "minus `improvement`", "runs"])
    row("---", ["---"] * 3)
    reference, runs = measure(pipeline_policies.create("improvement"))
    show("improvement", reference, runs)
    for name in ("soonest", "cheapest", "random"):
        show(name, *measure(pipeline_policies.create(name)))
    totals = []
    for seed in range(args.seeds):
        begin = time.process_time()
        callback = TimeDiscountCallback(args.horizon * DAY_S) if args.horizon else None
        kind = PipelineScenario, PipelineBatch
        model = trained("PandaGrid/Pipelines-v0", kind, seed, args, callback, **args.settings)
        spent = time.process_time() - begin
        total, runs = measure(greedy(model))
        totals.append(total)
        show(f"agent, seed {seed}, {spent:.0f} CPU s", total, runs)
    show("agent, all seeds", np.stack(totals), runs)


def default(args: argparse.Namespace) -> None:
    """PPO as stable-baselines3 makes it (no mask, default network), against the random policy."""
    workflows = args.env_id == "PandaGrid/Workflow-v0"
    kind: Any = (
        (WorkflowScenario, WorkflowBatch) if workflows else (PipelineScenario, PipelineBatch)
    )
    rules = workflow_policies if workflows else pipeline_policies

    view = {"observation": args.observation, "ranked": args.ranked}
    network = "MlpPolicy" if args.observation == "flat" else "MultiInputPolicy"

    def measure(act: Act, **form: Any) -> Array:
        batch = kind[1](kind[0].of(**args.settings), args.worlds, **form)
        return played(batch, act, args.first)[0]

    row("policy", ["return", "minus `random`"])
    row("---", ["---"] * 2)
    reference = measure(rules.create("random"))
    logs = []
    row("random", [f"{reference.mean():.4f}", ""])
    for seed in range(args.seeds):
        first = FIRST_TRAINING + 1_000 * seed
        env = sb3_vec_env(args.envs, args.env_id, seed=first, **view, **args.settings)
        begin = time.process_time()
        model = PPO(network, env, seed=seed, device="cpu").learn(args.steps)
        spent = time.process_time() - begin
        logs.append(measure(greedy(model, masked=False), **view) - reference)
        middle, low, high = interval(logs[-1][None])
        cells = [f"{reference.mean() + middle:.4f}", f"{middle:+.4f} [{low:+.4f}, {high:+.4f}]"]
        row(f"PPO, seed {seed}, {args.steps} decisions, {spent:.0f} CPU s", cells)
    middle, low, high = interval(np.stack(logs))
    row("PPO, all seeds", [f"{reference.mean() + middle:.4f}", f"[{low:+.4f}, {high:+.4f}]"])


def keyword(text: str) -> tuple[str, Any]:
    """Return name and value of NAME=VALUE, a number where it is one."""
    name, _, value = text.partition("=")
    try:
        return name, int(value) if value.lstrip("-").isdigit() else float(value)
    except ValueError:
        return name, value


def main() -> None:
    """Read the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("workflow", "pipelines", "default"))
    parser.add_argument("env_id", nargs="?", default="PandaGrid/Workflow-v0")
    for name, value in (
        ("seeds", 5),
        ("steps", 65_536),
        ("worlds", 64),
        ("first", FIRST_WORLD),
        ("envs", 8),
    ):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--observation", choices=("dict", "flat"), default="dict")
    parser.add_argument("--ranked", action="store_true", help="candidates best first")
    parser.add_argument("--learner", choices=("cmaes", "ppo"), default="cmaes", help="on sites")
    parser.add_argument("--rollout", type=int, default=0, help="candidates of a rollout; 0: none")
    parser.add_argument("--lookahead", action="store_true", help="a row for lookahead HEFT")
    parser.add_argument("--horizon", type=float, default=2.0, help="days; 0: discount by step")
    parser.add_argument("--set", type=keyword, action="append", default=[], help="of the scenario")
    parser.add_argument("--ppo", type=keyword, action="append", default=[], help="of MaskablePPO")
    parser.add_argument("--search", type=keyword, action="append", default=[], help="of CMA-ES")
    args = parser.parse_args()
    args.settings, args.ppo, args.search = dict(args.set), dict(args.ppo), dict(args.search)
    torch.set_num_threads(1)
    {"workflow": workflow, "pipelines": pipelines, "default": default}[args.what](args)


if __name__ == "__main__":
    main()
