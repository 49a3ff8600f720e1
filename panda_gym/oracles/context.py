"""What an oracle keeps of a batch of grids between decisions; knows simulators, no decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from panda_gym.oracles.forecast import Sketch, sketch
from panda_gym.oracles.planner import foresee
from panda_gym.simulator.address_table import table_of
from panda_gym.simulator.state import World

if TYPE_CHECKING:
    from panda_gym.environments.placement.batch import PlacementBatch


@dataclass(frozen=True, eq=False)
class Room:
    """A look at the grids of a batch whose episodes have just begun."""

    world: World
    """Kept, because the table does not keep it."""
    table: np.ndarray | World
    """As compiled functions see it."""
    sketch: Sketch
    """What is foreseen."""

    @classmethod
    def of(cls, batch: PlacementBatch) -> Room:
        """Look at the load of others; nothing is planned yet."""
        world = batch.simulator.world
        room = cls(world, table_of(world), sketch(world))
        foresee(room.table, room.sketch)
        return room
