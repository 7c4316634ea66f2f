"""How fast one hour becomes three audited tables, against plain Spark SQL and DuckDB: `make bench-hourly`."""
