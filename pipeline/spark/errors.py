"""What Spark says went wrong, by the name of its exception's class."""

from __future__ import annotations

import re

from py4j.protocol import Py4JJavaError

from pipeline.cells import Cell
from pipeline.disk import DiskFullError, full_words, of_mount
from pipeline.errors import RetryableError

ICEBERG = "org.apache.iceberg.exceptions."
VALIDATION = f"{ICEBERG}ValidationException"
ALREADY_PUBLISHED = f"{ICEBERG}DuplicateWAPCommitException"


class SparkUnavailableError(RetryableError):
    """No Spark session could be started."""


_LOCAL_DIR, _DEFAULT_LOCAL_DIR = "spark.local.dir", "/tmp"  # noqa: S108 - Spark's own default


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


def spark_failed(error: BaseException, what: str, subject: str, cell: Cell) -> RetryableError:
    """Return the named error for one of Spark's own, after which main is as it was."""
    # The first line of a job's failure tells its task, and a later one what the task met.
    words = full_words(str(error))
    if words is not None:
        local = cell.spark.get(_LOCAL_DIR, _DEFAULT_LOCAL_DIR)
        return DiskFullError(
            f"{what}: a disk is full ({words}), that of the warehouse {cell.warehouse}"
            f"{of_mount(cell.warehouse)} or of Spark's own files, {local}{of_mount(local)}.",
            subject=subject,
            remedy="Make room there; main is as it was, and the hour is to be built again.",
        )
    return SparkFailedError(
        f"{what} ({first_line(error)}).",
        subject=subject,
        remedy="Main is as it was; build the hour again.",
    )
