"""The audits of one run: held, and shown in the cell's Data Docs."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.batch.planning.plan import HourBuild
from pipeline.batch.wap.audit_frame import AuditFunction, StagedRows
from pipeline.cells import Cell
from pipeline.contract.model import DerivedTable
from pipeline.supervision.locks import LockHeldError
from quality.audit import AuditResult
from quality.audit_hours import audit_hours
from quality.data_docs import KEPT, Audited, Page, index, publish

_log = logging.getLogger(__name__)


@dataclass
class Audits:
    """What a run's audits of one table found.

    Attributes:
        hours: how many were audited.
        met, expectations: how many expectations were met, of how many.
        failed: the hours that did not pass, in their order.
        shown: results of the newest hours and of the first that failed, in their order.
        pages: where these are shown, as far as they are.
    """

    hours: int = 0
    met: int = 0
    expectations: int = 0
    failed: list[datetime] = field(default_factory=list)
    shown: dict[datetime, AuditResult] = field(default_factory=dict)
    pages: dict[datetime, Page] = field(default_factory=dict)


class RunAuditor:
    """Gives `execute` the audits of one run's hours, and keeps what they found.

    Of a run of very many hours it keeps and shows what Data Docs keep of it: the newest hours of each table,
    and the first that fail. For one run in one thread.
    """

    def __init__(
        self, cell: Cell, product: str, run_id: str, builds: Iterable[HourBuild] = ()
    ) -> None:
        """Audit for a run that is to build `builds`, as far as that is known."""
        self._cell = cell
        self._product = product
        self._run_id = run_id
        self._audits: dict[str, Audits] = {}
        self._judged: dict[str, dict[datetime, Audited]] = {}
        self._results: dict[tuple[str, datetime], AuditResult] = {}
        self._shown_from: dict[str, datetime] = {}
        hours: dict[str, list[datetime]] = {}
        for build in builds:
            hours.setdefault(build.derived_table, []).append(build.hour)
        for table, all_hours in hours.items():
            self._shown_from[table] = sorted(all_hours)[-KEPT:][0]

    def __call__(self, table: DerivedTable) -> AuditFunction:
        """Return the audit of a table's hours."""

        def judge(rows: StagedRows) -> Mapping[datetime, AuditResult]:
            found = audit_hours(rows, table)
            judged = self._judged.setdefault(table.name, {})
            judged.update({hour: Audited(table, hour, result) for hour, result in found.items()})
            return found

        return judge

    def audits(self, table: str) -> Audits:
        """Return what the run's audits of a table found of the hours that were published by `publish`."""
        return self._audits.get(table, Audits())

    def publish(self, table: str, hour: datetime) -> AuditResult | None:
        """Put the hour's last audit in the cell's Data Docs, if it is to be shown; return what it found.

        Those that were held since the last call are put there with it: together they cost a third. None if
        the run did not audit it. An hour is not worth less if its audit cannot be written: nothing is
        raised then.
        """
        if judged := self._judged.pop(table, None):
            self._show(self._audits.setdefault(table, Audits()), list(judged.values()))
        return self._results.pop((table, hour), None)

    def _show(self, audits: Audits, judged: Sequence[Audited]) -> None:
        shown = []
        for one in judged:
            result = one.result
            self._results[one.table.name, one.hour] = result
            audits.hours += 1
            audits.met += result.met
            audits.expectations += len(result.results)
            if not result.passed:
                audits.failed.append(one.hour)
            is_newest = one.hour >= self._shown_from.get(one.table.name, one.hour)
            if is_newest or (not result.passed and len(audits.failed) <= KEPT):
                audits.shown[one.hour] = result
                shown.append(one)
        if not shown:
            return
        try:
            pages = publish(self._cell, self._product, shown, self._run_id)
        except (LockHeldError, OSError) as error:
            what = f"{shown[0].table.name} {shown[0].hour} ({len(shown)} hours)"
            _log.warning("The audit of %s is not in the Data Docs: %s", what, error)
        else:
            audits.pages.update({hour: page for (_, hour), page in pages.items()})

    def finish(self) -> None:
        """Bring the index of the Data Docs up to date; as `publish`, it raises nothing."""
        if not any(audits.pages for audits in self._audits.values()):
            return
        try:
            index(self._cell, self._run_id)
        except (LockHeldError, OSError) as error:
            _log.warning("The index of the Data Docs is as it was: %s", error)
