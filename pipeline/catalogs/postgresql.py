"""PostgreSQL: addresses, and what its faults mean; of catalogs and of what else is kept there."""

from __future__ import annotations

import importlib.util
import re

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from pipeline.catalogs.errors import (
    CatalogNotSupportedError,
    CatalogRefusedError,
    CatalogUnavailableError,
)
from pipeline.errors import HeadwaterError, RetryableError, TerminalError

CONNECT_TIMEOUT_S = 5
"""How long each host of the address may take to answer."""
BACKEND = "postgresql"
_DRIVER = "psycopg"
_DEFAULTS = {"connect_timeout": str(CONNECT_TIMEOUT_S), "application_name": "headwater"}
_AWAY = (
    "connection refused", "timeout expired", "timed out", "failed to resolve host",
    "could not translate host name", "no route to host", "network is unreachable",
    "server closed the connection", "connection reset", "starting up", "shutting down",
    "in recovery mode", "too many clients", "too many connections", "connection slots",
    "session is read-only", "in hot standby mode",
)  # fmt: skip
"""What libpq and the server say of a server that is not there, or not yet, or full.

PostgreSQL tells no SQLSTATE of a connection that failed.
"""
_PASSING = ("08", "25006", "25P03", "40", "53", "55", "57", "58")
"""SQLSTATE classes of what another attempt may not meet: connection, a server that takes no writes as one
does that another has taken over from, a pause within a transaction, rollback, resources, not in the state
for it, operator's intervention, system (PostgreSQL 18, appendix A)."""


_REMEDY = (
    "Correct `catalog_uri`, or grant what is missing: CONNECT on the database; SELECT, INSERT, "
    "UPDATE and DELETE on iceberg_tables and iceberg_namespace_properties, or CREATE in its schema."
)


class AddressError(ValueError):
    """A text is no address of a database in PostgreSQL; its message says why, without the text."""


def parse_address(uri: str) -> URL:
    """Return the address, with the defaults of connections where it says nothing else.

    Raises:
        AddressError: it is none, or names no host or no database.
    """
    try:
        url = make_url(uri)
    except (ArgumentError, ValueError):
        # Its text is not repeated: a password may be in it.
        raise AddressError("is no address of a database") from None
    if url.get_backend_name() != BACKEND:
        raise AddressError(f"is of {url.get_backend_name()}, for which there is no support")
    if not (url.host and url.database):
        raise AddressError("names no host, or no database")
    lacking = {key: value for key, value in _DEFAULTS.items() if key not in url.query}
    return url.set(drivername=f"{BACKEND}+{_DRIVER}").update_query_dict(lacking)


def address(uri: str, cell: str, setting: str = "catalog_uri") -> URL:
    """Return the address that a `cell`'s connections are made with: by psycopg, with a time limit.

    `setting` is what says `uri`.

    Raises:
        CatalogNotSupportedError: it is no address of PostgreSQL, or psycopg is not installed.
    """
    try:
        url = parse_address(uri)
    except AddressError as error:
        raise CatalogNotSupportedError(
            f"`{setting}` {error}.",
            subject=f"cell {cell}",
            remedy="Correct it; docs/reference/cell.md tells what there may be.",
        ) from None
    if importlib.util.find_spec(_DRIVER) is None:
        raise CatalogNotSupportedError(
            f"`{setting}` is in PostgreSQL, and psycopg is not installed.",
            subject=f"cell {cell}",
            remedy="Install it: `pip install 'headwater[postgresql]'`.",
        )
    return url


def postgresql_error(error: BaseException, subject: str) -> HeadwaterError | None:
    """Return the named error for what psycopg raised of a catalog; None for what another library did."""
    return named_refusal(
        error, subject, CatalogUnavailableError, CatalogRefusedError, remedy=_REMEDY
    )


def named_refusal(
    error: BaseException | None,
    subject: str,
    away: type[RetryableError],
    refused: type[TerminalError],
    *,
    remedy: str,
) -> HeadwaterError | None:
    """Return the error for what psycopg raised of `subject`; None for what another library did.

    It is `away` where another attempt may succeed, else `refused`, with its `remedy`.
    """
    if error is None or not type(error).__module__.startswith(_DRIVER):
        return None
    said = " ".join(str(error).split()).removeprefix("connection failed: ")
    state = getattr(error, "sqlstate", None)
    if state is None:
        may_pass = all(_tells_of_away(one) for one in _attempts(str(error)))
    else:
        may_pass = state.startswith(_PASSING)
    if may_pass:
        return away(
            f"PostgreSQL did not answer ({said}).",
            subject=subject,
            remedy="See that it runs there, and has connections left; then try again.",
        )
    return refused(f"PostgreSQL refused ({said}).", subject=subject, remedy=remedy)


def _attempts(said: str) -> list[str]:
    """Return what was said of each address of the host, where it has many, else of the one."""
    first, *others = re.split(r"\n- ", said)
    return others or [first]


def _tells_of_away(said: str) -> bool:
    return any(words in said.lower() for words in _AWAY)
