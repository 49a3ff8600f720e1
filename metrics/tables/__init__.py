"""Tables as arrays: samples, scales, groups of rows, Gower points."""
