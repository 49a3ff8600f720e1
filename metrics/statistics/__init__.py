"""Statistics of scores: resampling, equivalence tests, contrasts, means."""
