"""The white-box loss attack: do the weights show who was in the training rows?

Whoever holds a generator can ask for its loss on any row, at several noise levels where it is a
diffusion model; rows that it has memorised have a lower one. This is the attack of the MIDST
challenge (SaTML 2025), scored as there by the members found at 10 % false positives. The caller
gives the loss; half of the rows, the shadow split, tunes the attack (which of the losses, their
mean, or a logistic regression of all), the other half is attacked once.
NOTE[DIFF] MIDST's attackers train shadow models. Here the attacker already knows the membership of
the shadow split, which is a stronger attacker and needs no second training.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from metrics.base import Score, Study
from metrics.errors import MetricError, NotApplicable
from metrics.privacy.attack_rates import curve, normal_score, rate_at, true_positives
from metrics.privacy.membership import FALSE_POSITIVES, LEAST_ROWS
from metrics.statistics.resampling import auc
from metrics.tables.samples import frame

Attack = Callable[[np.ndarray], np.ndarray]
"""Losses float64[n, k] to scores float64[n], higher for "member"."""


def measure(study: Study) -> list[Score]:
    """Score the attack's hits at 10 % false positives and its area under the ROC curve."""
    if study.loss is None:
        raise NotApplicable("the generator's loss", "none", "pass loss= to try the attack")
    n = min(len(study.train), len(study.holdout), int(study.settings["white_box_rows"]))
    if n < 4 * LEAST_ROWS:
        raise MetricError(f"at least {4 * LEAST_ROWS} rows to attack", str(n), "pass more rows")
    inside, outside = (_losses(study, word, n) for word in ("train", "holdout"))
    halves = [study.rng(f"white_box/{i}").permutation(n) < n // 2 for i in range(2)]
    name, attack = tuned(inside[halves[0]], outside[halves[1]])
    found = [attack(x[~half]) for x, half in zip((inside, outside), halves, strict=True)]
    study.notes["white_box"] = {**curve(found[1], found[0]), "attack": name}
    area, error = auc(found[1], found[0])
    words = f"the white-box loss attack ({name}, tuned on a shadow split of {n // 2} and as many)"
    hits = f"members found by {words} at {FALSE_POSITIVES:.0%} false positives"
    note = f"area under the ROC curve of {words}"
    return [
        rate_at(study, "white_box_tpr", found[1], found[0], FALSE_POSITIVES, hits),
        normal_score(study, "white_box_auc", area, error, 0.5, len(found[0]), note),
    ]


def _losses(study: Study, word: str, n: int) -> np.ndarray:
    """Return the losses of n rows, float64[n, k]."""
    assert study.loss is not None
    rows = getattr(study, word).draw(n, study.rng(f"white_box/{word}"))
    losses = np.asarray(study.loss(frame(rows)), dtype=np.float64)
    losses = losses[:, None] if losses.ndim == 1 else losses
    if losses.ndim != 2 or len(losses) != n or not losses.shape[1]:
        needed = f"a loss of each of {n} rows, float64[rows] or float64[rows, k]"
        raise MetricError(needed, f"an array of shape {losses.shape}", "correct the loss")
    if not np.isfinite(losses).all():
        bad = int((~np.isfinite(losses)).any(axis=1).sum())
        raise MetricError("finite losses", f"{bad} rows without", "correct the loss")
    return losses


def tuned(inside: np.ndarray, outside: np.ndarray) -> tuple[str, Attack]:
    """Return the name and the attack that finds most members of a shadow split.

    The regression is fitted on every other row, and all are compared on the rows between.
    """
    attacks = _candidates(inside[::2], outside[::2])
    hits = {
        name: float(
            true_positives(attack(outside[1::2]), attack(inside[1::2]), [FALSE_POSITIVES])[0]
        )
        for name, attack in attacks.items()
    }
    best = max(hits, key=lambda name: hits[name])
    return best, attacks[best]


def _candidates(inside: np.ndarray, outside: np.ndarray) -> dict[str, Attack]:
    """Return every attack that is tried, by name."""
    both = np.concatenate([inside, outside])
    centre, spread = np.median(both, axis=0), both.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)

    def scaled(x: np.ndarray) -> np.ndarray:
        return (x - centre) / spread

    def one(i: int) -> Attack:
        return lambda x: -x[:, i]

    attacks: dict[str, Attack] = {"mean loss": lambda x: -scaled(x).mean(axis=1)}
    attacks |= {f"loss {i}": one(i) for i in range(both.shape[1])}
    if both.std(axis=0).any():
        attacks["logistic"] = _logistic(scaled, both, len(inside))
    return attacks


def _logistic(scaled: Attack, both: np.ndarray, members: int) -> Attack:
    """Return a logistic regression of the losses and their squares."""
    from sklearn.linear_model import LogisticRegression

    def features(x: np.ndarray) -> np.ndarray:
        z = np.clip(scaled(x), -10, 10)
        return np.column_stack([z, z * z])

    y = np.arange(len(both)) < members
    model = LogisticRegression(max_iter=1000).fit(features(both), y)
    return lambda x: model.decision_function(features(x))
