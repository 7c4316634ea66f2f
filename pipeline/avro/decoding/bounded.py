"""Whether the size of a value's bytes bounds the work of reading it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.avro.decoding import ops as op
from pipeline.avro.schema import Schema, kind_of


def is_bounded(schema: Mapping[str, Any]) -> bool:
    """Return whether values of `schema` take memory, nesting and time in proportion to their bytes.

    They do not where arrays hold items that may take no bytes, such as nulls: five bytes may say that
    there are 2**33 of them. Nor where a type holds itself: a general reader that calls itself for each level
    runs out of stack.

    Raises:
        NotAvroError: it is no Avro schema.
    """
    wrote = Schema(schema)
    proven: set[str] = set()

    def bounded(part: Any, within: frozenset[str]) -> bool:
        part = wrote.deref(part)
        match kind_of(part):
            case "union":
                return all(bounded(branch, within) for branch in part)
            case "record":
                name = part["name"]
                if name in proven:
                    return True
                inside = within | {name}
                if name in within or not all(bounded(f["type"], inside) for f in part["fields"]):
                    return False
                proven.add(name)
                return True
            case "array":
                # In this order: looking for empty items takes types that do not hold themselves.
                return bounded(part["items"], within) and not may_be_empty(part["items"], wrote, 0)
            case "map":
                return bounded(part["values"], within)
            case _:
                return True

    return bounded(wrote.root, frozenset())


def may_be_empty(schema: Any, wrote: Schema, depth: int) -> bool:
    """Return whether an item may take no bytes at all: then its number bounds nothing."""
    schema = wrote.deref(schema)
    kind = kind_of(schema)
    if kind == "record":
        return depth > op.MAX_DEPTH or all(
            may_be_empty(field["type"], wrote, depth + 1) for field in schema["fields"]
        )
    return kind == "null" or (kind == "fixed" and schema["size"] == 0)
