"""What the environment families share: lazy info, threads."""
