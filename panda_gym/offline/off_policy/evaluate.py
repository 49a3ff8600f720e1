"""Evaluate a policy on a data set: all estimators with their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from metrics.statistics.intervals import Interval
from panda_gym.benchmarking.policy_resolution import PolicyLike
from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Memoryless
from panda_gym.errors import PolicyError, SettingError, nearest
from panda_gym.offline.datasets.behaviour import Behaviour, find_behaviours
from panda_gym.offline.datasets.dataset import OfflineDataset
from panda_gym.offline.datasets.episode import Episode
from panda_gym.offline.off_policy.estimators import ESTIMATORS, REPEATS, LoggedEpisodes, interval
from panda_gym.offline.off_policy.model import WIDTH, NormalEquations, features

Array = np.ndarray
FOLDS = 2
"""Cross-fitting: an episode is evaluated by a model fitted on the other fold."""
ROWS = 100_000
"""Sites times decisions in memory at once, about 30 MB."""


@dataclass(frozen=True)
class Evaluation:
    """Off-policy estimates of a policy's value.

    estimates: by estimator, of the discounted sum over the first `horizon` decisions.
    effective_episodes: effective sample size of the weights at the horizon. Below about 10 no
    estimate with weights is reliable: shorten the horizon.
    """

    estimates: Mapping[str, Interval]
    effective_episodes: float
    horizon: int
    gamma: float


def evaluate(
    data: OfflineDataset,
    policy: PolicyLike | Behaviour,
    *,
    gamma: float = 0.9,
    horizon: int | None = None,
    of: str = "reward",
    epsilon: float = 0.0,
    repeats: int = REPEATS,
    level: float = 0.95,
) -> Evaluation:
    """Estimate the return or cost of `policy` in the first `horizon` decisions of an episode.

    Args:
        data: episodes of behaviours whose probabilities are known.
        policy: a memoryless policy, its name or its folder.
        gamma: discount per decision, from 0 to 1.
        horizon: decisions; the whole episode by default. The weights' variance grows with it.
        of: "reward", "cost" or the name of a cost.
        epsilon: probability of any legal site instead of the policy's choice.
        repeats, level: bootstrap samples over episodes, coverage of the intervals.

    Raises:
        PolicyError: an unknown policy, or one with memory. SettingError: a discount, a horizon or
        a cost that cannot be.
    """
    target = _memoryless(policy, epsilon, data)
    steps = _horizon(data, horizon)
    if not 0.0 <= gamma <= 1.0:
        raise SettingError("gamma from 0 to 1", repr(gamma), "pass gamma=0.9")
    logged = _logged(data, target, steps, gamma, of)
    estimates = {
        name: interval(logged, name, gamma, level=level, repeats=repeats) for name in ESTIMATORS
    }
    return Evaluation(estimates, logged.effective_episodes, steps, gamma)


@dataclass(frozen=True)
class _Block:
    """Some episodes side by side: n of them, their first T decisions."""

    fold: int
    ratios: Array
    series: Array
    taken: Array
    """float64[n, T, WIDTH], features of what was done."""
    expected: Array
    """float64[n, T, WIDTH], features under the policy's action probabilities."""


def _logged(
    data: OfflineDataset, target: Behaviour, steps: int, gamma: float, of: str
) -> LoggedEpisodes:
    """Pass over the data twice: sum the model's equations, then apply the models."""
    folds = [NormalEquations(gamma) for _ in range(FOLDS)]
    for block in _blocks(data, target, steps, of):
        folds[block.fold].add(block.taken, block.expected, block.series)
    weights = [_others(folds, one).solve() for one in range(FOLDS)]
    rows = []
    for block in _blocks(data, target, steps, of):
        own = weights[block.fold]
        v = np.pad(block.expected @ own, ((0, 0), (0, 1)))
        rows.append((block.ratios, block.series, block.taken @ own, v))
    return LoggedEpisodes(*(np.concatenate(part) for part in zip(*rows, strict=True)))


def _blocks(data: OfflineDataset, target: Behaviour, steps: int, of: str) -> Iterator[_Block]:
    """The episodes, a few at a time; every second one belongs to the second fold."""
    size = max(1, ROWS // (steps * int(data.document["sites"])))
    waiting: list[list[Episode]] = [[] for _ in range(FOLDS)]
    for index, episode in enumerate(data.episodes()):
        waiting[index % FOLDS].append(episode)
        if len(waiting[index % FOLDS]) == size:
            yield _block(waiting[index % FOLDS], index % FOLDS, target, steps, of)
            waiting[index % FOLDS] = []
    for fold, few in enumerate(waiting):
        if few:
            yield _block(few, fold, target, steps, of)


def _block(episodes: list[Episode], fold: int, target: Behaviour, steps: int, of: str) -> _Block:
    n = len(episodes)
    actions = np.stack([one.actions[:steps] for one in episodes])
    logged = np.stack([one.probabilities[:steps] for one in episodes])
    view = PlacementView(_joined([one.parts() for one in episodes], steps))
    probabilities, rows = (
        target.action_probabilities(view, np.random.default_rng(0)),
        features(view),
    )
    done, flat = np.arange(n * steps), actions.ravel()
    return _Block(
        fold,
        probabilities[done, flat].reshape(n, steps) / logged,
        np.stack([_series(one, of)[:steps] for one in episodes]),
        rows[done, flat].reshape(n, steps, WIDTH),
        np.einsum("ns,nsf->nf", probabilities, rows).reshape(n, steps, WIDTH),
    )


def _joined(parts: list[dict[str, Array]], steps: int) -> dict[str, Array]:
    return {name: np.concatenate([one[name][:steps] for one in parts]) for name in parts[0]}


def _others(folds: list[NormalEquations], one: int) -> NormalEquations:
    total = NormalEquations(folds[0].gamma)
    total.matrix, total.vector = (
        np.sum([getattr(fold, name) for fold in folds], axis=0) for name in ("matrix", "vector")
    )
    return total.without(folds[one])


def _series(episode: Episode, of: str) -> Array:
    known = {"reward": episode.rewards, "cost": episode.cost, **episode.costs}
    if of not in known:
        raise SettingError("reward, cost or the name of a cost", repr(of), nearest(of, known))
    return known[of]


def _memoryless(policy: PolicyLike | Behaviour, epsilon: float, data: OfflineDataset) -> Behaviour:
    if isinstance(policy, Behaviour):
        found = policy
    else:
        scale = float(data.document["environment"]["settings"].get("scale", 0.01))
        (found,) = find_behaviours([policy], epsilon, scale)
    if not isinstance(found.policy, Memoryless):
        raise PolicyError(
            "a policy whose answer depends on the observation alone",
            f"{found.label!r}, which remembers",
            "run it in the environment instead",
        )
    return found


def _horizon(data: OfflineDataset, horizon: int | None) -> int:
    jobs = int(data.document["jobs"])
    if horizon is None:
        return jobs
    if not 1 <= horizon <= jobs:
        raise SettingError(f"a horizon from 1 to {jobs}", repr(horizon), "pass horizon=20")
    return int(horizon)
