"""What Kafka's own record batches say of offsets that hold no record for a reader."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.cells import Cell
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.fetch import OffsetsLostError, fetch
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.network import Network
from pipeline.kafka.record_batches import Gap
from pipeline.kafka.topics import earliest_offsets
from pipeline.tables.offsets import CommittedOffsets

Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Evidence:
    """Spans [low, high) of one partition that batches say never held a record for a reader.

    They are transactions' markers and records of aborted transactions. What no batch tells of was
    removed: only compaction does that in between.
    """

    lows: Offsets
    highs: Offsets

    @property
    def offsets(self) -> int:
        """How many offsets they are."""
        return int((self.highs - self.lows).sum())

    def holds(self, offsets: Offsets) -> npt.NDArray[np.bool_]:
        """Return which of `offsets` are in a span."""
        if not len(self.lows):
            return np.zeros(len(offsets), np.bool_)
        before = np.searchsorted(self.lows, offsets, side="right") - 1
        return np.asarray((before >= 0) & (offsets < self.highs[before]))


def gather_evidence(
    cell: Cell, committed: CommittedOffsets, partition: int, end: int
) -> tuple[int, Evidence]:
    """Return the first offset that is left of [first, end), and what the batches from there on say.

    Begins again where retention comes first.

    Raises:
        What `fetch` and `earliest_offsets` raise, but for offsets that are gone.
    """
    identity = TopicIdentity(
        committed.cluster_id, committed.topic, committed.topic_id, tuple(committed.next)
    )
    while True:
        with connect_admin(cell) as admin:
            earliest = earliest_offsets(admin, committed.topic, (partition,))[partition]
        start = min(max(earliest, committed.first[partition]), end)
        lows, highs = [], []
        network = Network(cell)
        try:
            for fetched in fetch(network, identity, {partition: (start, end)}):
                for fetched_range in fetched.ranges:
                    for item in fetched_range.items:
                        if isinstance(item, Gap):
                            lows.append(item.low)
                            highs.append(item.high)
        except OffsetsLostError:
            continue
        finally:
            network.close()
        return start, Evidence(np.array(lows, np.int64), np.array(highs, np.int64))
