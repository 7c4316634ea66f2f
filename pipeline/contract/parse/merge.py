"""Derived tables of many contracts, merged into the product they are computed from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.config.nearest import did_you_mean
from pipeline.contract.model import EVENTS, DerivedTable, Product, Read, Slo
from pipeline.contract.parse.columns import objects
from pipeline.contract.source.document import Loc
from pipeline.contract.source.reader import ContractReader


@dataclass(frozen=True)
class DerivedContract:
    """What a contract of its own adds to the product `of`; `reader` takes what is wrong with it."""

    of: str
    reader: ContractReader
    derived_tables: tuple[DerivedTable, ...]
    slos: tuple[Slo, ...]


def merge_derived_tables(
    product: Product, own: ContractReader, parts: Iterable[DerivedContract]
) -> Product:
    """Return `product` with the tables of `parts`, each after those that it reads.

    What does not fit together is reported in the contract that says it; then the result
    is not to be used.
    """
    parts = tuple(parts)
    declared = [(own, one) for one in product.derived_tables]
    declared += [(part.reader, one) for part in parts for one in part.derived_tables]
    known: dict[str, DerivedTable] = {}
    for reader, one in declared:
        if one.name in known:
            reader.report(_place(reader, one), f"a name of its own; {one.name} is declared twice")
        known.setdefault(one.name, one)
    references = {reference.name for reference in product.references}
    for reader, one in declared:
        _check(reader, one, known, references)
    return product.model_copy(
        update={
            "derived_tables": _ordered(declared, known),
            "slos": (*product.slos, *(slo for part in parts for slo in part.slos)),
        }
    )


def _check(
    reader: ContractReader,
    table: DerivedTable,
    known: Mapping[str, DerivedTable],
    references: set[str],
) -> None:
    place = reader.custom_property(_place(reader, table), "headwater") or ()
    for position, read in enumerate(table.reads):
        loc: Loc = (*place, "reads", position)
        if read.table == table.name:
            if read.back < 1:
                reader.report(loc, "`back` of 1 or more: an hour cannot be read before it is built")
            if table.feature is not None:
                reader.report(loc, "no reading of itself: a feature table keeps every build")
        elif read.table != EVENTS and read.table not in known:
            names = ", ".join((EVENTS, *sorted(known)))
            near = did_you_mean(read.table, (EVENTS, *known))
            reader.report((*loc, "table"), f"one of {names}; not {read.table!r}{near}")
        elif read.table != EVENTS and known[read.table].feature is not None:
            reader.report((*loc, "table"), f"a table that is no feature table, not {read.table!r}")
    is_range = table.logic.incremental_by == "timeRange"
    before = [read for read in table.reads if read.table != EVENTS]
    if is_range and table.depends_on_past and before != [Read(table=table.name, back=1)]:
        reader.report(
            (*place, "incrementalBy"),
            "`hour`: a table that reads itself computes a range from `events` and from its own hour before "
            "(`hours: 1, back: 1`), and from no other table",
        )
    sources = {read.table for read in table.reads} | set(table.references)
    if sources <= {EVENTS, *known, *references}:
        _check_sources(reader, table, sources)
    if table.handover is not None and not table.depends_on_past:
        reader.report((*place, "handover"), "nothing: the table does not read itself")
    for position, name in enumerate(table.references):
        if name not in references:
            names = ", ".join(sorted(references)) or "none"
            reader.report(
                (*place, "references", position),
                f"reference data of the product ({names}); not {name!r}{did_you_mean(name, references)}",
            )
    taken = {
        **{f"{one.name}_watermark": f"the watermark of {one.name}" for one in known.values()},
        **{
            f"{one.name}_history": f"the history of {one.name}"
            for one in known.values()
            if one.feature
        },
        **dict.fromkeys(references, "reference data"),
    }
    if table.name in taken:
        reader.report((*_place(reader, table), "name"), f"another name: {taken[table.name]} has it")


def _check_sources(reader: ContractReader, table: DerivedTable, readable: set[str]) -> None:
    """Report `transformSourceObjects` that are no columns of what the table reads."""
    for loc, entry in reader.mappings((*_place(reader, table), "properties")):
        stated = entry.get("transformSourceObjects")
        for position, source in enumerate(stated if isinstance(stated, list) else ()):
            if str(source).partition(".")[0] not in readable:
                listed = ", ".join(f"{one}.<column>" for one in sorted(readable))
                place = (*loc, "transformSourceObjects", position)
                reader.report(place, f"a column of what it reads ({listed}); not {source!r}")


def _ordered(
    declared: list[tuple[ContractReader, DerivedTable]], known: Mapping[str, DerivedTable]
) -> tuple[DerivedTable, ...]:
    """Return the tables in the order in which they can be built; a cycle is reported."""
    ordered: list[DerivedTable] = []
    waiting = {one.name: reader for reader, one in declared}
    while waiting:
        ready = [
            name
            for name in waiting
            if not any(read.table in waiting and read.table != name for read in known[name].reads)
        ]
        if not ready:
            for name, reader in waiting.items():
                reader.report(
                    _place(reader, known[name]), f"reads that do not go in a circle: {name}"
                )
            break
        for name in ready:
            ordered.append(known[name])
            del waiting[name]
    return tuple(ordered)


def _place(reader: ContractReader, table: DerivedTable) -> Loc:
    for loc, entry in objects(reader, "table"):
        if entry.get("name") == table.name:
            return loc
    return ("schema",)
