"""Telling that an ingest refuses to go on, keeps failing or is stuck: a row of the product's alerts."""

from __future__ import annotations

import logging
from datetime import datetime

from pyiceberg.exceptions import CommitFailedException

from pipeline.cells import Cell
from pipeline.clock import Clock, hour_of
from pipeline.contract.model import Product
from pipeline.control.alerts import Alert, AlertKind, raise_alert
from pipeline.errors import HeadwaterError
from pipeline.logs import log_context
from pipeline.supervision.restart import REPEATED, RunEnd
from pipeline.tables.errors import CATALOG_FAULTS
from pipeline.tables.layout import events_table

_LOG = logging.getLogger(__name__)


def alert_refused(
    cell: Cell, product: Product, error: HeadwaterError, run_id: str, clock: Clock
) -> None:
    """Add an alert that ingest ended with `error`, at most one an hour. As `alert_failing`."""
    _alert(cell, product, AlertKind.INGEST_REFUSED, clock(), str(error), run_id)


def alert_failing(cell: Cell, product: Product, newest: RunEnd) -> None:
    """Add an alert that ingest failed by one error repeatedly, at most one an hour of the newest failure.

    An alert that cannot be added is logged and lost: what is told of goes on, either way.
    """
    detail = f"{REPEATED} or more runs in a row ended so, and committed nothing. {newest.detail}"
    _alert(cell, product, AlertKind.INGEST_FAILING, newest.ended_at, detail, newest.run_id)


def alert_stalled(cell: Cell, product: Product, reason: str, run_id: str, at: datetime) -> None:
    """Add an alert that whoever ingests does not go on, at most one an hour. As `alert_failing`."""
    _alert(cell, product, AlertKind.INGEST_STALLED, at, reason, run_id)


def _alert(
    cell: Cell, product: Product, kind: AlertKind, at: datetime, detail: str, run_id: str
) -> None:
    alert = Alert(
        at=at,
        table=events_table(product.name),
        hour=hour_of(at),
        kind=kind,
        detail=detail,
        run_id=run_id,
    )
    try:
        raise_alert(cell, product.name, alert)
    except (HeadwaterError, *CATALOG_FAULTS, CommitFailedException, OSError) as failure:
        with log_context(product=product.name, cell=cell.name, run_id=run_id):
            _LOG.warning("alert lost: %s", failure)
