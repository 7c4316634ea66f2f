"""DuckDB over the Parquet files of the events table, writing Parquet files: two threads, no catalog."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.hourly.contestants import TABLES, Guarantees, statement
from benchmarks.hourly.files import files_of_hour
from benchmarks.hourly.prepare import BEFORE, PLAIN, SESSIONS, viewing_product
from pipeline.cells import Cell
from pipeline.contract.references.declared import locate
from pipeline.tables.layout import events_table

TITLE = "DuckDB, files to files"
GUARANTEES = Guarantees(
    whole="nothing: files appear as they are written, a crash leaves half of one",
    audited="nothing",
    late="whoever runs it has to know which hours to run again",
    known="no: the files are overwritten",
)
THREADS = 2


class _Runner:
    def __init__(self, hour: datetime) -> None:
        self._hour = hour
        self._product = viewing_product()
        self._engine = duckdb.connect(config={"threads": THREADS})
        self._engine.execute("SET TimeZone = 'UTC'")

    def run(self, cell: Cell) -> Mapping[str, Any]:
        folder = cell.root / "duckdb"
        folder.mkdir(exist_ok=True)
        hours = [self._hour - timedelta(hours=n) for n in range(1, BEFORE + 1)]
        before = [
            path for hour in hours for path in files_of_hour(cell, f"{PLAIN}.{SESSIONS}", hour)
        ]
        sessions = {
            SESSIONS: before,
            "user_preference_features": [*before, _file(folder, SESSIONS)],
        }
        for table in TABLES:
            self._engine.execute(
                statement(
                    "duckdb",
                    table,
                    target=_file(folder, table),
                    hour=f"{self._hour:%Y-%m-%d %H:%M:%S}+00:00",
                    date=f"{self._hour:%Y-%m-%d}",
                    events=_parquet(
                        files_of_hour(cell, events_table(self._product.name), self._hour)
                    ),
                    sessions=_parquet(sessions.get(table, [])),
                    **{
                        one.name: f"read_csv('{locate(one.source, self._product.folder)}')"
                        for one in self._product.references
                    },
                )
            )
        return {}

    def close(self) -> None:
        self._engine.close()


def start(cell: Cell, hour: datetime) -> _Runner:  # noqa: ARG001 - it starts nothing for it
    """Open an engine in memory."""
    return _Runner(hour)


def files(cell: Cell, hour: datetime) -> dict[str, list[str]]:  # noqa: ARG001 - it has one hour
    """Return the files that it has written."""
    return {table: [_file(cell.root / "duckdb", table)] for table in TABLES}


def _file(folder: Path, table: str) -> str:
    return str(folder / f"{table}.parquet")


def _parquet(paths: list[str]) -> str:
    return f"read_parquet({paths})"
