"""CQL-Lagrangian: conservative Q-learning under a limit on cost, for discrete actions.

    python examples/offline/cql_lagrangian.py --dataset runs/medley --cost-limit 3 --seed 0

The reward's critic is that of CQL (arXiv 2006.04779); a second critic learns the cost; the actor
maximises Q - multiplier x Q_cost plus entropy, and the multiplier follows the excess of cost
(Stooke et al., arXiv 2007.03964, with the integral term alone).

NOTE[DIFF] the limit is on the undiscounted cost of an episode; it is spread evenly over decisions
and compared with the discounted critic's value, (1 - gamma) Q_cost, at states of the data.

One file, after the manner of CleanRL: all of the algorithm stands here. It reads a data set of
`panda-grid dataset` and writes an agent's folder that `panda_gym.policies` opens.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
import typer

from panda_gym.environments.placement.policies.learned import Learned, save_agent
from panda_gym.environments.placement.policies.scorer import SiteScorer
from panda_gym.offline import datasets

BATCH, RATE, GAMMA, FOLLOW, ALPHA = 64, 1e-3, 0.9, 0.02, 1.0
TEMPERATURE, CLIMB = 0.1, 0.02
GREEDY = False  # the stochastic policy meets the limit, on average


def tensors(parts: dict[str, np.ndarray], device: str) -> list[torch.Tensor]:
    """An observation in the order that the scorer takes its parts in."""
    order = ("sites", "job", "grid", "action_mask")
    return [torch.as_tensor(parts[name], device=device) for name in order]


def masked(scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Scores with the illegal sites far below all others."""
    return scores.masked_fill(mask == 0, -1e9)


def network(seed: int, device: str) -> SiteScorer:
    """A scorer with weights of its own seed; the global generator is left as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return SiteScorer().to(device)


def values(net: SiteScorer, seen: list[torch.Tensor]) -> torch.Tensor:
    """Q of every site, [B, S]: what the state is worth and what the site adds to it."""
    scores, value = net(*seen)
    return scores + value[:, None]


def learn(
    data: datasets.OfflineDataset, limit: float, seed: int, updates: int, device: str
) -> SiteScorer:
    """Two critics, an actor, and a multiplier that rises while the actor costs too much.

    Costs are counted in units of limit / T a decision, so that a cost of 1 each keeps the limit.
    """
    transitions, unit = datasets.Transitions.of(data), limit / data.document["jobs"]
    rng, multiplier = np.random.default_rng(seed), 0.0
    gain, spend = (network(seed + k, device) for k in (0, 1))
    slow_gain, slow_spend = (network(seed + k, device) for k in (0, 1))
    actor = network(seed + 2, device)
    critics = torch.optim.Adam([*gain.parameters(), *spend.parameters()], lr=RATE, fused=True)
    optimiser = torch.optim.Adam(actor.parameters(), lr=RATE, fused=True)
    for _ in range(updates):
        some = transitions.draw(rng, BATCH)
        seen, after = tensors(some.observation, device), tensors(some.following, device)
        done = torch.as_tensor(some.actions, device=device)[:, None]
        rewards = torch.as_tensor(some.rewards, device=device)
        costs = torch.as_tensor(some.costs, device=device) / unit
        with torch.no_grad():
            probs = torch.softmax(masked(actor(*after)[0], after[3]), dim=1)
            goal = rewards + GAMMA * (probs * values(slow_gain, after)).sum(dim=1)
            goal_cost = costs + GAMMA * (probs * values(slow_spend, after)).sum(dim=1)
        q, q_cost = values(gain, seen), values(spend, seen)
        taken, taken_cost = q.gather(1, done)[:, 0], q_cost.gather(1, done)[:, 0]
        conservative = torch.logsumexp(masked(q, seen[3]), dim=1) - taken
        loss = torch.nn.functional.mse_loss(taken, goal) + ALPHA * conservative.mean()
        loss = loss + torch.nn.functional.mse_loss(taken_cost, goal_cost)
        critics.zero_grad()
        loss.backward()
        critics.step()

        logs = torch.log_softmax(masked(actor(*seen)[0], seen[3]), dim=1)
        probs, q, q_cost = logs.exp(), q.detach(), q_cost.detach()
        worth = (q - multiplier * q_cost) / (1.0 + multiplier)
        loss = (probs * (TEMPERATURE * logs - worth)).sum(dim=1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

        spent = (1.0 - GAMMA) * float((probs.detach() * q_cost).sum(dim=1).mean())
        multiplier = max(0.0, multiplier + CLIMB * (spent - 1.0))
        follow(slow_gain, gain)
        follow(slow_spend, spend)
    return actor.cpu().eval()


@torch.no_grad()
def follow(target: SiteScorer, critic: SiteScorer) -> None:
    """Move a target network a little towards the learning one."""
    for slow, quick in zip(target.parameters(), critic.parameters(), strict=True):
        slow.lerp_(quick, FOLLOW)


def main(
    dataset: Path = Path("runs/medley"),
    cost_limit: float | None = None,
    seed: int = 0,
    updates: int = 2_000,
    device: str = "cpu",
    out: Path = Path("runs/offline/cql_lagrangian"),
    quick: bool = False,
) -> None:
    """Learn from a data set, which is collected first if there is none, and play the agent."""
    if not (dataset / "dataset.json").is_file():
        few = 2_000 if quick else 40_000
        datasets.collect(dataset, datasets.recipe("medley"), few, epsilon=0.1, **datasets.SMALL)
    data = datasets.OfflineDataset.open(dataset)
    limit = data.check_cost_limit(data.cost_limits[1] if cost_limit is None else cost_limit)
    agent = learn(data, limit, seed, 20 if quick else updates, device)
    save_agent(out, agent, {"command": " ".join(sys.argv), "seed": seed, "cost_limit": limit})
    found = datasets.trial(data, Learned(out, greedy=GREEDY))
    reward, cost = found.normalized(data, limit)
    print(f"cost limit {limit:.3g}: normalised reward {reward:.3f}, normalised cost {cost:.3f}")


if __name__ == "__main__":
    typer.run(main)
