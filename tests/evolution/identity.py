"""Which column a name is, for tables and records of a chain of versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.evolution.chains import Schema, records

Names = Mapping[str, str]
"""Name -> identity. No name stands for two: a chain's names are given out once."""


def names_of(versions: Sequence[Schema]) -> Names:
    """Return the names that columns have after `versions`: those of the newest that has each."""
    newest = {
        field["fid"]: field["name"]
        for version in versions
        for record in records(version)
        for field in record["fields"]
    }
    return {name: identity for identity, name in newest.items()}


def by_identity(value: Any, names: Names) -> Any:
    """Return a value told by columns, its records' fields by their identity."""
    if isinstance(value, dict):
        return {names[name]: by_identity(one, names) for name, one in value.items()}
    if isinstance(value, list):
        return [by_identity(one, names) for one in value]
    if isinstance(value, tuple):
        return value[0], by_identity(value[1], names)
    return value


def without_empty(value: Any) -> Any:
    """Return a value whose empty lists are null: PyIceberg 0.12 reads null lists of records as empty ones."""
    if isinstance(value, dict):
        return {name: without_empty(one) for name, one in value.items()}
    if isinstance(value, list):
        return [without_empty(one) for one in value] or None
    if isinstance(value, tuple):
        return value[0], without_empty(value[1])
    return value
