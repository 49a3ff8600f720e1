"""A certificate: each score beside what real data score against real data."""

from __future__ import annotations

import generators
import metrics
import panda_gym

records = panda_gym.reference_records(4_000, seed=0)
train, holdout = records.iloc[:3_000], records.iloc[3_000:]
synthetic = generators.create("smote").fit(train, seed=0).sample(3_000, seed=1)
certificate = metrics.certify(train, holdout, synthetic, quick=True)
for name, score in certificate.scores.items():
    print(f"{name:32s} {score.value:8.4f}  real vs real {score.real_vs_real:8.4f}  n {score.n}")
print("passed" if certificate.passed else "failed")
