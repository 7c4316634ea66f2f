"""Naming what catalogs and warehouses raise."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import RetryableError


class CatalogUnavailableError(RetryableError):
    """The catalog did not answer, or stayed locked for too long."""


class WarehouseUnavailableError(RetryableError):
    """A file of the warehouse could not be read or written: a full disk, or a store that is away."""


@contextmanager
def named_errors(subject: str) -> Iterator[None]:
    """Turn the errors of catalog and warehouse into named ones about `subject`; pass on all others.

    Not for commits: what an error of those means is `pipeline.tables.commit`'s to say.

    Raises:
        CatalogUnavailableError, WarehouseUnavailableError.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        cause = getattr(error, "orig", None) or error
        raise CatalogUnavailableError(
            f"the catalog did not answer ({type(cause).__name__}: {cause}).",
            subject=subject,
            remedy="See what holds its lock, and that its disk has space; then try again.",
        ) from error
    except OSError as error:
        raise WarehouseUnavailableError(
            f"the warehouse could not be read or written ({error}).",
            subject=subject,
            remedy="See that its disk has space and that it is reachable; then try again.",
        ) from error
