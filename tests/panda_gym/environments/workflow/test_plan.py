"""A static schedule in observations, forks of executions, and rollouts on them."""

from __future__ import annotations

import numpy as np
import pytest

from panda_gym.environments.workflow.batch import WorkflowBatch
from panda_gym.environments.workflow.observation import WorkflowView
from panda_gym.environments.workflow.policies.fitted import FittedSites
from panda_gym.environments.workflow.policies.rollout import SiteRollout
from panda_gym.environments.workflow.scenario import WorkflowScenario
from panda_gym.errors import PolicyError, SettingError
from panda_gym.workflows.random_graphs import random_workflow
from panda_gym.workflows.static_scheduling import problem_of, schedule

SETTINGS = {"workflow": "random:layered", "platform": "tiny4"}


def batch_of(envs: int, **settings) -> WorkflowBatch:
    batch = WorkflowBatch(WorkflowScenario.of(**{**SETTINGS, **settings}), envs)
    batch.begin((e, np.random.default_rng(e)) for e in range(envs))
    return batch


def play(batch: WorkflowBatch, policy) -> np.ndarray:
    rng = np.random.default_rng(0)
    while not batch.done.all():
        batch.step(policy(batch.parts, rng), ~batch.done)
    return batch.report()["clock_s"]


def test_pairs_show_the_sites_of_heft_and_the_way_to_those_of_the_children():
    batch = batch_of(2, plan="heft")
    assert batch.observation_space()["pairs"].shape == (4, 8, 4)
    for _ in range(30):
        view = WorkflowView(batch.observe())
        for e in range(2):
            flow, ready = batch.workflow(e), batch._state.run["ready_sets"][e]
            plan, problem = schedule(flow, batch.resource, "heft"), problem_of(flow, batch.resource)
            for k, s in enumerate(batch._state.sets["ready"][e, : min(ready, 8)]):
                where = np.arange(4) == plan.node[s]
                np.testing.assert_array_equal(view.pair("planned")[e, k], where)
                far = [
                    problem.latency[:, plan.node[child]]
                    + size * problem.seconds_per_byte[:, plan.node[child]]
                    for (parent, child), size in zip(flow.edges, flow.edge_bytes, strict=True)
                    if parent == s
                ]
                expected = np.max([np.zeros(4), *far], axis=0)
                np.testing.assert_allclose(view.pair("onward")[e, k], expected, rtol=1e-4)
        batch.step(batch.masks().argmax(axis=1))


def test_a_plan_needs_a_platform_and_a_known_rule():
    with pytest.raises(SettingError, match="a platform of sites"):
        batch_of(1, plan="heft", platform="summit16")
    with pytest.raises(SettingError, match="did you mean heft"):
        WorkflowScenario.of(plan="hefty")


def test_weights_of_a_plan_choose_its_sites():
    batch = batch_of(2, plan="heft")
    weights = np.zeros(16)
    weights[-4] = 1e6
    view = WorkflowView(batch.observe())
    actions = FittedSites(weights)(batch.observe(), np.random.default_rng(0))
    chosen = view.pair("planned").reshape(2, -1)[np.arange(2), actions]
    assert (chosen == 1.0).all()
    with pytest.raises(PolicyError, match="16 weights"):
        FittedSites(np.zeros(12))(batch.observe(), np.random.default_rng(0))


def test_a_fork_of_certain_durations_ends_as_the_execution_does():
    batch, policy = batch_of(2), FittedSites(np.zeros(12))
    for _ in range(20):
        batch.step(batch.masks().argmax(axis=1))
    aside = play(batch.fork(2), policy).reshape(2, 2)
    np.testing.assert_array_equal(aside, play(batch, policy)[:, None].repeat(2, axis=1))


def test_a_fork_foretells_nothing():
    few = {"workflow": "random:forkjoin"}
    batches = [batch_of(1, **few) for _ in range(2)]
    todo = batches[1]._state
    first = batches[1].workflow(0).first_task[1]
    todo.tasks["duration"][0, first:] *= 2.0  # of tasks that have not begun
    todo.run["work_left"] = todo.tasks["duration"][0, : batches[1].workflow(0).total_tasks].sum()
    for batch in batches:
        batch.step(batch.masks().argmax(axis=1))
    policy = FittedSites(np.zeros(12))
    asides = [batch.fork() for batch in batches]
    np.testing.assert_array_equal(*(aside._state.run["work_left"] for aside in asides))
    assert play(asides[0], policy) == play(asides[1], policy)
    assert play(batches[0], policy) != play(batches[1], policy)


def test_a_rollout_is_no_worse_than_its_base_where_durations_are_certain():
    few = [random_workflow("layered", seed, tasks=24, layers=4) for seed in range(4)]
    plain, better = (batch_of(4, workflow=few, platform="small15") for _ in range(2))
    base = FittedSites(np.zeros(23))
    policy = SiteRollout(base, 3)
    with pytest.raises(PolicyError, match="attach"):
        policy(better.observe(), np.random.default_rng(0))
    policy.attach(better)
    expected, reached = play(plain, base), play(better, policy)
    assert (reached <= expected + 1e-6).all()
    assert reached.sum() < 0.99 * expected.sum()
