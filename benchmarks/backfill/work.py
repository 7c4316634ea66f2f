"""What a contestant is given, in a form that any interpreter can read: standard library only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.cells import Cell

NAMESPACE = "bench"
"""Of the peers' tables."""


@dataclass(frozen=True)
class Target:
    """A table that is built.

    Attributes:
        query: Spark SQL of all hours, with a place for `{events}`; "" where no peer builds it.
        audits: statements that find rows which break an expectation of its contract, with one for `{table}`.
    """

    name: str
    query: str = ""
    audits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """A filled cell.

    Attributes:
        first, end: its first hour, and the end of its last, in ISO 8601.
        hours, rows: so many hours have rows, and so many in all.
    """

    name: str
    root: str
    first: str
    end: str
    hours: int
    rows: int

    def each_hour(self) -> Iterator[datetime]:
        """Yield every hour from the first to the last, also those without rows."""
        hour, end = datetime.fromisoformat(self.first), datetime.fromisoformat(self.end)
        while hour < end:
            yield hour
            hour += timedelta(hours=1)

    def cell(self) -> Cell:
        """Return the cell. Needs the project's own interpreter."""
        from benchmarks.hourly.prepare import cell_in

        return cell_in(Path(self.root), self.name)


@dataclass(frozen=True)
class Work:
    """One run of one contestant.

    Attributes:
        contestant: name of its module in benchmarks.backfill.contestants.
        product: the folder of the product's contract.
        events: name of its events table, without the catalog.
        warm_up, live: what is built outside the clock, and what is measured.
        spark: settings of a session that can open the catalogs of both cells.
    """

    contestant: str
    product: str
    events: str
    targets: tuple[Target, ...]
    warm_up: Place
    live: Place
    spark: Mapping[str, str]

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self)))


def load_work(path: Path) -> Work:
    """Read what `Work.save` wrote."""
    fields = json.loads(path.read_text())
    for name in ("warm_up", "live"):
        fields[name] = Place(**fields[name])
    fields["targets"] = tuple(
        Target(one["name"], one["query"], tuple(one["audits"])) for one in fields["targets"]
    )
    return Work(**fields)
