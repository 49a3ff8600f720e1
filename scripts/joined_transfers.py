"""Share of the bytes that jobs do not fetch because they join a transfer on its way.

    python scripts/joined_transfers.py --scenario atlas --scenario data-heavy

Bytes are those of all attempts of an episode. An attempt joined where its input came from another
site and it moved nothing itself; it would have fetched its whole input.
"""

from __future__ import annotations

import argparse

from panda_gym.benchmarking.episodes import play
from panda_gym.benchmarking.policy_resolution import find_policies
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.named_scenarios import DEFAULT_SCALE, named_settings
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.simulator import EpisodeLog

POLICIES = ("random", "panda_production@scaled", "earliest_completion", "tuned")


def logs(scenario: str, policy: str, jobs: int, seeds: range) -> list[EpisodeLog]:
    """The logs of paired episodes, one a seed."""
    sized = Scenario.of(jobs=jobs, tail_jobs=jobs, **named_settings(scenario))
    batch = PlacementBatch(sized, len(seeds))
    play(batch, find_policies([policy], DEFAULT_SCALE)[policy], list(seeds), label=policy)
    return [batch.log(e, drain=False) for e in range(len(seeds))]


def spared(found: list[EpisodeLog]) -> tuple[int, float, float]:
    """Attempts that joined, the bytes of their inputs, and the bytes that moved."""
    joined = [(log.source >= 0) & (log.moved_bytes == 0.0) for log in found]
    bytes_of = sum(log.input_bytes[of].sum() for log, of in zip(found, joined, strict=True))
    moved = sum(log.moved_bytes.sum() for log in found)
    return int(sum(of.sum() for of in joined)), float(bytes_of), float(moved)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", action="append")
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1000)
    given = parser.parse_args()
    print("| scenario | policy | attempts that joined | share of bytes spared |")
    print("|---|---|---|---|")
    for scenario in given.scenario or ("atlas", "data-heavy"):
        for policy in POLICIES:
            seeds = range(given.seed, given.seed + given.seeds)
            count, kept, moved = spared(logs(scenario, policy, given.jobs, seeds))
            share = kept / (kept + moved)
            print(f"| `{scenario}` | `{policy}` | {count:,} | {share:.1%} |", flush=True)


if __name__ == "__main__":
    main()
