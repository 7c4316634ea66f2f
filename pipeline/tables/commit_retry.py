"""Commits that others may beat: tried again until one lands, or a minute has passed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pyiceberg.exceptions import CommitFailedException
from tenacity import RetryError, Retrying, retry_if_exception_type
from tenacity.stop import stop_after_delay
from tenacity.wait import wait_random_exponential

from pipeline.errors import RetryableError

SECONDS = 60.0
"""How long. Counted in time: a rival that commits without a pause wins any number of attempts in a row."""

Result = TypeVar("Result")


class TableBusyError(RetryableError):
    """Other writers of a table came first for a minute; what was to be committed did not land."""


def retry_commit(
    attempt: Callable[[], Result],
    subject: str,
    seconds: float = SECONDS,
) -> Result:
    """Return what `attempt` returns, calling it anew while it raises CommitFailedException.

    `attempt` loads the table anew and commits nothing if it fails. Waits a random time in between, up to
    a fifth of a second.

    Raises:
        TableBusyError: `seconds` have passed and no attempt has landed.
    """
    again = Retrying(
        retry=retry_if_exception_type(CommitFailedException),
        stop=stop_after_delay(seconds),
        wait=wait_random_exponential(multiplier=0.02, max=0.2),
    )
    try:
        return again(attempt)
    except RetryError as error:
        raise TableBusyError(
            f"other writers came first {error.last_attempt.attempt_number} times "
            f"in {seconds:.0f} s.",
            subject=subject,
            remedy="Run the same command again.",
        ) from error
