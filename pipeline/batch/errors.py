"""What the building of an hour ends with, by name."""

from __future__ import annotations

from pipeline.errors import RetryableError, TerminalError


class LogicError(TerminalError):
    """A derived table's logic fails, or does not fit its inputs or its own table."""


class SourceExpiredError(RetryableError):
    """The snapshot of events to compute from is gone."""


class EmptiedHourError(TerminalError):
    """An hour that was published with rows would now be published without any."""


class DerivedUnsoundError(TerminalError):
    """A feature table that was derived anew does not hold what its history says."""


class StagingOutdatedError(RetryableError):
    """The hour was changed on main after it was staged: it is to be staged again."""
