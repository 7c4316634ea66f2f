"""A product's graph as SVG: a box a table, a row a column, a line from each column to what is made of it.

Colours are the page's, by classes. Every column and step is there, each with its number among those of the
graph; what has no room is hidden, and the page's script shows it when it is looked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from pipeline.contract.lineage.graph import LineageGraph, LineageTable
from pipeline.contract.lineage.sources import SourceColumn
from pipeline.svg import curve, document, text

BOX, ROW, HEAD, GAP = 240, 20, 44, 22
BETWEEN, MARGIN = 110, 14
SHOWN = 40
"""So many columns of a table are drawn, unless one asks for more."""
_LETTERS = 30


@dataclass(frozen=True)
class Layout:
    """Which columns are drawn, and in which column of boxes each table is.

    Attributes:
        shown: table -> the columns that are drawn, in their order: those with steps, at most `SHOWN`.
        stages: names of tables, from left to right.
    """

    shown: Mapping[str, tuple[str, ...]]
    stages: tuple[tuple[str, ...], ...]


def lay_out(graph: LineageGraph) -> Layout:
    """Return the layout of a graph: each table as far left as what it reads lets it be."""
    stepped = {one for edge in graph.edges for one in (edge.source, edge.column)}
    shown = {
        table.name: tuple(
            column.name
            for column in table.columns
            if SourceColumn(table.name, column.name) in stepped
        )[:SHOWN]
        for table in graph.tables
    }
    far: dict[str, int] = {}
    for table in graph.tables:
        far[table.name] = 1 + max((far[one] for one in table.reads if one in far), default=-1)
    last = max(far.values(), default=-1)
    stages = (tuple(n for n, place in far.items() if place == at) for at in range(last + 1))
    return Layout(shown, tuple(stages))


def columns_of(graph: LineageGraph) -> tuple[SourceColumn, ...]:
    """Return every column of a graph in the order of their numbers."""
    return tuple(SourceColumn(one.name, c.name) for one in graph.tables for c in one.columns)


def draw(graph: LineageGraph) -> str:
    """Return the SVG of a graph, to stand in a page with its style and script."""
    layout = lay_out(graph)
    numbers = {column: number for number, column in enumerate(columns_of(graph))}
    tables = {table.name: table for table in graph.tables}
    places: dict[SourceColumn, tuple[float, float]] = {}
    tops: dict[str, tuple[float, float]] = {}
    boxes: list[str] = []
    lowest = 0.0
    for number, stage in enumerate(layout.stages):
        across, down = float(MARGIN + number * (BOX + BETWEEN)), float(MARGIN)
        for name in stage:
            shown = layout.shown[name]
            tops[name] = (across, down)
            for place, column in enumerate(shown):
                middle = down + HEAD + ROW * (place + 0.5)
                places[SourceColumn(name, column)] = (across, middle)
            boxes += _box(tables[name], shown, numbers, across, down)
            down += _tall(tables[name], shown) + GAP
        lowest = max(lowest, down)
    lines = [
        _step(places, edge.source, edge.column, numbers[edge.source], numbers[edge.column])
        for edge in graph.edges
    ]
    width = 2 * MARGIN + len(layout.stages) * BOX + (len(layout.stages) - 1) * BETWEEN
    return document(
        f"Columns of {graph.product}",
        width,
        int(lowest),
        [*_reads(graph, tops), *lines, *boxes],
        fixed=True,
        background=None,
        more='id="graph" class="graph" role="application" tabindex="0" '
        'aria-label="Columns; move with the arrow keys, choose with Enter"',
    )


def _tall(table: LineageTable, shown: Sequence[str]) -> float:
    rows = len(shown) + (1 if len(shown) < len(table.columns) else 0)
    return HEAD + ROW * rows + 6


def _box(
    table: LineageTable,
    shown: Sequence[str],
    numbers: Mapping[SourceColumn, int],
    across: float,
    down: float,
) -> list[str]:
    name = escape(table.name, quote=True)
    kind = table.kind.replace(" ", "-")
    out = [
        f'<g class="table {kind}" data-table="{name}" transform="translate({across:g} {down:g})">',
        f'<rect class="box" width="{BOX}" height="{_tall(table, shown):g}" rx="8"/>',
        f'<path class="band" d="M0,8a8,8 0 0 1 8,-8h{BOX - 16}a8,8 0 0 1 8,8v4h{-BOX}z"/>',
        text(12, 24, _cut(table.name), "start", 'class="name"'),
        text(12, 38, f"{table.kind} · {len(table.columns)} columns", "start", 'class="kind"'),
    ]
    place = 0
    for column in table.columns:
        is_shown = column.name in shown
        y = HEAD + ROW * place if is_shown else HEAD
        place += is_shown
        number = numbers[SourceColumn(table.name, column.name)]
        hidden = "" if is_shown else ' display="none"'
        title = f"{table.name}.{column.name}" + (f": {column.type}" if column.type else "")
        out.append(
            f'<g class="column" data-column="{number}" transform="translate(0 {y:g})"{hidden}>'
            f'<title>{escape(title)}</title><rect class="row" x="1" width="{BOX - 2}" height="{ROW}"/>'
            + text(12, 14, _cut(column.name), "start")
            + (
                f'<circle class="personal" cx="{BOX - 14}" cy="10" r="3"/>'
                if column.personal
                else ""
            )
            + "</g>"
        )
    more = len(table.columns) - len(shown)
    hidden = "" if more else ' display="none"'
    out.append(
        f'<g class="more" data-more="{name}" transform="translate(0 {HEAD + ROW * len(shown):g})"{hidden}>'
        f'<rect class="row" x="1" width="{BOX - 2}" height="{ROW}"/>'
        + text(12, 14, f"+ {more} more", "start")
        + "</g></g>"
    )
    return out


def _step(
    places: Mapping[SourceColumn, tuple[float, float]],
    source: SourceColumn,
    column: SourceColumn,
    start: int,
    end: int,
) -> str:
    named = f'class="step" data-from="{start}" data-to="{end}"'
    if source not in places or column not in places:
        return f'<path {named} display="none"/>'
    (left, up), (right, down) = places[source], places[column]
    return f'<path {named} d="{curve(left + BOX, up, right, down)}"/>'


def _reads(graph: LineageGraph, tops: Mapping[str, tuple[float, float]]) -> list[str]:
    """Return lines from table to table where no column of the one is made from the other."""
    stepped = {(edge.source.table, edge.column.table) for edge in graph.edges}
    return [
        f'<path class="read" data-from="{escape(one)}" data-to="{escape(table.name)}" '
        f'd="{curve(tops[one][0] + BOX, tops[one][1] + 20, tops[table.name][0], tops[table.name][1] + 20)}"/>'
        for table in graph.tables
        for one in table.reads
        if one in tops and (one, table.name) not in stepped
    ]


def _cut(name: str) -> str:
    return name if len(name) <= _LETTERS else name[: _LETTERS - 1] + "…"
