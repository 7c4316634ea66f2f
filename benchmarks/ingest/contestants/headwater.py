"""Headwater, as `headwater ingest run --once` runs it; and with parts of it taken out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.ingest.contestants import Guarantees, this_python
from benchmarks.ingest.work import Topic, Work

if TYPE_CHECKING:
    import polars as pl
    from pyiceberg.table import Table

    from pipeline.cells import Cell

TITLE = "Headwater"
ALL_ON = "all_on"
NO_GATES = "no_gates"
NO_DUPLICATES = "no_deduplication"
VARIANTS = {ALL_ON: "", NO_GATES: "without gates", NO_DUPLICATES: "without de-duplication"}
SHARE = 1.0
python = this_python


def guarantees(variant: str) -> Guarantees:
    """Everything, less what is taken out."""
    return Guarantees(
        exactly_once="offsets in the same Iceberg commit as the rows, fenced",
        duplicates="kept" if variant == NO_DUPLICATES else "dropped by uuid, over restarts",
        bad_records="dead letters with their bytes"
        + ("" if variant == NO_GATES else "; late and invalid rows counted"),
        ledger="every offset a row, duplicate, dead letter or gap",
    )


def ready(say: Callable[[str], None]) -> str:  # noqa: ARG001 - of the shape
    """It can always run."""
    return ""


def files(work: Work) -> tuple[list[str], str]:
    """Return its own table's."""
    from benchmarks.exactly_once import data_files

    return data_files(work.own_cell(), f"{work.topic.name}.events"), "_uuid"


def start(work: Work) -> InCell:
    """Import what an ingest needs, and take out what the variant does without."""
    import polars as pl

    from pipeline.ingest.dedup.deduplicate import Deduplicator
    from pipeline.ingest.run import ingest
    from pipeline.ingest.transform import process as batch
    from pipeline.ingest.transform.gates.rules import RuleViolations

    # The product has no such switches: nobody should run without them.
    if work.variant == NO_GATES:
        nothing = RuleViolations({}, pl.Series(dtype=pl.UInt32))
        setattr(batch, "gate", _let_pass)  # noqa: B010 - what mypy would not let us do plainly
        setattr(batch, "broken_rules", lambda *_: nothing)  # noqa: B010
    if work.variant == NO_DUPLICATES:
        setattr(Deduplicator, "split", _keep_all)  # noqa: B010
    return InCell(work.own_cell(), ingest)


class InCell:
    """Ingests into a cell."""

    def __init__(self, cell: Cell, ingest: Callable[..., Any]) -> None:
        self._cell, self._ingest = cell, ingest

    def run(self, topic: Topic, table: str) -> None:  # noqa: ARG002 - it has its own
        """Work off the topic into the table that its contract names."""
        from pipeline.contract.load import load_product

        self._ingest(self._cell, load_product(Path(topic.contract)), once=True)

    def close(self) -> None:
        """Nothing is open."""


def _let_pass(frame: pl.DataFrame, gates: Any) -> Any:  # noqa: ARG001 - in the gate's place
    import polars as pl

    from pipeline.ingest.transform.gates.gate import Gated

    none = {"__row": pl.Int64, "reason": pl.String, "detail": pl.String}
    return Gated(frame.with_columns(_late=pl.lit(value=False)), pl.DataFrame(schema=none))


def _keep_all(
    self: Any,  # noqa: ARG001 - in a method's place
    frame: pl.DataFrame,
    table: Table,  # noqa: ARG001
) -> tuple[pl.DataFrame, pl.DataFrame]:
    return frame, frame.clear()
