"""What is wrong with a cell's catalog or its warehouse."""

from __future__ import annotations

from pipeline.errors import RetryableError, TerminalError


class CatalogUnavailableError(RetryableError):
    """The catalog did not answer, or stayed locked for too long."""


class CatalogRefusedError(TerminalError):
    """The catalog answered and refused: a login, a name, a right that is missing."""


class CatalogNotSupportedError(TerminalError):
    """No catalog can be kept there, or what it takes is not installed."""


class WarehouseUnavailableError(RetryableError):
    """A file of the warehouse could not be read or written: a store that is away."""


class WarehouseRefusedError(TerminalError):
    """The warehouse's store answered and refused: a login, a bucket, a right that is missing."""


class WarehouseNotSupportedError(TerminalError):
    """No warehouse can be kept there, or what it takes is not given."""
