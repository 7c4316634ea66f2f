"""Logical types that Avro ignores, and those it does not."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.avro.logical_types import valid_logical


def fixed(size: int, logical: str, **more: Any) -> dict[str, Any]:
    return {"type": "fixed", "name": "F", "size": size, "logicalType": logical, **more}


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        ({"type": "int", "logicalType": "date"}, "date"),
        ({"type": "long", "logicalType": "date"}, None),
        ({"type": "long", "logicalType": "timestamp-micros"}, "timestamp-micros"),
        ({"type": "int", "logicalType": "timestamp-millis"}, None),
        ({"type": "string", "logicalType": "uuid"}, "uuid"),
        (fixed(16, "uuid"), "uuid"),
        (fixed(8, "uuid"), None),
        ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, "decimal"),
        ({"type": "bytes", "logicalType": "decimal"}, None),
        ({"type": "bytes", "logicalType": "decimal", "precision": 0}, None),
        ({"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 3}, None),
        ({"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": -1}, None),
        ({"type": "bytes", "logicalType": "decimal", "precision": "4"}, None),
        ({"type": "string", "logicalType": "decimal", "precision": 4}, None),
        (fixed(4, "decimal", precision=9), "decimal"),
        (fixed(4, "decimal", precision=10), None),
        ({"type": "int", "logicalType": "of-our-own"}, None),
        ({"type": "int", "logicalType": 7}, None),
        ({"type": "int"}, None),
        ("int", None),
    ],
)
def test_a_logical_type_counts_where_avro_knows_it(schema: Any, wanted: str | None) -> None:
    assert valid_logical(schema) == wanted
