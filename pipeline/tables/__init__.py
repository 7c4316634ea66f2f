"""Iceberg: catalogs, layouts and the only commits to ingest tables."""
