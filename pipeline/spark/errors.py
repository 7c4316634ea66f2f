"""What Spark says went wrong, by the name of its exception's class."""

from __future__ import annotations

import re

from py4j.protocol import Py4JJavaError

from pipeline.disk import DiskFullError
from pipeline.errors import RetryableError

ICEBERG = "org.apache.iceberg.exceptions."
VALIDATION = f"{ICEBERG}ValidationException"
ALREADY_PUBLISHED = f"{ICEBERG}DuplicateWAPCommitException"


class SparkUnavailableError(RetryableError):
    """No Spark session could be started."""


_FULL = "No space left on device"
"""The operating system's words, in whatever Java makes of them."""


class SparkFailedError(RetryableError):
    """Spark gave up; main is as it was."""


def java_class(error: BaseException) -> str:
    """Return the full name of the Java exception's class; "" where Spark does not tell it."""
    if isinstance(error, Py4JJavaError):
        return str(error.java_exception.getClass().getName())
    # Spark Connect tells it in the message: "(org.apache...Exception) what happened".
    told = re.match(r"\(([\w.$]+)\) ", str(error))
    return told.group(1) if told else ""


def first_line(error: BaseException) -> str:
    """Return what `error` says, without its stack trace."""
    if isinstance(error, Py4JJavaError):
        return str(error.java_exception.toString()).split("\n", maxsplit=1)[0]
    return str(error).split("\n", maxsplit=1)[0]


def spark_failed(error: BaseException, what: str, subject: str) -> RetryableError:
    """Return the named error for one of Spark's own, after which main is as it was."""
    said, remedy = first_line(error), "Main is as it was; build the hour again."
    # The first line of a job's failure tells its task, and a later one what the task met.
    if _FULL in str(error):
        return DiskFullError(f"{what}: the disk is full ({_FULL}).", subject=subject, remedy=remedy)
    return SparkFailedError(f"{what} ({said}).", subject=subject, remedy=remedy)
