"""Events of any contract: values that its types, examples, rules and reference data allow."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from headwater.produce.changes import WHOLE, PlausibleChanges
from headwater.produce.event_time import TIME_UNITS, event_time_field
from headwater.produce.hints import read_hints
from headwater.produce.model import Event
from headwater.produce.uuids import random_uuids
from pipeline.avro.field_path import value_at, with_value
from pipeline.avro.logical_types import without_ignored
from pipeline.avro.schema import Schema, kind_of, logical_of
from pipeline.contract.folders import CONTRACT_FILE
from pipeline.contract.model import Product, Rule
from pipeline.contract.references.data import load_reference
from pipeline.contract.settings.generate import GeneratedFieldSection
from pipeline.contract.source.document import Document
from pipeline.contract.source.reader import ContractReader
from pipeline.rows.convert import value_converter

SECOND = 1_000_000
DAY = 86_400 * SECOND
TEXTS = 50
"""Different texts of a column that nothing else is known of."""
NULLS = 0.03
"""Share of nulls where a field may be null."""


class Plausible:
    """Makes up events of a product. The same seed, contract and calls give the same events.

    A field's values are drawn from the `examples` that the contract has for it, or else from what its rules
    allow, or from its type. Those that reference data is joined on are drawn from that data.
    """

    def __init__(self, product: Product, seed: int) -> None:
        """Read the contract and its reference data.

        Raises:
            ReferenceDataError: reference data cannot be read.
        """
        self._product = product
        self._rng = np.random.default_rng(seed)
        self._schema = Schema(without_ignored(product.payload_schema))
        self._to_field = event_time_field(product)
        self._changes = PlausibleChanges(product.key)
        self._examples = _examples(product)
        self._hints = read_hints(product)
        self._joined = [
            (
                names,
                load_reference(product, one)
                .frame.select(names)
                .drop_nulls()
                .unique(maintain_order=True),
            )
            for one in product.references
            if (names := [name for name in one.on if name != product.event_time])
        ]

    def events(self, start: int, end: int, count: int) -> list[Event]:
        """Return exactly `count` events of [start, end), by event time, in microseconds since the epoch."""
        times = np.sort(self._rng.integers(start, max(end, start + 1), count)).tolist()
        uuids = random_uuids(self._rng, count)
        columns = {
            field["name"]: self._column(field, times, uuids)
            for field in self._schema.root["fields"]
        }
        for names, frame in self._joined:
            if frame.height:
                rows = self._favoured(frame.rows(), count)
                columns |= {name: [row[at] for row in rows] for at, name in enumerate(names)}
        in_rows = zip(*columns.values(), strict=True)
        payloads = [
            self._whole(dict(zip(columns, row, strict=True)), time, uuid)
            for row, time, uuid in zip(in_rows, times, uuids, strict=True)
        ]
        keys = [self._key(one) for one in payloads]
        return [Event(*parts) for parts in zip(keys, uuids, times, payloads, strict=True)]

    def busyness(self, start: int, end: int) -> float:
        """Return how busy [start, end) is: as any other of its length."""
        return float(end - start)

    def _whole(self, payload: dict[str, Any], time: int, uuid: str) -> dict[str, Any]:
        """Return a payload with what stands within its records; a change as one that could be."""
        product = self._product
        if product.topic.debezium:
            payload = self._changes.change(payload, time)
        if "." in product.event_time:
            payload = with_value(payload, product.event_time, self._to_field(time))
        if product.uuid and "." in product.uuid:
            payload = with_value(payload, product.uuid, uuid)
        return payload

    def _key(self, payload: Mapping[str, Any]) -> str:
        found = (value_at(payload, path) for path in self._product.key_paths)
        return str(next((one for one in found if one is not None), ""))

    def _column(self, field: Mapping[str, Any], times: list[int], uuids: list[str]) -> list[Any]:
        name, count = field["name"], len(times)
        if name == self._product.event_time:
            return [self._to_field(one) for one in times]
        if name == self._product.uuid:
            return list(uuids)
        type_ = self._schema.deref(field["type"])
        rules = [rule for rule in self._product.rules if rule.column == name]
        is_key = name == self._product.key
        hint = self._hints.fields.get(name, GeneratedFieldSection())
        if hint.range is not None:
            low, high = hint.range
            rules = [
                Rule(column=name, check="in_range", arguments={"min_value": low, "max_value": high})
            ]
        if hint.values is not None:
            values = self._stated(hint, type_, count)
        elif hint.range is None and self._examples.get(name):
            values = self._favoured(self._examples[name], count)
        else:
            distinct = self._hints.keys if is_key else TEXTS
            values = self._values(type_, name, times, rules, distinct=distinct)
        may_be_null = isinstance(type_, list) and "null" in type_ and not is_key
        may_be_null &= not (self._product.topic.debezium and name in WHOLE)
        if not may_be_null:
            return values
        nulls = self._rng.random(count) < (NULLS if hint.nulls is None else hint.nulls)
        return [None if null else one for one, null in zip(values, nulls, strict=True)]

    def _values(
        self, type_: Any, name: str, times: list[int], rules: Sequence[Rule], *, distinct: int
    ) -> list[Any]:
        """Return as many values of a type as there are `times`, which instants are near to."""
        count = len(times)
        found = self._schema.branch(type_) or self._first(type_)
        kind, logical = kind_of(found), logical_of(found)
        allowed = next(
            (rule.arguments["allowed_values"] for rule in rules if rule.check == "isin"), None
        )
        if allowed:
            return self._favoured(list(allowed), count)
        if logical in TIME_UNITS:
            return [one // TIME_UNITS[logical] for one in times]
        if logical == "date":
            return [date.fromordinal(date(1970, 1, 1).toordinal() + one // DAY) for one in times]
        if logical == "decimal":
            return self._decimals(found, rules, count)
        if logical == "uuid":
            return random_uuids(self._rng, count)
        match kind:
            case "boolean":
                return [one < 0.5 for one in self._rng.random(count).tolist()]
            case "int" | "long":
                low, high = _bounds(rules)
                whole = int(np.ceil(low)), int(np.floor(high)) + 1
                return [*self._rng.integers(*whole, count).tolist()]
            case "float" | "double":
                low, high = _bounds(rules)
                return [*np.round(low + (high - low) * self._rng.beta(2, 4, count), 4).tolist()]
            case "string":
                texts = [_text(rules, f"{name}-{number}") for number in range(distinct)]
                return self._favoured(texts, count)
            case "enum":
                return self._favoured(found["symbols"], count)
            case "bytes" | "fixed":
                size = found["size"] if kind == "fixed" else 8
                return [self._rng.bytes(size) for _ in range(count)]
            case "record":
                parts = {
                    one["name"]: self._values(one["type"], one["name"], times, (), distinct=TEXTS)
                    for one in found["fields"]
                }
                return [
                    dict(zip(parts, row, strict=True)) for row in zip(*parts.values(), strict=True)
                ]
            case "array" | "map":
                return self._several(found, name, times, is_map=kind == "map")
        return [None] * count

    def _several(
        self, found: Mapping[str, Any], name: str, times: list[int], *, is_map: bool
    ) -> list[Any]:
        sizes = self._rng.integers(0, 4, len(times)).tolist()
        inner_times = [time for time, size in zip(times, sizes, strict=True) for _ in range(size)]
        of = found["values" if is_map else "items"]
        inner = iter(self._values(of, name, inner_times, (), distinct=TEXTS))
        lists = [[next(inner) for _ in range(size)] for size in sizes]
        keys = string.ascii_lowercase
        return [dict(zip(keys, one, strict=False)) for one in lists] if is_map else lists

    def _decimals(
        self, found: Mapping[str, Any], rules: Sequence[Rule], count: int
    ) -> list[Decimal]:
        scale = found.get("scale", 0)
        low, high = _bounds(rules)
        most = 10 ** (found["precision"] - scale) - 1
        drawn = np.clip(
            low + (high - low) * self._rng.beta(2, 4, count), max(low, -most), min(high, most)
        )
        step = Decimal(1).scaleb(-scale)
        return [Decimal(repr(one)).quantize(step) for one in drawn.tolist()]

    def _stated(self, hint: GeneratedFieldSection, type_: Any, count: int) -> list[Any]:
        """Return `count` of the values that the contract wants, each as often as it says."""
        convert = value_converter(self._schema.standalone(type_))
        found = self._schema.branch(type_)
        scale = -found.get("scale", 0) if logical_of(found) == "decimal" else None
        values = [convert(one) for one in hint.values or ()]
        if scale is not None:
            # Made up as a decimal, where a file's is its unscaled number.
            values = [Decimal(one).scaleb(scale) for one in values]
        if hint.weights is None:
            return self._favoured(values, count)
        shares = np.array(hint.weights) / sum(hint.weights)
        return [values[at] for at in self._rng.choice(len(values), count, p=shares).tolist()]

    def _favoured(self, values: Sequence[Any], count: int) -> list[Any]:
        """Return `count` of `values`, the first of them more often, as things in the world are."""
        weights = 1.0 / np.arange(1, len(values) + 1) ** self._hints.skew
        at = np.searchsorted(np.cumsum(weights / weights.sum()), self._rng.random(count))
        return [values[one] for one in at.clip(max=len(values) - 1).tolist()]

    def _first(self, type_: Any) -> Any:
        """Return the first type besides null of a union of several."""
        return next(
            (self._schema.deref(one) for one in self._schema.deref(type_) if one != "null"), "null"
        )


def _bounds(rules: Sequence[Rule]) -> tuple[float, float]:
    """Return what numbers may be between, within 0 and 1,000 where no rule says otherwise."""
    low = [float(rule.arguments["min_value"]) for rule in rules if "min_value" in rule.arguments]
    high = [float(rule.arguments["max_value"]) for rule in rules if "max_value" in rule.arguments]
    if not low and not high:
        return 0.0, 1_000.0
    least = max(low) if low else min(high) - 1_000.0
    most = min(high) if high else least + 1_000.0
    strict = [rule for rule in rules if rule.check in ("greater_than", "less_than")]
    return (least + 1, most) if strict and most - least > 1 else (least, most)


def _text(rules: Sequence[Rule], plain: str) -> str:
    """Return a text that its prefix, suffix and longest length allow, of those that no pattern is set for."""
    start = next((rule.arguments["string"] for rule in rules if rule.check == "str_startswith"), "")
    end = next((rule.arguments["string"] for rule in rules if rule.check == "str_endswith"), "")
    text = f"{start}{plain}{end}"
    for rule in rules:
        if rule.check == "str_length":
            exact = rule.arguments.get("exact_value")
            least = exact if exact is not None else rule.arguments.get("min_value", 0)
            most = exact if exact is not None else rule.arguments.get("max_value", len(text))
            # Cut in front, where texts of one column are alike.
            text = text.rjust(least or 0, "0")[-most:] if most else ""
    return text


def _examples(product: Product) -> Mapping[str, list[Any]]:
    reader = ContractReader(Document(product.folder / CONTRACT_FILE))
    found: dict[str, list[Any]] = {}
    for loc, entry in reader.mappings(("schema",)):
        if entry.get("physicalType") == "topic":
            for _, one in reader.mappings((*loc, "properties")):
                if isinstance(one.get("examples"), list):
                    found[str(one.get("name"))] = one["examples"]
    return found
