"""Errors that nobody named: what may come of a record, and what an ingest ends with otherwise."""

from __future__ import annotations

from polars.exceptions import PanicException

from pipeline.disk import disk_full, is_full
from pipeline.errors import HeadwaterError, RetryableError, TerminalError
from pipeline.ingest.context import ContractChangedError, StopRequestedError
from pipeline.ingest.transform.held_back import HeldBackError

UNNAMED = (Exception, PanicException)
"""What may be raised without a name. A panic of polars is no Exception, and an error all the same."""


class IngestFailedError(TerminalError):
    """An ingest was ended by an error without a name."""


class MemoryExhaustedError(RetryableError):
    """An ingest was given no memory."""


def is_unnamed(error: BaseException) -> bool:
    """Return whether `error` may be a record's fault, for all that its class says."""
    signals = (StopRequestedError, ContractChangedError, HeldBackError)
    return isinstance(error, UNNAMED) and not isinstance(
        error, (HeadwaterError, MemoryError, *signals)
    )


def named(error: BaseException, subject: str) -> HeadwaterError:
    """Return an error with a name for one without; its message quotes nothing that may be data."""
    if isinstance(error, MemoryError):
        return MemoryExhaustedError(
            f"there was not enough memory ({type(error).__name__}).",
            subject=subject,
            remedy="Give it less to hold at once with --memory-mb, or the machine more; then try again.",
        )
    if is_full(error):
        return disk_full(error, getattr(error, "filename", None) or "a file", subject)
    return IngestFailedError(
        f"it was ended by {type(error).__name__}, which has no name here.",
        subject=subject,
        remedy="Nothing is lost or doubled. Its traceback says where; report it.",
    )
