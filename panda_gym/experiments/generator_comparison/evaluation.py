"""Score the rows of one generator: certificate, rare levels, classifier F1."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from panda_gym.experiments.generator_comparison.entry import Measured

if TYPE_CHECKING:
    import pandas as pd

    from metrics import Certificate

Progress = Callable[[int, int, str], None]
SCORES = ("wd", "jsd", "diff_corr", "dcr", "mlef", "diff_mlef", "c2st", "closer_to_train")
"""Scores of a certificate that stand in the table."""


def certificate(
    train: pd.DataFrame,
    holdout: pd.DataFrame,
    synthetic: pd.DataFrame,
    *,
    target: str,
    time: str | None,
    origin: str,
    seed: int,
    quick: bool,
    policy: str | Path,
    work: Path,
    progress: Progress | None,
) -> Certificate:
    """Return the certificate; a target of classes leaves the paper's efficacy out.

    In `work` lies what is measured: a run that was killed goes on there, and all generators share
    the regressors of real rows.
    """
    import pandas as pd

    import metrics

    classes = isinstance(train[target].dtype, pd.CategoricalDtype)
    return metrics.certify(
        train,
        holdout,
        synthetic,
        target=None if classes else target,
        time=time,
        seed=seed,
        quick=quick,
        policy=policy,
        origin=origin,
        work=work,
        progress=progress,
    )


def scores(
    found: Certificate,
    train: pd.DataFrame,
    holdout: pd.DataFrame,
    synthetic: pd.DataFrame,
    target: str,
    seed: int,
) -> dict[str, Measured]:
    """Return the table's scores: those of the certificate, rare levels, F1 of classes."""
    import pandas as pd

    known = found.scores
    out = {
        id: Measured(s.value, s.low, s.high, s.real_vs_real, s.n)
        for id in SCORES
        if (s := known.get(id)) is not None
    }
    out["rare_tv"] = _rare(train, holdout, synthetic, seed)
    if isinstance(train[target].dtype, pd.CategoricalDtype):
        out["f1"] = _f1(train, holdout, synthetic, target, seed)
    return out


def _rare(
    train: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, seed: int
) -> Measured:
    """Return the variation over rare levels of equally many synthetic and held-out rows."""
    from panda_gym.experiments.generator_comparison.rare import rare_variation

    rng = np.random.default_rng([seed, 1])
    n = min(len(holdout), len(synthetic))
    mine = synthetic.iloc[rng.choice(len(synthetic), n, replace=False)]
    real = holdout.iloc[rng.choice(len(holdout), n, replace=False)]
    value, low, high = rare_variation(mine, train, rng)
    return Measured(value, low, high, rare_variation(real, train, rng)[0], n)


def _f1(
    train: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, target: str, seed: int
) -> Measured:
    """Return F1 of a classifier learnt on synthetic rows; the reference is one learnt on train."""
    from panda_gym.experiments.generator_comparison.classes import (
        f1_interval,
        macro_f1,
        predictions,
    )

    rng = np.random.default_rng([seed, 2])
    interval = f1_interval(*predictions(synthetic, holdout, target, seed), rng)
    real = macro_f1(*predictions(train, holdout, target, seed))
    return Measured(*interval, real, len(synthetic))
