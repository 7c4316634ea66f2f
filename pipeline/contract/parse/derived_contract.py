"""A contract of its own for one table that is derived from a product."""

from __future__ import annotations

from pydantic import ValidationError

from pipeline.contract.parse.columns import objects, report_objects
from pipeline.contract.parse.derived_tables import read_derived_tables, read_slos
from pipeline.contract.parse.header import read_header
from pipeline.contract.parse.merge import DerivedContract
from pipeline.contract.parse.odcs import check_structure
from pipeline.contract.settings.invalid import report_invalid
from pipeline.contract.settings.section import Section
from pipeline.contract.source.reader import ContractReader


class DerivedContractSettings(Section):
    """The custom property `headwater` of such a contract."""

    of: str


def derived_from(reader: ContractReader) -> str | None:
    """Return the product that the contract says it is derived `of`; None if it is a product itself.

    Empty if it describes a table alone, and does not say.
    """
    loc = reader.custom_property((), "headwater")
    value = reader.at(loc) if loc else None
    if not isinstance(value, dict):
        return None
    if "of" in value:
        return str(value["of"])
    is_table = "schemas" not in value and objects(reader, "table") and not objects(reader, "topic")
    return "" if is_table else None


def read_derived_contract(reader: ContractReader) -> DerivedContract:
    """Return what the contract adds to its product. Mistakes are reported."""
    check_structure(reader)
    header = read_header(reader)
    loc = reader.custom_property((), "headwater") or ()
    try:
        DerivedContractSettings.model_validate(reader.at(loc))
    except ValidationError as error:
        report_invalid(reader, loc, error, DerivedContractSettings)
    tables = objects(reader, "table")
    if len(tables) != 1 or objects(reader, "topic"):
        report_objects(reader, "table", "a list of one object of physicalType: table, and no topic")
    for place, entry in tables:
        if entry.get("name") != header.name:
            reader.report((*place, "name"), f"{header.name!r}, as the folder is named")
    derived_tables = read_derived_tables(reader, header)
    slos = read_slos(reader, element=header.name)
    return DerivedContract(derived_from(reader) or "", reader, derived_tables, slos)
