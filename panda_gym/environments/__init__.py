"""Gymnasium environments: placement of jobs, scheduling of workflows and of AI pipelines."""
