"""Following a contract that changes while an ingest runs, and reporting what waits for it to change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.contract.folders import CONTRACT_FILE
from pipeline.contract.model import Product
from pipeline.contract.reload import ContractWatch
from pipeline.contract.source.mistakes import ContractError, Mistake
from pipeline.ingest.failures.unnamed import UNNAMED
from pipeline.ingest.lineage.run import IngestLineage
from pipeline.ingest.report import IngestReport
from pipeline.ingest.session import Session
from pipeline.ingest.transform.held_back import HeldBackPartition


@dataclass
class ContractFollower:
    """Lets an ingest go on by what its contract says now."""

    session: Session
    lineage: IngestLineage
    watch: ContractWatch
    on_contract: Callable[[Product | ContractError], None] | None

    def __call__(self, *, at_once: bool = False) -> bool:
        """Look whether it has changed; return whether the ingest goes on by another."""
        try:
            found: Product | ContractError | None = self.watch.changed(at_once=at_once)
        except ContractError as error:
            found = error
        except UNNAMED as error:
            # A contract that cannot be read for whatever reason must not end an ingest that needs no other.
            folder = self.watch.folder
            expected = f"a contract that can be read; {type(error).__name__} came of it"
            found = ContractError(folder.name, [Mistake(folder / CONTRACT_FILE, 1, "", expected)])
        if isinstance(found, Product):
            self.session.follow(found)
            self.lineage.follow(found)
        if found is not None and self.on_contract is not None:
            self.on_contract(found)
        return isinstance(found, Product)


@dataclass
class HeldBackReporter:
    """Reports what waits for the contract, each time that it is other partitions or offsets."""

    session: Session
    report: IngestReport
    on_held_back: Callable[[Sequence[HeldBackPartition]], None] | None
    reported: tuple[HeldBackPartition, ...] = ()

    def __call__(self) -> None:
        """Look at what waits now."""
        now = self.session.held_back
        self.report.held_back = {one.partition: one.offset for one in now}
        if now != self.reported and self.on_held_back is not None:
            self.on_held_back(now)
        self.reported = now
