"""Code location of the cell `studio`."""

from __future__ import annotations

from assets.definitions import build

defs = build("studio")
