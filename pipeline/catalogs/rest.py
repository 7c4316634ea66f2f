"""A catalog behind Iceberg's REST API: its properties, and what its faults mean."""

from __future__ import annotations

from pyiceberg.exceptions import (
    CommitStateUnknownException,
    NoSuchNamespaceError,
    RESTError,
    ServerError,
    ServiceUnavailableError,
    TooManyRequestsError,
)
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema, RequestException, SSLError

from pipeline.catalogs.errors import (
    CatalogNotSupportedError,
    CatalogRefusedError,
    CatalogUnavailableError,
)
from pipeline.cells import Cell
from pipeline.errors import HeadwaterError

TYPE = "rest"
CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S = 5, 60
"""How long a connection may take, and an answer: of a commit, too, whose outcome is unknown after that."""
_LATER = (
    CommitStateUnknownException,
    ServerError,
    ServiceUnavailableError,
    TooManyRequestsError,
)
_NO_ADDRESS = (InvalidSchema, InvalidURL, MissingSchema)
_TOKENS = "oauth2-server-uri"
_OURS = ("io-impl", "py-io-impl", "py-catalog-impl", "catalog-impl", "cache-enabled")
_REMEDY = (
    "Correct `catalog` in the cell's settings, or grant what is missing: to load, create and change "
    "tables."
)


def is_rest(cell: Cell) -> bool:
    """Return whether the cell's catalog is one of REST.

    Raises:
        CatalogNotSupportedError: it is of another type, lacks what it takes, or says what is not its to say.
    """
    if not cell.catalog:
        return False
    kind = cell.catalog.get("type", TYPE)
    if kind != TYPE:
        # Whether they refuse a commit that comes too late is theirs to show: none of them is tested.
        raise _unsupported(cell, f"there is no support for a catalog of type {kind}.")
    if not cell.catalog.get("uri"):
        raise _unsupported(cell, "`catalog` has no uri.")
    if wrong := [name for name in _OURS if name in cell.catalog]:
        raise _unsupported(cell, f"`catalog.{wrong[0]}` cannot be set: the tables depend on it.")
    return True


def for_spark(cell: Cell) -> dict[str, str]:
    """Return the properties of a catalog of Spark's, without its prefix."""
    return {
        **properties(cell),
        "rest.client.connection-timeout-ms": str(CONNECT_TIMEOUT_S * 1000),
        "rest.client.socket-timeout-ms": str(ANSWER_TIMEOUT_S * 1000),
    }


def properties(cell: Cell) -> dict[str, str]:
    """Return the catalog's properties as PyIceberg and Spark take them, without `type`."""
    found = {
        name: str(value).lower() if isinstance(value, bool) else _text(value)
        for name, value in cell.catalog.items()
        if name != "type"
    }
    if "credential" in found:
        # Both clients look there, too, where nothing is said, and warn that they will not for ever.
        found.setdefault(_TOKENS, f"{found['uri'].rstrip('/')}/v1/oauth/tokens")
    return found


def rest_error(error: BaseException, subject: str) -> HeadwaterError | None:
    """Return the named error for what a REST catalog's client raised; None for what another library did."""
    said = " ".join(str(error).split())
    if isinstance(error, SSLError):
        return CatalogRefusedError(
            f"TLS with the catalog does not come about ({said}).",
            subject=subject,
            remedy="Name its authority in REQUESTS_CA_BUNDLE, and see that `catalog.uri` is right.",
        )
    if isinstance(error, _NO_ADDRESS):
        return CatalogRefusedError(
            f"`catalog.uri` is no address ({said}).", subject=subject, remedy=_REMEDY
        )
    if isinstance(error, (*_LATER, RequestException)):
        return CatalogUnavailableError(
            f"the REST catalog did not answer ({type(error).__name__}: {said}).",
            subject=subject,
            remedy="See that it runs there, at `catalog.uri` in the cell's settings; then try again.",
        )
    if isinstance(error, RESTError | NoSuchNamespaceError):
        return CatalogRefusedError(
            f"the REST catalog refused ({type(error).__name__}: {said}).",
            subject=subject,
            remedy=_REMEDY,
        )
    return None


def no_catalog(cell: Cell, said: object) -> CatalogRefusedError:
    """Return the error of something that answers, and not as a REST catalog does."""
    words = " ".join(str(said).split())[:200]
    return CatalogRefusedError(
        f"what answers is no Iceberg REST catalog ({words}).",
        subject=f"catalog of cell {cell.name}",
        remedy="Correct `catalog.uri` in the cell's settings: it is the address before /v1.",
    )


def breaks_promise(subject: str, what: str) -> CatalogNotSupportedError:
    """Return the error of a catalog that does not keep what tables depend on."""
    return CatalogNotSupportedError(
        what,
        subject=subject,
        remedy="Use another catalog: docs/reference/cell.md tells what is asked of one. No row is in it.",
    )


def _text(value: object) -> str:
    """Return a value as text; a secret stays one."""
    return value if isinstance(value, str) else str(value)


def _unsupported(cell: Cell, what: str) -> CatalogNotSupportedError:
    return CatalogNotSupportedError(
        what,
        subject=f"cell {cell.name}",
        remedy='Use `catalog_uri` for SQLite or PostgreSQL, or `catalog` with type = "rest" '
        "(docs/reference/cell.md).",
    )
