"""A batch that fails without a name, and with no record to blame: tried again, and then refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipeline.errors import TerminalError
from pipeline.ingest.failures.isolate import IsolatedRecords
from pipeline.ingest.model import Plan, Range
from pipeline.ingest.read.stored import Coordinate

ATTEMPTS = 3
"""How often one range is tried before ingest refuses it."""


class BatchFailedError(TerminalError):
    """A range of offsets ends in an error without a name at every attempt, and no record does alone.

    `ranges` are the offsets.
    """

    def __init__(
        self, error: BaseException, ranges: tuple[Range, ...], product: str, cell: str
    ) -> None:
        offsets = ", ".join(f"{r.start}..{r.end} of partition {r.partition}" for r in ranges)
        first = ranges[0]
        super().__init__(
            f"offsets {offsets} ended in {type(error).__name__} {ATTEMPTS} times, "
            "and no record of them does by itself.",
            subject=f"{product}/{cell}",
            remedy="Correct its cause, which the traceback tells. Or set them aside, partition by "
            f"partition, with `headwater ingest quarantine {product} --cell {cell} --partition "
            f"{first.partition} --offsets {first.start}..{first.end} --reason WHY`; fewer offsets with "
            "a smaller --max-records.",
        )
        self.ranges = ranges


class FailedBatches:
    """What one ingest remembers of its batches that failed without a name.

    Attributes:
        unwritable: the coordinates of records that fail by themselves -> their errors.
    """

    def __init__(self) -> None:
        self.unwritable: dict[Coordinate, str] = {}
        self._ends: Mapping[int, int] | None = None
        self._failing: tuple[Range, ...] = ()
        self._times = 0

    def limit(self, plan: Plan) -> Plan:
        """Return `plan` without what the next attempt is not to read."""
        if self._ends is None:
            return plan
        ends = self._ends
        ranges = tuple(
            Range(r.partition, r.start, max(r.start, min(r.end, ends.get(r.partition, r.start))))
            for r in plan.ranges
        )
        if not any(ranges):
            # Somebody else got past it.
            self._ends = None
            return plan
        return replace(plan, ranges=tuple(r for r in ranges if len(r)))

    def may_retry(self, plan: Plan, found: IsolatedRecords) -> bool:
        """Take in what was found of `plan`, which failed; tell whether it may be tried again."""
        if found.unwritable:
            self.unwritable |= found.unwritable
            self._ends, self._failing, self._times = found.ends, (), 0
            return True
        self._times = self._times + 1 if plan.ranges == self._failing else 1
        self._failing = plan.ranges
        self._ends = {r.partition: r.end for r in plan.ranges}
        return self._times < ATTEMPTS

    def forget_committed(self, ends: Mapping[int, int]) -> None:
        """Forget what lies before `ends` (partition -> offset), which are committed."""
        self._ends, self._failing, self._times = None, (), 0
        if self.unwritable:
            self.unwritable = {
                (p, offset): detail
                for (p, offset), detail in self.unwritable.items()
                if offset >= ends.get(p, 0)
            }
