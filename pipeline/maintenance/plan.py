"""What maintenance would do to a table: pure functions of its snapshots and files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class MaintenancePolicy:
    """When maintenance acts.

    Attributes:
        retain: snapshots younger than this stay, so that nobody's reading ends in a missing file.
        retain_last: so many of main's newest snapshots stay, however old.
        small_bytes: a data file below it is small.
        min_files: small files of one partition are rewritten from so many on.
        max_bytes: most bytes of files that one rewriting reads, all held in memory (as about 8 times
            as much).
        min_manifests: manifests are merged from so many on.
    """

    retain: timedelta = timedelta(hours=1)
    retain_last: int = 20
    small_bytes: int = 48 * 2**20
    min_files: int = 8
    max_bytes: int = 96 * 2**20
    min_manifests: int = 50


@dataclass(frozen=True)
class SnapshotAge:
    """A snapshot of main, and when it was committed."""

    snapshot_id: int
    sequence_number: int
    committed_at: datetime


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


def expirable_snapshots(
    history: Sequence[SnapshotAge],
    *,
    protected: Iterable[int],
    whole_to: int | None,
    archived_through: int | None,
    now: datetime,
    policy: MaintenancePolicy,
) -> tuple[int, ...]:
    """Return the snapshots of `history` (newest first) that may expire, oldest first.

    Those of `protected` stay, all down to `whole_to`, and those after sequence number `archived_through`
    (None for either: no such bound). Where `whole_to` is not in the history, nothing expires.
    """
    kept = set(protected)
    ids = [one.snapshot_id for one in history]
    begin = policy.retain_last
    if whole_to is not None:
        if whole_to not in ids:
            return ()
        begin = max(begin, ids.index(whole_to) + 1)
    old = [
        one.snapshot_id
        for one in history[begin:]
        if one.committed_at < now - policy.retain
        and one.snapshot_id not in kept
        and (archived_through is None or one.sequence_number <= archived_through)
    ]
    return tuple(reversed(old))


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
