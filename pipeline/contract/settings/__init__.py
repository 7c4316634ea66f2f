"""Headwater's own settings of products and derived tables, and the units they are written in."""
