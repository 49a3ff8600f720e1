"""torchrl: the environment with its mask, PPO on it, and discrete CQL on a data set of ours.

    pip install torchrl==0.14.1
    python examples/adapters/torchrl_ppo_cql.py

`GymEnv(id)` makes one environment, `ActionMask` draws legal random actions. Several side by side
are `GymWrapper(gymnasium.make_vec(..., autoreset_mode="disabled"))`: torchrl begins ended episodes
itself, by `reset_mask`. `GymEnv(id, num_envs=, info="cost")` starts a process for each. torchrl
cannot read infos that hold a dictionary, as `info["costs"]` is one (`nested_infos_fail`).
The settings of PPO are those of torchrl's tutorial, but for the discount, which the reward allows
to be 0, and for rollouts of 2,048 decisions.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import torch
from tensordict import TensorDict
from tensordict.nn import TensorDictModule
from torch import Tensor, nn
from torch.distributions import Categorical
from torch.nn.functional import one_hot
from torchrl.collectors import Collector
from torchrl.envs import ActionMask, GymEnv, GymWrapper, TransformedEnv
from torchrl.modules import MLP, ProbabilisticActor, QValueActor, ValueOperator
from torchrl.objectives import ClipPPOLoss, DiscreteCQLLoss, SoftUpdate
from torchrl.objectives.value import GAE

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.offline import datasets
from panda_gym.sb3 import actor_critic

NAME, SETTINGS = "PandaGrid/Placement-v0", {"jobs": 50, "scale": 0.1}
PARTS = ["sites", "job", "grid", "action_mask"]


class NetworkOutput(nn.Module):
    """The logits or the value of a network, for any leading dimensions."""

    def __init__(self, network: nn.Module, output: int) -> None:
        super().__init__()
        self.network, self.output = network, output

    def forward(self, *parts: Tensor) -> Tensor:
        lead = parts[-1].shape[:-1]
        flat = (part.reshape(-1, *part.shape[len(lead) :]) for part in parts)
        found = self.network(dict(zip(PARTS, flat, strict=True)))[self.output]
        return found.reshape(*lead, -1)


def parse_args(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--scenario", default="", help="a named scenario; small worlds without")
    parser.add_argument("--total-timesteps", type=int, default=2048)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--env-seed", type=int, default=0, help="of the first world")
    parser.add_argument("--num-envs", type=int, default=4)
    parser.add_argument("--frames", type=int, default=2048, help="decisions of a rollout")
    parser.add_argument("--sub-batch", type=int, default=64, help="decisions of a gradient step")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    parser.add_argument("--gamma", type=float, default=0.0, help="Placement pays at once")
    parser.add_argument("--entropy", type=float, default=1e-4)
    return parser.parse_args(given)


def train(args: argparse.Namespace) -> nn.Module:
    """PPO: return the network of the actor."""
    torch.manual_seed(args.seed)
    settings = {"scenario": args.scenario} if args.scenario else SETTINGS
    vector = gymnasium.make_vec(NAME, num_envs=args.num_envs, autoreset_mode="disabled", **settings)
    network, critic = (actor_critic(vector) for _ in range(2))
    actor = ProbabilisticActor(
        TensorDictModule(NetworkOutput(network, 0), PARTS, ["logits"]),
        in_keys=["logits"],
        distribution_class=Categorical,  # illegal sites have a logit out of reach
        return_log_prob=True,
    )
    value = ValueOperator(NetworkOutput(critic, 1), in_keys=PARTS)
    env = GymWrapper(vector, categorical_action_encoding=True)
    env.set_seed(args.env_seed)
    total = max(args.total_timesteps // args.frames, 1) * args.frames
    collector = Collector(
        env,
        actor,
        frames_per_batch=args.frames,
        total_frames=total,
        auto_register_policy_transforms=False,
    )
    learn = learner(actor, value, args)
    for data in collector:
        chosen = data["action_mask"].gather(-1, data["action"][..., None])
        assert chosen.bool().all(), "an illegal site was taken"
        print(f"reward a step {data['next', 'reward'].mean():.4f}", flush=True)
        learn(data)
    collector.shutdown()
    return network


def learner(
    actor: ProbabilisticActor, value: ValueOperator, args: argparse.Namespace
) -> Callable[[TensorDict], None]:
    """Return the function that learns from a rollout."""
    loss = ClipPPOLoss(actor, value, clip_epsilon=0.2, entropy_coeff=args.entropy)
    advantage = GAE(gamma=args.gamma, lmbda=0.95, value_network=value, average_gae=True)
    optimizer = torch.optim.Adam(loss.parameters(), args.learning_rate)

    def learn(data: TensorDict) -> None:
        with torch.no_grad():
            advantage(data)
        rows = data.reshape(-1)
        for _ in range(args.epochs):
            for some in torch.randperm(len(rows)).split(args.sub_batch):
                found = loss(rows[some])
                total = found["loss_objective"] + found["loss_critic"] + found["loss_entropy"]
                optimizer.zero_grad()
                total.backward()
                nn.utils.clip_grad_norm_(loss.parameters(), 1.0)
                optimizer.step()

    return learn


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


class NestedInfo(gymnasium.Wrapper):
    """A dictionary in the infos, as `info["costs"]` is one."""

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        return self.env.reset(**given)[0], {"costs": {"one": 0.0}}

    def step(self, action: Any) -> Any:
        return *self.env.step(action)[:4], {"costs": {"one": 1.0}}


# Processes of torchrl import this file, and so register it too.
gymnasium.register("NestedInfo-v0", lambda: NestedInfo(gymnasium.make("CartPole-v1").unwrapped))


def nested_infos_fail() -> bool:
    """Whether torchrl refuses such infos of several environments, here of CartPole."""
    try:
        GymEnv("NestedInfo-v0", num_envs=2)
    except RuntimeError:
        return True
    return False


if __name__ == "__main__":
    torch.manual_seed(0)
    assert nested_infos_fail(), "torchrl has learned to read them: info='cost' may go"
    several = GymEnv(NAME, num_envs=2, info="cost", **SETTINGS)
    assert several.rollout(60, break_when_any_done=False)["next", "cost"].shape == (2, 60)
    several.close()
    single = TransformedEnv(GymEnv(NAME, **SETTINGS), ActionMask())
    drawn = single.rollout(20)
    assert (drawn["action"] * drawn["action_mask"]).sum(-1).bool().all()
    single.close()
    train(parse_args())
    first, last = cql(100)
    assert last < first
    print(f"discrete CQL: loss {first:.2f} at first, {last:.2f} at last")
