"""Logical types that the contract relies on and Avro does not heed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipeline.avro.logical_types import LOGICAL_BASES, TIMESTAMPS, non_null, valid_logical
from pipeline.config.nearest import did_you_mean
from pipeline.contract.settings.product import ProductSettings
from pipeline.contract.source.document import Loc
from pipeline.contract.source.reader import ContractReader
from pipeline.contract.source.schema_text import SchemaText
from pipeline.contract.source.texts import read_utf8
from pipeline.contract.targets.avro import odcs_types


def check_idle_types(
    reader: ContractReader, settings: ProductSettings, loc: Loc, payload: Mapping[str, Any]
) -> frozenset[str]:
    """Return the fields whose logical type Avro ignores though the contract, at `loc`, relies on it.

    Each is reported in the newest schema file, where it is to be put right. Others change nothing, and are
    a matter of warnings.
    """
    if settings.schemas is None:
        return frozenset()
    stated = {
        entry.get("name"): entry.get("logicalType")
        for _, entry in reader.mappings((*loc, "properties"))
    }
    file = reader.folder / settings.schemas.payload[-1]
    text = SchemaText(read_utf8(file))
    found = set()
    for field in payload["fields"]:
        name = field["name"]
        relied_on = name == settings.event_time or stated.get(name) not in (
            None,
            *odcs_types(field["type"]),
        )
        if relied_on and (expected := _idle(field)) is not None:
            place = ("fields", name, "type")
            line, column = text.place(place)
            reader.report_in(file, line, text.named(place), expected, column)
            found.add(name)
    return frozenset(found)


def _idle(field: Mapping[str, Any]) -> str | None:
    """Return what a field's logical type should be to mean something; None where it does, or says none."""
    schema = non_null(field["type"])
    if isinstance(schema, str) and isinstance(logical := field.get("logicalType"), str):
        inside = json.dumps({"type": schema, "logicalType": logical})
        return f'the logical type within the type: "type": {inside}; beside it Avro does not see it'
    logical = schema.get("logicalType") if isinstance(schema, Mapping) else None
    if not isinstance(logical, str):
        return None
    kind = schema["type"]
    if logical not in LOGICAL_BASES:
        return f"a logical type of Avro's, not {logical!r}{did_you_mean(logical, LOGICAL_BASES)}"
    if kind not in LOGICAL_BASES[logical]:
        return f"{logical} on {' or '.join(LOGICAL_BASES[logical])}, not on {kind}"
    if valid_logical(schema) is None:
        return f"{logical} with a `precision` of 1 or more and a `scale` from 0 to that"
    return f"{' or '.join(TIMESTAMPS)}: no column keeps {logical}" if "-nanos" in logical else None
