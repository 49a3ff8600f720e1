"""Discrete CQL: Q-learning that distrusts what the data never tried.

    python examples/offline/cql.py --dataset runs/medley --cost-limit 3 --seed 0

Kumar et al., Conservative Q-learning (arXiv 2006.04779), with double Q-learning (arXiv 1509.06461).
It knows no cost: the agent is only scored against the limit.

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
GREEDY = True  # the site of the highest value


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
    """Double Q-learning with a pull on the values of what was not done; sites out of mask never."""
    transitions = datasets.Transitions.of(data)
    rng, critic, target = np.random.default_rng(seed), network(seed, device), network(seed, device)
    optimiser = torch.optim.Adam(critic.parameters(), lr=RATE, fused=True)
    for _ in range(updates):
        some = transitions.draw(rng, BATCH)
        seen, after = tensors(some.observation, device), tensors(some.following, device)
        done = torch.as_tensor(some.actions, device=device)[:, None]
        rewards = torch.as_tensor(some.rewards, device=device)
        with torch.no_grad():
            best = masked(values(critic, after), after[3]).argmax(dim=1, keepdim=True)
            goal = rewards + GAMMA * values(target, after).gather(1, best)[:, 0]
        q = values(critic, seen)
        taken = q.gather(1, done)[:, 0]
        conservative = torch.logsumexp(masked(q, seen[3]), dim=1) - taken
        loss = torch.nn.functional.mse_loss(taken, goal) + ALPHA * conservative.mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        follow(target, critic)
    return critic.cpu().eval()


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
    out: Path = Path("runs/offline/cql"),
    quick: bool = False,
) -> None:
    """Learn from a data set, which is collected first if there is none, and play the agent."""
    if not (dataset / "dataset.json").is_file():
        few = 2_000 if quick else 40_000
        datasets.collect(dataset, datasets.recipe("medley"), few, epsilon=0.1, **datasets.SMALL)
    data = datasets.OfflineDataset.open(dataset)
    limit = data.cost_limits[1] if cost_limit is None else cost_limit
    agent = learn(data, limit, seed, 20 if quick else updates, device)
    save_agent(out, agent, {"command": " ".join(sys.argv), "seed": seed, "cost_limit": limit})
    found = datasets.trial(data, Learned(out, greedy=GREEDY))
    reward, cost = found.normalized(data, limit)
    print(f"cost limit {limit:.3g}: normalised reward {reward:.3f}, normalised cost {cost:.3f}")


if __name__ == "__main__":
    typer.run(main)
