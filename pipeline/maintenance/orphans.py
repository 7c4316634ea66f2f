"""Files of a table that no snapshot names: which they are, told without a look at any of them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath


@dataclass(frozen=True)
class StoredFile:
    """A file below a table's folder: its path without scheme, size, and when it was last written."""

    path: str
    bytes: int
    written_at: datetime


@dataclass(frozen=True)
class OrphanPlan:
    """What a look at a table's folder found.

    Attributes:
        orphans: files that nothing names and that no run still alive can have written; metadata first,
            so that none is left whose files are gone.
        young: how many nothing names, and which somebody may be about to commit.
        missing: files that something names and the folder lacks. Where there are any, nothing may be
            deleted: the folder looked at may be another one, or names may not compare as they should.
    """

    orphans: tuple[StoredFile, ...]
    young: int
    missing: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """The sizes of the orphans together."""
        return sum(file.bytes for file in self.orphans)


def plan_orphans(
    stored: Iterable[StoredFile], named: Collection[str], now: datetime, age: timedelta
) -> OrphanPlan:
    """Return which of `stored` are orphans, given all paths that the table's metadata names.

    `stored` was listed before `named` was read: what was committed in between is named. Files written
    within `age` before `now` are left alone, named or not. A checksum file of Hadoop's goes with the file
    that it is of.
    """
    files = {file.path: file for file in stored}
    unnamed = [file for path, file in files.items() if _checked(path) not in named]
    old = [file for file in unnamed if file.written_at < now - age]
    return OrphanPlan(
        orphans=tuple(sorted(old, key=_order)),
        young=len(unnamed) - len(old),
        missing=tuple(sorted(set(named) - set(files))),
    )


def _order(file: StoredFile) -> tuple[bool, str]:
    return not file.path.endswith(".metadata.json"), file.path


def _checked(path: str) -> str:
    """Return the file that a checksum of Hadoop's is of; any other file as it is."""
    whole = PurePosixPath(path)
    if whole.name.startswith(".") and whole.suffix == ".crc":
        return str(whole.with_name(whole.name.removeprefix(".").removesuffix(".crc")))
    return path
