"""What changed between two versions of a product's schemas, and in the columns that come of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.avro import arrow, compatibility, logical_types
from pipeline.contract.changes.compare import HARMLESS, Change, fields, named, value
from pipeline.contract.model import Column, Product

Schema = Mapping[str, Any]

DESCRIBED = fields(description=HARMLESS, classification=HARMLESS, tags=HARMLESS, sources=HARMLESS)
"""What is said of a column, and changes nothing of it."""


def schemas(old: Product, new: Product) -> Iterator[Change]:
    """Tell how the schemas of envelope and payload changed."""
    was, now = old.envelope_schema, new.envelope_schema
    if was is None or now is None:
        if was != now:
            yield Change("envelope", "added" if was is None else "removed", breaking=True)
    elif was != now:
        problems = compatibility.check(now, was)
        yield Change("envelope", "; ".join(map(str, problems)) or "changed", bool(problems))
    before, after = old.payload_schemas, new.payload_schemas
    kept = min(len(before), len(after))
    for number in range(kept):
        if before[number] != after[number]:
            # Registered under this number already.
            yield Change(f"payload.v{number + 1}", "a published version changed", breaking=True)
    for number in range(kept, len(before)):
        yield Change(f"payload.v{number + 1}", "removed", breaking=True)
    for number in range(kept, len(after)):
        yield from _new_version(number + 1, before, after[number])


def _new_version(number: int, old: Sequence[Schema], schema: Schema) -> Iterator[Change]:
    problems = [problem for writer in old for problem in compatibility.check(schema, writer)]
    yield Change(f"payload.v{number}", "; ".join(map(str, problems)) or "added", bool(problems))
    before = {field["name"]: field["type"] for field in old[-1]["fields"]}
    for field in schema["fields"]:
        if field["name"] not in before:
            continue
        was, now = (
            logical_types.logical_type(one) for one in (before[field["name"]], field["type"])
        )
        if was != now:
            yield Change(f"payload.v{number}.{field['name']}", f"{was} -> {now}", breaking=True)


def columns(old: Product, new: Product) -> Iterator[Change]:
    """Tell how the columns of the payload changed, and what is said of those that stay."""
    types = [
        {field.name: str(field.type) for field in arrow.fields(product.payload_schema)}
        for product in (old, new)
    ]
    changed = named(dict, value(breaks=False, show=str), removed_breaks=True)
    yield from changed("columns", *types)
    said = [{column.name: column for column in product.columns} for product in (old, new)]
    for name in types[0].keys() & types[1].keys():
        was, now = (one.get(name, Column(name=name)) for one in said)
        yield from DESCRIBED(f"columns.{name}", was, now)
