"""Code location of the cell `us`."""

from __future__ import annotations

from assets.definitions import build

defs = build("us")
