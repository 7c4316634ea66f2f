"""Decoding messages into Arrow columns."""
