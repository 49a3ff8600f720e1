"""The nearest-neighbour distance ratio: is one training row much nearer than any other?

NNDR of a synthetic row is the distance to its nearest training row over that to the second nearest
(Lowe's ratio; used on synthetic data by Zhao et al. 2021, CTAB-GAN). A row that copies a lone
record has a ratio near 0; a row in a crowd near 1. The control is held-out real rows. Exact to the
whole training set, through the index that the other distances use.
"""

from __future__ import annotations

import numpy as np

from metrics.base import Score, Study
from metrics.errors import MetricError
from metrics.privacy.distances import points, training_space
from metrics.statistics.means import mean_score
from metrics.tables.samples import Sample


def ratios(study: Study, sample: Sample) -> np.ndarray:
    """Return each row's ratio of distances to the two nearest training rows, float64[n].

    1 where both are 0: a copy of a record that stands there twice points at no one.
    """
    space = training_space(study)
    pair = space.index.query_two(*points(sample, space.scales))
    return np.divide(pair[:, 0], pair[:, 1], out=np.ones(len(pair)), where=pair[:, 1] > 0)


def measure(study: Study) -> list[Score]:
    """Score the mean NNDR of synthetic rows; the reference is that of held-out rows."""
    if len(study.train) < 2:
        raise MetricError("at least two training rows", str(len(study.train)), "pass more rows")
    rows = int(study.settings["nndr_rows"])
    mine, real = (
        ratios(study, getattr(study, word).draw(rows, study.rng(f"nndr/{word}")))
        for word in ("synthetic", "holdout")
    )
    note = "mean ratio of the distances to the nearest and the second nearest training row"
    return [mean_score(study, "nndr", (mine, real), note, better="higher")]
