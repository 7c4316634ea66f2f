"""What the contract's ODCS objects say of the topic's fields: descriptions, classes, rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from pipeline.config.nearest import did_you_mean
from pipeline.contract.checks.expectation_trial import trial_mistakes
from pipeline.contract.checks.rule_check import check_rule
from pipeline.contract.model import PII, Column, Expectation, Rule
from pipeline.contract.source.document import Loc, as_json
from pipeline.contract.source.reader import ContractReader
from pipeline.contract.vocabulary import check_mistakes, expectation_mistakes

PANDERA = "pandera"
GREAT_EXPECTATIONS = "greatExpectations"

_NEARLY_PII = (PII, "personal", "personal data", "personal_data", "personally identifiable")
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


def report_objects(reader: ContractReader, physical_type: str, expected: str) -> None:
    """Report that there is not one object of a `physicalType`: at the type, if one object has another."""
    entries = list(reader.mappings(("schema",)))
    if len(entries) == 1 and "physicalType" in (only := entries[0][1]):
        found = only["physicalType"]
        reader.report((*entries[0][0], "physicalType"), f"{physical_type}, not {found!r}")
    else:
        count = len(objects(reader, physical_type))
        reader.report(("schema",), f"{expected}; there {'is' if count == 1 else 'are'} {count}")


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
            found = "is here twice" if name == twin else f"is here as {twin!r} too"
            expected = f"each column once, in whatever case; {name!r} {found}"
            reader.report((*place, "name"), expected)
            continue
        taken[name.lower()] = name
        tags, sources = entry.get("tags"), entry.get("transformSourceObjects")
        classification = entry.get("classification")
        _check_personal(reader, place, classification, tags)
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


def _check_personal(reader: ContractReader, loc: Loc, classification: object, tags: object) -> None:
    """Report what is nearly the word for personal data: nothing would keep such a column back."""
    said: list[tuple[Loc, object]] = [(("classification",), classification)]
    said += [(("tags", at), one) for at, one in enumerate(tags if isinstance(tags, list) else ())]
    for place, word in said:
        if isinstance(word, str) and word != PII and word.strip().lower() in _NEARLY_PII:
            reader.report((*loc, *place), f"{PII!r}, which personal data is called; not {word!r}")


def read_rules(
    reader: ContractReader, loc: Loc, types: Mapping[str, pa.DataType]
) -> tuple[Rule, ...]:
    """Return the business rules on the properties of the topic at `loc`, tried on columns of `types`."""
    rules: list[Rule] = []
    for place, entry in reader.mappings((*loc, "properties")):
        name = entry.get("name")
        for rule, implementation in _implementations(reader, place, PANDERA):
            check, arguments = implementation.get("check"), implementation.get("arguments", {})
            if not isinstance(check, str):
                reader.report((*rule, "implementation", "check"), f"a pandera check, not {check!r}")
                continue
            if not isinstance(arguments, dict):
                expected = f"a mapping such as {{min_value: 0}}, not {arguments!r}"
                reader.report((*rule, "implementation", "arguments"), expected)
                continue
            wrong = list(check_mistakes(check, arguments))
            for at, expected in wrong:
                reader.report((*rule, "implementation", *at), expected)
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
            wrong = wrong or [(("type",), said) for said in trial_mistakes(type_, kwargs)]
            for at, expected in wrong:
                reader.report((*rule, "implementation", *at), expected)
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


def _unknown(kwargs: dict[str, Any], columns: set[str]) -> list[tuple[tuple[str | int, ...], str]]:
    named: list[tuple[tuple[str | int, ...], str]] = []
    for key, value in kwargs.items():
        if key.startswith("column") and isinstance(value, str):
            named.append((("kwargs", key), value))
        elif key in ("column_list", "column_set") and isinstance(value, list):
            named += [(("kwargs", key, at), str(one)) for at, one in enumerate(value)]
    listed = ", ".join(sorted(columns))
    return [
        (place, f"columns of the table ({listed}); not {name!r}{did_you_mean(name, columns)}")
        for place, name in named
        if name not in columns
    ]
