"""Job records: the reference workload (a stand-in, not PanDA data) and its nine columns."""

from __future__ import annotations

import panda_gym

records = panda_gym.reference_records(5_000, seed=0)
print(records.dtypes)
print(records["jobstatus"].value_counts(normalize=True).round(3).to_dict())
print(records.attrs["origin"])
