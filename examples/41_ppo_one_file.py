"""PPO with action masks in one file, in the manner of CleanRL: torch, gymnasium and nothing else.

    python examples/41_ppo_one_file.py                              # seconds: shows that it runs
    python examples/41_ppo_one_file.py --total-timesteps 200000 --scenario atlas
    python examples/41_ppo_one_file.py --env-id PandaGrid/Workflow-v0 --gamma 0.99

Placement's default reward charges each decision at once, so a discount of 0 suffices there.
The environments are one `make_vec` with the autoreset mode SAME_STEP: `infos["final_obs"]` is the
last observation of an ended episode. Where the episode was truncated, the value of that observation
replaces what would have come after it (bootstrapping). The mask of legal actions is the part
`action_mask` of the observation; it is stored with the step and used again in the update.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

import panda_gym


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--env-id", default="PandaGrid/Placement-v0")
    parser.add_argument("--scenario", default="", help="a named scenario of Placement")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--total-timesteps", type=int, default=1024)
    parser.add_argument("--num-envs", type=int, default=8)
    parser.add_argument("--num-steps", type=int, default=64, help="steps of a rollout")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--gamma", type=float, default=0.0, help="Placement pays at once")
    parser.add_argument("--gae-lambda", type=float, default=0.95)
    parser.add_argument("--num-minibatches", type=int, default=4)
    parser.add_argument("--update-epochs", type=int, default=4)
    parser.add_argument("--clip-coef", type=float, default=0.2)
    parser.add_argument("--ent-coef", type=float, default=0.01)
    parser.add_argument("--vf-coef", type=float, default=0.5)
    parser.add_argument("--max-grad-norm", type=float, default=0.5)
    return parser.parse_args()


def make_envs(args: argparse.Namespace) -> gym.vector.VectorEnv:
    settings = {"scenario": args.scenario} if args.scenario else {}
    envs = gym.make_vec(args.env_id, num_envs=args.num_envs, **settings)
    assert isinstance(envs.single_action_space, gym.spaces.Discrete), "one choice a step"
    return gym.wrappers.vector.RecordEpisodeStatistics(envs)


def rows(observation: dict[str, np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """What the networks read, float32[E, R, F], and the mask of legal actions, bool[E, A].

    Placement: one row a site, its features beside those of the job and the grid, so that one small
    network scores every site. Elsewhere: one row of all parts.
    """
    parts = {k: torch.as_tensor(v) for k, v in observation.items()}
    legal = parts.pop("action_mask").bool()
    if parts.keys() == {"sites", "job", "grid"}:
        sites = parts["sites"].transpose(1, 2)
        shared = torch.cat([parts["job"], parts["grid"]], dim=1)[:, None]
        return torch.cat([sites, shared.expand(-1, sites.shape[1], -1)], dim=2), legal
    return torch.cat([part.flatten(1) for part in parts.values()], dim=1)[:, None], legal


def layer(inputs: int, outputs: int, gain: float = 2**0.5) -> nn.Linear:
    one = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(one.weight, gain)
    nn.init.zeros_(one.bias)
    return one


class Agent(nn.Module):
    """A body of two layers that reads every row, with heads for the logits and the value."""

    def __init__(self, features: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(layer(features, 64), nn.Tanh(), layer(64, 64), nn.Tanh())
        self.actor, self.critic = layer(64, outputs, 0.01), layer(64, 1, 1.0)

    def forward(self, seen: torch.Tensor, legal: torch.Tensor) -> tuple[Categorical, torch.Tensor]:
        """Return the policy over the legal actions, and the value."""
        hidden = self.body(seen)
        logits = self.actor(hidden).flatten(-2).masked_fill(~legal, -1e9)
        return Categorical(logits=logits), self.critic(hidden.mean(dim=-2)).squeeze(-1)


class Rollout:
    """Tensors [T, E, ...] of one rollout."""

    def __init__(self, steps: int, seen: torch.Tensor, legal: torch.Tensor) -> None:
        self.seen, self.legal = (
            seen.new_zeros(steps, *seen.shape),
            legal.new_zeros(steps, *legal.shape),
        )
        self.action = torch.zeros(steps, len(seen), dtype=torch.long)
        self.logprob, self.reward, self.value = (torch.zeros(steps, len(seen)) for _ in range(3))
        self.ended = torch.zeros(steps, len(seen))
        """1 where the episode ended with this step."""
        self.after = torch.zeros(steps, len(seen))
        """Value of the last observation of a truncated episode; 0 of a terminated one."""


def collect(
    envs: gym.vector.VectorEnv, agent: Agent, data: Rollout, observation: Any
) -> tuple[Any, list[float]]:
    """Fill the rollout; return the next observation and the returns of the ended episodes."""
    returns: list[float] = []
    for t in range(len(data.seen)):
        data.seen[t], data.legal[t] = rows(observation)
        policy, data.value[t] = agent(data.seen[t], data.legal[t])
        data.action[t] = policy.sample()
        data.logprob[t] = policy.log_prob(data.action[t])
        observation, reward, terminated, truncated, infos = envs.step(data.action[t].numpy())
        data.reward[t] = torch.as_tensor(reward)
        data.ended[t] = torch.as_tensor(terminated | truncated)
        data.after[t] = 0.0
        for e in np.flatnonzero(truncated & ~terminated):
            last = {name: part[None] for name, part in infos["final_obs"][e].items()}
            data.after[t, e] = agent(*rows(last))[1][0]
        if "episode" in infos:
            returns += infos["episode"]["r"][infos["_episode"]].tolist()
    return observation, returns


def advantages(data: Rollout, last: torch.Tensor, gamma: float, lam: float) -> torch.Tensor:
    """Generalised advantage estimates (Schulman et al. 2016); an ended episode ends the sum."""
    found, ahead, following = torch.zeros_like(data.reward), torch.zeros_like(last), last
    for t in reversed(range(len(data.reward))):
        going = 1.0 - data.ended[t]
        target = data.reward[t] + gamma * (going * following + data.after[t])
        ahead = target - data.value[t] + gamma * lam * going * ahead
        found[t], following = ahead, data.value[t]
    return found


def update(
    agent: Agent,
    optimizer: torch.optim.Optimizer,
    data: Rollout,
    gain: torch.Tensor,
    args: argparse.Namespace,
) -> None:
    """Improve the agent by the clipped objective of PPO (Schulman et al. 2017)."""
    target = (gain + data.value).flatten()
    gain, seen, legal = gain.flatten(), data.seen.flatten(0, 1), data.legal.flatten(0, 1)
    action, before = data.action.flatten(), data.logprob.flatten()
    for _ in range(args.update_epochs):
        for some in torch.randperm(len(seen)).chunk(args.num_minibatches):
            policy, value = agent(seen[some], legal[some])
            ratio = (policy.log_prob(action[some]) - before[some]).exp()
            scaled = (gain[some] - gain[some].mean()) / (gain[some].std() + 1e-8)
            clipped = ratio.clamp(1.0 - args.clip_coef, 1.0 + args.clip_coef)
            actor = -torch.min(ratio * scaled, clipped * scaled).mean()
            critic = 0.5 * (value - target[some]).pow(2).mean()
            entropy = policy.entropy().mean()
            loss = actor + args.vf_coef * critic - args.ent_coef * entropy
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), args.max_grad_norm)
            optimizer.step()


@torch.no_grad()
def evaluate(args: argparse.Namespace, choose: Callable[[Any], np.ndarray], steps: int) -> float:
    """Mean reward a step of a policy in new environments, the same for every policy."""
    envs, paid = make_envs(args), []
    observation, _ = envs.reset(seed=10_000)
    for _ in range(steps):
        observation, reward, *_ = envs.step(choose(observation))
        paid.append(reward.mean())
    envs.close()
    return float(np.mean(paid))


def main() -> None:
    args = parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    envs = make_envs(args)
    observation, _ = envs.reset(seed=args.seed)
    seen, legal = rows(observation)
    agent = Agent(seen.shape[2], legal.shape[1] // seen.shape[1])
    optimizer = torch.optim.Adam(agent.parameters(), lr=args.learning_rate, eps=1e-5)
    data = Rollout(args.num_steps, seen, legal)
    begun, size, recent = time.time(), args.num_steps * args.num_envs, []
    for step in range(size, max(args.total_timesteps, size) + 1, size):
        with torch.no_grad():
            observation, returns = collect(envs, agent, data, observation)
            last = agent(*rows(observation))[1]
            gain = advantages(data, last, args.gamma, args.gae_lambda)
        update(agent, optimizer, data, gain, args)
        recent = [*recent, *returns][-50:]
        mean = float(data.reward.mean())
        line = f"step {step}: reward a step {mean:.4f}, {step / (time.time() - begun):.0f} steps/s"
        print(line + (f", return {np.mean(recent):.2f}" if recent else ""), flush=True)
    envs.close()

    def draw(observation: Any) -> np.ndarray:
        return (rng.random(observation["action_mask"].shape) * observation["action_mask"]).argmax(1)

    rng, steps = np.random.default_rng(0), 2 * args.num_steps
    others = {"at random": draw}
    if args.env_id == "PandaGrid/Placement-v0":
        rule = panda_gym.policies.create("earliest_completion")
        others["earliest completion"] = lambda observation: rule(observation, rng)
    found = evaluate(args, lambda one: agent(*rows(one))[0].probs.argmax(1).numpy(), steps)
    print(f"reward a step, greedy {found:.4f}", end="")
    for name, choose in others.items():
        print(f", {name} {evaluate(args, choose, steps):.4f}", end="")
    print()


if __name__ == "__main__":
    main()
