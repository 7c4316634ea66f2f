"""The review's run: what was found of dead letters, told as metadata. No value of any record is in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg

from assets.keys import OPEN_CHECK, Keys
from pipeline.cells import Cell
from pipeline.dead_letters.fate import Fate
from pipeline.settings import load_settings
from quality.dead_letters.review import Review, review_letters
from quality.dead_letters.share import measure_open_share
from quality.dead_letters.trend import publish_trend, trend_line


def review_dead_letters(
    context: dg.AssetExecutionContext, cell: Cell, keys: Keys, days: int
) -> dg.MaterializeResult[None]:
    """Review the dead letters of the last `days`.

    Raises: as `review_letters`.
    """
    found = review_letters(cell, keys.product, days)
    served = load_settings().data_docs
    chart = publish_trend(cell, keys.product.name, found, context.run.run_id)
    drawn = None if chart is None or served is None else f"{served}/{keys.cell}/{chart}"
    return dg.MaterializeResult(
        metadata={
            "report": dg.MetadataValue.md("\n".join(_report(found, drawn))),
            "dead letters": found.letters,
            "open": found.open,
            "days": days,
            "older, not looked at": found.older,
        }
    )


def check_open_share(cell: Cell, keys: Keys) -> dg.AssetCheckResult:
    """Hold the open dead letters of the last day to the contract.

    Raises: as `measure_open_share`.
    """
    found = measure_open_share(cell, keys.product)
    metadata: dict[str, Any] = {
        "open dead letters": found.open,
        "offsets": found.offsets,
        "share (%)": round(100 * found.share, 4),
        "since": dg.MetadataValue.timestamp(found.since),
    }
    if found.most is not None:
        metadata["allowed (%)"] = round(100 * found.most, 4)
    return dg.AssetCheckResult(
        asset_key=keys.dead_letters,
        check_name=OPEN_CHECK,
        passed=found.kept,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{found.open:,} of {found.offsets:,} offsets of the last day are open dead letters.",
        metadata=metadata,
    )


def _report(found: Review, drawn: str | None) -> Iterator[str]:
    yield f"Since {found.since:%Y-%m-%d %H:%M} UTC: {found.letters:,} dead letters, {found.open:,} open."
    yield ""
    yield f"![by the hour]({drawn})" if drawn else f"By the hour: `{trend_line(found.hours)}`"
    yield ""
    fates = [fate.value for fate in Fate if any(of == fate for _, of in found.counts)]
    yield from _table(
        ("reason", *fates),
        (
            (reason, *(f"{found.counts.get((reason, fate), 0):,}" for fate in fates))
            for reason in sorted({reason for reason, _ in found.counts})
        ),
    )
    yield ""
    yield from _table(
        ("reason", "topic id/partition/offset", "since", "fate", "detail"),
        (
            (
                one.reason,
                f"{one.topic_id}/{one.partition}/{one.offset}",
                f"{one.at:%Y-%m-%d %H:%M:%S}",
                one.fate,
                one.detail,
            )
            for one in found.examples
        ),
    )


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield a table of Markdown; what details have of its marks is plain text."""
    heads = tuple(heads)
    yield "| " + " | ".join(heads) + " |"
    yield "|---" * len(heads) + "|"
    for row in rows:
        yield "| " + " | ".join(_plain(cell) for cell in row) + " |"


def _plain(text: str) -> str:
    for mark in "\\|`*_<>[]!":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
