"""What a replay would do: which dead letters would pass now, which not, and why. Changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product
from pipeline.dead_letters.fate import PLACE, Fate
from pipeline.dead_letters.fixes.fix import Fix
from pipeline.dead_letters.look.masking import Mask
from pipeline.dead_letters.outbox.outgoing import Outbox, Outgoing, Verdict
from pipeline.dead_letters.read import LetterTables, load_letter_tables, read_letters
from pipeline.dead_letters.selection import Selection
from pipeline.errors import TerminalError
from pipeline.kafka.identity import TopicIdentity
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table

EXAMPLES = 5
"""Of each verdict and reason."""


class NothingIngestedError(TerminalError):
    """The product has dead letters of no topic that is known."""


@dataclass(frozen=True)
class Example:
    """One dead letter and what would become of it."""

    partition: int
    offset: int
    reason: str
    verdict: Verdict
    why: str


@dataclass(frozen=True)
class ReplayPlan:
    """What a replay would do.

    Attributes:
        snapshot_id: of dead letters: what arrived after it is not selected.
        fix: what mends them; None for as they are.
        selected: dead letters that the filters select.
        by_fate: those of them that are not open, and so are left alone, by what became of them.
        other_topic: open ones of an earlier topic of that name, which nothing can go back to.
        verdicts: what would become of the open ones: verdict -> count.
        by_reason: (reason, verdict) -> count.
        examples: some of each reason and verdict.
    """

    selection: Selection
    snapshot_id: int | None
    fix: str | None
    selected: int
    by_fate: Mapping[str, int]
    other_topic: int
    verdicts: Mapping[str, int]
    by_reason: Mapping[tuple[str, str], int]
    examples: tuple[Example, ...]

    @property
    def open(self) -> int:
        """How many of the selected are open, and can go back."""
        return sum(self.verdicts.values())

    @property
    def chosen(self) -> int:
        """How many a replay would send."""
        return self.verdicts.get(Verdict.PASSES, 0) + self.verdicts.get(Verdict.DUPLICATE, 0)


class Tally:
    """Counts of verdicts, and some examples of each, in which nothing personal is quoted."""

    def __init__(self, product: Product) -> None:
        self._mask = Mask(product)
        self.by_reason: Counter[tuple[str, str]] = Counter()
        self.examples: list[Example] = []

    def add(self, part: Outgoing) -> None:
        """Count some."""
        for kind, found in part.letters.partition_by("reason", "verdict", as_dict=True).items():
            reason, verdict = str(kind[0]), str(kind[1])
            room = max(0, EXAMPLES - self.by_reason[reason, verdict])
            self.by_reason[reason, verdict] += len(found)
            self.examples += [
                Example(partition, offset, reason, Verdict(verdict), self._mask.detail(why))
                for partition, offset, why in found.head(room).select(*PLACE, "why").iter_rows()
            ]

    @property
    def verdicts(self) -> Mapping[str, int]:
        """Verdict -> count."""
        found: Counter[str] = Counter()
        for (_, verdict), count in self.by_reason.items():
            found[verdict] += count
        return dict(found)


@dataclass(frozen=True)
class Chosen:
    """The dead letters that a replay or discard is about, as of one look.

    Attributes:
        open: those that are open, of the topic that is ingested.
        topic: that topic.
    """

    tables: LetterTables
    topic: TopicIdentity
    selected: int
    by_fate: Mapping[str, int]
    other_topic: int
    open: pl.DataFrame


def choose(cell: Cell, product: Product, selection: Selection) -> Chosen:
    """Return the selected dead letters, parted by what became of them.

    Raises:
        NothingIngestedError: nothing was ever committed to events.
        TableMissingError, CatalogUnavailableError, FileMissingError, ...: as `read_letters`.
    """
    tables = load_letter_tables(cell, product)
    committed = tables.committed
    if committed is None:
        raise NothingIngestedError(
            "nothing was ingested yet.",
            subject=f"{product.name}/{cell.name}",
            remedy="Run `headwater ingest run` first.",
        )
    found = read_letters(tables, selection)
    is_open = pl.col("fate") == Fate.OPEN.value
    own = pl.col("_topic_id") == committed.topic_id
    counts = dict(found.filter(~is_open).get_column("fate").value_counts().iter_rows())
    topic = TopicIdentity(
        topic=committed.topic,
        topic_id=committed.topic_id,
        cluster_id=committed.cluster_id,
        partitions=tuple(sorted(committed.next)),
    )
    return Chosen(
        tables=tables,
        topic=topic,
        selected=len(found),
        by_fate=counts,
        other_topic=len(found.filter(is_open & ~own)),
        open=found.filter(is_open & own),
    )


def plan_replay(
    cell: Cell,
    product: Product,
    selection: Selection,
    fix: Fix | None = None,
    *,
    on_progress: Callable[[int], None] = lambda _: None,
    clock: Clock = utc_now,
) -> ReplayPlan:
    """Try out what would become of the selected dead letters, were they replayed now.

    Nothing is sent, claimed or noted; with a fix the contract's schemas are registered, as producing does.
    `on_progress` is told of dead letters that were tried, some at a time.

    Raises:
        NothingIngestedError, FixInvalidError: nothing can be planned.
        RegistryUnavailableError, and as `choose`.
    """
    chosen = choose(cell, product, selection)
    events = load_table(cell, events_table(product.name))
    outbox = Outbox(cell, product, chosen.topic, events, fix, "dry-run", clock)
    tally = Tally(product)
    for part in outbox.of(chosen.tables.letters, selection, chosen.open, on_progress):
        tally.add(part)
    return ReplayPlan(
        selection=selection,
        snapshot_id=chosen.tables.snapshot_id,
        fix=None if fix is None else fix.text,
        selected=chosen.selected,
        by_fate=chosen.by_fate,
        other_topic=chosen.other_topic,
        verdicts=tally.verdicts,
        by_reason=tally.by_reason,
        examples=tuple(tally.examples),
    )
