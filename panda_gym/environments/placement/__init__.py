"""`PandaGrid/Placement-v0`: place grid jobs on computing sites."""
