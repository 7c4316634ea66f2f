"""What is wrong with a cell's catalog."""

from __future__ import annotations

from pipeline.errors import RetryableError, TerminalError


class CatalogUnavailableError(RetryableError):
    """The catalog did not answer, or stayed locked for too long."""


class CatalogRefusedError(TerminalError):
    """The catalog's database answered and refused: a login, a name, a right that is missing."""


class CatalogNotSupportedError(TerminalError):
    """No catalog can be kept there, or what it takes is not installed."""
