"""RLlib: PPO with the permutation-equivariant site scorer as its module, masks included.

    pip install panda-grid-gym
    pip install 'ray[rllib]==2.60.0'  # takes gymnasium 1.2.2
    python examples/adapters/rllib_ppo.py --iterations 2 --runners 2

Works on a laptop and on a cluster (`--address auto`): only the number of runners changes. An agent
that was trained here is saved as any of ours and opens with `panda_gym.policies`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import ray
import torch
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.apis.value_function_api import ValueFunctionAPI
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.core.rl_module.torch.torch_rl_module import TorchRLModule

from panda_gym.environments.placement.policies.learned import Learned, save_agent
from panda_gym.environments.placement.policies.scorer import SiteScorer
from panda_gym.offline import datasets

SMALL = {**datasets.SMALL, "jobs": 50, "stream_jobs": 2_000}


class SiteScorerModule(TorchRLModule, ValueFunctionAPI):
    """Logits are the scores of the sites; illegal ones are out of reach."""

    def setup(self) -> None:
        self.scorer = SiteScorer()

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        scores, _ = self._score(batch)
        mask = batch[Columns.OBS]["action_mask"]
        return {Columns.ACTION_DIST_INPUTS: scores.masked_fill(mask == 0, -1e9)}

    def compute_values(self, batch: dict[str, Any], embeddings: Any = None) -> torch.Tensor:
        return self._score(batch)[1]

    def _score(self, batch: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        seen = batch[Columns.OBS]
        return self.scorer(seen["sites"], seen["job"], seen["grid"], seen["action_mask"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", default=None, help="of a Ray cluster; none starts one here")
    parser.add_argument("--iterations", type=int, default=1)
    parser.add_argument("--runners", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/rllib"))
    given = parser.parse_args()
    ray.init(address=given.address, log_to_driver=False)
    config = (
        PPOConfig()
        .environment("panda_gym:PandaGrid/Placement-v0", env_config=SMALL)
        .env_runners(num_env_runners=given.runners, num_envs_per_env_runner=4)
        .rl_module(rl_module_spec=RLModuleSpec(module_class=SiteScorerModule))
        .training(train_batch_size_per_learner=400, minibatch_size=100, num_epochs=2, gamma=0.5)
        .debugging(seed=0, log_level="ERROR")
    )
    learner = config.build_algo()
    for _ in range(given.iterations):
        result = learner.train()
        runners = result["env_runners"]
        print(
            f"{runners['num_env_steps_sampled_lifetime']:.0f} decisions, "
            f"return {runners['episode_return_mean']:.1f}"
        )
    scorer = learner.get_module().scorer.cpu().eval()
    save_agent(given.out / "agent", scorer, {"made by": "examples/adapters/rllib_ppo.py"})
    learner.stop()
    ray.shutdown()
    print("agent:", Learned(given.out).folder)


if __name__ == "__main__":
    main()
