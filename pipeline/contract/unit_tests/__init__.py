"""Unit tests of derived tables: rows given, rows expected, as YAML beside a contract says them."""
