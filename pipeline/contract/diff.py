"""What changed between two versions of a contract, and whether its readers or writers break."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.avro import arrow, compatibility
from pipeline.avro.logical_types import logical_type
from pipeline.contract.model import DerivedTable, Product


@dataclass(frozen=True, order=True)
class Change:
    """One difference.

    Attributes:
        path: what changed, e.g. `topic.partitions`.
        what: from what to what.
        breaking: whether a producer or reader that follows the old contract may fail, or read
            something else than before, or rows and keys would not line up with those already there.
    """

    path: str
    what: str
    breaking: bool


BREAKING_SETTINGS = ("name", "key", "event_time", "uuid")
BREAKING_TOPIC = ("name", "partitions", "record_time", "cleanup", "envelope")
# More partitions move keys; another key, clock or envelope gives old and new rows other meanings.


def diff_products(old: Product, new: Product) -> tuple[Change, ...]:
    """Return every change from `old` to `new`, ordered by path. Pure; both are valid contracts."""
    changes = [
        *_values(old, new, "", BREAKING_SETTINGS, ("version", "owner", "domain", "description")),
        *_values(
            old.topic, new.topic, "topic.", BREAKING_TOPIC, ("replication", "history", "start")
        ),
        *_retention(old, new),
        *_cells(old, new),
        *_schemas(old, new),
        *_gates(old, new),
        *_columns(old, new),
        *_values(old, new, "", (), ("allowed_lateness_s", "first_hour", "unlisted")),
        *_named("rules", _rules(old), _rules(new), removed_breaks=False),
        *_named("slos", _slos(old), _slos(new), removed_breaks=False),
        *_references(old, new),
        *_aggregates(old, new),
    ]
    return tuple(sorted(changes))


def _values(
    old: Any, new: Any, prefix: str, breaking: tuple[str, ...], harmless: tuple[str, ...]
) -> Iterator[Change]:
    for name in (*breaking, *harmless):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield Change(f"{prefix}{name}", f"{before!r} -> {after!r}", name in breaking)


def _retention(old: Product, new: Product) -> Iterator[Change]:
    for name in ("hot_ms", "warm_ms"):
        before, after = getattr(old.topic.retention, name), getattr(new.topic.retention, name)
        if before != after:
            shorter = after != -1 and (before == -1 or after < before)
            yield Change(f"topic.retention.{name}", f"{before} -> {after}", shorter)


def _cells(old: Product, new: Product) -> Iterator[Change]:
    for cell in sorted(set(old.cells) - set(new.cells)):
        yield Change(f"cells.{cell}", "removed", breaking=True)
    for cell in sorted(set(new.cells) - set(old.cells)):
        yield Change(f"cells.{cell}", "added", breaking=False)


def _schemas(old: Product, new: Product) -> Iterator[Change]:
    if old.envelope_schema and new.envelope_schema and old.envelope_schema != new.envelope_schema:
        problems = compatibility.check(new.envelope_schema, old.envelope_schema)
        yield Change("envelope", "; ".join(map(str, problems)) or "changed", bool(problems))
    kept = min(len(old.payload_schemas), len(new.payload_schemas))
    for number in range(kept):
        if old.payload_schemas[number] != new.payload_schemas[number]:
            # Registered under this number already.
            yield Change(f"payload.v{number + 1}", "a published version changed", breaking=True)
    for number in range(kept, len(old.payload_schemas)):
        yield Change(f"payload.v{number + 1}", "removed", breaking=True)
    for number in range(kept, len(new.payload_schemas)):
        yield from _new_version(number + 1, old, new.payload_schemas[number])


def _new_version(number: int, old: Product, schema: dict[str, Any]) -> Iterator[Change]:
    problems = [
        problem for writer in old.payload_schemas for problem in compatibility.check(schema, writer)
    ]
    yield Change(f"payload.v{number}", "; ".join(map(str, problems)) or "added", bool(problems))
    before = {field["name"]: field["type"] for field in old.payload_schema["fields"]}
    for field in schema["fields"]:
        if field["name"] not in before:
            continue
        was, now = (
            logical_type(before[field["name"]]),
            logical_type(field["type"]),
        )
        if was != now:
            yield Change(f"payload.v{number}.{field['name']}", f"{was} -> {now}", breaking=True)


def _gates(old: Product, new: Product) -> Iterator[Change]:
    for name in ("payload_bytes", "freshness_s", "late_s", "ahead_s"):
        before, after = getattr(old.gates, name), getattr(new.gates, name)
        if before == after:
            continue
        # No late limit is the strict gate: the freshness limit.
        floor = {"late_s": (old.gates.freshness_s, new.gates.freshness_s)}.get(name, (0, 0))
        stricter = (after or floor[1]) < (before or floor[0])
        yield Change(f"gates.{name}", f"{before} -> {after}", stricter)


def _columns(old: Product, new: Product) -> Iterator[Change]:
    before = {field.name: str(field.type) for field in arrow.fields(old.payload_schema)}
    after = {field.name: str(field.type) for field in arrow.fields(new.payload_schema)}
    yield from _named("columns", before, after, removed_breaks=True)
    described = {column.name: column for column in old.columns}
    for column in new.columns:
        was = described.get(column.name)
        if was is None:
            continue
        for name in ("description", "classification", "tags"):
            if getattr(was, name) != getattr(column, name):
                what = f"{getattr(was, name)!r} -> {getattr(column, name)!r}"
                yield Change(f"columns.{column.name}.{name}", what, breaking=False)


def _references(old: Product, new: Product) -> Iterator[Change]:
    before = {one.name: one for one in old.references}
    after = {one.name: one for one in new.references}
    for name in sorted(before.keys() | after.keys()):
        if name not in before or name not in after:
            yield Change(
                f"references.{name}", "added" if name in after else "removed", name in before
            )
            continue
        was, now = before[name], after[name]
        lost = sorted(set(was.columns) - set(now.columns))
        if lost:
            yield Change(f"references.{name}.columns", f"without {', '.join(lost)}", breaking=True)
        gained = sorted(set(now.columns) - set(was.columns))
        if gained:
            yield Change(f"references.{name}.columns", f"with {', '.join(gained)}", breaking=False)
        yield from _values(
            was, now, f"references.{name}.", ("on", "types"), ("source", "valid_from")
        )


def _aggregates(old: Product, new: Product) -> Iterator[Change]:
    before = {one.name: one for one in old.derived_tables}
    after = {one.name: one for one in new.derived_tables}
    for name in sorted(before.keys() | after.keys()):
        if name not in before or name not in after:
            yield Change(
                f"aggregates.{name}", "added" if name in after else "removed", name in before
            )
            continue
        was, now = before[name], after[name]
        yield from _values(was, now, f"aggregates.{name}.", (), ("description",))
        if was.logic.text != now.logic.text:
            yield Change(f"aggregates.{name}.logic", "another text", breaking=False)
        if was.feature != now.feature:
            yield Change(f"aggregates.{name}.feature", "changed", breaking=True)
        columns = f"aggregates.{name}.columns"
        yield from _named(columns, _names(was), _names(now), removed_breaks=True)
        if was.expectations != now.expectations:
            yield Change(f"aggregates.{name}.expectations", "changed", breaking=False)


def _names(derived_table: DerivedTable) -> dict[str, str]:
    return {column.name: column.name for column in derived_table.columns}


def _rules(product: Product) -> dict[str, str]:
    stated: dict[str, list[str]] = {}
    for rule in product.rules:
        stated.setdefault(f"{rule.column}.{rule.check}", []).append(repr(rule.arguments))
    return {path: ", ".join(arguments) for path, arguments in stated.items()}


def _slos(product: Product) -> dict[str, str]:
    return {
        f"{slo.element or product.name}.{slo.property}": f"{slo.value:g} {slo.unit} at {slo.target:g}"
        for slo in product.slos
    }


def _named(
    path: str, before: dict[str, str], after: dict[str, str], *, removed_breaks: bool
) -> Iterator[Change]:
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield Change(f"{path}.{name}", "removed", removed_breaks)
        elif name not in before:
            yield Change(f"{path}.{name}", "added", breaking=False)
        elif before[name] != after[name]:
            yield Change(f"{path}.{name}", f"{before[name]} -> {after[name]}", breaking=False)
