"""Tables of features of `PandaGrid/Pipelines-v0`, and a view in natural units.

An observation is a dictionary of arrays with a leading batch axis E (absent in the single
environment), M models and P places:

    models       float32 [E, len(MODEL_FEATURES), M]   models in service, as they are
    places       float32 [E, len(PLACE_FEATURES), P]   the training cluster and grid sites
    fleet        float32 [E, len(FLEET_FEATURES)]      the whole
    action_mask  int8    [E, M * P + 1]                model * P + place, and at last: defer

`ratio` features are x / (x + scale), `linear` ones x / scale, by fixed constants.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from panda_gym.environments.base.features import Feature, position

Array = np.ndarray

_HOURS: Final = 24.0

MODEL_FEATURES: Final = (
    Feature("performance", "1", "linear", 1.0, "performance now", most=1.0),
    Feature(
        "loss", "1", "linear", 1.0, "share of the performance at deployment that is lost", most=1.0
    ),
    Feature("potential", "1", "ratio", 0.1, "expected gain of a run that began now, at least 0"),
    Feature(
        "asked", "1", "linear", 1.0, "1 if a run was asked for and waits for a decision", most=1.0
    ),
    Feature("waiting", "h", "ratio", _HOURS, "time since it was asked for"),
    Feature("running", "1", "linear", 1.0, "1 if a run of the model has not ended", most=1.0),
    Feature("age", "h", "ratio", 7 * _HOURS, "time since deployment"),
    Feature("weight", "1", "ratio", 1.0, "worth of an hour at performance 1"),
    Feature("train", "h", "ratio", 6.0, "expected training time on a slot of speed 1"),
)
PLACE_FEATURES: Final = (
    Feature("free", "1", "linear", 1.0, "slots in nobody's use, of all", most=1.0),
    Feature("queued", "tasks", "ratio", 8.0, "tasks that wait here"),
    Feature("slots", "slots", "ratio", 8.0, "slots"),
    Feature("speed", "1", "ratio", 1.0, "speed of a slot"),
    Feature("read", "MB/s", "ratio", 100.0, "read bandwidth of the data store from here"),
    Feature("price", "1/h", "ratio", 0.5, "cost of a slot, an hour"),
)
FLEET_FEATURES: Final = (
    Feature("elapsed", "1", "linear", 1.0, "share of the episode that is over", most=1.0),
    Feature("asked", "1", "linear", 1.0, "share of models that wait for a decision", most=1.0),
    Feature(
        "running", "1", "linear", 1.0, "share of models with a run that has not ended", most=1.0
    ),
    Feature("performance", "1", "linear", 1.0, "weighted mean performance", most=1.0),
)
TABLES: Final = {"models": MODEL_FEATURES, "places": PLACE_FEATURES, "fleet": FLEET_FEATURES}
"""Parts of an observation."""


class PipelineView:
    """An observation in natural units, always with a batch axis; decoded when asked for."""

    def __init__(self, observation: Mapping[str, Array]) -> None:
        batched = observation["models"].ndim == 3
        self._parts = {k: v if batched else np.asarray(v)[None] for k, v in observation.items()}

    def __len__(self) -> int:
        return len(self._parts["models"])

    @property
    def places(self) -> int:
        """P."""
        return int(self._parts["places"].shape[2])

    def model(self, name: str) -> Array:
        """Feature of every model, float64[E, M]."""
        row = position(MODEL_FEATURES, name)
        return MODEL_FEATURES[row].decode(self._parts["models"][:, row])

    def place(self, name: str) -> Array:
        """Feature of every place, float64[E, P]."""
        row = position(PLACE_FEATURES, name)
        return PLACE_FEATURES[row].decode(self._parts["places"][:, row])

    @property
    def mask(self) -> Array:
        """What may be done, bool[E, M * P + 1]."""
        return self._parts["action_mask"].astype(bool)

    @property
    def legal(self) -> Array:
        """Which model may be run where, bool[E, M, P]."""
        return self.mask[:, :-1].reshape(len(self), -1, self.places)
