"""`PandaGrid/Workflow-v0`: scenario, observation, batch, faces and policies; knows workflows."""
