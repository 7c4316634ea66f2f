"""Opening SQLite files that many processes share."""

from __future__ import annotations

import sqlite3

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random


def use_wal(connection: sqlite3.Connection, wait_s: float) -> None:
    """Let readers of the connection's file not wait for its writers, for good; idempotent.

    Waits up to `wait_s` seconds for others who do the same: of two that create a file at once, SQLite refuses
    one at once, however long its connection would wait.

    Raises:
        sqlite3.Error: it cannot be done, or is still refused after that time.
    """
    attempts = Retrying(
        retry=retry_if_exception(_is_busy),
        wait=wait_random(0.01, 0.1),
        stop=stop_after_delay(wait_s),
        reraise=True,
    )
    attempts(connection.execute, "PRAGMA journal_mode=WAL")


def _is_busy(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_BUSY_RECOVERY,
        sqlite3.SQLITE_BUSY_SNAPSHOT,
    )
