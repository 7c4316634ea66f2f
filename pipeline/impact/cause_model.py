"""What it is told by why an hour is as it is: frozen; of payloads only the rows that were asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pipeline.batch.provenance import Change
from pipeline.control.alerts import Alert
from pipeline.control.publications import Publication
from pipeline.impact.commits import Commit


class Came(StrEnum):
    """When a commit of events came, as the last two builds of an hour saw it."""

    BEFORE = "in both builds"
    SINCE = "since the build before"
    AFTER = "after this build"
    FIRST = "in this build"
    """It is the first build of the hour."""
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Fed:
    """Rows of events of the hours that an hour reads, by the commit that brought them and their partition.

    Attributes:
        commit: None of rows that no entry of the ledger counts.
        first, last: their least and greatest offset; others may lie between.
    """

    commit: Commit | None
    partition: int
    rows: int
    first: int
    last: int
    came: Came


@dataclass(frozen=True)
class InputBuild:
    """An hour of a derived table that an hour reads, as the last build of that found it.

    Attributes:
        now: the build that was read; None where there was none.
        before: the one that the build before had read; None where there was none, or no build before.
        is_other: whether what is read of it is another than the build before had read, by its digests.
    """

    table: str
    hour: datetime
    now: Publication | None
    before: Publication | None
    is_other: bool


@dataclass(frozen=True)
class KeyRows:
    """The rows of some key.

    Attributes:
        key: column -> value, as they were asked for.
        now: as readers have them.
        before: as the build before had them; None where that cannot be read any more, or there was none.
    """

    key: Mapping[str, str]
    now: tuple[Mapping[str, Any], ...]
    before: tuple[Mapping[str, Any], ...] | None


@dataclass(frozen=True)
class Cause:
    """Why an hour of a derived table is as it is.

    Attributes:
        identifier: where its hours are published: of a feature table, its history.
        build: its last publication.
        earlier: those before it, newest first.
        fed: rows of events in the hours that it reads; none where it reads none.
        inputs: hours of derived tables that it reads, those of each table oldest first.
        inputs_proven: whether the fingerprint of the publication says that these builds were read.
        changes: what the last publication says otherwise than the one before.
        alerts: what was raised of the hour.
        rows: of the key that was asked for.
    """

    product: str
    cell: str
    table: str
    identifier: str
    hour: datetime
    build: Publication
    earlier: tuple[Publication, ...]
    fed: tuple[Fed, ...]
    inputs: tuple[InputBuild, ...]
    inputs_proven: bool
    changes: tuple[Change, ...]
    alerts: tuple[Alert, ...]
    rows: KeyRows | None = None

    @property
    def before(self) -> Publication | None:
        """The build that readers had before; None of its first."""
        return self.earlier[0] if self.earlier else None

    @property
    def values_changed(self) -> bool | None:
        """Whether the last build made other rows than the one before; None where nothing tells."""
        before = self.before
        if before is None or before.digest is None or self.build.digest is None:
            return None
        return before.digest != self.build.digest

    @property
    def reasons(self) -> tuple[str, ...]:
        """What was different when it was built again; none where nothing that is kept was."""
        before = self.before
        if before is None:
            return ()
        fresh = sum(one.rows for one in self.fed if one.came is Came.SINCE)
        others = sum(one.is_other for one in self.inputs)
        of_contract = before.contract_version != self.build.contract_version
        version = f"contract {self.build.contract_version} was {before.contract_version}"
        told = (
            f"{fresh:,} rows of events had come" if fresh else "",
            f"{others:,} hours that it reads were others" if others else "",
            version if of_contract else "",
        )
        return tuple(one for one in told if one)
