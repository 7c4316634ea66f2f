"""Options that choose dead letters, the same for every command of the group."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from pipeline.config.nearest import did_you_mean

if TYPE_CHECKING:
    from pipeline.dead_letters.selection import Selection

EXAMPLE = "2026-01-01T05:30"


def moment(text: str) -> datetime:
    """Return a time in ISO 8601, UTC where it names no zone.

    Raises:
        click.BadParameter: it is none; the message shows one.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no time; {EXAMPLE} is one (UTC).") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def offsets(text: str) -> tuple[int, int]:
    """Return the offsets [A, B) of a text `A..B`.

    Raises:
        click.BadParameter: it is none, or there is no offset between.
    """
    start, _, end = text.partition("..")
    if not (start.isdecimal() and end.isdecimal()):
        raise click.BadParameter(f"{text!r} is not A..B; 1200..1500 is (B excluded).")
    if int(start) >= int(end):
        raise click.BadParameter(f"{text} holds no offset: B is excluded.")
    return int(start), int(end)


def _reasons() -> Iterable[str]:
    # What says which there are takes a second to import: not for --help.
    from pipeline.ingest.transform.records import Reason

    return [reason.value for reason in Reason]


def _fates() -> Iterable[str]:
    from pipeline.dead_letters.fate import Fate

    return [fate.value for fate in Fate]


class _Word(click.ParamType[str]):
    """One of some words that are told when they are needed."""

    def __init__(self, name: str, known: Callable[[], Iterable[str]]) -> None:
        self.name = name
        self._known = known

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        known = list(self._known())
        if value not in known:
            near = did_you_mean(value, known)
            self.fail(f"{value!r} is no {self.name}{near or ': ' + ', '.join(known)}", param, ctx)
        return value

    def shell_complete(
        self, _ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(one) for one in self._known() if one.startswith(incomplete)]


_OPTIONS = (
    click.option(
        "--reason",
        "reasons",
        type=_Word("reason", _reasons),
        metavar="REASON",
        multiple=True,
        help="Of this reason, e.g. undecodable; several times for several.",
    ),
    click.option(
        "--since",
        type=moment,
        metavar="TIME",
        help=f"Dead letters since then, by when they were ingested, e.g. {EXAMPLE} (UTC).",
    ),
    click.option("--until", type=moment, metavar="TIME", help="Before then."),
    click.option("--partition", type=click.IntRange(min=0), help="Of this partition."),
    click.option(
        "--offsets",
        type=offsets,
        metavar="A..B",
        help="Of these offsets of --partition, B excluded.",
    ),
    click.option("--producer", metavar="NAME", help="Whose header `producer` says so."),
    click.option(
        "--schema-id",
        type=click.IntRange(0, 2**32 - 1),
        help="Whose value begins with this id of the registry.",
    ),
    click.option("--action", "action_id", metavar="ID", help="Chosen by this replay or discard."),
    click.option(
        "--fate",
        "fates",
        type=_Word("fate", _fates),
        metavar="FATE",
        multiple=True,
        help="Of which this became, e.g. open; several times for several.",
    ),
)


def filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options, and what they select as its argument `selection`.

    What is not given selects all, and all that is given must hold.
    """

    @wraps(command)
    def with_selection(
        *arguments: Any,
        reasons: tuple[str, ...],
        since: datetime | None,
        until: datetime | None,
        partition: int | None,
        offsets: tuple[int, int] | None,
        producer: str | None,
        schema_id: int | None,
        action_id: str | None,
        fates: tuple[str, ...],
        **others: Any,
    ) -> Any:
        if offsets is not None and partition is None:
            raise click.UsageError("--offsets needs --partition.")
        if since is not None and until is not None and since >= until:
            raise click.UsageError("--since is not before --until.")
        from pipeline.dead_letters.fate import Fate
        from pipeline.dead_letters.selection import Selection

        start, end = offsets or (None, None)
        selection: Selection = Selection(
            reasons=reasons,
            since=since,
            until=until,
            partition=partition,
            start=start,
            end=end,
            producer=producer,
            schema_id=schema_id,
            action_id=action_id,
            fates=tuple(map(Fate, fates)),
        )
        return command(*arguments, selection=selection, **others)

    chosen: Callable[..., Any] = with_selection
    for option in reversed(_OPTIONS):
        chosen = option(chosen)
    return chosen
