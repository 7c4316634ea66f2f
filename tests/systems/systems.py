"""One user's systems, and what they do with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import headwater
from pipeline.clock import HOUR
from pipeline.errors import ExitCode
from tests.support.commands import Command, Result
from tests.systems import recount
from tests.systems.canaries import Canaries
from tests.systems.sent import Sent
from tests.systems.stored import objects, rows

PRODUCT = "strict_events"
TABLE = "readings_hourly"
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
DATABASES = ("catalog", "state", "dagster")
"""Of PostgreSQL, by the names of the files that have their addresses."""
HOURS = [NOON + n * HOUR for n in range(3)]
"""Over, and of a day."""
WITHIN_S = 600.0
"""Far more than anything takes: a machine may be busy."""


@dataclass
class Systems:
    """The home, the command line, and what was sent; ingest and hours are asked for by hand."""

    command: Command
    product: headwater.Product
    canaries: Canaries
    sent: Sent = field(default_factory=Sent)

    @property
    def cell(self) -> headwater.Cell:
        """As its settings say now."""
        return headwater.load_cell(self.command.home, "us")

    def send(self, count: int, *, poison: bool = False) -> None:
        """Send so many new events of closed hours, or of hours to close, and duplicates."""
        self.sent.send(self.cell, self.product, HOURS, count, poison=poison)

    def ingest(self) -> None:
        """Have all that was sent ingested, and see that it is."""
        self.well("ingest", "run", PRODUCT, "--cell", "us", "--once", "--json")
        assert self.has_events()

    def build(self) -> None:
        """Have all closed hours published, and see that they are as what was sent."""
        self.well("hours", "build", PRODUCT, "--cell", "us")
        assert self.is_published()

    def has_events(self) -> bool:
        """Whether as many events are in the table as were sent."""
        return len(recount.events(self.cell, PRODUCT)) == len(self.sent.events)

    def is_published(self) -> bool:
        """Whether readers see of every hour what was sent."""
        return recount.published(self.cell, PRODUCT) == self.sent.by_hour

    def well(self, *arguments: str) -> Result:
        """Run a command, which must end well."""
        result = self.command.start(*arguments).result(WITHIN_S)
        assert result.code == ExitCode.OK, result.err
        return result

    def stored(self) -> Iterator[bytes]:
        """Return what its S3 and its databases keep."""
        yield from objects(self.cell)
        for name in DATABASES:
            if (path := self.canaries.folder / name).exists():
                yield from rows(path.read_text().strip())

    def answers(self) -> Iterable[bytes]:
        """Return what a webserver tells."""
        return ()
