"""The contract's derived tables and SLOs."""

from __future__ import annotations

from pydantic import ValidationError

from pipeline.config.nearest import did_you_mean
from pipeline.contract.model import Column, DerivedTable, Slo
from pipeline.contract.parse.columns import objects, read_columns, read_expectations
from pipeline.contract.parse.header import Header
from pipeline.contract.parse.logic import read_logic
from pipeline.contract.settings.derived_table import (
    DerivedTableSettings,
    read_derived_table_settings,
)
from pipeline.contract.settings.invalid import report_invalid
from pipeline.contract.settings.product import SloSection
from pipeline.contract.settings.units import number
from pipeline.contract.source.document import Loc
from pipeline.contract.source.reader import ContractReader
from pipeline.contract.targets import openslo
from pipeline.tables.layout import (
    BUILD_COLUMN,
    FEATURE_TIME_COLUMN,
    HOUR_COLUMN,
    KNOWN_FROM_COLUMN,
)

RESERVED = (
    *("events", "dead_letters", "publications", "ledger", "alerts"),
    *("dead_letter_states", "dead_letter_actions", "dead_letter_topic", "dead_letter_review"),
    *("topic", "watermark", "maintenance"),
    "previous",
)
"""Tables and assets that every product has, and the view that an audit has of the hour before."""
_UNITS_OF = {
    "freshness": tuple(openslo.SECONDS),
    "latency": tuple(openslo.SECONDS),
    "completeness": openslo.RATIO_UNITS,
}
"""Objectives that somebody looks after -> the units that they have."""
FEATURE_MARKS = (BUILD_COLUMN, FEATURE_TIME_COLUMN, KNOWN_FROM_COLUMN)
"""Columns that come with a feature table's own."""


def read_derived_tables(reader: ContractReader, header: Header) -> tuple[DerivedTable, ...]:
    """Return the derived tables: ODCS objects of `physicalType: table`; those with mistakes are left out.

    What depends on other contracts is not checked here: `pipeline.contract.parse.merge` does that.
    """
    found: list[DerivedTable] = []
    for loc, entry in objects(reader, "table"):
        name = entry.get("name")
        columns = read_columns(reader, loc, "what computes it gives it")
        names = {column.name for column in columns}
        for at, one in reader.mappings((*loc, "properties")):
            if one.get("name") == HOUR_COLUMN:
                reader.report((*at, "name"), f"no column {HOUR_COLUMN!r}: the engine adds it")
        expectations = read_expectations(reader, loc, names | {HOUR_COLUMN})
        settings, place = read_derived_table_settings(reader, loc)
        if settings is None:
            continue
        _check_columns(reader, settings, place, columns)
        reads_itself = any(read.table == name for read in settings.reads)
        logic = read_logic(reader, settings, place, reads_itself=reads_itself)
        if not isinstance(name, str) or logic is None:
            continue
        if name in RESERVED or any(other.name == name for other in found):
            reader.report((*loc, "name"), f"a name of its own, not {name!r}")
            continue
        try:
            found.append(
                DerivedTable(
                    name=name,
                    description=reader.text((*loc, "description")),
                    logic=logic,
                    reads=tuple(read.model() for read in settings.reads),
                    references=tuple(settings.references),
                    handover=settings.handover,
                    feature=settings.feature.model() if settings.feature else None,
                    late=settings.late.model(),
                    columns=columns,
                    expectations=expectations,
                    owner=header.owner,
                    domain=header.domain,
                    version=header.version,
                    folder=reader.folder,
                )
            )
        except ValidationError as error:
            report_invalid(reader, loc, error, DerivedTable)
    return tuple(found)


def _check_columns(
    reader: ContractReader, settings: DerivedTableSettings, loc: Loc, of_table: tuple[Column, ...]
) -> None:
    feature = settings.feature
    if feature is None:
        return
    known = {column.name: column for column in of_table}
    names = set(known)
    for taken in FEATURE_MARKS:
        if taken in names:
            reader.report((*loc, "feature"), f"no column {taken!r}: the engine adds it to features")
    drifting = [one.column for one in feature.drift]
    for key, columns in (
        ("entity", feature.entity),
        ("partitions", feature.partitions),
        ("drift", drifting),
    ):
        for position, column in enumerate(columns):
            if column not in names:
                listed, near = ", ".join(sorted(names)), did_you_mean(column, names)
                expected = f"a column of the table ({listed}); not {column!r}{near}"
                inside = ("column",) if key == "drift" else ()
                reader.report((*loc, "feature", key, position, *inside), expected)
            elif key == "drift" and known[column].personal:
                # An audit shows what it compares.
                expected = f"a column without personal data, not {column!r}"
                reader.report((*loc, "feature", key, position, "column"), expected)


def read_slos(reader: ContractReader, element: str | None = None) -> tuple[Slo, ...]:
    """Return the SLA properties, all of them objectives; `element` is what they are about by default."""
    found: list[Slo] = []
    for loc, entry in reader.mappings(("slaProperties",)):
        unit, about = entry.get("unit"), entry.get("element")
        value = number(entry.get("value"))
        if value is None:
            reader.report((*loc, "value"), f"a number, not {entry.get('value')!r}")
            continue
        if not isinstance(unit, str) or unit not in openslo.UNITS:
            reader.report((*loc, "unit"), f"one of {', '.join(openslo.UNITS)}; not {unit!r}")
            continue
        wanted = _UNITS_OF.get(str(entry.get("property")))
        if wanted is None and (near := did_you_mean(entry.get("property"), _UNITS_OF)):
            found_property = entry.get("property")
            reader.report((*loc, "property"), f"an objective, not {found_property!r}{near}")
        elif wanted is not None and unit not in wanted:
            expected = f"one of {', '.join(wanted)} for {entry.get('property')}; not {unit!r}"
            reader.report((*loc, "unit"), expected)
        section = SloSection()
        settings = reader.custom_property(loc, "headwater")
        if settings is not None:
            try:
                section = SloSection.model_validate(reader.at(settings))
            except ValidationError as error:
                report_invalid(reader, settings, error, SloSection)
        found.append(
            Slo(
                property=str(entry.get("property")),
                value=value,
                unit=unit,
                element=about if isinstance(about, str) else element,
                description=reader.text((*loc, "description")),
                target=section.target,
                window_s=section.window,
            )
        )
    return tuple(found)
