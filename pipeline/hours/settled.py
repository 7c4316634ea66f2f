"""Up to where a product's hours are settled: closed, published and up to date, so that no look needs them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.hours.state import StateFile

_TABLES = """
CREATE TABLE IF NOT EXISTS settled_hours (
    product TEXT NOT NULL PRIMARY KEY,
    until TEXT NOT NULL,
    basis TEXT NOT NULL,
    rows INTEGER NOT NULL,
    publications INTEGER NOT NULL
) STRICT;
"""


@dataclass(frozen=True)
class SettledHours:
    """What a look at all hours found, and by which a later one tells whether it is so still.

    Attributes:
        until: every hour before it is settled.
        basis: what tells the tables that this was found of from others: where it differs, nothing is settled.
        rows: rows of events in the hours before `until`.
        publications: publications of hours before `until`, of all derived tables.
    """

    until: datetime
    basis: str
    rows: int
    publications: int


class SettledStore:
    """Settled hours by product, in a SQLite file. Lost, the next look reads all hours once.

    Every method is atomic, and safe beside other threads and processes on the same machine.
    """

    def __init__(self, path: Path) -> None:
        """Use the file at `path`, created with its folder where absent."""
        self._state = StateFile(path, _TABLES)

    def read(self, product: str) -> SettledHours | None:
        """Return what was kept last; None where nothing was."""
        with self._state.reading() as connection:
            row = connection.execute(
                "SELECT until, basis, rows, publications FROM settled_hours WHERE product = ?",
                (product,),
            ).fetchone()
        return None if row is None else SettledHours(datetime.fromisoformat(row[0]), *row[1:])

    def keep(self, product: str, settled: SettledHours) -> None:
        """Keep what a look found in place of what is there. Of two at once either may stay."""
        until = settled.until.isoformat()
        row = (product, until, settled.basis, settled.rows, settled.publications)
        with self._state.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO settled_hours VALUES (?, ?, ?, ?, ?)", row)
