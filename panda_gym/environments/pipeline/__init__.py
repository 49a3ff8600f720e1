"""`PandaGrid/Pipelines-v0`: scenario, observation, batch, faces and policies; knows pipelines."""
