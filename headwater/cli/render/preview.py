"""What `headwater hours preview` prints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from headwater.cli.render.tables import print_table
from headwater.cli.render.values import in_a_line, plain
from pipeline.batch.preview import Preview, PreviewPlan
from pipeline.clock import HOUR as AN_HOUR
from pipeline.clock import utc_now

HOUR = "%Y-%m-%dT%H"


def print_preview(plan: PreviewPlan, found: Preview, *, as_json: bool) -> None:
    """Print the rows of an hour, and what is to be known of them."""
    if as_json:
        rows = [plain(row) for row in found.rows]
        document = {**_document(plan), "rows": rows, "is_more": found.is_more}
        click.echo(json.dumps(document))
        return
    for line in _notes(plan):
        click.echo(line, err=True)
    print_table(
        f"{plan.table.name} {plan.state.hour:{HOUR}}, not published",
        found.columns,
        [tuple(in_a_line(row[name]) for name in found.columns) for row in found.rows],
    )
    count = len(found.rows)
    click.echo(
        f"the first {count:,} rows; --limit shows more" if found.is_more else f"{count:,} rows"
    )


def print_preview_plan(plan: PreviewPlan, *, as_json: bool) -> None:
    """Print what would be computed, and from what."""
    if as_json:
        click.echo(json.dumps(_document(plan)))
        return
    logic = plan.table.logic
    click.echo(f"compute {plan.table.name} {plan.state.hour:{HOUR}} by {logic.file}")
    click.echo(f"  from snapshot {plan.source.snapshot_id} of events, {plan.source.rows:,} rows")
    for name, (first, last) in plan.reads.items():
        click.echo(f"  reads {name} {first:{HOUR}}..{last:{HOUR}}")
    for line in _notes(plan):
        click.echo(f"  {line}")


def _notes(plan: PreviewPlan) -> Iterator[str]:
    hour = plan.state.hour
    if not plan.state.closed:
        ended = utc_now() >= hour + AN_HOUR
        why = (
            "nobody has looked at it since its lateness passed"
            if ended and plan.state.fence is None
            else "ingest has not caught up with it"
            if ended
            else "it has not ended"
        )
        yield f"hour {hour:{HOUR}} is not closed: {why}; rows may still come"
    for name, one in plan.missing[:1]:
        more = f" and {len(plan.missing) - 1:,} more hours" if plan.missing[1:] else ""
        yield f"{name} {one:{HOUR}}{more}, which it reads, is not published: a build would wait for it"


def _document(plan: PreviewPlan) -> dict[str, Any]:
    return {
        "table": plan.table.name,
        "hour": plan.state.hour.isoformat(),
        "closed": plan.state.closed,
        "published": plan.published,
        "source_snapshot_id": plan.source.snapshot_id,
        "source_rows": plan.source.rows,
        "reads": {
            name: [first.isoformat(), last.isoformat()]
            for name, (first, last) in plan.reads.items()
        },
        "missing": [[name, hour.isoformat()] for name, hour in plan.missing],
        "notes": list(_notes(plan)),
    }
