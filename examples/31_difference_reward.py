"""Train an agent on difference rewards, in one file, on torch alone.

The idea of `panda-grid train --algo difference_reward`: play whole episodes, charge each decision
with the ln(bounded slowdown) of its own job and with its external cost, regress the sum on the
features of the chosen site, and draw sites from softmax(-cost / temperature).

    python examples/31_difference_reward.py --rounds 12 --envs 32 --jobs 2000   # a useful agent
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from torch import nn

from panda_gym.credit.external_cost import external_costs, own_costs
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.policies.scorer import derive, spread
from panda_gym.environments.placement.scenario import Scenario


def features(sites: torch.Tensor, job: torch.Tensor, legal: torch.Tensor) -> torch.Tensor:
    """Return the features of every site: logarithms of its own and of the job's."""
    own = torch.cat([spread(sites, torch.ones(1, dtype=torch.bool)), derive(sites, legal)], dim=1)
    about = spread(job, torch.ones(1, dtype=torch.bool))[:, None, :].expand(-1, sites.shape[2], -1)
    return torch.cat([own.transpose(1, 2), about], dim=2)


def play(
    batch: PlacementBatch, network: nn.Module | None, temperature: float, seed: int
) -> tuple[torch.Tensor, torch.Tensor, float]:
    """One episode in every grid: rows of the chosen sites, their costs, the mean own cost."""
    rng = torch.Generator().manual_seed(seed)
    batch.begin((e, np.random.default_rng([seed, e])) for e in range(len(batch)))
    each, rows, jobs = torch.arange(len(batch)), [], []
    for _ in range(batch.scenario.jobs):
        parts = {name: torch.as_tensor(part) for name, part in batch.observe(copy=False).items()}
        legal = parts["action_mask"].bool()
        with torch.no_grad():
            seen = features(parts["sites"], parts["job"], legal)
            cost = network(seen)[..., 0] if network else derive(parts["sites"], legal)[:, 0]
            race = torch.empty_like(cost).exponential_(generator=rng).log()
            score = torch.where(legal, -cost / temperature - race, -torch.inf)
            sites = score.argmax(dim=1)
        rows.append(seen[each, sites])
        jobs.append(batch.simulator.pending[:, 0])
        batch.simulator.step(sites.numpy())
    own, external = np.zeros((2, len(jobs), len(batch)))
    for e in range(len(batch)):
        log, at = batch.log(e), [step[e] for step in jobs]
        own[:, e] = own_costs(log)[at]
        external[:, e] = np.minimum(external_costs(batch.simulator, e, log)[at], 10.0)
    costs = torch.as_tensor((own + external).ravel(), dtype=torch.float32)
    return torch.cat(rows), costs, float(own.mean())


def fit(network: nn.Module, rows: torch.Tensor, costs: torch.Tensor, steps: int) -> float:
    """Regress costs on rows; return the mean squared error."""
    adam, losses = torch.optim.Adam(network.parameters(), 2e-3), []
    for _ in range(steps):
        drawn = torch.randint(len(costs), (512,))
        loss = (network(rows[drawn])[:, 0] - costs[drawn]).square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return float(np.mean(losses))


def main() -> None:
    """Play and fit, round after round."""
    parser = argparse.ArgumentParser(description="Learn to place jobs from difference rewards.")
    parser.add_argument("--scenario", default="default")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--envs", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    torch.set_num_threads(1)
    batch = PlacementBatch(Scenario.of(scenario=given.scenario, jobs=given.jobs), given.envs)
    network, window = None, []
    for number in range(given.rounds):
        temperature = 0.3 if network is None else max(0.02, 0.15 * 0.85**number)
        rows, costs, own = play(batch, network, temperature, 1_000_000 + number)
        window = [*window, (rows, costs)][-8:]
        if network is None:
            network = Standard(rows.mean(0), rows.std(0) + 1e-3)
        seen, paid = (torch.cat(part) for part in zip(*window, strict=True))
        loss = fit(network, seen, paid, max(50, 3 * len(paid) // 512))
        print(f"round {number}: mean ln slowdown {own:.3f}, squared error {loss:.3f}")


class Standard(nn.Module):
    """A network of two layers over standardised rows."""

    def __init__(self, mean: torch.Tensor, deviation: torch.Tensor) -> None:
        super().__init__()
        self.mean, self.deviation = mean, deviation
        self.layers = nn.Sequential(
            nn.Linear(len(mean), 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)
        )

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Costs [..., 1] of rows [..., features]."""
        return self.layers((rows - self.mean) / self.deviation)


if __name__ == "__main__":
    main()
