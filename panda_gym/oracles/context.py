"""What an oracle keeps of a batch of grids between decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from panda_gym.oracles.forecast import Forecast, allocate
from panda_gym.oracles.planner import forecast_loads
from panda_gym.simulator.compiled_api import World, table_of

if TYPE_CHECKING:
    from panda_gym.environments.placement.batch import PlacementBatch


@dataclass(frozen=True, eq=False)
class OracleContext:
    """The grids of a batch and the forecast of their competing load."""

    world: World
    """The state itself; the table holds only its addresses."""
    table: np.ndarray | World
    """The state as compiled functions see it."""
    forecast: Forecast
    """The forecast and the plan."""

    @classmethod
    def of(cls, batch: PlacementBatch) -> OracleContext:
        """Forecast the competing load of a batch; the plan is empty."""
        world = batch.simulator.world
        context = cls(world, table_of(world), allocate(world))
        forecast_loads(context.table, context.forecast)
        return context
