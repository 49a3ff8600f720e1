"""Train an agent on difference rewards: each decision's own final cost plus its external cost.

A difference reward is what all agents together lose by one agent's action (Wolpert and Tumer,
"Optimal payoff functions for members of collectives", 2002; as a counterfactual baseline: COMA,
Foerster et al., AAAI 2018). Here it is minus the sum of two costs, computed when the episode is
over: the ln(bounded slowdown) of the decision's own job, and the external cost, which is what the
decision added to the ln(bounded slowdown) of the other jobs (`panda_gym.credit`, which has other
objectives too).

A network regresses that sum on the features of the chosen site. The policy draws a site from
softmax(-predicted cost / temperature), and the temperature falls. This is the direct method for
contextual bandits (Dudik, Langford and Li, ICML 2011): no critic, no bootstrap, no discount.

    out/agent/                     the agent of the best evaluation
    out/curve.csv                  learning curve, one row a round
    out/checkpoint.safetensors     state from which an interrupted run is resumed

A resumed run gives the same agent bit for bit, on one machine with the same versions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from panda_gym.credit import find_objective
from panda_gym.deprecated import old_names
from panda_gym.environments.placement.policies.learned import load_agent, read_card, save_agent
from panda_gym.environments.placement.policies.scale_free_value import ScaleFreeValue
from panda_gym.environments.placement.policies.scorer import derive
from panda_gym.environments.placement.policies.site_value import SiteValue, ValueShape
from panda_gym.errors import PolicyError
from panda_gym.extras import import_extra
from panda_gym.provenance import plain, versions
from panda_gym.training.checkpoint import FILE, Checkpoint
from panda_gym.training.config import DifferenceRewardConfig, check_device, renamed_fields
from panda_gym.training.curve import CurvePoint, write_curve
from panda_gym.training.domain import find_domain
from panda_gym.training.evaluation import HELD_OUT, TRAINING, HeldOut, episode_seeds
from panda_gym.training.parallel_episodes import Credit, ParallelEpisodes, Parts

Progress = Callable[[int, int, str], None]

Network = SiteValue | ScaleFreeValue
CLASSES: Final[Mapping[str, type[Network]]] = {
    "site_value": SiteValue,
    "scale_free_value": ScaleFreeValue,
}
"""Classes of the networks that predict costs, by kind (`config.NETWORKS`)."""

NEW_FIELDS: Final = {"objective": "ln_slowdown", "network": "site_value", "domain": ""}
"""Fields that checkpoints of older releases lack, with what they meant."""

PACKAGES: Final = ("panda-grid-gym", "torch", "numpy", "numba")
"""Packages whose versions are stored with an agent."""


@dataclass
class Window:
    """Replay memory: the decisions of the last rounds with their features and costs."""

    rows: list[Tensor]
    """Features of the chosen sites, float32[n, ROW] a round."""
    costs: list[Tensor]
    """Total costs of the decisions, float32[n] a round."""
    weights: list[Tensor]
    """Weights of the decisions in the loss, float32[n] a round."""

    def add(self, rows: Tensor, costs: Tensor, weights: Tensor, most: int) -> None:
        """Add a round; drop the oldest beyond `most`."""
        self.rows, self.costs = [*self.rows, rows][-most:], [*self.costs, costs][-most:]
        self.weights = [*self.weights, weights][-most:]


class DifferenceRewardTraining:
    """State of a training run between two rounds.

    scenarios: settings of the environment; all are played side by side. None where the
        configuration names a domain, from which each round draws its own.
    """

    def __init__(
        self, scenarios: Sequence[Mapping[str, Any]], config: DifferenceRewardConfig
    ) -> None:
        self.config = config
        self.scenarios = list(scenarios)
        self.domain = find_domain(config.domain) if config.domain else None
        self.device = torch.device(config.device)
        self.objective = find_objective(config.objective)
        self.fixed = [] if self.domain else [self._episodes(self.scenarios)]
        self.held_out = [self._held_out(group) for group in self._held_out_groups()]
        self.generator = torch.Generator(self.device).manual_seed(config.seed)
        self.warm_start = bool(config.start)
        self.network = self._network().to(self.device)
        self.window = Window([], [], [])
        self.points: list[CurvePoint] = []
        self.best: dict[str, Tensor] = {}
        self.seconds = {"environment": 0.0, "choosing": 0.0, "learning": 0.0}
        self._sync = self.device.type == "cuda"

    @property
    def rounds(self) -> int:
        """Rounds of the whole run."""
        return -(-self.config.steps // self.round_steps)

    @property
    def round_steps(self) -> int:
        """Decisions of a round about judged jobs; those about their retries come on top where
        episodes end with their judged jobs (`tail_jobs`)."""
        if self.domain is not None:
            return self.config.num_envs * sum(s.cells * s.jobs for s in self.domain.strata)
        return sum(len(episodes) * episodes.jobs for episodes in self.fixed)

    def advance(self, gone: float) -> CurvePoint:
        """Run one round: play, learn, evaluate. gone: share of the run already done."""
        number, temperature = len(self.points), self._temperature(gone)
        found: list[tuple[Tensor, Tensor, Tensor]] = []
        credits: list[Credit] = []
        for group, episodes in enumerate(self._round(number)):
            rows: list[Tensor] = []
            seeds = episode_seeds(self.config.seed, TRAINING, number, episodes, group)
            credit = self._timed_play(episodes, seeds, self._sampler(*temperature, rows, episodes))
            found.append(self._decisions(credit, torch.stack(rows), len(episodes.batches)))
            credits.append(credit)
        rows_, costs, weights = (torch.cat(parts) for parts in zip(*found, strict=True))
        self.window.add(rows_, costs, weights / weights.mean(), self.config.window)
        began = self._now()
        loss, explained = self._fit()
        self.seconds["learning"] += self._now() - began
        evaluated = self._evaluated(number + 1)
        self._keep(evaluated)
        self.points.append(self._point(number + 1, credits, loss, explained, evaluated))
        return self.points[-1]

    def _round(self, number: int) -> Iterator[ParallelEpisodes]:
        """Return the grids of a round, group by group."""
        if self.domain is None:
            yield from self.fixed
            return
        rng = np.random.default_rng([self.config.seed, TRAINING, number])
        yield from map(self._episodes, self.domain.groups(rng))

    def _episodes(self, scenarios: Sequence[Mapping[str, Any]]) -> ParallelEpisodes:
        config = self.config
        return ParallelEpisodes(
            scenarios,
            config.num_envs,
            threads=config.threads,
            device=config.device,
            objective=config.objective,
        )

    def _held_out_groups(self) -> list[list[dict[str, Any]]]:
        """Return the settings of the held-out grids, group by group."""
        if self.domain is None:
            return [[dict(one) for one in self.scenarios]]
        if not self.config.evaluate_every:
            return []
        return self.domain.groups(np.random.default_rng([self.config.seed, HELD_OUT, 0]))

    def _held_out(self, scenarios: Sequence[Mapping[str, Any]]) -> HeldOut:
        config = self.config
        return HeldOut(
            scenarios,
            config.evaluate_envs,
            seed=config.seed,
            threads=config.threads,
            device=config.device,
            objective=config.objective,
        )

    def _decisions(
        self, credit: Credit, rows: Tensor, batches: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return rows, total costs and weights of the judged decisions of a group."""
        judged, costs = credit.judged, self._total_costs(credit)
        weights = np.ones_like(costs)
        if self.domain is not None:
            weights = _cell_weights(costs, judged, batches)
        here = torch.as_tensor(judged, device=self.device)
        total, weighed = (
            torch.as_tensor(one, dtype=torch.float32, device=self.device)[here]
            for one in (costs, weights)
        )
        return rows[here], total, weighed

    def _temperature(self, gone: float) -> tuple[float, bool]:
        """Return the temperature of the next round, and whether predictions replace the network."""
        config, first = self.config, not self.points and not self.warm_start
        fall = (config.temperature_end / config.temperature) ** gone
        return config.temperature_first if first else config.temperature * fall, first

    def _evaluated(self, rounds: int) -> float | None:
        """Return the evaluation after so many rounds; None where none is due."""
        every, last = self.config.evaluate_every, rounds == self.rounds
        if (every and rounds % every == 0) or (last and (every or self.domain is None)):
            return float(np.mean([one.evaluate(self.network) for one in self.held_out]))
        return None

    def _point(
        self,
        rounds: int,
        credits: list[Credit],
        loss: float,
        explained: float,
        evaluated: float | None,
    ) -> CurvePoint:
        objective, cost = (
            np.concatenate([getattr(one, name) for one in credits])
            for name in ("objective", "cost")
        )
        return CurvePoint(
            steps=rounds * self.round_steps,
            reward=-float(objective.mean()),
            entropy=None,
            value_loss=loss,
            explained_variance=explained,
            kl=None,
            environment_s=self.seconds["environment"],
            choosing_s=self.seconds["choosing"],
            learning_s=self.seconds["learning"],
            evaluation=evaluated,
            cost=float(cost.mean()),
        )

    def _total_costs(self, credit: Credit) -> np.ndarray:
        """Return minus the difference reward of every decision, float32[T, E]."""
        config, objective = self.config, self.objective
        weight = objective.external * config.external_weight
        most = (
            objective.external_max if config.external_cost_max is None else config.external_cost_max
        )
        others = weight * np.minimum(credit.external, most)
        spent = (objective.wan_tb + config.price_wan_tb) * credit.wan_tb
        wasted = objective.wasted_core_h + config.price_wasted_core_h
        spent = spent + wasted * credit.wasted_core_h
        return credit.own + others + spent + credit.electricity

    def checkpoint(self, settings: dict[str, Any]) -> Checkpoint:
        """Return everything that a later process needs to resume the run."""
        tensors = {f"weight/{k}": v.cpu() for k, v in self.network.state_dict().items()}
        tensors |= {f"best/{k}": v.cpu() for k, v in self.best.items()}
        for kind in ("rows", "costs", "weights"):
            kept = getattr(self.window, kind)
            tensors |= {f"{kind}/{k}": one.cpu() for k, one in enumerate(kept)}
        tensors["generator"] = self.generator.get_state().clone()
        state = {"settings": settings, "curve": [asdict(point) for point in self.points]}
        return Checkpoint(tensors, state)

    def restore(self, saved: Checkpoint) -> None:
        """Set the run to the state of a checkpoint."""
        kinds = ("weight", "best", "rows", "costs", "weights")
        found: dict[str, dict[str, Tensor]] = {kind: {} for kind in kinds}
        for name, tensor in saved.tensors.items():
            kind, _, rest = name.partition("/")
            if rest:
                found[kind][rest] = tensor.to(self.device)
        self.network.load_state_dict(found["weight"])
        self.best = found["best"]
        kept = [str(k) for k in range(len(found["rows"]))]
        for k in kept:  # checkpoints of older releases have no weights
            found["weights"].setdefault(k, torch.ones_like(found["costs"][k]))
        self.window = Window(*([found[kind][k] for k in kept] for kind in kinds[2:]))
        self.generator.set_state(saved.tensors["generator"])
        self.points = [CurvePoint(**point) for point in saved.state["curve"]]
        if self.points:
            last = self.points[-1]
            times = last.environment_s, last.choosing_s, last.learning_s
            self.seconds = dict(zip(self.seconds, times, strict=True))

    def agent(self) -> Network:
        """The network of the best evaluation; the present one if there was none."""
        found = type(self.network)(self.network.shape)
        found.load_state_dict(self.best or self.network.state_dict())
        return found

    def _network(self) -> Network:
        kind = CLASSES[self.config.network]
        shape = ValueShape(self.config.hidden, self.config.depth, self.config.members)
        if self.warm_start:
            return _initial(self.config.start, kind, shape)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.seed)
            return kind(shape)

    def _sampler(
        self, tau: float, first: bool, rows: list[Tensor], episodes: ParallelEpisodes
    ) -> Callable[[int, Parts], Tensor]:
        """Return a function that draws sites from softmax(score / tau) and appends their features.

        In the first round a score is minus the ln of the predicted completion. Sites are drawn by
        the Gumbel-max trick.
        """
        network, each = self.network, torch.arange(len(episodes), device=self.device)

        def choose(step: int, parts: Parts) -> Tensor:
            with torch.inference_mode():
                seen, legal = network.rows(*parts), parts[3].bool()
                scores = -derive(parts[0], legal)[:, 0] if first else -network.costs(seen).mean(0)
                race = torch.empty_like(scores).exponential_(generator=self.generator)
                ranked = torch.where(legal, scores / tau - race.log(), -torch.inf)
                sites = ranked.argmax(dim=1)
                rows.append(seen[each, sites])
            return sites

        return choose

    def _fit(self) -> tuple[float, float]:
        """Fit costs to features over the window; return loss and share of variance explained."""
        config, network = self.config, self.network
        rows, costs = torch.cat(self.window.rows), torch.cat(self.window.costs)
        weights = torch.cat(self.window.weights)
        if not self.points and not self.warm_start:
            network.standardise(rows)
        steps = max(1, config.epochs * len(costs) // config.batch_size)
        adam = torch.optim.Adam(network.parameters(), config.learning_rate)
        fall = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.02, steps)
        losses = torch.zeros((), device=self.device)
        for _ in range(steps):
            drawn = torch.randint(
                len(costs), (config.batch_size,), generator=self.generator, device=self.device
            )
            errors = network.costs(rows[drawn]) - costs[drawn]
            loss = (weights[drawn] * errors.square()).mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
            fall.step()
            losses += loss.detach()
        mean = float(losses) / steps
        return mean, 1.0 - mean / max(float(costs.var()), 1e-9)

    def _keep(self, evaluated: float | None) -> None:
        before = [p.evaluation for p in self.points if p.evaluation is not None]
        if evaluated is not None and evaluated >= max(before, default=-np.inf):
            self.best = {k: v.detach().clone() for k, v in self.network.state_dict().items()}

    def _timed_play(
        self,
        episodes: ParallelEpisodes,
        seeds: list[list[int]],
        choose: Callable[[int, Parts], Tensor],
    ) -> Credit:
        spent, began = 0.0, self._now()

        def timed(step: int, parts: Parts) -> Tensor:
            nonlocal spent
            start = self._now()
            sites = choose(step, parts).cpu()
            spent += self._now() - start
            return sites

        credit = episodes.play(seeds, timed)
        self.seconds["choosing"] += spent
        self.seconds["environment"] += self._now() - began - spent
        return credit

    def _now(self) -> float:
        """Return CPU seconds, or wall seconds where another device does the work."""
        return time.perf_counter() if self._sync else time.process_time()


