"""Questions in SQL to a cell's tables and their history: read-only, by DuckDB."""
