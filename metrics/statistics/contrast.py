"""Contrast synthetic rows with held-out ones: one statistic, twice, with a bootstrap.

Every score of this kind is a distance of rows from train. The held-out rows of the same number
give the reference; the excess is how much farther the synthetic ones are. Blocks of rows that lie
in both samples are drawn together: a task of which a random split left rows in both is no
difference between them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from metrics.base import Score, Study
from metrics.statistics.resampling import Weighted, centred, replicate_both, upper_of_pairs
from metrics.tables.samples import Sample

Statistic = Callable[[Sample], Weighted]
"""Given rows, the distances from train as a function of the rows' weights."""


def contrast(
    study: Study, word: str, statistic: Statistic, notes: Mapping[str, str]
) -> list[Score]:
    """Return one fidelity score for each entry of the statistic's vector.

    `notes` names the entries in order, {score id: what it means}; `word` names the draws.
    """
    rows = study.draws("fidelity_rows")
    n, times = len(rows[0]), int(study.settings["bootstrap"])
    statistics = statistic(rows[0]), statistic(rows[1])
    (value, draws), (reference, references) = replicate_both(
        statistics, (n, n), times, study.rng(word), study.blocks_of_both(*rows)
    )
    found = []
    for i, (id, note) in enumerate(notes.items()):
        low, high = centred(float(value[i]), draws[:, i], study.alpha)
        bound = upper_of_pairs(
            float(value[i] - reference[i]), draws[:, i], references[:, i], study.alpha
        )
        numbers = (float(value[i]), max(low, 0.0), high, float(reference[i]), float(bound))
        found.append(Score(id, *numbers, n, note=note))
    return found
