"""Data sets for offline learning: logged decisions with masks, costs and action probabilities.

    from panda_gym.offline import datasets

    data = datasets.collect("runs/medley", {"random": 1.0, "panda_production": 2.0}, 100_000)
    data = datasets.OfflineDataset.open("runs/medley")
    for episode in data.episodes(): ...
    data.get_normalized_score(reward=-3000.0, cost=5.0, limit=data.cost_limits[1])
    datasets.export(data, "dsrl", "runs/medley.hdf5")

A folder holds Parquet shards and `dataset.json`.
"""

from __future__ import annotations

from panda_gym.deprecated import old_names
from panda_gym.offline.datasets.behaviour import Behaviour
from panda_gym.offline.datasets.collect import collect
from panda_gym.offline.datasets.dataset import OfflineDataset
from panda_gym.offline.datasets.episode import Episode
from panda_gym.offline.datasets.formats import FORMATS, export
from panda_gym.offline.datasets.recipes import RECIPES, SMALL, Recipe, recipe
from panda_gym.offline.datasets.reference import Reference, measure
from panda_gym.offline.datasets.transitions import Minibatch, Transitions
from panda_gym.offline.datasets.trial import trial

__all__ = [
    "FORMATS",
    "RECIPES",
    "SMALL",
    "Behaviour",
    "Episode",
    "Minibatch",
    "OfflineDataset",
    "Recipe",
    "Reference",
    "Transitions",
    "collect",
    "export",
    "measure",
    "recipe",
    "trial",
]

__getattr__ = old_names(__name__)
