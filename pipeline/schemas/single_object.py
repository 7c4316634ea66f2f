"""Avro's single-object encoding: two bytes, the fingerprint of the schema, then Avro binary.

Avro specification 1.12, "Single-object encoding" and "Schema Fingerprints".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastavro.schema import fingerprint, to_parsing_canonical_form

MARKER = b"\xc3\x01"
HEADER_BYTES = len(MARKER) + 8


def header(schema: Mapping[str, Any]) -> bytes:
    """Return what stands before a value that `schema`, a valid one, has written."""
    crc = fingerprint(to_parsing_canonical_form(dict(schema)), "CRC-64-AVRO")
    return MARKER + bytes.fromhex(crc)
