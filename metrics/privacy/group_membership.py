"""Membership inference on whole groups: which tasks were in the training rows?

Where rows come in groups, the secret is the group: a task of five hundred near-identical rows is
one user's one piece of work, and who finds any of its rows has found it. So whole groups are
attacked: a group's score is the mean over its rows of the density ratio of
`metrics.privacy.membership`, with reference rows of other held-out groups than those that are
tried. Groups are equally likely
members whatever their size; a large one gives its attacker more rows to average.
"""

from __future__ import annotations

import numpy as np

from metrics.base import Score, Study
from metrics.errors import MetricError, NotApplicable
from metrics.privacy.attack_rates import curve, normal_score, rate_at
from metrics.privacy.distances import held_out_halves
from metrics.privacy.membership import FALSE_POSITIVES, LEAST_ROWS, density_ratio
from metrics.statistics.resampling import auc
from metrics.tables.samples import Sample

ROWS = 20
"""Most rows of a group that are looked at."""


def measure(study: Study) -> list[Score]:
    """Score the attack's area under the ROC curve and its hits at 10 % false positives."""
    if study.train.groups is None or study.holdout.groups is None:
        raise NotApplicable("a group column", "none", "name the column of tasks: group=")
    rows = int(study.settings["membership_rows"])
    found = [
        _scores(study, sample, rows, word)
        for word, sample in (("others", held_out_halves(study)[1]), ("members", study.train))
    ]
    least = min(map(len, found))
    if least < LEAST_ROWS:
        raise MetricError(f"at least {LEAST_ROWS} groups to attack", str(least), "hold out more")
    outside, inside = found
    study.notes["group_membership"] = curve(outside, inside)
    area, error = auc(outside, inside)
    words = "the black-box membership attack on whole groups (mean density ratio)"
    note = f"area under the ROC curve of {words}"
    hits = f"groups found by {words} at {FALSE_POSITIVES:.0%} false positives"
    return [
        normal_score(study, "group_membership_auc", area, error, 0.5, len(inside), note),
        rate_at(study, "group_membership_tpr", outside, inside, FALSE_POSITIVES, hits),
    ]


def _scores(study: Study, sample: Sample, rows: int, word: str) -> np.ndarray:
    """Return the score of each group tried, together of at most `rows` rows, float64[groups]."""
    assert sample.groups is not None
    rng = study.rng(f"group_membership/{word}")
    order = rng.permutation(len(sample))
    label = np.unique(sample.groups[order], return_inverse=True)[1]
    label = rng.permutation(int(label.max()) + 1)[label]  # so that the first groups are any
    order, label = _first(order, label, ROWS)
    chosen = sample.take(order[:rows])
    ratio, label = density_ratio(study, chosen), label[:rows]
    count = np.bincount(label)
    mean: np.ndarray = np.bincount(label, ratio) / np.maximum(count, 1)
    return mean[count > 0]


def _first(order: np.ndarray, label: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows sorted by label, at most so many of each."""
    at = np.argsort(label, kind="stable")
    order, label = order[at], label[at]
    begin = np.flatnonzero(np.r_[True, label[1:] != label[:-1]])
    place = np.arange(len(label)) - np.repeat(begin, np.diff(np.r_[begin, len(label)]))
    return order[place < most], label[place < most]
