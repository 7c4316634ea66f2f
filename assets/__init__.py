"""Thin Dagster definitions, generated from contracts."""
