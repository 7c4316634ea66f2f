"""The port by which a cell's state is read and written, wherever it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from pipeline.errors import RetryableError, TerminalError

Value = str | int
Row = tuple[Any, ...]


class StateUnavailableError(RetryableError):
    """The state did not answer, or stayed locked for too long."""


class StateRefusedError(TerminalError):
    """The state's database answered and refused: a login, a name, a right that is missing."""


class StateConnection(Protocol):
    """One transaction.

    Statements are SQL that SQLite and PostgreSQL both have, with `?` for values and words in braces:
    `{at}` before the name of a table, the types `{text}` (ordered by code points) and `{integer}` (64 bits),
    `{strict}` at the end of a table, and `{now}`, the database's own clock in milliseconds since 1970.
    """

    def execute(self, statement: str, values: Sequence[Value] = ()) -> list[Row]:
        """Execute a statement and return its rows; none where it gives none."""

    def execute_many(self, statement: str, rows: Iterable[Sequence[Value]]) -> None:
        """Execute a statement for each of `rows`; nothing where there are none."""


class State(Protocol):
    """Where tables of state are. Usable from any thread; holds no transaction between calls.

    Every method raises StateUnavailableError where another attempt may succeed and StateRefusedError where
    PostgreSQL refuses; of SQLite DiskFullError and FileDamagedError.
    """

    def have(self, tables: str) -> None:
        """Create what is absent of `tables`, statements of `CREATE ... IF NOT EXISTS`. Safe beside others."""

    def reading(self) -> AbstractContextManager[StateConnection]:
        """Return a connection to read by."""

    def writing(self) -> AbstractContextManager[StateConnection]:
        """Return a connection whose transaction is kept whole or, if the block raises, not at all."""
