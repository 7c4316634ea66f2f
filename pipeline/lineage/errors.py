"""Why a collector has not taken events. No run ends by these: events wait on disk."""

from __future__ import annotations

from pipeline.errors import RetryableError, TerminalError


class CollectorUnavailableError(RetryableError):
    """The collector of lineage does not answer, or says that it cannot take events now."""


class CollectorSettingError(TerminalError):
    """Where lineage is to be sent is not said."""


class CollectorRefusedError(TerminalError):
    """The collector of lineage answers, and takes no events from this cell."""
