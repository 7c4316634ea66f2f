"""Errors without a name: narrowed down to their records, or refused."""
