"""What `headwater dead-letters list` and `count` print."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click
import polars as pl

from headwater.cli.render.tables import print_table
from headwater.cli.render.values import plain, printable
from pipeline.dead_letters.look.listing import Listing
from pipeline.dead_letters.look.masking import Mask

NONE = "no dead letters are selected"
TIME = "%Y-%m-%d %H:%M:%S"


def print_listing(found: Listing, mask: Mask, *, as_json: bool) -> None:
    """Print dead letters, a line each."""
    rows = found.letters.to_dicts()
    for row in rows:
        row["detail"] = mask.detail(row["detail"])
    if as_json:
        listed = [_document(row) for row in rows]
        click.echo(json.dumps({"selected": found.selected, "dead_letters": listed}))
        return
    if not rows:
        click.echo(NONE)
        return
    columns = ("where", "when (UTC)", "reason", "fate", "producer", "schema id#", "detail")
    print_table("", columns, map(_line, rows))
    click.echo(
        f"{found.selected:,} dead letters"
        if len(rows) == found.selected
        else f"the newest {len(rows):,} of {found.selected:,} dead letters; --limit shows more"
    )


def print_counts(found: Mapping[str, pl.DataFrame], *, as_json: bool) -> None:
    """Print counts by each of some groups."""
    counts = {by: [(row[0], row[1]) for row in frame.rows()] for by, frame in found.items()}
    total = sum(count for _, count in next(iter(counts.values())))
    if as_json:
        document = {
            by: [{by: plain(value), "dead_letters": count} for value, count in rows]
            for by, rows in counts.items()
        }
        click.echo(json.dumps({"selected": total, **document}))
        return
    if not total:
        click.echo(NONE)
        return
    for by, rows in counts.items():
        print_table("", (by, "dead letters#"), [(_word(value), f"{n:,}") for value, n in rows])
    click.echo(f"{total:,} dead letters")


def _line(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        f"{row['_topic_partition']}/{row['_offset']}",
        f"{row['_ingested_at']:{TIME}}",
        row["reason"],
        row["fate"],
        printable(row["producer"] or ""),
        "" if row["schema_id"] is None else str(row["schema_id"]),
        printable(row["detail"]),
    )


def _document(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "topic_id": row["_topic_id"],
        "partition": row["_topic_partition"],
        "offset": row["_offset"],
        "origin_partition": row["_origin_partition"],
        "origin_offset": row["_origin_offset"],
        "ingested_at": plain(row["_ingested_at"]),
        "record_time": plain(row["_record_time"]),
        **{name: row[name] for name in ("reason", "fate", "producer", "schema_id", "detail")},
    }


def _word(value: object) -> str:
    if value is None:
        return "(none)"
    return f"{value:%Y-%m-%dT%H}" if isinstance(value, datetime) else printable(str(value))
