"""A product's lineage as one HTML file that needs no network, and an index of several."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.contract.lineage.graph import LineageGraph, LineageTable, TableKind
from pipeline.contract.lineage.sources import SourceColumn
from pipeline.contract.model import Product
from pipeline.ledger.model import Entry
from quality.lineage.drawing import BOX, GAP, HEAD, ROW, SHOWN, columns_of, draw
from quality.lineage.facts import CellFacts, TableFacts
from quality.lineage.states import draw_states

TEMPLATES = Path(__file__).parent / "templates"
HINT = "Type a column's name, or press one in the drawing: what leads to it and what comes of it stands out."
_TYPE = 32
"""So many letters of a type are shown."""
_RANGES = 4
"""So many partitions' offsets of one snapshot are shown."""


@dataclass(frozen=True)
class ColumnRow:
    """A column as a page lists it; `comes_from` are the topic's fields and reference columns in the end."""

    number: int
    name: str
    address: str
    type: str
    description: str
    personal: bool
    tags: tuple[str, ...]
    made_from: tuple[str, ...]
    comes_from: tuple[str, ...]


@dataclass(frozen=True)
class TableRows:
    """A table as a page lists it; `is_small` ones are shown unfolded."""

    name: str
    kind: TableKind
    owner: str
    description: str
    columns: tuple[ColumnRow, ...]
    facts: TableFacts | None
    is_small: bool


def render_page(
    product: Product, graph: LineageGraph, facts: CellFacts | None = None, index: str = ""
) -> str:
    """Return the page of a product, with what a cell has if that was looked at; `index` is a page to link to.

    Self-contained: no request is made, and its own policy allows none. All that contracts and tables say is
    escaped. Values of rows are not in it.
    """
    columns = columns_of(graph)
    numbers = {column: number for number, column in enumerate(columns)}
    names = [table.name for table in graph.tables]
    places = {name: place for place, name in enumerate(names)}
    data = {
        "tables": names,
        "columns": [[places[one.table], one.column] for one in columns],
        "edges": [[numbers[edge.source], numbers[edge.column]] for edge in graph.edges],
        "sizes": {"BOX": BOX, "ROW": ROW, "HEAD": HEAD, "GAP": GAP, "SHOWN": SHOWN},
        "hint": HINT,
    }
    known: Mapping[str, TableFacts] = facts.tables if facts else {}
    return (
        _environment()
        .get_template("page.html.jinja")
        .render(
            policy=_policy(),
            style=Markup(_text("page.css")),  # noqa: S704 - our own file
            script=Markup(_text("page.js")),  # noqa: S704 - our own file
            data=Markup(_json(data)),  # noqa: S704 - no `<` is left in it
            drawing=Markup(draw(graph)),  # noqa: S704 - names are escaped in it
            states=Markup(draw_states(facts.states if facts else {})),  # noqa: S704 - as above
            product=product,
            graph=graph,
            columns=columns,
            tables=[_rows(graph, one, numbers, known.get(one.name)) for one in graph.tables],
            facts=facts,
            fates=_fates(facts),
            index=index,
        )
    )


@dataclass(frozen=True)
class Listed:
    """A product that an index links to, and its page beside it."""

    product: Product
    file: str
    tables: int
    columns: int


def render_index(products: Sequence[Listed]) -> str:
    """Return a page that links to the pages of products."""
    style = Markup(_text("page.css"))  # noqa: S704 - our own file
    template = _environment().get_template("index.html.jinja")
    return template.render(policy=_policy(), style=style, products=products)


def _rows(
    graph: LineageGraph,
    table: LineageTable,
    numbers: Mapping[SourceColumn, int],
    facts: TableFacts | None,
) -> TableRows:
    types = facts.types if facts else {}
    rows = []
    for one in table.columns:
        column = SourceColumn(table.name, one.name)
        ends = (far for far in graph.leads_to(column) if not graph.made_from(far))
        rows.append(
            ColumnRow(
                numbers[column],
                one.name,
                quote(f"{table.name}.{one.name}", safe=""),
                types.get(one.name, one.type),
                one.description,
                one.personal,
                one.tags,
                _named(graph.made_from(column)),
                _named(sorted(ends, key=numbers.__getitem__)),
            )
        )
    return TableRows(
        table.name,
        table.kind,
        table.owner,
        table.description,
        tuple(rows),
        facts,
        table.kind in (TableKind.DERIVED, TableKind.FEATURES) and len(rows) <= SHOWN,
    )


def _named(columns: Sequence[SourceColumn]) -> tuple[str, ...]:
    return tuple(f"{one.table}.{one.column}" for one in columns)


def _fates(facts: CellFacts | None) -> str:
    found = facts.by_fate if facts and facts.by_fate else {}
    return ", ".join(f"{count:,} {fate}" for fate, count in sorted(found.items()))


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["number"] = lambda value: f"{value:,}"
    made.filters["time"] = lambda at: f"{at:%Y-%m-%d %H:%M:%S}"
    made.filters["hour"] = lambda at: f"{at:%Y-%m-%d %H}:00"
    made.filters["ranges"] = _ranges
    made.filters["type"] = _short
    return made


def _short(type_: str) -> str:
    """Return a type without the numbers of its fields, and cut where it is long."""
    plain = re.sub(r"\b\d+: |\boptional |\brequired ", "", type_)
    return plain if len(plain) <= _TYPE else f"{plain[: _TYPE - 1]}…"


def _ranges(entries: Sequence[Entry]) -> str:
    shown = ", ".join(f"{one.partition}: {one.start:,} to {one.end:,}" for one in entries[:_RANGES])
    more = len(entries) - _RANGES
    return f"{shown} and of {more} more" if more > 0 else shown


@cache
def _text(name: str) -> str:
    return (TEMPLATES / name).read_text()


def _policy() -> str:
    """Return a policy under which nothing is fetched, and nothing runs but the page's own script."""
    return (
        f"default-src 'none'; style-src '{_hash('page.css')}'; script-src '{_hash('page.js')}'; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _hash(name: str) -> str:
    digest = hashlib.sha256(_text(name).encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _json(value: object) -> str:
    """Return JSON that may stand in a script element: what could end it is escaped."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
