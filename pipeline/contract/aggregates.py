"""The contract's aggregates and SLOs."""

from __future__ import annotations

from pydantic import ValidationError

from pipeline.contract.columns import objects, read_columns, read_expectations
from pipeline.contract.document import Loc
from pipeline.contract.findings import Findings
from pipeline.contract.model import Aggregate, Slo
from pipeline.contract.own_settings import AggregateSection, SloSection, note
from pipeline.contract.targets import openslo

HOUR_COLUMN = "hour"
RESERVED = ("events", "dead_letters", "publications", "ledger")
"""Names of tables that every product has."""


def read_aggregates(findings: Findings) -> tuple[Aggregate, ...]:
    """Return the aggregates: ODCS objects of `physicalType: table`; those with mistakes are left out."""
    found: list[Aggregate] = []
    for loc, entry in objects(findings, "table"):
        name = entry.get("name")
        columns = read_columns(findings, loc, "its SQL statement gives it")
        names = {column.name for column in columns}
        if HOUR_COLUMN in names:
            findings.add(loc, f"no column {HOUR_COLUMN!r}: the engine adds it")
        expectations = read_expectations(findings, loc, names | {HOUR_COLUMN})
        sql = _statement(findings, loc)
        if not isinstance(name, str) or sql is None:
            continue
        if name in RESERVED or any(other.name == name for other in found):
            findings.add((*loc, "name"), f"a name of its own, not {name!r}")
            continue
        try:
            found.append(
                Aggregate(
                    name=name,
                    description=findings.text((*loc, "description")),
                    sql=sql,
                    columns=columns,
                    expectations=expectations,
                )
            )
        except ValidationError as error:
            note(findings, loc, error)
    return tuple(found)


def _statement(findings: Findings, loc: Loc) -> str | None:
    settings = findings.custom_property(loc, "headwater")
    if settings is None:
        findings.add(loc, "a custom property `headwater` that names its `sql` file")
        return None
    try:
        section = AggregateSection.model_validate(findings.at(settings))
    except ValidationError as error:
        note(findings, settings, error)
        return None
    text = findings.read_text((*settings, "sql"), section.sql, "a file of one SQL statement")
    if text is None:
        return None
    statement = text.strip().removesuffix(";").rstrip()
    if not statement:
        findings.add((*settings, "sql"), f"one SQL statement in {section.sql}; it is empty")
        return None
    return statement


def read_slos(findings: Findings) -> tuple[Slo, ...]:
    """Return the SLA properties that are objectives: all of them."""
    found: list[Slo] = []
    for loc, entry in findings.mappings(("slaProperties",)):
        value, unit, element = entry.get("value"), entry.get("unit"), entry.get("element")
        if isinstance(value, bool) or not isinstance(value, int | float):
            findings.add((*loc, "value"), f"a number, not {value!r}")
            continue
        if not isinstance(unit, str) or unit not in openslo.UNITS:
            findings.add((*loc, "unit"), f"one of {', '.join(openslo.UNITS)}; not {unit!r}")
            continue
        section = SloSection()
        settings = findings.custom_property(loc, "headwater")
        if settings is not None:
            try:
                section = SloSection.model_validate(findings.at(settings))
            except ValidationError as error:
                note(findings, settings, error)
        found.append(
            Slo(
                property=str(entry.get("property")),
                value=float(value),
                unit=unit,
                element=element if isinstance(element, str) else None,
                description=findings.text((*loc, "description")),
                target=section.target,
                window_s=section.window,
            )
        )
    return tuple(found)
