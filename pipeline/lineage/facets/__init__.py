"""Facets: what events say of jobs, runs and datasets, one kind a file."""
