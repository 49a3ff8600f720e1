"""Score sites by a few weighted terms, fitted on training seeds.

The score of a site is minus the expected ln slowdown of the job there and a weighted sum of what
else may matter (`tuned_terms`). Where every weight is 0 it ranks by earliest completion, so what
the weights add is what was learned. Weights ship for scenarios and scales, beside the command that
fitted them (`tuned_weights`); `panda-grid tune` fits others.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Ranking
from panda_gym.environments.placement.policies.tuned_terms import cost
from panda_gym.environments.placement.policies.tuned_weights import TunedWeights, find_fit


@dataclass(frozen=True)
class Tuned(Ranking):
    """Minimum of a size-aware cost whose weights were fitted on training seeds of a scenario.

    weights: name of a fit that ships with the package (`tuned_weights.shipped`), or a file that
        `panda-grid tune` wrote, as FILE or FILE#NAME.
    """

    weights: str = "default"
    fit: TunedWeights = field(init=False, repr=False, compare=False)
    row: np.ndarray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fit", find_fit(str(self.weights)))
        object.__setattr__(self, "row", self.fit.row())

    def score(self, view: PlacementView) -> np.ndarray:
        return -cost(view, self.row)
