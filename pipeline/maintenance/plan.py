"""When maintenance acts, and which files it makes one of: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.clock import hour_of
from pipeline.supervision.lifetime import MAX_RUN_S

LONGEST_RUN = timedelta(seconds=MAX_RUN_S) + timedelta(hours=1)
"""What is older than this no run that is still alive has begun."""


@dataclass(frozen=True)
class MaintenancePolicy:
    """When maintenance acts.

    Attributes:
        keep_rows: rows of events whose hour ended longer ago are deleted; None: none are.
        retention_every: how often, at most, without being asked.
        retain: snapshots younger than this stay, and so do the files that they need.
        retain_commits: of commits of an ingest, those younger than this can be named. Rows of older ones
            are in what follows them, and their files stay as long as `retain` says.
        retain_last: so many of main's newest snapshots stay, however old.
        retain_staged: what was staged and is neither published nor tagged stays so long.
        small_bytes: a data file below it is small.
        min_files: small files of one partition are rewritten from so many on.
        max_bytes: most bytes of files that one rewriting reads, all held in memory (as about 8 times
            as much).
        min_manifests: manifests are merged from so many on.
        due_snapshots: expiry is due from so many snapshots on that may go.
        due_files: compaction is due once a table has so many data files more than the last one left.
        sweep_every: how often files are looked for that no snapshot names; the first time after
            `due_commits` commits.
        orphan_age: files younger than this are never among them.
        retain_lineage: OpenLineage files of runs stay so long after their last event.
        drain_lineage_s: so many seconds, at most, events that wait for their collector are sent.
    """

    keep_rows: timedelta | None = None
    retention_every: timedelta = timedelta(hours=6)
    retain: timedelta = timedelta(hours=1)
    retain_commits: timedelta = timedelta(minutes=5)
    retain_last: int = 20
    retain_staged: timedelta = LONGEST_RUN
    small_bytes: int = 48 * 2**20
    min_files: int = 8
    max_bytes: int = 96 * 2**20
    min_manifests: int = 50
    due_snapshots: int = 60
    due_files: int = 300
    sweep_every: timedelta = timedelta(days=1)
    due_commits: int = 200
    orphan_age: timedelta = LONGEST_RUN
    retain_lineage: timedelta = timedelta(days=90)
    drain_lineage_s: float = 30.0

    def horizon(self, now: datetime) -> datetime | None:
        """Return the hour before which rows are deleted; None where none are."""
        return None if self.keep_rows is None else hour_of(now - self.keep_rows)


DEFAULT_POLICY = MaintenancePolicy()


@dataclass(frozen=True)
class File:
    """A data file: where it is, which partition it belongs to, and how large it is."""

    path: str
    partition: str
    bytes: int


@dataclass(frozen=True)
class FileRewrite:
    """Small files of one partition that become one."""

    partition: str
    files: tuple[File, ...]

    @property
    def bytes(self) -> int:
        """Their sizes together."""
        return sum(file.bytes for file in self.files)


def plan_rewrites(files: Iterable[File], policy: MaintenancePolicy) -> tuple[FileRewrite, ...]:
    """Return which of `files` are worth rewriting together, partition by partition."""
    by_partition: dict[str, list[File]] = {}
    for file in files:
        if file.bytes < policy.small_bytes:
            by_partition.setdefault(file.partition, []).append(file)
    found: list[FileRewrite] = []
    for partition, small in sorted(by_partition.items()):
        found.extend(
            FileRewrite(partition, tuple(group))
            for group in _groups(small, policy.max_bytes)
            if len(group) >= policy.min_files
        )
    return tuple(found)


def _groups(files: list[File], max_bytes: int) -> list[list[File]]:
    groups: list[list[File]] = [[]]
    size = 0
    for file in files:
        if groups[-1] and size + file.bytes > max_bytes:
            groups.append([])
            size = 0
        groups[-1].append(file)
        size += file.bytes
    return groups
