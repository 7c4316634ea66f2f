"""Lineage: how long a trace takes, and how it grows."""
