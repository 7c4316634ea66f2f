"""Unit tests of derived tables, run: logic on rows that are given, compared with rows that are expected."""
