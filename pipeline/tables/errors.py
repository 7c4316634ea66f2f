"""Naming what catalogs and warehouses raise."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from pyiceberg.exceptions import NoSuchNamespaceError, RESTError
from requests.exceptions import RequestException
from sqlalchemy.exc import SQLAlchemyError

from pipeline.catalogs.errors import CatalogUnavailableError
from pipeline.catalogs.errors import WarehouseRefusedError as WarehouseRefusedError
from pipeline.catalogs.errors import WarehouseUnavailableError as WarehouseUnavailableError
from pipeline.catalogs.postgresql import postgresql_error
from pipeline.catalogs.rest import rest_error
from pipeline.catalogs.s3 import s3_error
from pipeline.disk import FileMissingError, disk_full, is_full

CATALOG_FAULTS = (SQLAlchemyError, NoSuchNamespaceError, RESTError, RequestException)
"""What catalogs raise of what is wrong with them, and not with a commit."""


@contextmanager
def named_errors(subject: str, place: str | None = None) -> Iterator[None]:
    """Turn the errors of catalog and warehouse into named ones about `subject`; pass on all others.

    `place` is the URI under which the block writes, where it is known. Not for commits: what an error of
    those means is `pipeline.tables.commit`'s to say.

    Raises:
        CatalogUnavailableError, WarehouseUnavailableError, DiskFullError: try again later.
        CatalogRefusedError, WarehouseRefusedError: the catalog or the store answered, and refused.
        FileMissingError: a file of the warehouse that was to be read is not there.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        cause = getattr(error, "orig", None) or error
        if (named := postgresql_error(cause, subject)) is not None:
            raise named from error
        raise CatalogUnavailableError(
            f"the catalog did not answer ({type(cause).__name__}: {cause}).",
            subject=subject,
            remedy="See what holds its lock, and that its disk has space; then try again.",
        ) from error
    except (NoSuchNamespaceError, RESTError, RequestException) as error:
        if (named := rest_error(error, subject)) is not None:
            raise named from error
        raise
    except FileNotFoundError as error:
        raise FileMissingError(
            f"a file of it is gone from the warehouse ({error}).",
            subject=subject,
            remedy="Restore the file from a backup. Where a reader held a snapshot that has expired "
            "meanwhile, nothing is lost: let it begin anew.",
        ) from error
    except OSError as error:
        if is_full(error):
            raise disk_full(error, place or "the warehouse", subject) from error
        if (named := s3_error(error, subject)) is not None:
            raise named from error
        raise WarehouseUnavailableError(
            f"the warehouse could not be read or written ({error}).",
            subject=subject,
            remedy="See that it is reachable, and its disk well; then try again.",
        ) from error
