"""Data contracts: load, check, diff and compile."""
