"""A fleet of models that drift: who goes first when training slots are short."""

from __future__ import annotations

from panda_gym.pipelines.fleet import Fleet
from panda_gym.pipelines.simulation import simulate

fleet = Fleet(models=20, arrivals_per_day=12.0, staleness=None, train_hours=4.0, training_slots=2)
for discipline in ("fifo", "shortest_first", "fair_share", "improvement"):
    ran = simulate(fleet.but(discipline=discipline).open(), 20 * 86_400.0, seed=0)
    figures = ran.summary()
    print(
        f"{discipline}: performance {figures['performance']:.3f}, "
        f"mean wait {figures['wait_mean_s'] / 3600:.1f} h, {figures['retrains']:.0f} retrains"
    )
