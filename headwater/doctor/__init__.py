"""Examining a cell: each connection is tried, and what is wrong is told with its remedy. Changes nothing."""
