"""BC-safe: behaviour cloning of the episodes that kept the cost limit.

    python examples/offline/bc_safe.py --dataset runs/medley --cost-limit 3 --seed 0

The baseline of DSRL (arXiv 2306.09303) that safe offline learners have to beat.

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

BATCH, RATE = 64, 1e-3
GREEDY = False  # a clone imitates the whole distribution, not its mode


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


def learn(
    data: datasets.OfflineDataset, limit: float, seed: int, updates: int, device: str
) -> SiteScorer:
    """Raise the probability of what was done in episodes that cost at most the limit."""
    transitions = datasets.Transitions.of(data, lambda one: one.cost.sum() <= limit)
    rng, actor = np.random.default_rng(seed), network(seed, device)
    optimiser = torch.optim.Adam(actor.parameters(), lr=RATE, fused=True)
    for _ in range(updates):
        some = transitions.draw(rng, BATCH)
        seen = tensors(some.observation, device)
        logits = masked(actor(*seen)[0], seen[3])
        loss = torch.nn.functional.cross_entropy(
            logits, torch.as_tensor(some.actions, device=device)
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return actor.cpu().eval()


def main(
    dataset: Path = Path("runs/medley"),
    cost_limit: float | None = None,
    seed: int = 0,
    updates: int = 2_000,
    device: str = "cpu",
    out: Path = Path("runs/offline/bc_safe"),
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
