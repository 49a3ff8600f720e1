"""Training on difference rewards on a small grid: it learns, resumes exactly, refuses bad input."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from panda_gym.benchmarking.episodes import play
from panda_gym.credit.external_cost import own_costs
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.policies.learned import Learned, load_agent, read_card
from panda_gym.environments.placement.policies.site_value import SiteValue, ValueShape
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import PolicyError
from panda_gym.training.config import FIRST_SEED, DifferenceRewardConfig
from panda_gym.training.curve import read_curve
from panda_gym.training.difference_reward import train_difference_reward
from panda_gym.training.evaluation import HELD_OUT, TRAINING, HeldOut, episode_seeds
from panda_gym.training.parallel_episodes import ParallelEpisodes, Parts
from tests.oracles.observations import observation, permuted
from tests.oracles.worlds import make_platform, make_stream
from tests.panda_gym.placements import ROUGH, small

PLATFORM = make_platform(6)
SCENARIO: dict[str, Any] = {
    "platform": PLATFORM,
    "stream": make_stream(PLATFORM, jobs=400),
    "scale": 1.0,
    "jobs": 20,
    "warmup": 30,
}
BUSY = {**SCENARIO, "load": 1.4}
SMALL = DifferenceRewardConfig(
    steps=320, num_envs=2, evaluate_envs=2, window=2, batch_size=32, hidden=8, members=2
)
"""Four rounds of two scenarios with two grids each."""


class Stop(Exception):
    """Raised in the middle of a run."""


def run(folder: Path, config: DifferenceRewardConfig = SMALL, **given: Any) -> Path:
    return train_difference_reward(folder, config, [SCENARIO, BUSY], **given)[0]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was never stopped."""
    return run(tmp_path_factory.mktemp("runs"))


def cheapest(step: int, parts: Parts) -> torch.Tensor:
    return torch.where(parts[3].bool(), -parts[0][:, 6], -torch.inf).argmax(dim=1)


def same(a: Path, b: Path) -> bool:
    left, right = load_agent(a).state_dict(), load_agent(b).state_dict()
    return all(torch.equal(left[name], right[name]) for name in left)


def test_an_agent_comes_with_its_provenance_and_curve(whole: Path) -> None:
    card, curve = read_card(whole), read_curve(whole.parent / "curve.csv")
    assert card["kind"] == "site_value"
    assert len(card["provenance"]["scenario"]["of"]) == 2
    assert [point.steps for point in curve] == [80, 160, 240, 320]
    assert all(point.evaluation is not None for point in curve)
    batch = observation(1, sites=9)
    chosen = Learned(whole)(batch, np.random.default_rng(0))
    assert batch["action_mask"][np.arange(5), chosen].all()


@pytest.mark.parametrize("rounds", [1, 3])
def test_a_stopped_run_ends_as_one_that_never_stopped(
    whole: Path, tmp_path: Path, rounds: int
) -> None:
    def stop(done: int, total: int, word: str) -> None:
        if done == rounds * 80:
            raise Stop

    with pytest.raises(Stop):
        run(tmp_path, progress=stop)
    assert same(run(tmp_path), whole)


def test_threads_change_nothing(whole: Path, tmp_path: Path) -> None:
    agent = run(tmp_path, replace(SMALL, threads=2))
    assert same(agent, whole)


def test_it_learns(tmp_path: Path) -> None:
    config = DifferenceRewardConfig(
        steps=6400, num_envs=16, evaluate_envs=16, window=4, batch_size=64, hidden=16
    )
    _, trained = train_difference_reward(tmp_path, config, [BUSY])
    drawn = -np.array([point.reward for point in trained.points])
    # The first round draws by predicted completion; the slowdown of what is drawn falls.
    assert drawn[-5:].mean() < 0.8 * drawn[0]


def test_a_run_of_other_settings_is_refused(whole: Path) -> None:
    with pytest.raises(PolicyError, match="settings of the run"):
        run(whole.parent, replace(SMALL, external_weight=0.5))


def test_scenarios_of_other_lengths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="same number of jobs"):
        train_difference_reward(tmp_path, SMALL, [SCENARIO, {**SCENARIO, "jobs": 21}])


def test_actions_of_several_parts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="one site a decision"):
        train_difference_reward(tmp_path, SMALL, [{**SCENARIO, "defer": True}])


def test_an_unknown_device_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="device"):
        run(tmp_path, replace(SMALL, device="abacus"))


def test_seeds_of_training_evaluation_and_benchmarks_never_meet() -> None:
    episodes = ParallelEpisodes([SCENARIO], 50)
    drawn = [
        np.array(episode_seeds(0, p, n, episodes)) for p in (TRAINING, HELD_OUT) for n in range(9)
    ]
    assert min(seeds.min() for seeds in drawn) >= FIRST_SEED
    assert max(d.max() for d in drawn[:9]) < min(d.min() for d in drawn[9:])


