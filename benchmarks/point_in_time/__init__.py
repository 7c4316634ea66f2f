"""Training rows joined to features as they were known, against DuckDB: `make bench-point-in-time`."""
