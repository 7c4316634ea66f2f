"""Code location of the cell `eu`."""

from __future__ import annotations

from assets.definitions import build

defs = build("eu")
