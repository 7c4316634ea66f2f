"""Details of dead letters for reports that everybody reads, whatever the contract says is personal."""

from __future__ import annotations

import re

MASK = "…"
_QUOTED = re.compile(r"""(?<!\w)b?(?:'(?:[^'\\]|\\.)*(?:'|$)|"(?:[^"\\]|\\.)*(?:"|$))""")
"""Texts and bytes as Python writes them, or the rest of one that was cut."""
_NUMBER = re.compile(r"-?\d[\d.,:eE+-]{3,}")
_OF_NO_VALUE = frozenset(
    {"unknown_schema", "unlisted_schema", "payload_too_large", "stale", "ahead", "quarantined"}
)
"""Reasons whose details have numbers that are no field's: ids, sizes, ages."""


def without_values(reason: str, detail: str) -> str:
    """Return the detail of a dead letter without what may be a value of its record."""
    shown = _QUOTED.sub(f"'{MASK}'", detail)
    return shown if reason in _OF_NO_VALUE else _NUMBER.sub(MASK, shown)
