"""Black-box membership inference: does the synthetic table show who was in the training rows?

After DOMIAS (van Breugel et al., AISTATS 2023, arXiv 2302.12580): a row is called a member where
the density of synthetic rows is high for what the population's density is there. The density ratio
is calibrated by reference rows, held out and never attacked: log of the distance to the nearest
reference row over that to the nearest synthetic row. Attacked are training rows (members) and other
held-out rows (non-members); if nothing leaks, both have the same distribution, and chance is exact.
NOTE[DIFF] DOMIAS fits density models; here both densities are those of the nearest neighbour, exact
over all rows, which neither trains nor smooths a memorised row away.
"""

from __future__ import annotations

import numpy as np

from metrics.base import Score, Study
from metrics.errors import MetricError
from metrics.privacy.attack_rates import curve, normal_score, rate_at
from metrics.privacy.distances import held_out_halves, reference_space, synthetic_space
from metrics.statistics.resampling import auc
from metrics.tables.samples import Sample

LEAST_DISTANCE = 1e-6
"""What is added to both distances, so that copies have a ratio."""
LEAST_ROWS = 50
"""Members and non-members below which the attack says nothing."""
FALSE_POSITIVES = 0.1
"""False-positive rate at which the attack's hits are counted, as in MIDST (SaTML 2025)."""


def density_ratio(study: Study, sample: Sample) -> np.ndarray:
    """Return log(p_synthetic / p_reference) of each row up to a constant, float64[n]."""
    near = [space(study).nearest(sample) for space in (reference_space, synthetic_space)]
    return np.log(near[0] + LEAST_DISTANCE) - np.log(near[1] + LEAST_DISTANCE)


def measure(study: Study) -> list[Score]:
    """Score the attack's area under the ROC curve and its hits at 10 % false positives."""
    rows = int(study.settings["membership_rows"])
    _, control = held_out_halves(study)
    n = min(rows, len(control), len(study.train))
    if n < LEAST_ROWS:
        raise MetricError(f"at least {LEAST_ROWS} rows to attack", str(n), "hold out more rows")
    members = study.train.draw(n, study.rng("membership/members"))
    others = control.draw(n, study.rng("membership/others"))
    inside, outside = (density_ratio(study, rows) for rows in (members, others))
    study.notes["membership"] = curve(outside, inside)
    area, error = auc(outside, inside)
    note = "area under the ROC curve of the black-box membership attack (density ratio)"
    hits = (
        f"members found by the black-box membership attack at {FALSE_POSITIVES:.0%} false positives"
    )
    return [
        normal_score(study, "membership_auc", area, error, 0.5, n, note),
        rate_at(study, "membership_tpr", outside, inside, FALSE_POSITIVES, hits),
    ]
