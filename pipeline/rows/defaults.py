"""Defaults of Avro fields, as Avro means them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.avro.encode import plain
from pipeline.avro.logical_types import valid_logical


def default_value(value: Any, schema: Any, names: Mapping[str, Any]) -> Any:
    """Return the default that a schema's JSON `value` means, as `pipeline.avro.encode.encoder` takes it.

    Bytes are code points 0 to 255, a decimal's are those of its unscaled number, times are counts of
    their unit. A union's is of its first branch, or else of the branch that it fits.
    """
    schema = plain(schema, names)
    if isinstance(schema, list):
        branches = [plain(branch, names) for branch in schema]
        others = [branch for branch in branches if branch["type"] != "null"]
        return None if value is None or not others else default_value(value, others[0], names)
    match schema["type"]:
        case "bytes" | "fixed":
            found = value.encode("latin-1")
            decimal = valid_logical(schema) == "decimal"
            return int.from_bytes(found, "big", signed=True) if decimal else found
        case "float" | "double":
            return float(value)
        case "int" | "long":
            return int(value)
        case "array":
            return [default_value(one, schema["items"], names) for one in value]
        case "map":
            return {key: default_value(one, schema["values"], names) for key, one in value.items()}
        case "record" | "error":
            return {
                f["name"]: default_value(value.get(f["name"], f.get("default")), f["type"], names)
                for f in schema["fields"]
            }
    return value
