"""Ingest by what values are: each format, beside peers that read JSON."""
