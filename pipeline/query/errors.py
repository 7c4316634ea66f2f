"""What may be wrong with a question."""

from __future__ import annotations

from pipeline.errors import TerminalError


class QueryInvalidError(TerminalError):
    """The statement cannot be run: it does not parse, fails, or is none that only reads."""


class TableUnknownError(TerminalError):
    """The statement reads a table that the cell does not have, or one of several of that name."""
