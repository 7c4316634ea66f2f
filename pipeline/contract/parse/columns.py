"""What the contract's ODCS objects say of the topic's fields: descriptions, classes, rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from pipeline.contract.checks.expectation_trial import trial_mistakes
from pipeline.contract.checks.rule_check import check_rule
from pipeline.contract.model import Column, Expectation, Rule
from pipeline.contract.source.document import Loc, as_json
from pipeline.contract.source.reader import ContractReader
from pipeline.contract.vocabulary import check_mistakes, expectation_mistakes

PANDERA = "pandera"
GREAT_EXPECTATIONS = "greatExpectations"

TYPE_KEYS = (
    "logicalTypeOptions",
    "physicalType",
    "required",
    "unique",
    "enum",
    "properties",
    "items",
)
"""Keys of an ODCS property that state a type or constraint: not the contract's to state.

ODCS demands `logicalType`; it is held to the Avro schema by `cross_checks.check_properties`.
"""


def objects(reader: ContractReader, physical_type: str) -> list[tuple[Loc, dict[str, Any]]]:
    """Return the ODCS schema objects of one `physicalType` with their places."""
    return [
        (loc, entry)
        for loc, entry in reader.mappings(("schema",))
        if entry.get("physicalType") == physical_type
    ]


def read_columns(reader: ContractReader, loc: Loc, types_from: str) -> tuple[Column, ...]:
    """Return the properties of the object at `loc`; `types_from` names what gives their types."""
    columns: list[Column] = []
    taken: dict[str, str] = {}
    for place, entry in reader.mappings((*loc, "properties")):
        name = entry.get("name")
        for key in TYPE_KEYS:
            if key in entry:
                reader.report((*place, key), f"no {key} here: {types_from}")
        if not isinstance(name, str):
            continue
        if name.lower() in taken:
            twin = taken[name.lower()]
            expected = f"each column once, in whatever case; {name!r} is here as {twin!r} too"
            reader.report((*place, "name"), expected)
            continue
        taken[name.lower()] = name
        tags, sources = entry.get("tags"), entry.get("transformSourceObjects")
        classification = entry.get("classification")
        columns.append(
            Column(
                name=name,
                description=reader.text((*place, "description")),
                classification=classification if isinstance(classification, str) else None,
                tags=tuple(map(str, tags)) if isinstance(tags, list) else (),
                sources=tuple(map(str, sources)) if isinstance(sources, list) else (),
            )
        )
    return tuple(columns)


def read_rules(
    reader: ContractReader, loc: Loc, types: Mapping[str, pa.DataType]
) -> tuple[Rule, ...]:
    """Return the business rules on the properties of the topic at `loc`, tried on columns of `types`."""
    rules: list[Rule] = []
    for place, entry in reader.mappings((*loc, "properties")):
        name = entry.get("name")
        for rule, implementation in _implementations(reader, place, PANDERA):
            check, arguments = implementation.get("check"), implementation.get("arguments", {})
            if not isinstance(check, str) or not isinstance(arguments, dict):
                reader.report((*rule, "implementation"), "a check and its arguments")
                continue
            wrong = list(check_mistakes(check, arguments))
            for expected in wrong:
                reader.report((*rule, "implementation", "check"), expected)
            if not wrong and isinstance(name, str):
                description = reader.text((*rule, "description"))
                stated = Rule(
                    column=name, check=check, arguments=arguments, description=description
                )
                if name in types:
                    check_rule(reader, (*rule, "implementation"), stated, types[name])
                if any(
                    (one.column, one.check, one.arguments) == (name, check, arguments)
                    for one in rules
                ):
                    reader.report(rule, f"each rule once; this {check} is here twice")
                rules.append(stated)
    for place, _ in reader.mappings((*loc, "quality")):
        reader.report(place, "rules on properties only: a topic as a whole has no quality checks")
    return tuple(rules)


def read_expectations(
    reader: ContractReader, loc: Loc, columns: set[str]
) -> tuple[Expectation, ...]:
    """Return the expectations on the table at `loc` and on its properties; it has these `columns`."""
    found: list[Expectation] = []
    places: list[tuple[Loc, dict[str, Any]]] = [(loc, {})]
    places += [
        (place, {"column": entry.get("name")})
        for place, entry in reader.mappings((*loc, "properties"))
    ]
    for place, implied in places:
        for rule, implementation in _implementations(reader, place, GREAT_EXPECTATIONS):
            type_, kwargs = implementation.get("type"), implementation.get("kwargs", {})
            if not isinstance(type_, str) or not isinstance(kwargs, dict):
                reader.report((*rule, "implementation"), "a type and its kwargs")
                continue
            kwargs = as_json({**implied, **kwargs})
            wrong = [*expectation_mistakes(type_, kwargs), *_unknown(kwargs, columns)]
            wrong = wrong or list(trial_mistakes(type_, kwargs))
            for expected in wrong:
                reader.report((*rule, "implementation", "type"), expected)
            if not wrong:
                said = reader.text((*rule, "description"))
                found.append(Expectation(type=type_, kwargs=kwargs, description=said))
    return tuple(found)


def _implementations(
    reader: ContractReader, loc: Loc, engine: str
) -> list[tuple[Loc, dict[str, Any]]]:
    """Return the checks of the object at `loc`; one that nothing would run is a mistake."""
    found: list[tuple[Loc, dict[str, Any]]] = []
    for place, entry in reader.mappings((*loc, "quality")):
        if entry.get("type") == "text":
            continue
        if entry.get("type") != "custom" or entry.get("engine") != engine:
            reader.report(place, f"type: custom and engine: {engine}, or type: text")
        elif isinstance(entry.get("implementation"), dict):
            found.append((place, entry["implementation"]))
        else:
            reader.report(place, "a mapping `implementation`")
    return found


def _unknown(kwargs: dict[str, Any], columns: set[str]) -> list[str]:
    named: list[str] = []
    for key, value in kwargs.items():
        if key.startswith("column") and isinstance(value, str):
            named.append(value)
        elif key in ("column_list", "column_set") and isinstance(value, list):
            named += [str(one) for one in value]
    return [
        f"columns of the table ({', '.join(sorted(columns))}); not {name!r}"
        for name in named
        if name not in columns
    ]
