"""A generator learns a table and draws new rows with the same columns and dtypes."""

from __future__ import annotations

import generators
import panda_gym

records = panda_gym.reference_records(3_000, seed=0)
for name in generators.names():
    print(name)
smote = generators.create("smote").fit(records, seed=0)
synthetic = smote.sample(1_000, seed=1)
assert list(synthetic.columns) == list(records.columns)
assert (synthetic.dtypes == records.dtypes).all()
print(synthetic.head())
