"""AI operations: pipelines, models that drift, triggers, and the clusters on which runs execute.

```python
from panda_gym.pipelines.fleet import Fleet
from panda_gym.pipelines.simulation import simulate

history = simulate(Fleet(models=5, training_slots=1).open(), horizon_s=7 * 86_400.0, seed=0)
history.summary()["performance"]
```
"""
