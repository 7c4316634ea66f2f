"""Spark: one session, staged writes, audited publishes."""
