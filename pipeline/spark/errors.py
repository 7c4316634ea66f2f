"""What Spark says went wrong, by the name of its exception's class."""

from __future__ import annotations

import re

from py4j.protocol import Py4JJavaError

from pipeline.errors import RetryableError

ICEBERG = "org.apache.iceberg.exceptions."
VALIDATION = f"{ICEBERG}ValidationException"
ALREADY_PUBLISHED = f"{ICEBERG}DuplicateWAPCommitException"


class SparkUnavailableError(RetryableError):
    """No Spark session could be started."""


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
