"""torchrl: the environment with its mask, PPO on it, and discrete CQL on a data set of ours.

    pip install torchrl==0.14.1
    python examples/adapters/torchrl_ppo_cql.py

`GymEnv(id)` makes one environment, `ActionMask` draws legal random actions. Several side by side
are `GymWrapper(gymnasium.make_vec(..., autoreset_mode="disabled"))`: torchrl begins ended episodes
itself, by `reset_mask`. (`GymEnv(id, num_envs=)` reads the infos of a vector environment, and
cannot read a dictionary within them, such as `info["costs"]`.)
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import gymnasium
import torch
from tensordict import TensorDict
from tensordict.nn import TensorDictModule
from torch import Tensor, nn
from torch.nn.functional import one_hot
from torchrl.envs import ActionMask, GymEnv, GymWrapper, TransformedEnv
from torchrl.modules import (
    MLP,
    MaskedOneHotCategorical,
    ProbabilisticActor,
    QValueActor,
    ValueOperator,
)
from torchrl.objectives import ClipPPOLoss, DiscreteCQLLoss, SoftUpdate
from torchrl.objectives.value import GAE

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.offline import datasets

NAME, SETTINGS = "PandaGrid/Placement-v0", {"jobs": 50, "scale": 0.1}
PARTS = ["sites", "job", "grid"]


class Scorer(nn.Module):
    """Logits of the sites from their own features, those of the job and of the grid."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.net = MLP(features, 1, num_cells=[64, 64])

    def forward(
        self, sites: Tensor, job: Tensor, grid: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        columns = sites.transpose(-1, -2)
        shared = torch.cat([job, grid], dim=-1)[..., None, :].expand(*columns.shape[:-1], -1)
        return self.net(torch.cat([columns, shared], dim=-1)).squeeze(-1), mask.bool()


class Value(nn.Module):
    """Value of a state from the job, the grid and the mean over the sites."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.net = MLP(features, 1, num_cells=[64, 64])

    def forward(self, sites: Tensor, job: Tensor, grid: Tensor) -> Tensor:
        return self.net(torch.cat([sites.mean(dim=-1), job, grid], dim=-1))


def ppo(updates: int) -> list[float]:
    """Return the mean reward of each rollout."""
    env = GymWrapper(gymnasium.make_vec(NAME, num_envs=4, autoreset_mode="disabled", **SETTINGS))
    shapes = [env.observation_spec[part].shape for part in PARTS]
    features = shapes[0][1] + shapes[1][1] + shapes[2][1]
    actor = ProbabilisticActor(
        TensorDictModule(Scorer(features), [*PARTS, "action_mask"], ["logits", "mask"]),
        in_keys=["logits", "mask"],
        distribution_class=MaskedOneHotCategorical,
        return_log_prob=True,
    )
    critic = ValueOperator(Value(features), in_keys=PARTS)
    loss = ClipPPOLoss(actor, critic, entropy_coeff=0.01)
    advantage = GAE(gamma=0.5, lmbda=0.95, value_network=critic)
    optimizer = torch.optim.Adam(loss.parameters(), lr=1e-3)
    rewards = []
    for _ in range(updates):
        with torch.no_grad():
            data = env.rollout(64, actor, break_when_any_done=False)
        chosen = (data["action"] * data["action_mask"]).sum(-1)
        assert chosen.bool().all(), "an illegal site was taken"
        rewards.append(float(data["next", "reward"].mean()))
        for _ in range(4):
            advantage(data)
            found = loss(data.reshape(-1))
            total = found["loss_objective"] + found["loss_critic"] + found["loss_entropy"]
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
    env.close()
    return rewards


def transitions(data: datasets.OfflineDataset) -> TensorDict:
    """All transitions of a data set as torchrl names them."""
    parts = []
    for episode in data.episodes():
        t = len(episode)
        seen, masks = torch.tensor(episode.observations), torch.tensor(episode.masks)
        action = one_hot(torch.tensor(episode.actions, dtype=torch.long), masks.shape[1])
        truncated = torch.arange(t) == t - 1
        after = {
            "observation": seen[1:],
            "action_mask": masks[1:],
            "reward": torch.tensor(episode.rewards, dtype=torch.float32)[:, None],
            "terminated": torch.zeros(t, 1, dtype=torch.bool),
            "done": truncated[:, None],
        }
        now = {"observation": seen[:-1], "action_mask": masks[:-1], "action": action}
        parts.append(TensorDict({**now, "next": TensorDict(after, [t])}, [t]))
    return torch.cat(parts)


def cql(updates: int) -> tuple[float, float]:
    """Train on a small data set; return the losses at first and at last."""
    with tempfile.TemporaryDirectory() as folder:
        small = {**datasets.SMALL, "jobs": 50, "stream_jobs": 2_000}
        data = datasets.collect(Path(folder) / "medley", datasets.recipe("medley"), 1_000, **small)
        steps = transitions(data)
    width, sites = steps["observation"].shape[1], steps["action"].shape[1]
    network = MLP(width, sites, num_cells=[64, 64])
    actor = QValueActor(network, in_keys=["observation"], action_space="one-hot")
    loss = DiscreteCQLLoss(actor, action_space="one-hot", delay_value=True)
    loss.make_value_estimator(gamma=0.9)
    target = SoftUpdate(loss, tau=0.02)
    optimizer = torch.optim.Adam(loss.parameters(), lr=1e-3)
    losses = []
    for _ in range(updates):
        some = steps[torch.randint(len(steps), (64,))]
        found = loss(some)
        total = found["loss_qvalue"] + found["loss_cql"]
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        target.step()
        losses.append(float(total.detach()))
    return losses[0], losses[-1]


if __name__ == "__main__":
    torch.manual_seed(0)
    single = TransformedEnv(GymEnv(NAME, **SETTINGS), ActionMask())
    drawn = single.rollout(20)
    assert (drawn["action"] * drawn["action_mask"]).sum(-1).bool().all()
    single.close()
    rewards = ppo(8)
    print(f"PPO: reward a step {rewards[0]:.3f} at first, {rewards[-1]:.3f} at last")
    first, last = cql(100)
    assert last < first
    print(f"discrete CQL: loss {first:.2f} at first, {last:.2f} at last")
