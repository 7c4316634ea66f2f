"""What `headwater lineage` prints and writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from headwater.cli.lineage.gathered import Gathered
from headwater.cli.render.tables import print_table
from headwater.cli.render.values import plain, printable
from pipeline.contract.lineage.graph import LineageGraph, TableKind
from pipeline.contract.lineage.sources import SourceColumn
from pipeline.errors import TerminalError
from pipeline.event_state import TRANSITIONS, State
from pipeline.files import write_atomically
from quality.lineage.facts import CellFacts, TableFacts
from quality.lineage.page import Listed, render_index, render_page

INDEX = "index.html"


class PageUnwritableError(TerminalError):
    """A page cannot be put where it is to be."""


def print_lineage(gathered: Sequence[Gathered], *, listed: bool, as_json: bool) -> None:
    """Print products: as JSON all of each, in a list or the only one; to people trees, and columns."""
    if as_json:
        documents = [_document(one) for one in gathered]
        click.echo(json.dumps(documents if listed else documents[0], indent=2))
        return
    for one in gathered:
        _show(one)


def write_page(one: Gathered, file: Path, *, as_json: bool) -> None:
    """Write a product's page, and say where it is."""
    _write(file, render_page(one.product, one.graph, one.facts))
    _say([file], as_json=as_json)


def write_site(gathered: Sequence[Gathered], folder: Path, *, as_json: bool) -> None:
    """Write a page for each product and an index of them, the index last; say where that is."""
    listed: list[Listed] = []
    for one in gathered:
        page = render_page(one.product, one.graph, one.facts, INDEX)
        name = f"{one.product.name}.html"
        _write(folder / name, page)
        columns = sum(len(table.columns) for table in one.graph.tables)
        listed.append(Listed(one.product, name, len(one.graph.tables), columns))
    _write(folder / INDEX, render_index(listed))
    files = [folder / INDEX, *(folder / one.file for one in listed)]
    _say(files, as_json=as_json)


def _write(file: Path, page: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, page)
    except OSError as error:
        raise PageUnwritableError(
            f"the page cannot be written ({error.strerror or error}).",
            subject=str(file),
            remedy="Name a file, or without PRODUCT a folder, that you may write to.",
        ) from error


def _say(files: Sequence[Path], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"files": [str(file) for file in files]}))
        return
    more = f" and {len(files) - 1} pages" if len(files) > 1 else ""
    click.echo(f"written: {files[0]}{more}")


def _show(one: Gathered) -> None:
    product, graph, facts = one.product, one.graph, one.facts
    where = f" in {facts.cell}" if facts else ""
    click.echo(
        printable(f"{product.name} {product.version}{where}: {product.owner} ({product.domain})")
    )
    for line in _tree(graph, facts):
        click.echo(printable(line))
    if facts and facts.states:
        counts = (f"{count:,} {state.value}" for state, count in facts.states.items())
        click.echo(f"\nstates: {', '.join(counts)}")
    for table in graph.tables:
        made = [
            (column.name, _type(column.name, column.type, facts, table.name), _sources(graph, at))
            for column in table.columns
            if graph.made_from(at := SourceColumn(table.name, column.name))
        ]
        if made:
            print_table(table.name, ("column", "type", "made from"), made)


def _tree(graph: LineageGraph, facts: CellFacts | None) -> Iterator[str]:
    """Yield a line a table, below the first of those that it reads."""
    below: dict[str, list[str]] = {}
    for table in graph.tables:
        below.setdefault(table.reads[0] if table.reads else "", []).append(table.name)
    tables = {table.name: table for table in graph.tables}

    def lines(name: str, lead: str, branch: str) -> Iterator[str]:
        table = tables[name]
        also = f", with {', '.join(table.reads[1:])}" if table.reads[1:] else ""
        known = facts.tables.get(name) if facts else None
        rows = f", {known.rows:,} rows" if known else ""
        kind = "" if table.kind.replace(" ", "_") == name else f" ({table.kind})"
        yield f"{lead}{branch}{name}{kind}: {len(table.columns)} columns{rows}{also}"
        inner = lead + {"├─ ": "│  ", "└─ ": "   "}.get(branch, "")
        children = below.get(name, [])
        for place, child in enumerate(children):
            yield from lines(child, inner, "└─ " if place == len(children) - 1 else "├─ ")

    for root in below[""]:
        yield from lines(root, "", "")


def _type(column: str, said: str, facts: CellFacts | None, table: str) -> str:
    known = facts.tables.get(table) if facts else None
    return known.types.get(column, said) if known else said


def _sources(graph: LineageGraph, column: SourceColumn) -> str:
    return ", ".join(f"{one.table}.{one.column}" for one in graph.made_from(column))


def _document(one: Gathered) -> dict[str, Any]:
    product, graph, facts = one.product, one.graph, one.facts
    states = facts.states if facts else {}
    return {
        "product": product.name,
        "version": product.version,
        "owner": product.owner,
        "domain": product.domain,
        "cell": facts.cell if facts else None,
        "looked_at": plain(facts.looked_at) if facts else None,
        "topic": product.topic.name,
        "tables": [
            {
                "name": table.name,
                "kind": table.kind.value,
                "owner": table.owner,
                "description": table.description,
                "reads": list(table.reads),
                "columns": [
                    {
                        "name": column.name,
                        "type": _type(column.name, column.type, facts, table.name) or None,
                        "description": column.description,
                        "personal": column.personal,
                        "tags": list(column.tags),
                        **_lineage(graph, SourceColumn(table.name, column.name)),
                    }
                    for column in table.columns
                ],
                **_facts(facts.tables.get(table.name) if facts else None, table.kind),
            }
            for table in graph.tables
        ],
        "states": [
            {
                "state": state.value,
                "events": states.get(state),
                "may_become": sorted(follower.value for follower in TRANSITIONS[state]),
            }
            for state in State
        ],
        "objectives": [slo.model_dump(mode="json") for slo in product.slos],
    }


def _lineage(graph: LineageGraph, column: SourceColumn) -> dict[str, list[str]]:
    def named(columns: frozenset[SourceColumn]) -> list[str]:
        return sorted(f"{one.table}.{one.column}" for one in columns)

    return {
        "made_from": [f"{one.table}.{one.column}" for one in graph.made_from(column)],
        "leads_to_it": named(graph.leads_to(column)),
        "comes_of_it": named(graph.comes_of(column)),
    }


def _facts(facts: TableFacts | None, kind: TableKind) -> dict[str, Any]:
    if facts is None:
        return {}
    found: dict[str, Any] = {
        "table": facts.identifier,
        "rows": facts.rows,
        "snapshots": [
            {
                "snapshot_id": row.facts.snapshot_id,
                "parent_id": row.facts.parent_id,
                "committed_at": plain(row.facts.committed_at),
                "operation": row.facts.operation,
                "rows_added": row.added,
                "run_id": row.run_id or None,
                "offsets": {str(one.partition): [one.start, one.end] for one in row.entries},
            }
            for row in facts.snapshots
        ],
    }
    if kind in (TableKind.DERIVED, TableKind.FEATURES):
        found["hours"] = [
            {
                "hour": plain(hour.hour),
                "rows": hour.rows,
                "source_rows": hour.source_rows,
                "source_snapshot_id": hour.source_snapshot_id,
                "snapshot_id": hour.published_snapshot_id,
                "published_at": plain(hour.published_at),
                "contract_version": hour.contract_version,
                "run_id": hour.run_id,
            }
            for hour in facts.hours
        ]
    return found
