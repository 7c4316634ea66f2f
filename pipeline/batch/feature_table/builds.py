"""Which builds of a feature's hours count when its table is derived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256

from pyiceberg.table import Table

from pipeline.batch.context import RangeContext
from pipeline.batch.model import Staged
from pipeline.batch.wap.publish import published_unrecorded


@dataclass(frozen=True)
class Builds:
    """The builds that count, by their hours.

    Attributes:
        counted: hour -> the build that counts, of hours without rows too.
        now: those of them that have rows.
        before: those that had rows and counted before the build at hand was published.
        others_unrecorded: whether main has rows of yet another build that is not recorded.
    """

    counted: Mapping[datetime, str]
    now: Mapping[datetime, str]
    before: Mapping[datetime, str]
    others_unrecorded: bool


def builds_of(context: RangeContext, staged: Staged, history: Table) -> Builds:
    """Return the builds that count once `staged` is on main of its history.

    Builds that are on main count, recorded or not: a build is recorded only once readers have it, and
    whoever derives the table meanwhile must not take it from them.
    """
    # The records were read first: what others have recorded since is on main in what is read now.
    log, table = context.publications, context.table
    last = {hour: one for (name, hour), one in log.last.items() if name == table}
    before = {hour: one.wap_id for hour, one in last.items() if one.rows}
    counted, now = {hour: one.wap_id for hour, one in last.items()}, dict(before)
    others_unrecorded = False
    for other, _ in published_unrecorded(history, partial(log.has, table)):
        found = dict.fromkeys(other.starts, other.wap_id)
        counted |= found
        now |= found
        is_staged = other.wap_id == staged.wap_id and set(other.starts) <= set(staged.starts)
        others_unrecorded = others_unrecorded or not is_staged
    counted |= dict.fromkeys(staged.starts, staged.wap_id)
    now = {hour: wap_id for hour, wap_id in now.items() if hour not in staged.starts}
    now |= dict.fromkeys(staged.with_rows, staged.wap_id)
    return Builds(counted, now, before, others_unrecorded)


def digest_of(builds: Mapping[datetime, str]) -> str:
    """Return a digest that builds of other hours, or others of the same, do not have."""
    lines = (f"{hour.isoformat()} {wap_id}\n" for hour, wap_id in sorted(builds.items()))
    return sha256("".join(lines).encode()).hexdigest()
