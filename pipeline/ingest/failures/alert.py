"""Telling that an ingest refuses to go on: a row of the product's alerts."""

from __future__ import annotations

import logging

from pyiceberg.exceptions import CommitFailedException
from sqlalchemy.exc import SQLAlchemyError

from pipeline.cells import Cell
from pipeline.clock import Clock, hour_of
from pipeline.contract.model import Product
from pipeline.control.alerts import Alert, AlertKind, raise_alert
from pipeline.errors import HeadwaterError
from pipeline.tables.layout import events_table

_LOG = logging.getLogger(__name__)


def alert_refused(
    cell: Cell, product: Product, error: HeadwaterError, run_id: str, clock: Clock
) -> None:
    """Add an alert that ingest ended with `error`, at most one an hour.

    An alert that cannot be added is logged and lost: the ingest ends with the error, either way.
    """
    now = clock()
    alert = Alert(
        at=now,
        table=events_table(product.name),
        hour=hour_of(now),
        kind=AlertKind.INGEST_REFUSED,
        detail=str(error),
        run_id=run_id,
    )
    try:
        raise_alert(cell, product.name, alert)
    except (HeadwaterError, SQLAlchemyError, CommitFailedException, OSError) as failure:
        _LOG.warning("alert lost: %s", failure)
