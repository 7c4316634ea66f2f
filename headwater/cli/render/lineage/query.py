"""What `headwater sql` prints."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click
import pyarrow as pa

from headwater.cli.render.tables import PIPE_WIDTH, print_table
from headwater.cli.render.values import in_a_line, plain, printable
from pipeline.query.run import Answer


def print_table_names(tables: Mapping[str, Sequence[str]], *, as_json: bool) -> None:
    """Print the tables of each product."""
    if as_json:
        click.echo(json.dumps({product: list(names) for product, names in tables.items()}))
        return
    for product, names in tables.items():
        for name in names:
            click.echo(f"{product}.{name}")
    if not tables:
        click.echo("the cell has no tables yet")


def print_answer(answer: Answer, limit: int, *, as_json: bool) -> None:
    """Print an answer: an object a line for programs; for people `limit` rows, all for 0.

    For people in columns, or one value a line where they are wider than the terminal.
    """
    if as_json:
        for row in _rows(answer):
            click.echo(json.dumps(plain(row), ensure_ascii=False))
        return
    shown: list[list[str]] = []
    more = False
    for row in _rows(answer):
        if limit and len(shown) == limit:
            more = True
            break
        shown.append([printable(in_a_line(value)) for value in row.values()])
    names = answer.schema.names
    if _width(names, shown) > _terminal():
        _print_expanded(names, shown)
    else:
        numbers = [f"{one.name}#" if _is_number(one.type) else one.name for one in answer.schema]
        print_table("", numbers, shown)
    rows = f"{len(shown):,} row{'' if len(shown) == 1 else 's'}"
    click.echo(f"the first {rows}; --limit shows more" if more else rows)


def _rows(answer: Answer) -> Iterator[dict[str, Any]]:
    names = answer.schema.names
    for batch in answer.batches:
        # By place: two columns may have one name.
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield {_unlike(names, place): value for place, value in enumerate(values)}


def _unlike(names: Sequence[str], place: int) -> str:
    name = names[place]
    earlier = names[:place].count(name)
    return f"{name}:{earlier}" if earlier else name


def _print_expanded(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    longest = max(map(len, names))
    for number, row in enumerate(rows, 1):
        click.echo(f"-[ row {number} ]-")
        for name, value in zip(names, row, strict=True):
            click.echo(f"{name:<{longest}}  {value}".rstrip())


def _width(names: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    columns = ([name, *(row[place] for row in rows)] for place, name in enumerate(names))
    return sum(max(map(len, column)) + 2 for column in columns)


def _terminal() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else PIPE_WIDTH


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )
