"""Whole episodes with difference rewards for training loops of one's own."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from panda_gym.credit import find_objective
from panda_gym.credit.difference_reward import difference_rewards
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import SettingError
from panda_gym.training import RelabelledEpisodes, relabelled_episodes
from tests.panda_gym.placements import ROUGH, small

JOBS, ENVS = 12, 3
SETTINGS: dict[str, Any] = small(jobs=JOBS, warmup=40, load=1.3)


def made(observation: str = "flat", **changes: Any) -> Any:
    return gymnasium.make_vec(
        "PandaGrid/Placement-v0",
        num_envs=ENVS,
        objective="ln_slowdown",
        observation=observation,
        **{**SETTINGS, **changes},
    )


def random_site(seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    return lambda seen, mask: (rng.random(mask.shape) * mask).argmax(axis=1)


@pytest.mark.parametrize("observation", ["flat", "dict"])
@pytest.mark.parametrize("rough", [False, True])
def test_episodes_are_those_that_their_actions_play(observation: str, rough: bool) -> None:
    changes = {**ROUGH, "tail_jobs": 8} if rough else {}
    data = relabelled_episodes(made(observation, **changes), random_site(), seed=7)
    assert list(data) == list(RelabelledEpisodes.__annotations__)
    for e in range(ENVS):
        own = np.flatnonzero(data["env"] == e)
        batch = PlacementBatch(Scenario.of(**{**SETTINGS, **changes}), 1, observation)
        batch.begin([(0, np.random.default_rng(7 + e))])
        rows = []
        for k in own:
            rows.append(int(batch.simulator.pending[0, 0]))
            seen = batch.observe()
            for name in seen if isinstance(seen, dict) else [None]:
                part, whole = (x if name is None else x[name] for x in (seen, data["observation"]))
                np.testing.assert_array_equal(whole[k], part[0])
            np.testing.assert_array_equal(data["mask"][k], batch.masks()[0])
            assert data["judged"][k] == batch.simulator.judging[0]
            batch.step(data["action"][k : k + 1])
        assert batch.done[0]
        assert data["done"][own].tolist() == [False] * (len(own) - 1) + [True]
        log, row = batch.log(0), find_objective("ln_slowdown")
        expected = difference_rewards(batch.simulator, 0, log, row)[rows]
        np.testing.assert_allclose(data["reward"][own], expected, rtol=1e-6)


def test_a_second_call_plays_other_episodes() -> None:
    env = made()
    first = relabelled_episodes(env, random_site(), seed=7)
    again = relabelled_episodes(env, random_site())
    assert len(first["reward"]) == len(again["reward"]) == ENVS * JOBS
    assert (first["reward"] != again["reward"]).any()


def test_another_autoreset_mode_is_refused() -> None:
    env = made(autoreset_mode="NextStep")
    with pytest.raises(SettingError, match="SAME_STEP"):
        relabelled_episodes(env, random_site())


def test_a_loop_in_the_style_of_cleanrl_learns_from_them() -> None:
    """Policy gradient with a value baseline, on a few episodes; no update fails, values fit."""
    env = made()
    torch.manual_seed(0)
    width, actions = env.single_observation_space.shape[0], env.single_action_space.n
    actor, critic = torch.nn.Linear(width, actions), torch.nn.Linear(width, 1)
    adam = torch.optim.Adam([*actor.parameters(), *critic.parameters()], 3e-3)

    def logits(seen: Any, mask: Any) -> torch.Tensor:
        scores = actor(torch.as_tensor(seen))
        return scores.masked_fill(~torch.as_tensor(mask), -torch.inf)

    def act(seen: Any, mask: Any) -> np.ndarray:
        with torch.no_grad():
            drawn = torch.distributions.Categorical(logits=logits(seen, mask)).sample()
        return drawn.numpy()

    losses = []
    for update in range(8):
        data = relabelled_episodes(env, act, seed=update)
        reward = torch.as_tensor(data["reward"])
        chosen = torch.distributions.Categorical(logits=logits(data["observation"], data["mask"]))
        value = critic(torch.as_tensor(data["observation"]))[:, 0]
        advantage = (reward - value).detach()
        gain = (chosen.log_prob(torch.as_tensor(data["action"])) * advantage).mean()
        loss = (reward - value).square().mean()
        adam.zero_grad()
        (loss - gain).backward()
        adam.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-2:]) < np.mean(losses[:2])
