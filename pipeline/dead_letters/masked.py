"""Details of dead letters for everybody's eyes."""

from __future__ import annotations

import re

from pipeline.contract.model import Product

MASK = "…"
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*(?:'|$)|"(?:[^"\\]|\\.)*(?:"|$)""")
_NUMBER = re.compile(r"-?\d[\d.,:eE+-]{3,}")
_OF_NO_VALUE = frozenset(
    {"unknown_schema", "unlisted_schema", "payload_too_large", "stale", "ahead", "quarantined"}
)
"""Reasons whose details have numbers that are no field's: ids, sizes, ages."""


def masked_detail(product: Product, reason: str, detail: str) -> str:
    """Return the detail of a dead letter without what may be a value of a personal column.

    Where the contract names personal columns, what is quoted is left out, and so are numbers that may be a
    field's. Of other products it is returned as it is.
    """
    personal = any(column.personal for column in product.columns)
    return masked(reason, detail) if personal else detail


def masked(reason: str, detail: str) -> str:
    """Return the detail of a dead letter without what may be a value of its record."""
    shown = _QUOTED.sub(f"'{MASK}'", detail)
    return shown if reason in _OF_NO_VALUE else _NUMBER.sub(MASK, shown)
