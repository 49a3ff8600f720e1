"""PPO with action masks in one file, in the manner of CleanRL: torch, gymnasium and our network.

    python examples/41_ppo_one_file.py                              # seconds: shows that it runs
    python examples/41_ppo_one_file.py --total-timesteps 24576 --scenario atlas
    python examples/41_ppo_one_file.py --env-id PandaGrid/Workflow-v0 --gamma 0.99

Placement's default reward charges each decision at once, so a discount of 0 suffices there.
The environments are one `make_vec` with the autoreset mode SAME_STEP: `infos["final_obs"]` is the
last observation of an ended episode. Where the episode was truncated, the value of that observation
replaces what would have come after it (bootstrapping). The mask of legal actions is the part
`action_mask` of the observation; it is stored with the step and used again in the update.

The defaults are those of CleanRL's `ppo_continuous_action.py`, with the discount above.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical

import panda_gym
from panda_gym.sb3 import actor_critic

Observation = dict[str, Tensor]


def parse_args(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--env-id", default="PandaGrid/Placement-v0")
    parser.add_argument("--scenario", default="", help="a named scenario of Placement")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--env-seed", type=int, default=-1, help="of the first world; -1: --seed")
    parser.add_argument("--total-timesteps", type=int, default=2048)
    parser.add_argument("--num-envs", type=int, default=4)
    parser.add_argument("--num-steps", type=int, default=512, help="steps of a rollout")
    parser.add_argument("--learning-rate", type=float, default=3e-4, help="falls to 0")
    parser.add_argument("--gamma", type=float, default=0.0, help="Placement pays at once")
    parser.add_argument("--gae-lambda", type=float, default=0.95)
    parser.add_argument("--num-minibatches", type=int, default=32)
    parser.add_argument("--update-epochs", type=int, default=10)
    parser.add_argument("--clip-coef", type=float, default=0.2)
    parser.add_argument("--ent-coef", type=float, default=0.0)
    parser.add_argument("--vf-coef", type=float, default=0.5)
    parser.add_argument("--max-grad-norm", type=float, default=0.5)
    return parser.parse_args(given)


def make_envs(args: argparse.Namespace) -> gym.vector.VectorEnv:
    settings = {"scenario": args.scenario} if args.scenario else {}
    envs = gym.make_vec(args.env_id, num_envs=args.num_envs, **settings)
    assert isinstance(envs.single_action_space, gym.spaces.Discrete), "one choice a step"
    return gym.wrappers.vector.RecordEpisodeStatistics(envs)


def tensors(observation: dict[str, np.ndarray]) -> Observation:
    return {name: torch.as_tensor(part) for name, part in observation.items()}


class Rollout:
    """Tensors [T, E, ...] of one rollout."""

    def __init__(self, steps: int, observation: Observation) -> None:
        self.seen = {k: part.new_zeros(steps, *part.shape) for k, part in observation.items()}
        envs = len(observation["action_mask"])
        self.action = torch.zeros(steps, envs, dtype=torch.long)
        self.logprob, self.reward, self.value = (torch.zeros(steps, envs) for _ in range(3))
        self.ended = torch.zeros(steps, envs)
        """1 where the episode ended with this step."""
        self.after = torch.zeros(steps, envs)
        """Value of the last observation of a truncated episode; 0 of a terminated one."""


def collect(
    envs: gym.vector.VectorEnv, agent: nn.Module, data: Rollout, observation: Any
) -> tuple[Any, list[float]]:
    """Fill the rollout; return the next observation and the returns of the ended episodes."""
    returns: list[float] = []
    for t in range(len(data.action)):
        for name, part in tensors(observation).items():
            data.seen[name][t] = part
        logits, data.value[t] = agent(tensors(observation))
        policy = Categorical(logits=logits)
        data.action[t] = policy.sample()
        data.logprob[t] = policy.log_prob(data.action[t])
        observation, reward, terminated, truncated, infos = envs.step(data.action[t].numpy())
        data.reward[t] = torch.as_tensor(reward)
        data.ended[t] = torch.as_tensor(terminated | truncated)
        data.after[t] = 0.0
        for e in np.flatnonzero(truncated & ~terminated):
            last = {name: part[None] for name, part in infos["final_obs"][e].items()}
            data.after[t, e] = agent(tensors(last))[1][0]
        if "episode" in infos:
            returns += infos["episode"]["r"][infos["_episode"]].tolist()
    return observation, returns


def advantages(data: Rollout, last: Tensor, gamma: float, lam: float) -> Tensor:
    """Generalised advantage estimates (Schulman et al. 2016); an ended episode ends the sum."""
    found, ahead, following = torch.zeros_like(data.reward), torch.zeros_like(last), last
    for t in reversed(range(len(data.reward))):
        going = 1.0 - data.ended[t]
        target = data.reward[t] + gamma * (going * following + data.after[t])
        ahead = target - data.value[t] + gamma * lam * going * ahead
        found[t], following = ahead, data.value[t]
    return found


def update(
    agent: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: Rollout,
    gain: Tensor,
    args: argparse.Namespace,
) -> None:
    """Improve the agent by the clipped objective of PPO (Schulman et al. 2017)."""
    target = (gain + data.value).flatten()
    gain, seen = gain.flatten(), {k: part.flatten(0, 1) for k, part in data.seen.items()}
    action, before, known = data.action.flatten(), data.logprob.flatten(), data.value.flatten()
    for _ in range(args.update_epochs):
        for some in torch.randperm(len(action)).chunk(args.num_minibatches):
            logits, value = agent({name: part[some] for name, part in seen.items()})
            policy = Categorical(logits=logits)
            ratio = (policy.log_prob(action[some]) - before[some]).exp()
            scaled = (gain[some] - gain[some].mean()) / (gain[some].std() + 1e-8)
            clipped = ratio.clamp(1.0 - args.clip_coef, 1.0 + args.clip_coef)
            actor = -torch.min(ratio * scaled, clipped * scaled).mean()
            near = known[some] + (value - known[some]).clamp(-args.clip_coef, args.clip_coef)
            errors = (value - target[some]).pow(2), (near - target[some]).pow(2)
            critic = 0.5 * torch.max(*errors).mean()
            loss = actor + args.vf_coef * critic - args.ent_coef * policy.entropy().mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), args.max_grad_norm)
            optimizer.step()


def train(args: argparse.Namespace) -> nn.Module:
    """Return the agent after `total_timesteps`, rounded down to whole rollouts."""
    torch.manual_seed(args.seed)
    envs = make_envs(args)
    observation, _ = envs.reset(seed=args.env_seed if args.env_seed >= 0 else args.seed)
    agent = actor_critic(envs)  # logits, those of illegal actions out of reach, and the value
    optimizer = torch.optim.Adam(agent.parameters(), lr=args.learning_rate, eps=1e-5)
    data = Rollout(args.num_steps, tensors(observation))
    begun, size, recent = time.time(), args.num_steps * args.num_envs, []
    rollouts = max(args.total_timesteps // size, 1)
    for k in range(rollouts):
        optimizer.param_groups[0]["lr"] = args.learning_rate * (1.0 - k / rollouts)
        with torch.no_grad():
            observation, returns = collect(envs, agent, data, observation)
            last = agent(tensors(observation))[1]
            gain = advantages(data, last, args.gamma, args.gae_lambda)
        update(agent, optimizer, data, gain, args)
        recent, step = [*recent, *returns][-50:], (k + 1) * size
        mean = float(data.reward.mean())
        line = f"step {step}: reward a step {mean:.4f}, {step / (time.time() - begun):.0f} steps/s"
        print(line + (f", return {np.mean(recent):.2f}" if recent else ""), flush=True)
    envs.close()
    return agent


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
    torch.set_num_threads(1)
    agent = train(args)

    def draw(observation: Any) -> np.ndarray:
        return (rng.random(observation["action_mask"].shape) * observation["action_mask"]).argmax(1)

    rng, steps = np.random.default_rng(0), args.num_steps // 2
    others = {"at random": draw}
    if args.env_id == "PandaGrid/Placement-v0":
        rule = panda_gym.policies.create("earliest_completion")
        others["earliest completion"] = lambda observation: rule(observation, rng)
    found = evaluate(args, lambda one: agent(tensors(one))[0].argmax(1).numpy(), steps)
    print(f"reward a step, greedy {found:.4f}", end="")
    for name, choose in others.items():
        print(f", {name} {evaluate(args, choose, steps):.4f}", end="")
    print()


if __name__ == "__main__":
    main()
