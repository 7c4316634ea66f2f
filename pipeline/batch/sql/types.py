"""Types of columns, as SQL of hours is judged by them."""

from __future__ import annotations

from collections.abc import Mapping

Types = Mapping[str, Mapping[str, str]]
"""View -> column -> type, as Spark names it."""
