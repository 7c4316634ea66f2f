"""A contract of its own for one table that is derived from a product."""

from __future__ import annotations

from pydantic import ValidationError

from pipeline.contract.parse.columns import objects
from pipeline.contract.parse.derived_tables import read_derived_tables, read_slos
from pipeline.contract.parse.header import read_header
from pipeline.contract.parse.join import Derived
from pipeline.contract.parse.odcs import check_structure
from pipeline.contract.settings.product import Section, note
from pipeline.contract.source.findings import Findings


class DerivedSettings(Section):
    """The custom property `headwater` of such a contract."""

    of: str


def derived_from(findings: Findings) -> str | None:
    """Return the product that the contract says it is derived `of`; None if it is a product itself."""
    loc = findings.custom_property((), "headwater")
    value = findings.at(loc) if loc else None
    return str(value["of"]) if isinstance(value, dict) and "of" in value else None


def read_derived(findings: Findings) -> Derived:
    """Return what the contract adds to its product. Mistakes are noted."""
    check_structure(findings)
    header = read_header(findings)
    loc = findings.custom_property((), "headwater") or ()
    try:
        DerivedSettings.model_validate(findings.at(loc))
    except ValidationError as error:
        note(findings, loc, error)
    tables = objects(findings, "table")
    if len(tables) != 1 or objects(findings, "topic"):
        findings.add(("schema",), "one object of physicalType: table, and no topic")
    for place, entry in tables:
        if entry.get("name") != header.name:
            findings.add((*place, "name"), f"{header.name!r}, as the folder is named")
    derived_tables = read_derived_tables(findings, header)
    slos = read_slos(findings, element=header.name)
    return Derived(derived_from(findings) or "", findings, derived_tables, slos)
