"""How much an ingest reads, waits for and keeps in memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of an ingest.

    Attributes:
        max_records: most records of one micro-batch, over all partitions.
        max_s: seconds after which a micro-batch is committed as far as it has come.
        linger_s: an ingest that has caught up commits at most once in so many seconds.
        memory_mb: memory that records in hand and the uuids of open hours may take, in MiB, beyond
            the process's own (about 450: Python, Arrow, compiled code). Larger gives larger files; uuids
            beyond a quarter of it are kept in a temporary file.
    """

    max_records: int = 4_000_000
    max_s: float = 20.0
    linger_s: float = 2.0
    memory_mb: int = 1024

    @property
    def fetch_bytes(self) -> int:
        """Memory for what is on its way from Kafka and not yet decoded."""
        return self.memory_mb * 2**20 // 24

    @property
    def rows_bytes(self) -> int:
        """Memory of decoded rows at which they are written."""
        return self.memory_mb * 2**20 // 8

    @property
    def dead_letters_bytes(self) -> int:
        """Memory of dead letters at which a micro-batch ends."""
        return self.memory_mb * 2**20 // 16

    @property
    def uuid_bytes(self) -> int:
        """Memory for the uuids of open hours."""
        return self.memory_mb * 2**20 // 4


DEFAULT_LIMITS = Limits()