def test_what_a_grid_plays_does_not_depend_on_its_neighbours() -> None:
    seeds = [[3, 4], [5, 6]]
    both = ParallelEpisodes([SCENARIO, BUSY], 2).play(seeds, cheapest)
    alone = ParallelEpisodes([BUSY], 2).play(seeds[1:], cheapest)
    np.testing.assert_array_equal(both.own[:, 2:], alone.own)
    np.testing.assert_array_equal(both.external[:, 2:], alone.external)


def test_the_greedy_agent_is_what_the_policy_of_its_folder_does(whole: Path) -> None:
    held_out = HeldOut([SCENARIO], 3)
    with_network = held_out.play(load_agent(whole))
    policy = Learned(whole)

    def choose(step: int, parts: Parts) -> torch.Tensor:
        names = ("sites", "job", "grid", "action_mask")
        batch = {name: part.numpy() for name, part in zip(names, parts, strict=True)}
        return torch.as_tensor(policy(batch, np.random.default_rng(0)))

    by_policy = held_out.episodes.play(held_out.seeds, choose)
    np.testing.assert_array_equal(with_network.own, by_policy.own)


def test_held_out_episodes_go_on_until_the_policy_has_placed_every_judged_attempt() -> None:
    held_out = HeldOut([small(jobs=20, **ROUGH)], 3)
    credit = held_out.episodes.play(held_out.seeds, cheapest)
    batch = held_out.episodes.batches[0]
    for e in range(3):
        log = batch.log(e, drain=False)
        of_judged = log.judged[log.origin] & (log.site >= 0)
        assert log.judged.sum() == 20
        assert credit.judged[:, e].sum() == of_judged.sum()
        assert credit.objective[e] == pytest.approx(own_costs(log)[log.judged].mean())
    assert credit.judged.sum() > 60
    assert len(credit.own) > 20
    assert np.isfinite(credit.own[credit.judged]).all()


def test_held_out_scores_are_those_of_a_benchmark(whole: Path) -> None:
    held_out = HeldOut([SCENARIO], 2)
    batch = PlacementBatch(Scenario.of(**SCENARIO).judged_to_end(), 2)
    measures = play(batch, Learned(whole), held_out.seeds[0])
    score = np.mean([np.log(one["geometric_slowdown"]) for one in measures])
    assert held_out.evaluate(load_agent(whole)) == pytest.approx(-score)


def test_training_learns_from_the_decisions_about_judged_jobs(tmp_path: Path) -> None:
    scenario = small(jobs=20, tail_jobs=10, **ROUGH)
    config = replace(SMALL, steps=80, evaluate_every=0)
    _, trained = train_difference_reward(tmp_path, config, [scenario])
    assert len(trained.points) == 2
    for rows, costs in zip(trained.window.rows, trained.window.costs, strict=True):
        assert 40 <= len(rows) == len(costs) < 2 * 60
        assert torch.isfinite(costs).all()


def test_scores_move_with_their_sites_and_the_value_stays() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = SiteValue(ValueShape(8, 2, 2))
    batch, order = observation(0), np.random.default_rng(1).permutation(12)

    def parts(of: dict[str, np.ndarray]) -> list[torch.Tensor]:
        return [torch.as_tensor(of[name]) for name in ("sites", "job", "grid", "action_mask")]

    scores, value = network(*parts(batch))
    moved, same_value = network(*parts(permuted(batch, order)))
    torch.testing.assert_close(moved, scores[:, order.copy()])
    torch.testing.assert_close(same_value, value)
    assert torch.isfinite(network(*[torch.ones_like(part) for part in parts(batch)])[0]).all()


def test_a_run_goes_on_from_an_agent(whole: Path, tmp_path: Path) -> None:
    begun = replace(SMALL, start=str(whole), steps=80, learning_rate=0.0)
    assert same(run(tmp_path / "still", begun), whole)
    assert not same(run(tmp_path / "on", replace(begun, learning_rate=1e-3)), whole)


def test_an_agent_of_another_shape_is_not_gone_on_from(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="an agent of ValueShape"):
        run(tmp_path, replace(SMALL, start=str(whole), hidden=16))


def test_prices_are_paid_for_what_was_moved_and_wasted(tmp_path: Path) -> None:
    credit = ParallelEpisodes([SCENARIO], 2).play(
        [[3, 4]], lambda step, parts: parts[3].argmax(dim=1)
    )
    assert credit.wan_tb.sum() > 0.0
    assert credit.wan_tb.mean() == pytest.approx(float(credit.cost.mean()), rel=1e-5)
    assert not credit.wasted_core_h.any()


def test_tensorboard_is_written_on_demand(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    run(tmp_path, replace(SMALL, steps=80), tensorboard=True)
    assert list((tmp_path / "tensorboard").glob("events*"))
