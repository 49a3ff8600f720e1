"""Neural networks of the generators."""
