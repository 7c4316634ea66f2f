"""What would go back to the topic for dead letters, and what ingest would make of it now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import polars as pl
import pyarrow as pa
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.clock import Clock
from pipeline.contract.model import Product
from pipeline.dead_letters.fate import ORIGIN, PLACE
from pipeline.dead_letters.fixes.fix import Fix
from pipeline.dead_letters.outbox.chunks import chunks
from pipeline.dead_letters.outbox.headers import replay_headers
from pipeline.dead_letters.outbox.mend import Mender
from pipeline.dead_letters.outbox.records import records_of
from pipeline.dead_letters.outbox.trial import Trial
from pipeline.dead_letters.selection import Selection
from pipeline.kafka.identity import TopicIdentity
from pipeline.rows.frames import to_frame
from pipeline.schemas.open import open_registry

MICROS_PER_HOUR = 3_600_000_000


class Verdict(StrEnum):
    """What would become of a dead letter that is replayed now."""

    PASSES = "passes"
    """It would be a row."""
    DUPLICATE = "duplicate"
    """Its event is a row already: it would be dropped as one that comes twice."""
    FAILS = "fails"
    """It would be a dead letter again."""
    NOT_FIXED = "not_fixed"
    """The fix has nothing that could go back for it."""


GOES_BACK = (Verdict.PASSES.value, Verdict.DUPLICATE.value)
"""Verdicts of what a replay sends."""


@dataclass(frozen=True)
class Outgoing:
    """Some dead letters, what goes back for them, and what would become of that; all in one order.

    Attributes:
        letters: of each dead letter PLACE, ORIGIN, `reason`, `verdict` and `why`: the reason of the dead
            letter that it would be, or why it is not fixed, for people.
        back: `record_key`, `record_value` and `headers` of what goes back.
    """

    letters: pl.DataFrame
    back: pa.Table


class Outbox:
    """Makes what goes back, by a fix or as it is, and tries it out. Sends nothing."""

    def __init__(
        self,
        cell: Cell,
        product: Product,
        topic: TopicIdentity,
        events: Table,
        fix: Fix | None,
        replay_id: str,
        clock: Clock,
    ) -> None:
        """Register the product's schemas, if there is a fix.

        Raises:
            RegistryUnavailableError, IncompatibleSchemaError: as `register_product`.
            ReferenceDataError: reference data cannot be read.
        """
        registry = open_registry(cell)
        self._topic = topic
        self._replay_id = replay_id
        self._clock = clock
        self._trial = Trial(product, registry, topic, events)
        self._mender = None if fix is None else Mender(product, registry, topic, fix)

    def of(
        self,
        letters: Table,
        selection: Selection,
        wanted: pl.DataFrame,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Iterator[Outgoing]:
        """Yield what goes back for the dead letters `wanted`, whose frame has `_topic_id`, PLACE and ORIGIN.

        Raises: as `chunks`; RegistryUnavailableError, FixInvalidError.
        """
        for rows in chunks(letters, selection.rows(), wanted):
            yield self._of(rows, wanted)
            progress(rows.num_rows)

    def _of(self, rows: pa.Table, wanted: pl.DataFrame) -> Outgoing:
        told = to_frame(rows.select([*PLACE, "reason"])).join(
            wanted.select(*PLACE, *ORIGIN), on=PLACE, how="left", maintain_order="left"
        )
        if self._mender is not None:
            mended = self._mender.mended(rows)
            rows = _with(rows, "record_key", pa.array([one.key for one in mended], pa.binary()))
            rows = _with(rows, "record_value", pa.array([one.value for one in mended], pa.binary()))
            told = told.with_columns(
                __why=pl.Series([one.why for one in mended], dtype=pl.String),
                __uuid=pl.Series([one.uuid for one in mended], dtype=pl.String),
                __time=pl.Series([one.event_time for one in mended], dtype=pl.Int64),
            )
        headers = replay_headers(rows, told, self._topic.topic_id, self._replay_id)
        rows = _with(rows, "headers", headers)
        now = int(self._clock().timestamp() * 1_000) * 1_000
        tried = self._trial.of(records_of(rows, now)).drop(PLACE)
        judged = pl.concat([told, tried.rename({"reason": "__reason"})], how="horizontal")
        verdict, why = _judged(mended=self._mender is not None)
        frame = judged.with_columns(verdict=verdict, why=why)
        kept = frame.select(*PLACE, *ORIGIN, "reason", "verdict", "why")
        return Outgoing(kept, rows.select(["record_key", "record_value", "headers"]))


def _judged(*, mended: bool) -> tuple[pl.Expr, pl.Expr]:
    """Return what is said of dead letters that were tried, and why."""
    verdict = (
        pl.when(pl.col("__reason").is_not_null())
        .then(pl.lit(Verdict.FAILS.value))
        .when("is_duplicate")
        .then(pl.lit(Verdict.DUPLICATE.value))
        .otherwise(pl.lit(Verdict.PASSES.value))
    )
    why = pl.format("{}: {}", "__reason", "detail").fill_null("")
    if not mended:
        return verdict, why
    hour = pl.col("event_time").floordiv(MICROS_PER_HOUR)
    refused = (
        pl.when(pl.col("__why").is_not_null())
        .then(pl.col("__why"))
        .when(pl.col("__reason").is_null() & (pl.col("uuid") != pl.col("__uuid")))
        .then(pl.lit("the fix changes the uuid"))
        .when(pl.col("__reason").is_null() & (hour != pl.col("__time").floordiv(MICROS_PER_HOUR)))
        .then(pl.lit("the fix moves the event to another hour"))
    )
    is_refused = refused.is_not_null()
    return (
        pl.when(is_refused).then(pl.lit(Verdict.NOT_FIXED.value)).otherwise(verdict),
        pl.when(is_refused).then(refused).otherwise(why),
    )


def _with(rows: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, column)
