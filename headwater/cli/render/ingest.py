"""What `headwater ingest` prints."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict

import click

from headwater.cli.progress import Line, left
from pipeline.contract.model import Product
from pipeline.contract.source.mistakes import ContractError
from pipeline.errors import RetryableError
from pipeline.ingest.model import Plan
from pipeline.ingest.operations.quarantine import QuarantineStatus
from pipeline.ingest.report import CommittedBatch, IngestReport
from pipeline.ingest.transform.held_back import HeldBackPartition, describe_held_back


def print_quarantines(every: tuple[QuarantineStatus, ...], *, as_json: bool) -> None:
    """Print what was set aside, and how far it is."""
    if as_json:
        listed = [
            asdict(one.quarantine) | {"state": one.state, "dead_letters": one.dead_letters}
            for one in every
        ]
        click.echo(json.dumps(listed, default=str))
        return
    for one in every:
        set_aside = one.quarantine
        click.echo(
            f"partition {set_aside.partition} offsets {set_aside.start}..{set_aside.end}: {one.state}, "
            f"{one.dead_letters:,} dead letters; by {set_aside.by} at {set_aside.at:%Y-%m-%d %H:%M:%S} "
            f"UTC: {set_aside.reason}"
        )
    if not every:
        click.echo("nothing was set aside")


class ProgressLine(Line):
    """One line on a terminal, rewritten at each commit: totals, rate, lag and how long that takes."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__(quiet=quiet)
        self._began = time.monotonic()
        self._report = IngestReport()

    def committed(self, committed: CommittedBatch) -> None:
        """Count a commit; the line is printed again."""
        self._report.add(committed)
        rate = self._report.offsets / max(time.monotonic() - self._began, 1e-9)
        self.tell(
            f"{self._report.rows:,} rows, {self._report.duplicates:,} duplicates, "
            f"{self._report.dead_letters:,} dead letters in {self._report.commits:,} commits; "
            f"{rate:,.0f} records/s, lag {committed.lag:,}"
            f"{left(committed.lag, rate) if committed.lag else ''}"
        )

    def retrying(self, error: RetryableError, seconds: float) -> None:
        """Tell of an error that is retried."""
        click.echo(f"retrying in {seconds:.1f} s: {error}", err=True)

    def contract_changed(self, found: Product | ContractError) -> None:
        """Tell of a contract that has changed."""
        if isinstance(found, Product):
            click.echo(f"went on with contract version {found.version}", err=True)
        else:
            click.echo(f"the changed contract is not used: {found}", err=True)

    def held_back(self, waiting: Sequence[HeldBackPartition]) -> None:
        """Tell of partitions that wait, or no longer do."""
        click.echo(describe_held_back(waiting), err=True)


def print_plan(plan: Plan, *, as_json: bool) -> None:
    """Print what the next micro-batch would read."""
    if as_json:
        document = asdict(plan)
        # The name that readers of this document know.
        document["side_next"] = document.pop("dead_letters_next")
        click.echo(json.dumps(document, default=str))
        return
    click.echo(f"topic {plan.identity.topic} ({plan.identity.topic_id}), lag {plan.lag:,}")
    for title, ranges in (("read", plan.ranges), ("repair", plan.repairs), ("redo", plan.redone)):
        for r in ranges:
            click.echo(f"  {title:6} partition {r.partition}: {r.start}..{r.end} ({len(r):,})")
    if plan.is_empty:
        click.echo("  nothing to read")


def print_report(report: IngestReport, *, as_json: bool) -> None:
    """Print what an ingest has done."""
    if as_json:
        # Not asdict, which makes a Counter of a Counter's items.
        click.echo(json.dumps(vars(report)))
        return
    click.echo(
        f"{report.offsets:,} offsets in {report.commits:,} commits: {report.rows:,} rows "
        f"({report.late:,} late, {report.invalid:,} invalid, {report.out_of_order:,} out of order), "
        f"{report.duplicates:,} duplicates, {report.dead_letters:,} dead letters, "
        f"{report.gaps:,} gaps; lag {report.lag:,}"
    )
    for partition, offset in sorted(report.held_back.items()):
        click.echo(f"  held back: partition {partition} from offset {offset:,}")
    if report.singly:
        click.echo(f"  decoded one by one: {report.singly:,} events")
    for reason, count in sorted(report.reasons.items()):
        click.echo(f"  dead letter {reason}: {count:,}")
    for rule, count in sorted(report.rules.items()):
        click.echo(f"  rule broken {rule}: {count:,} rows")
