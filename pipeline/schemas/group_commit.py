"""What many callers write to a registry's file at once, in few transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any

from pipeline.schemas.sqlite_file import Connections, SqliteFile

GROUP_MAX = 64
"""How much goes into one transaction: other processes that write wait that long."""

Work = Callable[[Connections], Any]
_Waiting = tuple[Work, "Future[Any]"]
_Outcome = Callable[[], None]


class GroupCommit:
    """One writer for all threads: what is asked for while a transaction is committed goes into the next.

    Other processes may write the file at the same time.
    """

    def __init__(self, opened: Callable[[], SqliteFile]) -> None:
        """Write the file that `opened` returns when work is there; what it raises, all that waits raises."""
        self._opened = opened
        self._waiting: SimpleQueue[_Waiting] = SimpleQueue()
        self._thread = ThreadPoolExecutor(1, "registry-writer")
        self._kept = _KeptConnection()

    def submit(self, work: Work) -> Future[Any]:
        """Have `work` run in a transaction; what it returns is known once it is on disk.

        What raises leaves nothing of its own and leaves what others wrote. A transaction that fails as a
        whole fails all that is in it, with an error of the port `Registry`.
        """
        future: Future[Any] = Future()
        self._waiting.put((work, future))
        self._thread.submit(self._commit)
        return future

    def _commit(self) -> None:
        group = self._group()
        if not group:
            return
        try:
            file = self._opened()
            with file.naming_errors(), self._kept.writing(file) as connection:
                outcomes = [_outcome(connection, work, future) for work, future in group]
        except Exception as error:  # noqa: BLE001 - a boundary: whoever waits is told
            for _, future in group:
                future.set_exception(error)
        else:
            for tell in outcomes:
                tell()

    def _group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        while len(group) < GROUP_MAX:
            try:
                work, future = self._waiting.get_nowait()
            except Empty:
                break
            if future.set_running_or_notify_cancel():
                group.append((work, future))
        return group


def _outcome(connection: sqlite3.Connection, work: Work, future: Future[Any]) -> _Outcome:
    """Run `work`; return what tells its caller, to be called once it is committed."""
    connection.execute("SAVEPOINT work")
    try:
        answer = work(_OpenTransaction(connection))
    except sqlite3.DatabaseError:
        # A full disk ends the transaction, with what others wrote in it.
        raise
    except Exception as error:  # noqa: BLE001 - a boundary: whoever waits is told
        told = error
        connection.execute("ROLLBACK TO work")
        return lambda: future.set_exception(told)
    finally:
        if connection.in_transaction:
            connection.execute("RELEASE work")
    return lambda: future.set_result(answer)


class _OpenTransaction:
    """Implements `Connections` within a transaction that somebody else commits."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        yield self._connection

    writing = connection


class _KeptConnection:
    """A connection that stays open as long as its path leads to the same file."""

    def __init__(self) -> None:
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None

    @contextmanager
    def writing(self, file: SqliteFile) -> Iterator[sqlite3.Connection]:
        """Yield it in a transaction, which is committed unless something raises."""
        # A file restored from a backup is another one: what went to the old one would be lost.
        identity = file.identity()
        if self._connection is None or self._identity != identity:
            self._close()
            self._connection = file.connect()
            self._identity = identity
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection
            self._connection.commit()
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
