"""The port of formats: values of a topic's records as columns of the payload, and one record alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from pipeline.avro.decoding.columns import Columns
from pipeline.contract.model import Product
from pipeline.ingest.transform.records import Reason
from pipeline.kafka.records import RawRecord, Records

Numbers = npt.NDArray[np.int64]
_LOG = logging.getLogger(__name__)


class Values(Protocol):
    """Reads values of one topic. Those that it does not vouch for are left to be read one by one."""

    def read(self, records: Records) -> Columns:
        """Read the values of `records`.

        Raises:
            RegistryUnavailableError: a schema could not be looked up; no record is to blame.
        """

    def versions(self, numbers: Numbers) -> npt.NDArray[np.int32]:
        """Return payload versions of values without an envelope, by the numbers that reading gave."""

    def refuses(self, number: int) -> bool:
        """Return whether records of a number are dead letters, whatever they hold."""


class FoundEvent(NamedTuple):
    """What one record says: `event_time` in microseconds since the epoch, `fields` of the payload."""

    uuid: str
    key: str
    event_time: int
    schema_version: int
    fields: Mapping[str, Any]


ReadRecord = Callable[[RawRecord], FoundEvent]
"""Reads one record, whatever it holds, or raises `PoisonedError`; RegistryUnavailableError blames none."""


class PoisonedError(ValueError):
    """A record holds no event: why, for its dead letter. No caller of a decoder sees it."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def warn_slow(product: Product, name: str, why: str | None) -> None:
    """Log why every record of what is named is decoded by itself; nothing where `why` is None."""
    if why is not None:
        _LOG.warning(
            "%s: every record of %s is decoded by itself, which is slow: %s",
            product.topic.name,
            name,
            why,
        )