def train_difference_reward(
    out: str | Path,
    config: DifferenceRewardConfig,
    scenarios: Sequence[Mapping[str, Any]],
    *,
    command: str = "",
    minutes: float | None = None,
    tensorboard: bool = False,
    progress: Progress | None = None,
) -> tuple[Path, DifferenceRewardTraining]:
    """Train an agent on difference rewards; return its folder and the finished run.

    A folder with a checkpoint of the same run is resumed.

    Args:
        out: folder of the run.
        config: sizes, rates and weights.
        scenarios: settings of the environment, one mapping each; played side by side. None where
            `config.domain` names what they are drawn from.
        command: command line, stored in agent.json.
        minutes: stop after so many; the temperature falls within them. Such a run cannot be
            repeated exactly.
        tensorboard: also log to out/tensorboard (needs the package `tensorboard`).
        progress: called as progress(decisions done, in all, message).

    Raises:
        PolicyError: `out` holds a checkpoint of other settings, a scenario takes other actions, or
            there are scenarios beside a domain.
    """
    out = Path(out)
    check_device(config.device)
    settings = plain({"config": asdict(config), "scenario": _played(scenarios, config.domain)})
    if config.start:
        settings["start"] = read_card(config.start)["weights_sha256"]
    saved = _saved(out, settings)
    threads = torch.get_num_threads()
    torch.set_num_threads(config.torch_threads)
    try:
        run, gone = DifferenceRewardTraining(scenarios, config), _clock(minutes)
        if saved is not None:
            run.restore(saved)
        while len(run.points) < run.rounds and (done := gone(run)) < 1.0:
            point = run.advance(done)
            _write(run, out, settings, command)
            if tensorboard:
                _log(out / "tensorboard", point)
            if progress is not None:
                progress(point.steps, run.rounds * run.round_steps, _message(point))
    finally:
        torch.set_num_threads(threads)
    return out / "agent", run


