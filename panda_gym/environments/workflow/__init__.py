"""`PandaGrid/Workflow-v0`: decide which ready task set runs next, and where."""
