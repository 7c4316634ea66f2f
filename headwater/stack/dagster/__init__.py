"""Dagster as the stack runs it: its instance, and the processes that it is."""
