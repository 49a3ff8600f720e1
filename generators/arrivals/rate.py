"""A rate by the hour that the calendar explains in part: a log-Gaussian Cox process.

The log rate is a sum of calendar columns with normal priors and of two stationary autoregressive
paths, a quick one by the hour and a slow one by the day (Møller, Syversveen and Waagepetersen,
Scand. J. Stat. 25, 1998; here on a grid of hours). Given the four settings of the paths, weights
and paths follow by Newton's method on a band matrix; the settings follow from the Laplace
approximation of the marginal likelihood (Rue, Martino and Chopin, JRSS B 71, 2009, without their
integration over the settings: one best set is kept).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_solve_banded, cholesky_banded, solve_banded
from scipy.optimize import minimize
from scipy.special import expit, gammaln, logit

NEWTON = 30
"""Most steps of Newton's method."""
START = np.array([np.log(0.3), logit(0.5), np.log(0.2), logit(0.5)])
"""First guess of the settings: ln sd and logit of the lag of the quick path, then of the slow."""
SIMPLEX = START + np.vstack([np.zeros(4), np.diag([0.7, 1.0, 0.7, 1.0])])
"""Where the search for the settings starts."""
BAND = 3
"""Diagonals of a precision matrix of two interleaved paths, the main one included."""


@dataclass(frozen=True)
class Settings:
    """Of two autoregressive paths, both of mean 0."""

    sd: tuple[float, float]
    """Standard deviation of the quick and the slow path."""
    lag: tuple[float, float]
    """Their autocorrelation from one hour to the next."""

    @classmethod
    def of(cls, free: np.ndarray) -> Settings:
        """Return the settings at a point of the optimiser's plane.

        The quick path forgets within hours (lag .05 to .95), the slow one within days to weeks
        (lag .5 to .99 a day), so that neither can play the other's part.
        """
        sd = np.exp(np.clip(free[[0, 2]], -7.0, 1.5))
        quick = 0.05 + 0.90 * expit(free[1])
        slow = (0.50 + 0.49 * expit(free[3])) ** (1.0 / 24.0)
        return cls((float(sd[0]), float(sd[1])), (float(quick), float(slow)))

    @property
    def innovation(self) -> np.ndarray:
        """Standard deviation of what is new each hour, float64[2]."""
        return np.array(self.sd) * np.sqrt(1.0 - np.array(self.lag) ** 2)

    def prior(self, hours: int) -> np.ndarray:
        """Return the paths' prior precision as an upper band matrix, float64[3, 2 hours]."""
        band = np.zeros((BAND, 2 * hours))
        for k, (new, lag) in enumerate(zip(self.innovation, self.lag, strict=True)):
            diagonal = np.full(hours, 1.0 + lag**2)
            diagonal[0] = diagonal[-1] = 1.0 if hours > 1 else 1.0 - lag**2
            band[2, k::2] = diagonal / new**2
            band[0, k::2][1:] = -lag / new**2
        return band

    def log_prior_det(self, hours: int) -> float:
        """Return ln |prior precision|."""
        new = np.log(self.innovation)
        return float(-2.0 * (hours - 1) * new.sum() - 2.0 * np.log(self.sd).sum())


@dataclass(frozen=True)
class Rate:
    """A fitted log rate."""

    settings: Settings
    """Of the paths."""
    weights: np.ndarray
    """float64[k], of the calendar's columns."""
    paths: np.ndarray
    """float64[2, hours], most likely paths over the window."""
    factor: np.ndarray
    """float64[3, 2 hours], Cholesky factor (upper band) of the paths' precision given the data."""

    @classmethod
    def fit(
        cls, counts: np.ndarray, exposure: np.ndarray, design: np.ndarray, precision: np.ndarray
    ) -> Rate:
        """Return the rate behind counts.

        Args:
            counts: events in each hour, [hours].
            exposure: part of each hour that was watched, [hours], above 0 where counts are.
            design: calendar columns, float64[hours, k].
            precision: prior precision of their weights, float64[k].
        """
        data = (counts, np.log(np.maximum(exposure, 1e-9)), design, precision)
        begin = _Mode.start(counts, exposure, design)

        def cost(free: np.ndarray) -> float:
            # A path costs what it departs from none: no noise is found where none is.
            penalty = 2.0 * np.exp(free[0]) + 2.0 * np.exp(free[2]) + 0.05 * float(free @ free)
            return penalty - _Mode.find(Settings.of(free), *data, begin).evidence

        found = minimize(
            cost,
            START,
            method="Nelder-Mead",
            options={"initial_simplex": SIMPLEX, "maxfev": 120, "xatol": 0.03, "fatol": 0.02},
        )
        settings = Settings.of(found.x)
        mode = _Mode.find(settings, *data, begin)
        return cls(settings, mode.weights, mode.paths.reshape(-1, 2).T.copy(), mode.factor)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Return paths over the window as they may have been, given its events, float64[2, hours].

        Normal around the most likely ones (the Laplace approximation), so that hours with few
        events keep the noise that their counts cannot tell.
        """
        z = rng.standard_normal(self.factor.shape[1])
        return self.paths + solve_banded((0, BAND - 1), self.factor, z).reshape(-1, 2).T

    def onward(self, last: np.ndarray, hours: int, rng: np.random.Generator) -> np.ndarray:
        """Return `hours` more of the paths after their `last` values [2], float64[2, hours]."""
        new = rng.standard_normal((hours, 2)) * self.settings.innovation
        lag, out = np.array(self.settings.lag), np.empty((2, hours))
        for i in range(hours):
            last = lag * last + new[i]
            out[:, i] = last
        return out

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs."""
        settings = np.array([*self.settings.sd, *self.settings.lag])
        return {
            "settings": settings,
            "weights": self.weights,
            "paths": self.paths,
            "factor": self.factor,
        }

    @classmethod
    def restore(cls, arrays: dict[str, np.ndarray]) -> Rate:
        """Return the rate that `arrays` described."""
        a, b, c, d = (float(value) for value in arrays["settings"])
        return cls(Settings((a, b), (c, d)), arrays["weights"], arrays["paths"], arrays["factor"])


