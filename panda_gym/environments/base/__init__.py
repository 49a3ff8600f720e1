"""What the environment families share: batch, interfaces, features, spaces, infos, threads."""
