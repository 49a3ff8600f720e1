"""Collect a data set, shard by shard, by an executor.

Each shard is one task, played and encoded by a worker and written here. An interrupted collection
is resumed: the manifest lists the shards that are complete.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import SettingError, check_seed
from panda_gym.executors import Executor, SerialExecutor
from panda_gym.files import whole_file
from panda_gym.offline.datasets.behaviour import Behaviour, Behaviours, find_behaviours
from panda_gym.offline.datasets.dataset import Manifest, OfflineDataset, entry
from panda_gym.offline.datasets.plan import SEED, Shard, shards
from panda_gym.offline.datasets.play import play
from panda_gym.offline.datasets.reference import measure
from panda_gym.offline.datasets.shard import encoded

Progress = Callable[[int, int, str], None]
Common = tuple[Scenario, list[Behaviour], str | None]


def collect(
    folder: str | Path,
    behaviours: Behaviours,
    transitions: int = 100_000,
    *,
    seed: int = SEED,
    epsilon: float = 0.0,
    side_by_side: int = 16,
    objective: str | None = "ln_slowdown",
    workers: Executor | None = None,
    progress: Progress | None = None,
    **scenario: Any,
) -> OfflineDataset:
    """Log the decisions of behaviours and return the data set; an interrupted call is resumed.

    Args:
        folder: folder to write to.
        behaviours: policies' names or agents' folders, with their weights if a mapping.
        transitions: decisions about judged jobs in all, rounded up to whole episodes.
        seed: episode i has seed `seed + i`; the default lies between evaluation and training.
        epsilon: probability of a random legal site instead of the policy's choice.
        side_by_side: episodes played at once; it changes memory, not the result.
        objective: of the column `difference_reward`, a name of `panda_gym.credit.OBJECTIVES`; None:
            the column is nan, as it is where queues are not first come, first served.
        workers: where shards are played, see `panda_gym.executors`; a matter of time alone.
        progress: called as progress(decisions done, in all, label).
        scenario: settings of the environment (`platform`, `scale`, `jobs`, `load`, ...).

    Raises:
        PolicyError: an unknown policy. SettingError: an unknown setting, a folder that holds
        another data set. StreamError, SurrogateError: jobs that cannot be had.
    """
    setting = _one_site_a_decision(Scenario.of(**scenario))
    if setting.discipline != "fifo":
        objective = None
    found = find_behaviours(behaviours, epsilon, setting.scale)
    plan = shards(
        transitions, setting.jobs, [one.weight for one in found], check_seed(seed), side_by_side
    )
    batch = PlacementBatch(setting, 1)
    manifest = Manifest.begin(Path(folder), batch, found, plan, scenario, objective)
    _fill(manifest, (_opened(batch), found, objective), plan, workers or SerialExecutor(), progress)
    manifest.finish(measure(_opened(batch)))
    return OfflineDataset.open(folder)


def _fill(
    manifest: Manifest,
    common: Common,
    plan: Sequence[Shard],
    workers: Executor,
    progress: Progress | None,
) -> None:
    """Play and write all shards that the folder lacks."""
    jobs = common[0].jobs
    missing = [shard for shard in plan if not manifest.has(shard.name)]
    total = jobs * sum(len(shard.seeds) for shard in plan)
    done = total - jobs * sum(len(shard.seeds) for shard in missing)
    for place, (content, facts) in workers.each(_played, common, missing):
        with whole_file(manifest.folder / missing[place].name) as aside:
            aside.write_bytes(content)
        manifest.add(missing[place].name, facts)
        done += jobs * len(missing[place].seeds)
        if progress is not None:
            progress(done, total, facts["behaviour"])


def _played(common: Common, shard: Shard) -> tuple[bytes, dict[str, Any]]:
    """Return the file of a shard and its entry in the manifest."""
    scenario, behaviours, objective = common
    episodes = play(scenario, behaviours[shard.behaviour], shard.seeds, objective)
    content = encoded(episodes)
    return content, entry(content, episodes)


def _opened(batch: PlacementBatch) -> Scenario:
    """Return the batch's scenario with its job stream, so that no worker generates it again."""
    return replace(batch.scenario, stream=batch.stream, input_scale=1.0, arrivals=None)


def _one_site_a_decision(scenario: Scenario) -> Scenario:
    """Return the scenario; SettingError unless an action is one site."""
    if scenario.decisions > 1 or scenario.data_actions or scenario.defer:
        raise SettingError(
            "decisions that are one site each",
            "decisions > 1, data_actions or defer",
            "collect without these settings",
        )
    return scenario
