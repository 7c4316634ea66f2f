"""State in PostgreSQL: a schema for each cell, for processes of any number of machines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from pipeline.catalogs.postgresql import named_refusal
from pipeline.catalogs.shared import OpenedOnce
from pipeline.state.port import (
    Row,
    StateConnection,
    StateRefusedError,
    StateUnavailableError,
    Value,
)

IDLE_S = 10.0
"""How long a process may be paused within a transaction; then the server ends it, and others go on."""
LOCK_WAIT_S = 20.0
"""How long a transaction waits for another's."""
CUT_S = 10.0
"""After how long without an answer from the network a connection is given up."""
_TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS \{at\}(\w+)")


def _leave(engine: Engine) -> bool:
    engine.dispose(close=False)
    return True


_ENGINES: OpenedOnce[URL, Engine] = OpenedOnce(_leave)


@dataclass(frozen=True)
class _Connection:
    inner: Connection
    words: Mapping[str, str]

    def execute(self, statement: str, values: Sequence[Value] = ()) -> list[Row]:
        done = self.inner.exec_driver_sql(self._text(statement), tuple(values))
        return [tuple(row) for row in done] if done.returns_rows else []

    def execute_many(self, statement: str, rows: Iterable[Sequence[Value]]) -> None:
        if listed := [tuple(row) for row in rows]:
            self.inner.exec_driver_sql(self._text(statement), listed)

    def _text(self, statement: str) -> str:
        return statement.format_map(self.words).replace("?", "%s")


class PostgresqlState:
    """Implements the port `State`. The process keeps its connections, and replaces those that have ended."""

    def __init__(self, address: URL, cell: str) -> None:
        """Use the schema `headwater_<cell>` at `address`, which `pipeline.catalogs.postgresql` made."""
        self._subject = f"state of cell {cell}"
        self._schema = f"headwater_{cell}"
        self._words = {
            "at": '"{}".'.format(self._schema.replace('"', '""')),
            # Whatever the database's locale: texts of times are ordered as times.
            "text": 'TEXT COLLATE "C"',
            "integer": "BIGINT",
            "strict": "",
            # Not now(), which stands still within a transaction.
            "now": "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
        }
        if "tcp_user_timeout" not in address.query:
            address = address.update_query_dict({"tcp_user_timeout": str(round(CUT_S * 1000))})
        self._engine = _ENGINES.get(address, lambda: create_engine(address, pool_pre_ping=True))

    def have(self, tables: str) -> None:
        """See `State.have`. A user without the right to create needs none where all is there."""
        names = _TABLE.findall(tables)
        with self.writing() as connection:
            if self._are_there(connection, names):
                return
            # Two that create one thing at once: PostgreSQL fails the second, `IF NOT EXISTS` or not.
            connection.execute("SELECT pg_advisory_xact_lock(hashtext(?))", (self._schema,))
            where = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = ?"
            if not connection.execute(where, (self._schema,)):
                connection.execute(f"CREATE SCHEMA {self._words['at'].removesuffix('.')}")
            for statement in filter(str.strip, tables.split(";")):
                connection.execute(statement)

    @contextmanager
    def reading(self) -> Iterator[StateConnection]:
        """See `State.reading`."""
        with self.writing() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[StateConnection]:
        """See `State.writing`."""
        try:
            with self._engine.begin() as connection:
                connection.exec_driver_sql(_limits())
                yield _Connection(connection, self._words)
        except DBAPIError as error:
            remedy = (
                "Correct `state_uri`, or grant what is missing: CONNECT and CREATE on the database, "
                f"or USAGE on the schema {self._schema} and SELECT, INSERT and UPDATE on its tables."
            )
            named = named_refusal(
                error.orig, self._subject, StateUnavailableError, StateRefusedError, remedy=remedy
            )
            if named is None:
                raise
            raise named from error

    def _are_there(self, connection: StateConnection, names: Sequence[str]) -> bool:
        found = connection.execute(
            "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = ?", (self._schema,)
        )
        return set(names) <= {name for (name,) in found}


def _limits() -> str:
    # Of this transaction, not of the session: a pooler may give that to others.
    idle, lock = (round(seconds * 1000) for seconds in (IDLE_S, LOCK_WAIT_S))
    return (
        f"SET LOCAL idle_in_transaction_session_timeout = {idle}; SET LOCAL lock_timeout = {lock}"
    )
