"""AI operations: pipelines, models that drift, triggers and the clusters they run on."""
