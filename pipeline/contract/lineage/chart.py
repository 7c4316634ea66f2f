"""A table's column lineage, drawn: topic and reference data at the left, the table at the right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.contract.lineage.sources import SourceColumn
from pipeline.contract.lineage.trace import ColumnEdge
from pipeline.svg import COLOURS, curve, document, text

BOX, ROW, HEAD, GAP = 190, 18, 24, 18
BETWEEN, MARGIN, TOP = 110, 16, 40


def column_lineage_chart(title: str, edges: Sequence[ColumnEdge]) -> str:
    """Return an SVG document: a box a table, a row a column, a line from each column to what is made of it.

    Lines have the colour of the column that they come from.
    """
    rows = _rows(edges)
    stages = _stages(edges, rows)
    places: dict[SourceColumn, tuple[float, float]] = {}
    boxes: list[str] = []
    lowest = 0.0
    for number, tables in enumerate(stages):
        across, down = MARGIN + number * (BOX + BETWEEN), float(TOP)
        for table in tables:
            boxes += _box(table, rows[table], across, down)
            for place, column in enumerate(rows[table]):
                middle = down + HEAD + ROW * (place + 0.5)
                places[SourceColumn(table, column)] = (across, middle)
            down += HEAD + ROW * len(rows[table]) + GAP
        lowest = max(lowest, down)
    colours = {column: COLOURS[at % len(COLOURS)] for at, column in enumerate(places)}
    lines = [_line(places[one.source], places[one.column], colours[one.source]) for one in edges]
    width = 2 * MARGIN + len(stages) * BOX + (len(stages) - 1) * BETWEEN
    heading = text(MARGIN, 24, title, "start", 'font-size="15" font-weight="bold"')
    return document(title, width, int(lowest), [heading, *lines, *boxes], fixed=True)


def _rows(edges: Sequence[ColumnEdge]) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = {}
    for one in edges:
        for column in (one.column, one.source):
            named = rows.setdefault(column.table, [])
            if column.column not in named:
                named.append(column.column)
    return rows


def _stages(edges: Sequence[ColumnEdge], tables: Iterable[str]) -> list[list[str]]:
    """Return tables from left to right, each as far from the right as the longest way from it."""
    into = {
        table: {one.column.table for one in edges if one.source.table == table} for table in tables
    }
    far: dict[str, int] = {}

    def stage(table: str) -> int:
        if table not in far:
            far[table] = 1 + max(map(stage, into[table]), default=-1)
        return far[table]

    stages: list[list[str]] = [[] for _ in range(1 + max(map(stage, into), default=-1))]
    for table in into:
        stages[-1 - stage(table)].append(table)
    return stages


def _box(table: str, columns: Sequence[str], across: float, down: float) -> list[str]:
    tall = HEAD + ROW * len(columns)
    out = [
        f'<rect x="{across}" y="{down}" width="{BOX}" height="{tall}" rx="4" '
        'fill="#ffffff" stroke="#8d96a3"/>',
        f'<path d="M{across},{down + HEAD}h{BOX}" stroke="#8d96a3"/>',
        text(across + 8, down + 16, table, "start", 'font-weight="bold"'),
    ]
    for place, column in enumerate(columns):
        out.append(text(across + 8, down + HEAD + ROW * (place + 0.5) + 4, column, "start"))
    return out


def _line(source: tuple[float, float], column: tuple[float, float], colour: str) -> str:
    path = curve(source[0] + BOX, source[1], *column)
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-opacity="0.7"/>'
