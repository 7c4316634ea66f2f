"""An hour as a command line names it."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from pipeline.clock import hour_of

EXAMPLE = "2026-01-01T05"


class HourType(click.ParamType[datetime]):
    """The start of an hour in ISO 8601, UTC where it names no zone."""

    name = "hour"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the hour in UTC; anything else ends the command with what an hour looks like."""
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no hour; {EXAMPLE} is one (UTC).", param, ctx)
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        if found != hour_of(found):
            self.fail(f"{value!r} is not the start of an hour; {EXAMPLE} is one.", param, ctx)
        return found
