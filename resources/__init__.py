"""One external system a file, as Dagster resources over the engine."""
