"""Up to where a product's hours are settled: closed, published and up to date, so that no look needs them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline.state.port import State

_TABLES = """
CREATE TABLE IF NOT EXISTS {at}settled_hours (
    product {text} NOT NULL PRIMARY KEY,
    until {text} NOT NULL,
    basis {text} NOT NULL,
    rows {integer} NOT NULL,
    publications {integer} NOT NULL
) {strict};
"""
_SETTLED = "SELECT until, basis, rows, publications FROM {at}settled_hours WHERE product = ?"
_KEEP = """
INSERT INTO {at}settled_hours VALUES (?, ?, ?, ?, ?) ON CONFLICT (product) DO UPDATE SET
    until = excluded.until, basis = excluded.basis, rows = excluded.rows,
    publications = excluded.publications
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
    """Settled hours by product, in a cell's state. Lost, the next look reads all hours once.

    Every method is atomic, and safe beside whoever else uses the state. Raises what `State` does.
    """

    def __init__(self, state: State) -> None:
        """Use `state`, with tables of its own that are created where absent."""
        state.have(_TABLES)
        self._state = state

    def read(self, product: str) -> SettledHours | None:
        """Return what was kept last; None where nothing was."""
        with self._state.reading() as connection:
            found = connection.execute(_SETTLED, (product,))
        for until, basis, rows, publications in found:
            return SettledHours(datetime.fromisoformat(until), basis, rows, publications)
        return None

    def keep(self, product: str, settled: SettledHours) -> None:
        """Keep what a look found in place of what is there. Of two at once either may stay."""
        until = settled.until.isoformat()
        row = (product, until, settled.basis, settled.rows, settled.publications)
        with self._state.writing() as connection:
            connection.execute(_KEEP, row)
