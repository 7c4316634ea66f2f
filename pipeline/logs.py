"""How a process logs: lines for people or JSON for programs, each with what it is about."""

from __future__ import annotations

import logging
import sys
from contextlib import AbstractContextManager
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor

LogFormat = Literal["text", "json"]

LEVEL = "WARNING"
"""The least that is logged where no level is set."""
QUIET = dict.fromkeys(("kafka", "py4j"), logging.INFO)
"""Libraries that, from a lower level on, log what records hold; they never do here."""


class _ToStandardError(logging.StreamHandler[TextIO]):
    """Writes to what is standard error by then: a test, or a program that embeds this, may replace it."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def set_up_logs(
    level: str | None = None, log_format: LogFormat = "text", *, colors: bool = True
) -> None:
    """Write what this process logs to standard error, libraries' lines as well; the last call counts.

    `json` is an object a line: `timestamp` (UTC), `level`, `logger`, `event`, the fields of `log_context` and
    of the line itself, and `exception` where there was one. `text` has `colors` on a terminal
    alone. No line quotes a record's values.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _without_text,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = _ToStandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(log_format, colors=colors),
            ],
        )
    )
    root = logging.getLogger()
    for former in root.handlers[:]:
        if isinstance(former.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(level or LEVEL)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(max(least, root.level))


def log_context(**fields: str) -> AbstractContextManager[None]:
    """Let each line that this thread logs within it have `fields`: `product`, `cell`, `run_id`."""
    return structlog.contextvars.bound_contextvars(**fields)


def _without_text(_logger: Any, _method: str, event: EventDict) -> EventDict:
    # What other handlers of the process have left on the line: the event, as they wrote it.
    event.pop("message", None)
    event.pop("asctime", None)
    return event


def _renderers(log_format: LogFormat, *, colors: bool) -> list[Processor]:
    if log_format == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    # Its own tracebacks have the values of variables, and those may be a record's.
    plain = structlog.dev.plain_traceback
    return [
        structlog.dev.ConsoleRenderer(
            colors=colors and sys.stderr.isatty(), exception_formatter=plain
        )
    ]
