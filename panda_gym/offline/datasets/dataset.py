"""A data set in a folder: Parquet shards and the manifest `dataset.json`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

import panda_gym
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.observation import GRID_FEATURES, JOB_FEATURES, SITE_FEATURES
from panda_gym.errors import RecordsError, SettingError, nearest
from panda_gym.files import forget_asides, sha256, whole_file
from panda_gym.offline.datasets.behaviour import Behaviour
from panda_gym.offline.datasets.episode import Episode
from panda_gym.offline.datasets.plan import Shard
from panda_gym.offline.datasets.reference import Reference
from panda_gym.offline.datasets.shard import read_shard
from panda_gym.provenance import plain, versions

MANIFEST: Final = "dataset.json"
FORMAT: Final = 2
ENVIRONMENT: Final = "PandaGrid/Placement-v0"
PACKAGES: Final = ("panda-grid-gym", "numpy", "pyarrow")


@dataclass
class Manifest:
    """Content of `dataset.json`, rewritten whenever a shard is complete."""

    folder: Path
    facts: dict[str, Any]
    shards: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def begin(
        cls,
        folder: Path,
        batch: PlacementBatch,
        behaviours: Sequence[Behaviour],
        plan: Sequence[Shard],
        scenario: Mapping[str, Any],
        objective: str | None = None,
    ) -> Manifest:
        """Open a folder to write or to resume; SettingError if it holds another data set."""
        facts = {
            "format": FORMAT,
            "environment": {"id": ENVIRONMENT, "settings": plain(scenario)},
            "behaviours": {one.label: one.describe() for one in behaviours},
            "plan": [
                [shard.name, behaviours[shard.behaviour].label, *shard.seeds] for shard in plan
            ],
            "objective": objective,
            "jobs": batch.scenario.jobs,
            "sites": len(batch.platform),
            "stream": {"origin": batch.stream.origin, "digest": batch.stream.digest()},
            "features": feature_names(),
            "versions": versions(PACKAGES),
        }
        self = cls(folder, facts)
        if (folder / MANIFEST).is_file():
            self._go_on()
        for name in (MANIFEST, *(shard.name for shard in plan)):
            forget_asides(folder / name)
        self.write(complete=False)
        return self

    def _go_on(self) -> None:
        document = read_manifest(self.folder)
        known = {key: document.get(key) for key in self.facts}
        for key, value in json.loads(json.dumps(self.facts)).items():
            if known[key] != value:
                raise SettingError(
                    f"a folder that is empty or holds this data set, {key} included",
                    f"{self.folder}, which holds another",
                    "take another folder",
                )
        self.shards = {
            name: entry for name, entry in document["shards"].items() if self._whole(name, entry)
        }

    def _whole(self, name: str, entry: Mapping[str, Any]) -> bool:
        path = self.folder / name
        return path.is_file() and sha256(path) == entry["sha256"]

    def has(self, name: str) -> bool:
        """Whether a shard is written and unchanged."""
        return name in self.shards

    def add(self, name: str, facts: dict[str, Any]) -> None:
        """Add a shard that was just written; shards are ordered by name."""
        self.shards = dict(sorted({**self.shards, name: facts}.items()))
        self.write(complete=False)

    def finish(self, reference: Reference) -> None:
        """Mark the data set as complete, with the reference that normalises its scores."""
        self.facts["reference"] = asdict(reference)
        self.write(complete=True)

    def write(self, complete: bool) -> None:
        """Write `dataset.json` atomically."""
        document = {"complete": complete, **self.facts, "shards": self.shards}
        with whole_file(self.folder / MANIFEST) as aside:
            aside.write_text(json.dumps(document, indent=1) + "\n")


def entry(content: bytes, episodes: Sequence[Episode]) -> dict[str, Any]:
    """Return the entry of a shard in `dataset.json`."""
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "behaviour": episodes[0].behaviour,
        "transitions": sum(map(len, episodes)),
        "lengths": [len(one) for one in episodes],
        "returns": [one.judged_sums[0] for one in episodes],
        "costs": [one.judged_sums[1] for one in episodes],
    }


@dataclass(frozen=True)
class OfflineDataset:
    """A data set that `collect` wrote."""

    folder: Path
    document: dict[str, Any]

    @classmethod
    def open(cls, folder: str | Path, partial: bool = False) -> OfflineDataset:
        """Open a data set; RecordsError if it is damaged, or incomplete and `partial` is False."""
        folder = Path(folder)
        document = read_manifest(folder)
        if not document["complete"] and not partial:
            written = len(document["shards"])
            raise RecordsError(
                "a whole data set",
                f"{folder}: {written} of {len(document['plan'])} shards are written",
                "collect it again with the same settings, which goes on, or pass partial=True",
            )
        if document["features"] != feature_names():
            raise RecordsError(
                "a data set of this observation", f"{folder}, of other features", "collect it again"
            )
        return cls(folder, document)

    def __len__(self) -> int:
        """Number of transitions."""
        return sum(shard["transitions"] for shard in self.document["shards"].values())

    @property
    def bytes(self) -> int:
        """Size of its shards."""
        return sum((self.folder / name).stat().st_size for name in self.document["shards"])

    @property
    def raw_bytes(self) -> int:
        """Size of observations and masks without compression: float32 and int8."""
        features, sites = self.document["features"], self.document["sites"]
        around = len(features["job"]) + len(features["grid"])
        row = 4 * (len(features["sites"]) * sites + around) + sites
        return (len(self) + len(self.returns)) * row

    @property
    def returns(self) -> np.ndarray:
        """Sum of rewards of every episode's judged decisions, undiscounted, float64[episodes]."""
        return self._sums("returns")

    @property
    def costs(self) -> np.ndarray:
        """Sum of costs of every episode's judged decisions, undiscounted, float64[episodes]."""
        return self._sums("costs")

    @property
    def lengths(self) -> list[int]:
        """Number of decisions of every episode."""
        jobs, shards = self.document["jobs"], self.document["shards"].values()
        found = [shard.get("lengths", [jobs] * len(shard["returns"])) for shard in shards]
        return [one for lengths in found for one in lengths]

    @property
    def behaviours(self) -> list[str]:
        """Label of the policy that acted in every episode."""
        shards = self.document["shards"].values()
        return [shard["behaviour"] for shard in shards for _ in shard["returns"]]

    @property
    def reference(self) -> Reference:
        """Returns and costs of known policies in this environment; RecordsError if incomplete."""
        if "reference" not in self.document:
            raise RecordsError(
                "a whole data set, which has a reference", f"{self.folder}", "collect it to its end"
            )
        known = dict(self.document["reference"])
        if "worlds" in known:  # written by release 0.1
            known["episodes"] = known.pop("worlds")
        return Reference(**known)

    @property
    def cost_limits(self) -> tuple[float, ...]:
        """Three limits on an episode's cost, the same for all data sets of the environment."""
        return self.reference.cost_limits

    def episodes(self) -> Iterator[Episode]:
        """Yield every episode, one in memory at a time; RecordsError for an altered shard."""
        for name, entry in self.document["shards"].items():
            path = self.folder / name
            if not path.is_file() or sha256(path) != entry["sha256"]:
                raise RecordsError(
                    "the shard that was written", f"{path}, missing or altered", "collect it again"
                )
            yield from read_shard(path)

    def get_normalized_score(self, reward: float, cost: float, limit: float) -> tuple[float, float]:
        """Return an episode's normalised reward and cost, see `Reference.normalized`."""
        return self.reference.normalized(reward, cost, limit)

    def check_cost_limit(self, limit: float) -> float:
        """Return a limit on an episode's cost; SettingError if it is below all known costs."""
        least = min(float(self.costs.min()), self.reference.min_episode_cost)
        if not limit >= least:
            raise SettingError(
                f"a cost limit of at least {least:.4g}, the least that any policy here costs",
                f"{limit:g}",
                f"take one of {', '.join(f'{one:.4g}' for one in self.cost_limits)}",
            )
        return float(limit)

    def make(self, **settings: Any) -> Any:
        """Make the environment of the data with `gymnasium.make`; `settings` override its own.

        Its episodes end as those of the data. Scores come from episodes that go on until all
        judged jobs have ended: let `trial` play for them. SettingError for `ranked`: actions of the
        data are numbers of sites.
        """
        import gymnasium

        if settings.get("ranked"):
            came = "ranked=True, where they are ranks"
            raise SettingError("actions as the data have them", came, "drop ranked=")
        known = self.document["environment"]
        return gymnasium.make(known["id"], **{**known["settings"], **settings})

    def _sums(self, name: str) -> np.ndarray:
        shards = self.document["shards"].values()
        return np.array([value for shard in shards for value in shard[name]])


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the content of `dataset.json`; RecordsError if it is missing or of another format."""
    path = folder / MANIFEST
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError) as fault:
        raise RecordsError(
            f"a data set's folder with {MANIFEST}", f"{path}: {fault}", _instead(folder)
        ) from fault
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise RecordsError(
            f"a data set of format {FORMAT}",
            f"{path}, of another",
            f"read it with the version that wrote it, this is {panda_gym.__version__}",
        )
    return document


def _instead(folder: Path) -> str:
    """Suggest the data set with the nearest name in the same place."""
    beside = [path.parent.name for path in folder.absolute().parent.glob(f"*/{MANIFEST}")]
    return nearest(folder.name, beside) if beside else "collect one first"


def feature_names() -> dict[str, list[str]]:
    """Return the names of the observation's features, which tie a data set to a version."""
    tables = {"sites": SITE_FEATURES, "job": JOB_FEATURES, "grid": GRID_FEATURES}
    return {part: [feature.name for feature in table] for part, table in tables.items()}