def _played(scenarios: Sequence[Mapping[str, Any]], domain: str) -> dict[str, Any]:
    """Return what the episodes of a run are drawn from, for its card."""
    if bool(scenarios) == bool(domain):
        came = f"{len(scenarios)} scenarios and domain {domain!r}"
        raise PolicyError("either scenarios or a domain", came, "leave one of them out")
    if not domain:
        return {"of": [dict(one) for one in scenarios]}
    found = find_domain(domain)
    return {"of": [], "domain": asdict(found), "streams": found.open_streams()}


def _clock(minutes: float | None) -> Callable[[DifferenceRewardTraining], float]:
    """Return a function that gives the share of a run that is done, by rounds or by time."""
    began = time.monotonic()

    def gone(run: DifferenceRewardTraining) -> float:
        by_rounds = len(run.points) / run.rounds
        if minutes is None:
            return by_rounds
        return max(by_rounds, (time.monotonic() - began) / (60.0 * minutes))

    return gone


def _log(folder: Path, point: CurvePoint) -> None:
    import_extra("tensorboard", "tensorboard")
    writer = import_extra("torch.utils.tensorboard", "tensorboard").SummaryWriter
    with writer(str(folder)) as board:
        for name, value in asdict(point).items():
            if value is not None and name != "steps":
                board.add_scalar(name, value, point.steps)


