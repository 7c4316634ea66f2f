"""What a user's own systems were given to keep: objects in S3, and rows in PostgreSQL."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator

from sqlalchemy import MetaData, create_engine, inspect, select

import headwater
from tests.support import warehouse


def objects(cell: headwater.Cell) -> Iterator[bytes]:
    """Yield the content of every object below the cell's warehouse in S3; nothing of one in files."""
    if cell.s3:
        for path in warehouse.files(cell, cell.warehouse, ""):
            yield warehouse.read(cell, path)


def rows(url: str) -> Iterator[bytes]:
    """Yield every value of every table of a database, as it is and without its compression by zlib."""
    engine, tables = create_engine(url), MetaData()
    try:
        for schema in inspect(engine).get_schema_names():
            if schema != "information_schema":
                tables.reflect(engine, schema=schema)
        with engine.connect() as connection:
            for table in tables.sorted_tables:
                for row in connection.execute(select(table)):
                    for value in row:
                        yield from _forms(value)
    finally:
        engine.dispose()


def _forms(value: object) -> Iterator[bytes]:
    content = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
    yield content
    with contextlib.suppress(zlib.error):
        yield zlib.decompress(content)
