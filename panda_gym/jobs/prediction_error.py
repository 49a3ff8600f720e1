"""Replace the predicted workloads of a stream, to see what a policy does with another predictor."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from panda_gym.errors import StreamError
from panda_gym.jobs.stream import JobStream


@dataclass(frozen=True)
class PredictionError:
    """How predictions follow from a job: base x bias x lognormal(0, sigma).

    sigma: standard deviation of the ln of the factor, at least 0.
    bias: median of the factor, above 0.
    of_truth: whether the base is the true workload; else it is the stream's own prediction.
    """

    sigma: float = 0.0
    bias: float = 1.0
    of_truth: bool = True

    def __post_init__(self) -> None:
        if not (0.0 <= self.sigma <= 10.0 and 0.0 < self.bias <= 1e6):
            came = f"sigma {self.sigma} and bias {self.bias}"
            raise StreamError("sigma in [0, 10] and bias in (0, 1e6]", came, "change them")

    def apply(self, stream: JobStream, seed: int = 0) -> JobStream:
        """Return the stream with these predictions; same seed, same predictions."""
        base = stream.workload_true if self.of_truth else stream.workload_pred
        drawn = np.random.default_rng(seed).standard_normal(len(stream))
        name = f"{stream.name} predicted x {self.bias:g} lognormal(0, {self.sigma:g})"
        factor = self.bias * np.exp(self.sigma * drawn)
        return replace(stream, name=name, workload_pred=base * factor)
