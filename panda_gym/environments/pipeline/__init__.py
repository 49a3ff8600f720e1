"""`PandaGrid/Pipelines-v0`: decide which models of a fleet to train, and where."""
