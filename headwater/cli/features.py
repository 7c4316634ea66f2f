"""`headwater features`: values of feature tables as they were known, and as they are served."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from headwater.cli.options import cell_option, json_option, product_argument, resolve
from headwater.cli.progress import Line
from headwater.cli.served import list_served, served
from pipeline.errors import ExitCode

if TYPE_CHECKING:
    import polars as pl

    from pipeline.features.plan import HistoryPlan

HOUR = "%Y-%m-%dT%H"


@click.group()
def features() -> None:
    """Feature tables: what was known of an entity, and when; what readers get now."""


features.add_command(served)
features.add_command(list_served)


@features.command(name="get-historical")
@product_argument
@click.argument("table", metavar="TABLE")
@cell_option
@click.option(
    "--spine",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The training rows: a .parquet, .csv or .jsonl file.",
)
@click.option(
    "--timestamp-column",
    required=True,
    metavar="NAME",
    help="The spine's column of event times; a time without a zone is taken as UTC.",
)
@click.option(
    "--known-at",
    metavar="WHEN",
    help="What may be known: what was published by `now`, by an ISO 8601 time (UTC where it names no "
    "zone), or by the time in a row's own column, `column:NAME`.  [default: the row's event time]",
)
@click.option("--features", "chosen", metavar="A,B", help="Only these features.  [default: all]")
@click.option("--prefix", default="", help="Put this before the names of all added columns.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the result goes: a .parquet, .csv or .jsonl file, replaced as a whole.",
)
@click.option("--explain", is_flag=True, help="Print what would be read, and end.")
@json_option
def get_historical_features(
    product: str,
    table: str,
    cell: str,
    spine: Path,
    timestamp_column: str,
    known_at: str | None,
    chosen: str | None,
    prefix: str,
    output: Path | None,
    explain: bool,
    as_json: bool,
) -> ExitCode:
    """Join training rows to the values of feature table TABLE as they were known at the time.

    Each row of the spine gets its entity's newest values of a time <= its own, younger than the contract's
    ttl, and published by then; later corrections only where --known-at lets them. The result has the
    spine's rows in its order, all of its columns, the features, `feature_time` and `known_from`.
    Exit codes: 0 done, 3 somebody must act, 4 try again.

    \b
    Examples:
      headwater features get-historical viewing_events user_preference_features --cell us \\
          --spine rows.parquet --timestamp-column event_time --output training.parquet
      headwater features get-historical viewing_events user_preference_features --cell us \\
          --spine rows.csv --timestamp-column event_time --known-at now \\
          --features completion_rate,sessions --prefix viewing_ --output training.csv
      headwater features get-historical viewing_events user_preference_features --cell us \\
          --spine rows.jsonl --timestamp-column t --known-at column:scored_at --explain
    """
    from pipeline.features.files import read_rows, refuse_suffix, write_rows
    from pipeline.features.historical_features import get_historical_features as run
    from pipeline.features.historical_features import plan_historical_features
    from pipeline.features.history import columns_of, open_history
    from pipeline.features.times import parse_known_at
    from pipeline.tables.layout import FEATURE_TIME_COLUMN

    if output is None and not explain:
        raise click.UsageError("give --output, or --explain")
    if output is not None:
        refuse_suffix(output)
    when = parse_known_at(known_at)
    wanted = [name.strip() for name in chosen.split(",") if name.strip()] if chosen else None
    loaded, where = resolve(product, cell)
    rows = read_rows(spine, columns_of(open_history(where, loaded, table)))
    if output is None or explain:
        plan = plan_historical_features(
            where,
            loaded,
            table,
            rows,
            timestamp=timestamp_column,
            known_at=when,
            features=wanted,
        )
        _print_plan(plan, as_json=as_json)
        return ExitCode.OK
    line = Line(quiet=as_json)
    result = run(
        where,
        loaded,
        table,
        rows,
        timestamp=timestamp_column,
        known_at=when,
        features=wanted,
        prefix=prefix,
        say=line.tell,
    )
    write_rows(output, result)
    line.end()
    _print_summary(result.get_column(f"{prefix}{FEATURE_TIME_COLUMN}"), output, as_json=as_json)
    return ExitCode.OK


def _print_summary(feature_times: pl.Series, output: Path, *, as_json: bool) -> None:
    rows, unmatched = len(feature_times), feature_times.null_count()
    oldest = feature_times.min()
    if not isinstance(oldest, datetime):
        oldest = None
    matched = rows - unmatched
    if as_json:
        document = {
            "rows": rows,
            "matched": matched,
            "unmatched": unmatched,
            "oldest_feature_time": oldest.isoformat() if oldest else None,
            "output": str(output),
        }
        click.echo(json.dumps(document))
        return
    since = f"; the oldest value is of {oldest:%Y-%m-%d %H:%M} UTC" if oldest else ""
    click.echo(f"{rows:,} rows: {matched:,} matched, {unmatched:,} unmatched{since}; in {output}")


def _print_plan(plan: HistoryPlan, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(plan), default=_text))
        return
    click.echo(f"{plan.spine_rows:,} rows about {', '.join(plan.entity)}")
    click.echo(f"read {plan.table}")
    if plan.first_hour is None or plan.last_hour is None or plan.known_through is None:
        click.echo("  nothing: the spine has no times")
        return
    click.echo(f"  hours    {plan.first_hour:{HOUR}} to {plan.last_hour:{HOUR}}")
    click.echo(f"  builds   published by {plan.known_through:%Y-%m-%dT%H:%M:%SZ}")
    click.echo(f"  features {', '.join(plan.features)}")
    click.echo(f"  ttl      {plan.ttl}")


def _text(value: object) -> object:
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.isoformat() if isinstance(value, datetime) else str(value)
