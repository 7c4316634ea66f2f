"""What `headwater ledger` prints."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from headwater.cli.render.tables import print_table
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.model import Totals

if TYPE_CHECKING:
    from pipeline.dead_letters.balance import ReplayBalance
    from pipeline.ledger.verify import Verification

COUNTS = (
    "offsets",
    "rows",
    "duplicates",
    "dead_letters",
    "control",
    "aborted",
    "compacted",
    "lost",
    "unexplained",
)
OF_ROWS = ("late", "invalid", "out_of_order")


def print_ledger(
    ledger: Ledger,
    verification: Verification | None,
    replays: ReplayBalance | None,
    problems: tuple[str, ...],
    *,
    balanced: bool,
    as_json: bool,
) -> None:
    """Print the ledger, what a recount and a balance of replays found if there were, and every problem."""
    if as_json:
        document = _document(ledger, verification, problems, balanced=balanced)
        click.echo(json.dumps({**document, "dead_letters": replays and dict(replays.by_fate)}))
    else:
        _show(ledger, verification, replays, problems, balanced=balanced)


def _document(
    ledger: Ledger, verification: Verification | None, problems: tuple[str, ...], *, balanced: bool
) -> dict[str, object]:
    return {
        "product": ledger.product,
        "cell": ledger.cell,
        "topic": ledger.offsets.topic if ledger.offsets else None,
        "balanced": balanced,
        "unexplained": ledger.unexplained,
        "problems": list(problems),
        "totals": _counts(ledger.totals),
        "partitions": {str(p): _counts(t) for p, t in ledger.by_partition().items()},
        "closed": _closed(ledger),
        "retention": _retention(ledger),
        "hours": {h.isoformat(): _counts(t) for h, t in ledger.by_hour().items()},
        "partition_hours": [
            {"partition": p, "hour": h.isoformat(), **_counts(t)}
            for (p, h), t in ledger.by_partition_and_hour().items()
        ],
        "verified": [asdict(r) for r in verification.recounts] if verification else None,
        "unproven": list(verification.unproven) if verification else None,
    }


def _closed(ledger: Ledger) -> dict[str, object]:
    return {
        "through": ledger.balance.through,
        "offsets": {str(one.partition): one.end for one in ledger.balance.entries},
    }


def _retention(ledger: Ledger) -> dict[str, object]:
    account = ledger.retention
    return {
        "before": None if account.before is None else account.before.isoformat(),
        "rows": account.rows,
        "partitions": {str(one.partition): one.rows for one in account.deleted},
    }


def _counts(totals: Totals) -> dict[str, int]:
    return {name: int(getattr(totals, name)) for name in (*COUNTS, *OF_ROWS)}


def _show(
    ledger: Ledger,
    verification: Verification | None,
    replays: ReplayBalance | None,
    problems: tuple[str, ...],
    *,
    balanced: bool,
) -> None:
    lines = [(f"partition {p}", t) for p, t in ledger.by_partition().items()]
    lines += [(h.strftime("%Y-%m-%d %H:00"), t) for h, t in ledger.by_hour().items()]
    print_table(
        f"{ledger.product} in {ledger.cell}",
        ["partition / hour of commit", *(f"{name.replace('_', ' ')}#" for name in COUNTS)],
        [
            (name, *(f"{getattr(totals, count):,}" for count in COUNTS))
            for name, totals in [*lines, ("all", ledger.totals)]
        ],
    )
    totals = ledger.totals
    if ledger.balance.entries:
        closed = sum(entry.end - entry.start for entry in ledger.balance.entries)
        click.echo(f"closed: {closed:,} offsets, up to commit {ledger.balance.through:,} of events")
    click.echo(
        f"of the rows: {totals.late:,} late, {totals.invalid:,} invalid ({totals.invalid_rate:.3%}), "
        f"{totals.out_of_order:,} out of order"
    )
    if ledger.retention.before is not None:
        click.echo(
            f"of the rows, {ledger.retention.rows:,} were deleted by retention: of hours before "
            f"{ledger.retention.before:%Y-%m-%dT%H}"
        )
    if verification:
        readable = sum(r.readable for r in verification.recounts)
        click.echo(f"recounted: {readable:,} records readable in Kafka by another client")
        for left in verification.unproven:
            click.echo(f"cannot be compared any more: {left}")
    if replays is not None and replays.by_fate:
        became = ", ".join(f"{count:,} {fate}" for fate, count in sorted(replays.by_fate.items()))
        click.echo(f"of the dead letters: {became}; {replays.rows:,} rows came of replays")
    for problem in problems:
        click.echo(f"does not balance: {problem}")
    if balanced:
        click.echo("the ledger balances")