def _message(point: CurvePoint) -> str:
    held_out = "" if point.evaluation is None else f", greedy on held-out {-point.evaluation:.3f}"
    return f"objective {-point.reward:.3f}{held_out}"


def _write(
    run: DifferenceRewardTraining, out: Path, settings: dict[str, Any], command: str
) -> None:
    """Write curve, agent and checkpoint."""
    write_curve(run.points, out / "curve.csv")
    curve = [[point.steps, point.reward, point.evaluation] for point in run.points]
    provenance = {**settings, "command": command, "versions": versions(PACKAGES)}
    save_agent(out / "agent", run.agent(), {**provenance, "curve": curve})
    if run.config.checkpoints:
        run.checkpoint(settings).write(out / FILE)


def _initial(agent: str, kind: type[Network], shape: ValueShape) -> Network:
    """Return the network of the agent to start from; PolicyError if it is of another shape."""
    found = load_agent(agent).train()
    if not isinstance(found, kind) or found.shape != shape:
        raise PolicyError(f"an agent of {shape}", f"{found.shape} in {agent}", "pass its sizes")
    return found


def _cell_weights(costs: np.ndarray, judged: np.ndarray, batches: int) -> np.ndarray:
    """Return a weight a decision, float32[T, E], so that all cells count alike.

    A cell's weights sum to the same whatever its number of decisions, and are less where its
    costs scatter more.
    """
    weights = np.zeros(costs.shape, dtype=np.float32)
    for columns in np.split(np.arange(costs.shape[1]), batches):
        here = judged[:, columns]
        spread = float(costs[:, columns][here].var()) + 0.25
        weights[:, columns] = 1.0 / (max(1, int(here.sum())) * spread)
    return weights


def _saved(out: Path, settings: dict[str, Any]) -> Checkpoint | None:
    if not (out / FILE).is_file():
        return None
    saved = Checkpoint.read(out / FILE)
    if renamed_fields(saved.state["settings"], NEW_FIELDS) != settings:
        raise PolicyError(
            f"the settings of the run in {out}", "others", "train into another folder"
        )
    return saved


__getattr__ = old_names(__name__)
