"""Privacy metrics: distances, copies, attacks."""
