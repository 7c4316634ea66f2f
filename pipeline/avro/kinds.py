"""Kinds of nodes and columns of their table: numbers, which compiled code takes as constants."""

from __future__ import annotations

NUMBER, SLOT, STRUCT, LIST, MAP = 0, 1, 2, 3, 4
"""Kinds of nodes: 8-byte numbers, 16-byte slots, and those that hold others."""

KIND, PLACE, VALID, CAPACITY, CURSOR = 0, 1, 2, 3, 4
"""Columns of the table of nodes: the kind, where its values and validity begin, and how many fit and are."""