@dataclass
class _Mode:
    """Most likely weights and paths under given settings."""

    weights: np.ndarray
    paths: np.ndarray
    """float64[2 hours], quick and slow in turns."""
    factor: np.ndarray
    evidence: float

    @classmethod
    def start(cls, counts: np.ndarray, exposure: np.ndarray, design: np.ndarray) -> _Mode:
        weights = np.zeros(design.shape[1])
        weights[0] = np.log((counts.sum() + 0.5) / (exposure.sum() + 0.5))
        return cls(weights, np.zeros(2 * len(counts)), np.zeros((BAND, 0)), -np.inf)

    @classmethod
    def find(
        cls,
        settings: Settings,
        counts: np.ndarray,
        offset: np.ndarray,
        design: np.ndarray,
        precision: np.ndarray,
        begin: _Mode,
    ) -> _Mode:
        """Return the mode by damped Newton steps; `begin` is moved there for the next call."""
        prior = settings.prior(len(counts))
        weights, paths = begin.weights.copy(), begin.paths.copy()
        best = _height(counts, offset, design, precision, prior, weights, paths)
        for _ in range(NEWTON):
            step = _newton(counts, offset, design, precision, prior, weights, paths)
            scale, moved = 1.0, best
            while scale > 1e-4:
                tried = (weights + scale * step[0], paths + scale * step[1])
                moved = _height(counts, offset, design, precision, prior, *tried)
                if moved >= best:
                    weights, paths = tried
                    break
                scale /= 2.0
            if moved - best < 1e-7 * (1.0 + abs(best)):
                break
            best = moved
        begin.weights, begin.paths = weights, paths
        factor, inner = _curvature(counts, offset, design, precision, prior, weights, paths)
        log_det = 2.0 * np.log(factor[-1]).sum() + np.linalg.slogdet(inner)[1]
        evidence = best + 0.5 * (settings.log_prior_det(len(counts)) - log_det)
        return cls(weights, paths, factor, float(evidence - gammaln(counts + 1.0).sum()))


def _log_rate(
    offset: np.ndarray, design: np.ndarray, weights: np.ndarray, paths: np.ndarray
) -> np.ndarray:
    return np.clip(offset + design @ weights + paths[0::2] + paths[1::2], -40.0, 25.0)


def _height(
    counts: np.ndarray,
    offset: np.ndarray,
    design: np.ndarray,
    precision: np.ndarray,
    prior: np.ndarray,
    weights: np.ndarray,
    paths: np.ndarray,
) -> float:
    """Return the log density of counts, weights and paths, up to a constant of the settings."""
    log_rate = _log_rate(offset, design, weights, paths)
    rough = paths @ _times(prior, paths) + weights @ (precision * weights)
    return float(counts @ log_rate - np.exp(log_rate).sum() - 0.5 * rough)


def _curvature(
    counts: np.ndarray,
    offset: np.ndarray,
    design: np.ndarray,
    precision: np.ndarray,
    prior: np.ndarray,
    weights: np.ndarray,
    paths: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the Cholesky factor of the paths' precision and the weights' precision beside it."""
    rate = np.exp(_log_rate(offset, design, weights, paths))
    factor = _factor(prior, rate)
    mixed = np.repeat(rate[:, None] * design, 2, axis=0)
    inner = design.T @ (rate[:, None] * design) + np.diag(precision)
    return factor, inner - mixed.T @ cho_solve_banded((factor, False), mixed)


def _newton(
    counts: np.ndarray,
    offset: np.ndarray,
    design: np.ndarray,
    precision: np.ndarray,
    prior: np.ndarray,
    weights: np.ndarray,
    paths: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the joint step of weights and paths, by the Schur complement of the band."""
    rate = np.exp(_log_rate(offset, design, weights, paths))
    slope = counts - rate
    along = design.T @ slope - precision * weights
    across = np.repeat(slope, 2) - _times(prior, paths)
    factor = _factor(prior, rate)
    mixed = np.repeat(rate[:, None] * design, 2, axis=0)
    solved = cho_solve_banded((factor, False), np.column_stack([across, mixed]))
    inner = design.T @ (rate[:, None] * design) + np.diag(precision) - mixed.T @ solved[:, 1:]
    step = np.linalg.solve(inner + 1e-10 * np.eye(len(inner)), along - mixed.T @ solved[:, 0])
    return step, solved[:, 0] - solved[:, 1:] @ step


def _factor(prior: np.ndarray, rate: np.ndarray) -> np.ndarray:
    band = prior.copy()
    band[2] += np.repeat(rate, 2)
    band[1, 1::2] += rate
    try:
        return cholesky_banded(band)
    except LinAlgError:
        band[2] *= 1.0 + 1e-8
        return cholesky_banded(band)


def _times(band: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the product of a symmetric upper band matrix and a vector."""
    out = band[2] * x
    for k, row in ((1, band[1]), (2, band[0])):
        out[:-k] += row[k:] * x[k:]
        out[k:] += row[k:] * x[:-k]
    return out
