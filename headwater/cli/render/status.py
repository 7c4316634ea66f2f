"""What `headwater status` prints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from headwater.cli.render.tables import print_table
from headwater.stack.parts import Part

if TYPE_CHECKING:
    from quality.health import Health

EPOCH_FORMAT = "%Y-%m-%d %H:%M:%S"


def print_parts(parts: Sequence[Part]) -> None:
    """Print the processes of the stack, a line each."""
    print_table(
        "",
        ["part", "state", "address", "pid", "log"],
        [
            (
                part.name,
                "well" if part.healthy else "down",
                part.address or "",
                str(part.pid or ""),
                str(part.log),
            )
            for part in parts
        ],
    )


def print_health(products: Sequence[Health]) -> None:
    """Print the products, a line each, and below what is to be seen to."""
    print_table(
        "",
        ["product", "ingest", "by", "waiting#", "lag#", "last commit", "overdue#", "alerts#"],
        [
            (
                f"{one.product}/{one.cell}",
                one.ingest.value,
                one.owner or "",
                "?" if one.waiting is None else f"{one.waiting:,}",
                "?" if one.lag is None else f"{one.lag.total_seconds():,.0f} s",
                f"{one.committed_at:{EPOCH_FORMAT}}" if one.committed_at else "",
                f"{sum(map(len, one.overdue.values())):,}",
                f"{len(one.alerts):,}",
            )
            for one in products
        ],
    )
    for one in products:
        for problem in one.problems:
            click.echo(f"{one.product}/{one.cell}: {problem}", err=True)


def is_well(parts: Sequence[Part], products: Sequence[Health] | None) -> bool:
    """Return whether there are parts, and all of them and all products are healthy."""
    are_up = bool(parts) and all(part.healthy for part in parts)
    return are_up and all(product.healthy for product in products or ())


def to_json(parts: Sequence[Part], products: Sequence[Health] | None) -> str:
    """Return all of it for programs; times are ISO 8601, lengths seconds. No products where not looked at."""
    document: dict[str, Any] = {
        "healthy": is_well(parts, products),
        "parts": [asdict(part) for part in parts],
    }
    if products is not None:
        document["products"] = [
            {**asdict(one), "problems": one.problems, "healthy": one.healthy} for one in products
        ]
    return json.dumps(document, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.isoformat() if isinstance(value, datetime) else str(value)
