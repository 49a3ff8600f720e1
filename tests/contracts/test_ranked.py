"""Every registered environment with `ranked=True`: candidates best first, actions by rank."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env

import panda_gym
from panda_gym.environments.base.ranking import own_actions
from panda_gym.environments.pipeline import policies as pipeline_policies
from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.workflow import policies as workflow_policies
from panda_gym.errors import SettingError
from tests.contracts.test_environments import SETTINGS, SHORT, choices, zeros

ON_SITES = {"platform": "tiny4", "workflow": "random:layered"}
EXTRA: dict[str, list[dict[str, Any]]] = {
    "PandaGrid/Placement-v0": [{}, {"defer": True}, {"decisions": 3}],
    "PandaGrid/DataPlacement-v0": [{}, {"defer": True}],
    "PandaGrid/Workflow-v0": [{}, ON_SITES],
    "PandaGrid/Pipelines-v0": [{}],
}
"""Settings of each environment with actions of all kinds."""
CASES = [(name, more) for name, all_of in EXTRA.items() for more in all_of]


@pytest.fixture(params=sorted(panda_gym.ENVIRONMENTS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def vector(name: str, count: int = 2, **more: Any) -> gymnasium.vector.VectorEnv:
    settings = {**SETTINGS.get(name, {}), **SHORT.get(name, {}), **more}
    return gymnasium.make_vec(name, num_envs=count, **settings)


def drawn(env: gymnasium.vector.VectorEnv, rng: np.random.Generator, masks: Any) -> np.ndarray:
    """Legal actions of all environments."""
    ends = np.cumsum(choices(env.single_action_space))[:-1]
    parts = np.split(np.where(masks, rng.random(masks.shape), -1.0), ends, axis=1)
    return np.stack([part.argmax(axis=1) for part in parts], axis=1).reshape(zeros(env).shape)


def test_every_environment_has_cases() -> None:
    assert set(EXTRA) == set(panda_gym.ENVIRONMENTS)


@pytest.mark.parametrize(("name", "more"), CASES)
def test_it_is_the_same_environment_with_other_numbers(name: str, more: dict[str, Any]) -> None:
    """Translated actions give the same episodes, and the mask and rows are those of the ranks."""
    ranked, plain = (vector(name, ranked=ranked, **more) for ranked in (True, False))
    (seen, infos), (own, _) = ranked.reset(seed=3), plain.reset(seed=3)
    rng, sizes = np.random.default_rng(1), choices(ranked.single_action_space)
    first = np.repeat(np.cumsum([0, *sizes[:-1]]), sizes)
    for step in range(25):
        assert ranked.observation_space.contains(seen)
        ranking = infos["ranking"]
        if not name.endswith("Pipelines-v0"):  # there, runs that do not pay defer
            assert np.array_equal(np.sort(ranking + first, axis=1)[0], np.arange(sizes.sum()))
        masks, theirs = ranked.unwrapped.action_masks(), plain.unwrapped.action_masks()
        np.testing.assert_array_equal(masks, np.take_along_axis(theirs, ranking + first, axis=1))
        for part in seen:
            if part not in ("action_mask", "pairs"):
                np.testing.assert_array_equal(np.sort(seen[part]), np.sort(own[part]))
        anything = step % 5 == 0 and not name.endswith("Workflow-v0")  # it takes the best instead
        actions = ranked.action_space.sample() if anything else drawn(ranked, rng, masks)
        translated = own_actions(ranked.single_action_space, ranking, actions)
        seen, *results, infos = ranked.step(actions)
        own, *same, known = plain.step(translated)
        for one, other in zip(results, same, strict=True):
            np.testing.assert_array_equal(one, other)
        assert set(infos) - set(known) == {"ranking", "_ranking"}


def test_pairs_of_a_workflow_move_with_their_sets_and_sites() -> None:
    ranked, plain = (
        vector("PandaGrid/Workflow-v0", ranked=ranked, **ON_SITES) for ranked in (True, False)
    )
    (seen, infos), (own, _) = ranked.reset(seed=3), plain.reset(seed=3)
    for _ in range(10):
        pairs = own["pairs"].reshape(*own["pairs"].shape[:2], -1)
        order = infos["ranking"][:, None, :-1]
        expected = np.take_along_axis(pairs, order, axis=2)
        np.testing.assert_array_equal(seen["pairs"].reshape(expected.shape), expected)
        chosen = infos["ranking"][:, 0]
        (seen, *_, infos), (own, *_) = ranked.step(zeros(ranked)), plain.step(chosen)


def test_illegal_candidates_come_last(name: str) -> None:
    env = vector(name, ranked=True)
    env.reset(seed=2)
    rng, candidates = np.random.default_rng(0), int(choices(env.single_action_space)[0])
    candidates -= not name.endswith("Placement-v0")  # hold and defer
    for _ in range(20):
        masks = env.unwrapped.action_masks()
        legal = masks[:, :candidates].astype(int)
        assert (np.diff(legal, axis=1) <= 0).all()
        env.step(drawn(env, rng, masks))


@pytest.mark.parametrize("observation", ["dict", "flat"])
def test_the_checkers_pass(name: str, observation: str) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    settings = {**SETTINGS.get(name, {}), "ranked": True, "observation": observation}
    check_env(gymnasium.make(name, **settings).unwrapped)
    checker.check_env(gymnasium.make(name, **settings).unwrapped, warn=False)


def test_the_flat_form_is_the_parts_in_order_and_the_library_has_the_same(name: str) -> None:
    parts, flat = (vector(name, ranked=True, observation=form) for form in ("dict", "flat"))
    settings = {**SETTINGS.get(name, {}), **SHORT.get(name, {}), "ranked": True}
    library = panda_gym.sb3_vec_env(2, name, seed=5, observation="flat", **settings)
    (seen, infos), (rows, _), same = parts.reset(seed=5), flat.reset(seed=5), library.reset()
    for e in range(2):
        np.testing.assert_array_equal(library.reset_infos[e]["ranking"], infos["ranking"][e])
    for _ in range(30):
        names = parts.unwrapped.batch.flat_order
        expected = np.concatenate([seen[part].reshape(2, -1) for part in names], axis=1)
        np.testing.assert_array_equal(rows, expected)
        np.testing.assert_array_equal(same, expected)
        actions = zeros(parts)
        seen, *_, infos = parts.step(actions)
        rows, *_ = flat.step(actions)
        same, _, done, each = library.step(actions)
        for e in range(2):
            now = infos["final_info"] if done[e] else infos
            np.testing.assert_array_equal(each[e]["ranking"], now["ranking"][e])


def test_a_copy_goes_on_alike_and_it_renders(name: str) -> None:
    settings = {**SETTINGS.get(name, {}), "ranked": True, "render_mode": "ansi"}
    env = gymnasium.make(name, **settings).unwrapped
    env.reset(seed=1)
    aside = copy.deepcopy(env)
    ours, theirs = env.step(zero(env)), aside.step(zero(env))
    for part in ours[0]:
        np.testing.assert_array_equal(ours[0][part], theirs[0][part])
    assert len(env.render().splitlines()) > 5


def zero(env: gymnasium.Env) -> Any:
    return 0 if isinstance(env.action_space, spaces.Discrete) else np.zeros(2, dtype=np.int64)


def test_sites_stand_in_the_order_of_expected_completion() -> None:
    env = vector("PandaGrid/Placement-v0", ranked=True)
    observation, _ = env.reset(seed=0)
    for _ in range(20):
        view = PlacementView(observation)
        done = view.site("transfer") + view.site("wait") + view.site("run")
        legal = view.mask.all(axis=0)
        assert legal.any()
        assert (np.diff(done[:, legal], axis=1) >= 0.0).all()
        observation, *_ = env.step(zeros(env))


@pytest.mark.parametrize("more", [{}, ON_SITES], ids=["pool", "sites"])
def test_rank_0_of_a_workflow_is_the_rule_of_its_family(more: dict[str, Any]) -> None:
    env = vector("PandaGrid/Workflow-v0", ranked=True, **more)
    rule = workflow_policies.create("upward_rank_earliest_finish")
    observation, _ = env.reset(seed=0)
    for _ in range(20):
        legal = observation["action_mask"][:, 0] > 0
        chosen = rule(observation, np.random.default_rng(0))
        assert (chosen[legal] == 0).all()
        observation, *_ = env.step(chosen)


def test_an_illegal_action_of_a_workflow_takes_the_best() -> None:
    env, same = (vector("PandaGrid/Workflow-v0", ranked=True) for _ in range(2))
    env.reset(seed=0)
    same.reset(seed=0)
    illegal = 0
    for _ in range(20):
        wrong = np.argmin(env.unwrapped.action_masks(), axis=1)
        first = np.argmax(same.unwrapped.action_masks(), axis=1)
        (seen, *_, infos), (other, *_) = env.step(wrong), same.step(first)
        illegal += infos["costs"]["illegal_action"].sum()
        for part in seen:
            np.testing.assert_array_equal(seen[part], other[part])
    assert illegal > 0


def test_rank_0_of_pipelines_is_the_rule_of_its_family() -> None:
    ranked, plain = (vector("PandaGrid/Pipelines-v0", ranked=ranked) for ranked in (True, False))
    rule, deferred = pipeline_policies.create("improvement"), 0
    (_, infos), (own, _) = ranked.reset(seed=0), plain.reset(seed=0)
    for _ in range(60):
        chosen = rule(own, np.random.default_rng(0))
        running = ~own["action_mask"][:, :-1].any(axis=1)
        first = np.where(running, chosen, infos["ranking"][:, 0])
        np.testing.assert_array_equal(chosen, first)
        deferred += int((chosen == plain.single_action_space.n - 1).sum())
        (*_, infos), (own, *_) = ranked.step(zeros(ranked)), plain.step(chosen)
    assert 0 < deferred < 120


def test_bad_settings_are_one_clear_error_each(name: str) -> None:
    with pytest.raises(SettingError, match="ranked as True or False"):
        vector(name, ranked="best")
    env = vector(name, ranked=True)
    _, infos = env.reset(seed=0)
    with pytest.raises(SettingError, match="a ranking of"):
        own_actions(env.single_action_space, infos["ranking"][:, 1:], zeros(env))
    with pytest.raises(SettingError, match="numbered actions"):
        own_actions(spaces.Box(0.0, 1.0), infos["ranking"], zeros(env))
    beyond = np.full_like(zeros(env), 10_000)
    unmoved = own_actions(env.single_action_space, infos["ranking"], beyond)
    np.testing.assert_array_equal(unmoved, beyond)
    assert env.step(beyond)[-1]["costs"]["illegal_action"].all()
