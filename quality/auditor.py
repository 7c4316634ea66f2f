"""The audits of one run: held, and shown in the cell's Data Docs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from pyspark.sql import DataFrame

from pipeline.batch.model import AuditFunction
from pipeline.cells import Cell
from pipeline.contract.model import DerivedTable
from pipeline.supervision.locks import LockHeldError
from quality.audit import AuditResult, audit
from quality.data_docs import Audited, Page, index, publish

_log = logging.getLogger(__name__)


class RunAuditor:
    """Gives `execute` the audits of one run's hours, and keeps what they found.

    For one run in one thread.
    """

    def __init__(self, cell: Cell, product: str, run_id: str) -> None:
        self._cell = cell
        self._product = product
        self._run_id = run_id
        self._audited: dict[tuple[str, datetime], Audited] = {}
        self._pages: dict[tuple[str, datetime], Page] = {}

    def __call__(self, table: DerivedTable, hour: datetime) -> AuditFunction:
        """Return the audit of one hour of one table."""

        def judge(frame: DataFrame) -> AuditResult:
            result = audit(frame, table)
            self._audited[table.name, hour] = Audited(table, hour, result)
            return result

        return judge

    def result(self, table: str, hour: datetime) -> AuditResult | None:
        """Return what the last audit of the hour found; None if the run did not audit it."""
        audited = self._audited.get((table, hour))
        return audited.result if audited else None

    def results(self, table: str) -> Mapping[datetime, AuditResult]:
        """Return what the run's audits of a table found, by hour, in their order."""
        return {hour: one.result for (name, hour), one in self._audited.items() if name == table}

    def pages(self, table: str) -> Mapping[datetime, Page]:
        """Return where the audits of a table are shown, by hour, of those that are."""
        return {hour: page for (name, hour), page in self._pages.items() if name == table}

    def publish(self, table: str, hour: datetime) -> Page | None:
        """Put the hour's audit in the cell's Data Docs; None if there is none, or it cannot be written.

        An hour is not worth less for it, so nothing is raised then.
        """
        audited = self._audited.get((table, hour))
        if audited is None:
            return None
        try:
            self._pages |= publish(self._cell, self._product, [audited], self._run_id)
        except (LockHeldError, OSError) as error:
            _log.warning("The audit of %s %s is not in the Data Docs: %s", table, hour, error)
        return self._pages.get((table, hour))

    def finish(self) -> None:
        """Bring the index of the Data Docs up to date; as `show`, it raises nothing."""
        if not self._pages:
            return
        try:
            index(self._cell, self._run_id)
        except (LockHeldError, OSError) as error:
            _log.warning("The index of the Data Docs is as it was: %s", error)
