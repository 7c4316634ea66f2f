"""What works in a contract, and not as one might think."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.avro import arrow
from pipeline.avro.decoding.program import slow_reason
from pipeline.avro.logical_types import valid_logical
from pipeline.avro.normal import MEANT
from pipeline.contract.folders import CONTRACT_FILE
from pipeline.contract.model import Product
from pipeline.contract.settings.product import read_product_settings
from pipeline.contract.source.document import Document
from pipeline.contract.source.mistakes import Mistake
from pipeline.contract.source.reader import ContractReader
from pipeline.contract.source.schema_text import SchemaText
from pipeline.contract.source.texts import read_utf8
from pipeline.contract.targets import avro

_HELD_AS_THEY_ARE = MEANT | {"uuid"}
"""Logical types that do what they say; a uuid is held as its text."""


def warnings(product: Product) -> tuple[Mistake, ...]:
    """Return what to know of a product, each with its place.

    Payload versions whose every record is decoded by itself, which is slow; logical types that change
    nothing; derived tables without a folder of their own.
    """
    found = [*_inside(product)]
    for file, schema in zip(_files(product), product.payload_schemas, strict=True):
        text = SchemaText(read_utf8(file))
        for path, logical in _ignored(schema, ()):
            expected = f"the logical type {logical!r} changes nothing here; the column is what it stands on"
            line, column = text.place(path)
            found.append(Mistake(file, line, text.named(path), expected, column))
        if why := _slow_reason(product, schema):
            expected = f"records of this version are decoded one by one, which is slow: {why}"
            found.append(Mistake(file, 1, "", expected))
    return tuple(sorted(set(found)))


def _slow_reason(product: Product, schema: Mapping[str, Any]) -> str | None:
    columns = pa.schema(arrow.fields(product.payload_schema))
    if product.topic.format == "json":
        # It computes in columns, which takes a while to import.
        from pipeline.rows.json_columns import JsonReader

        return JsonReader(product.payload_schema, columns).slow_reason
    if product.topic.format == "protobuf":
        # Whether they are is said by the registry's schemas, when their records come.
        return None
    return slow_reason(schema, avro.reader_schema(product), columns)


def _inside(product: Product) -> Iterator[Mistake]:
    """Yield the derived tables that the product's own contract declares."""
    inside = {one.name for one in product.derived_tables if one.folder == product.folder}
    reader = _reader(product)
    for loc, entry in reader.mappings(("schema",)):
        if (name := entry.get("name")) in inside:
            yield reader.document.mistake(
                loc,
                f"a folder of its own, {name}/{CONTRACT_FILE} with `of: {product.name}`, and its file beside"
                " it: its rows and its history stay",
            )


def _reader(product: Product) -> ContractReader:
    return ContractReader(Document(product.folder / CONTRACT_FILE))


def _files(product: Product) -> list[Path]:
    reader = _reader(product)
    settings, _ = read_product_settings(reader)
    names = settings.schemas.payload if settings.schemas else []
    return [product.folder / name for name in names]


def _ignored(
    schema: Any, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(schema, list):
        for number, branch in enumerate(schema):
            yield from _ignored(branch, (*path, number))
    elif isinstance(schema, Mapping):
        logical = schema.get("logicalType")
        idle = valid_logical(schema) not in _HELD_AS_THEY_ARE or schema["type"] == "fixed"
        if isinstance(logical, str) and idle and valid_logical(schema) != "decimal":
            yield path, logical
        for number, field in enumerate(schema.get("fields", ())):
            yield from _ignored(field["type"], (*path, "fields", number, "type"))
        for inner in ("items", "values", "type"):
            if not isinstance(schema.get(inner), str):
                yield from _ignored(schema.get(inner), (*path, inner))
