"""Named errors, classed by what may be done about them.

Every error carries what happened, to which object, and what to do. The class says whether trying
again can help (`RetryableError`), cannot (`TerminalError`), or whether the fault lies in one record,
which is then a dead letter and never an exception that stops a run (`PoisonError`).
"""

from __future__ import annotations

import enum
from typing import Any


class ExitCode(enum.IntEnum):
    """Exit codes of the `headwater` command. Documented in docs/reference/cli.md; never renumbered."""

    OK = 0
    CHECK_FAILED = 1
    USAGE = 2
    TERMINAL = 3
    RETRYABLE = 4
    UNEXPECTED = 70
    INTERRUPTED = 130
    TERMINATED = 143


class HeadwaterError(Exception):
    """Base of all named errors. Pickled and copied it keeps its attributes, as any exception not its cause.

    Attributes:
        what: one sentence that says what happened.
        subject: the object it happened to, e.g. `orders/us partition 3`.
        remedy: what the reader can do about it.
    """

    exit_code = ExitCode.TERMINAL

    def __init__(self, what: str, *, subject: str, remedy: str) -> None:
        super().__init__(f"{subject}: {what} {remedy}")
        self.what = what
        self.subject = subject
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        # Not by calling the class, as exceptions do: what it takes is not what it gives its base as `args`.
        return _unset, (type(self), self.args), self.__dict__


class RetryableError(HeadwaterError):
    """The same call may succeed later, unchanged."""

    exit_code = ExitCode.RETRYABLE


class TerminalError(HeadwaterError):
    """The same call will fail again until somebody acts."""


class PoisonError(HeadwaterError):
    """One record cannot be used; it becomes a dead letter."""


def _unset(kind: type[HeadwaterError], args: tuple[object, ...]) -> HeadwaterError:
    """Return an error of that kind with no attributes yet."""
    return kind.__new__(kind, *args)
