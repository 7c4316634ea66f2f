"""Ranges of hours that real processes build and die over; what readers have of them, and are to have."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from pyspark.sql import SparkSession

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.control.publications import Publication, read_publications
from pipeline.tables.catalog import TableMissingError, load_table
from tests.crash.range_kills import RECOVERED, RangeKill
from tests.crash.range_model import BAD, EMPTY, NUMBERS, Held, Tastes, tastes_of
from tests.crash.scenario import Place
from tests.support.apart import Attempt
from tests.support.builds_apart import fails_in, start_build
from tests.support.derivations import Chain
from tests.support.orders import hour


@dataclass
class RangeStage:
    """Two tables of orders, and those who build them.

    Attributes:
        held: what readers have, by what was built so far.
        accepted: by hour of the feature, the rows of each of its builds that passed.
        recorded: publications that were there when what was built was last looked at.
        kills: deaths, by place.
        rounds: how often orders came.
    """

    spark: SparkSession
    cell: Cell
    product: Product
    held: Held = field(default_factory=Held)
    accepted: defaultdict[datetime, list[Tastes]] = field(default_factory=lambda: defaultdict(list))
    recorded: frozenset[Publication] = frozenset()
    kills: Counter[str] = field(default_factory=Counter)
    rounds: int = 0

    def __post_init__(self) -> None:
        self.chain = Chain(self.spark, self.cell, self.product)

    def more(self) -> None:
        """Have orders come to every hour but the empty one."""
        self.rounds += 1
        amounts = (("north", self.rounds), ("south", 7), (f"region {self.rounds}", 3))
        hours = [at for at in map(hour, NUMBERS) if at != EMPTY]
        self.chain.orders.append([(at, region, n) for at in hours for region, n in amounts])

    def dies(self, place: Place) -> bool:
        """Have a build of what is due die at `place`; False if it ended without coming to it."""
        died = self.start(NUMBERS, place).wait() != 0
        self.kills[str(place)] += died
        return died

    def die(self, kill: RangeKill) -> None:
        """Have a build die as `kill` says."""
        assert self.dies(kill.at), f"{kill.at} was not reached"
        if kill.twice:
            self.dies(Place(RECOVERED))

    def start(self, numbers: Iterable[int], place: Place, *, sleeps: bool = False) -> Attempt:
        """Start a build of what is due of some hours, in which `BAD` fails, to die or sleep at `place`."""
        plan = self.chain.plan(numbers)
        return start_build(self.cell, self.product, plan, [BAD], at=str(place), sleeps=sleeps)

    def build(self, failing: Collection[datetime], numbers: Iterable[int] = NUMBERS) -> None:
        """Build what is due of some hours here; `failing` ones do not pass."""
        self.chain.build(numbers, partial(fails_in, failing))

    def wanted(self, failing: Collection[datetime]) -> Held:
        """Return what readers are to have once all hours are built, and those of `failing` did not pass."""
        orders = self.chain.orders
        passing = [at for at in map(hour, NUMBERS) if at not in failing]
        return Held(
            {**self.held.sales, **{at: rows for at in passing if (rows := orders.expected(at))}},
            {**self.held.tastes, **{at: tastes_of(orders, at) for at in passing}},
        )

    def settle(self, failing: Collection[datetime]) -> None:
        """Take what is wanted for what is held from now on."""
        self.held = self.wanted(failing)
        for at, rows in self.held.tastes.items():
            self.accepted[at].append(rows)
        self.recorded = frozenset(read_publications(self.cell, self.product.name))

    def rows(self, table: str, tag: str = "main") -> list[dict[str, Any]]:
        """Return the rows that a table has under a tag; none of a table that is not there."""
        try:
            found = load_table(self.cell, f"orders.{table}")
        except TableMissingError:
            return []
        ref = found.metadata.refs.get(tag)
        return found.scan(snapshot_id=ref.snapshot_id).to_arrow().to_pylist() if ref else []
