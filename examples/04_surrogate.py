"""The surrogate that ships: sealed, certified, and a stream without end."""

from __future__ import annotations

import panda_gym

surrogate = panda_gym.Surrogate.open("default")
print(surrogate.origin)
print("certificate:", "passed" if surrogate.certificate.passed else "failed")
print(surrogate.first_week()[["creationtime", "computingsite", "workload", "workload_pred"]].head())
week = next(surrogate.stream(seed=1, rows_per_week=200))
print(len(week), "jobs in a week of", week["creationtime"].iloc[0])
