"""An hour as a command line names it."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from pipeline.clock import hour_of

EXAMPLE = "2026-01-01T05"


def hour(text: str) -> datetime:
    """Return the start of an hour in ISO 8601, UTC where it names no zone.

    Raises:
        click.BadParameter: it is none; the message shows one.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no hour; {EXAMPLE} is one (UTC).") from None
    found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    if found != hour_of(found):
        raise click.BadParameter(f"{text!r} is not the start of an hour; {EXAMPLE} is one.")
    return found
