"""Uuid, key, time and version of events whose payload says them itself, in columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.avro.decoding.ranges import RANGES
from pipeline.contract.model import Product
from pipeline.contract.targets.event_time import micros_of_plain_time
from pipeline.ingest.transform.coordinate_uuid import coordinate_uuids
from pipeline.ingest.transform.origins import Origins
from pipeline.kafka.identity import TopicIdentity
from pipeline.rows.frames import to_series

RowNumbers = npt.NDArray[np.int64]


class EventColumns:
    """Tells them by the fields that the contract names: null where a payload does not say one."""

    def __init__(self, product: Product, identity: TopicIdentity) -> None:
        self._product = product
        self._identity = identity
        self._unit = micros_of_plain_time(product)

    def of(
        self,
        payload: pl.DataFrame,
        origins: Origins,
        rows: RowNumbers,
        versions: npt.NDArray[np.int32],
    ) -> pl.DataFrame:
        """Return the columns of `payload`, whose rows are the records numbered `rows`.

        A uuid of coordinates is of those where the record stood first.
        """
        product = self._product
        if product.uuid is None:
            partitions, offsets = origins.partition[rows], origins.offset[rows]
            uuids = to_series(coordinate_uuids(self._identity, partitions, offsets))
        else:
            uuids = column_at(payload, product.uuid)
        return pl.DataFrame(
            {
                "_uuid": uuids,
                "_key": self._keys(payload),
                "_event_time": self._times(column_at(payload, product.event_time)),
                "_schema_version": versions,
            }
        )

    def _keys(self, payload: pl.DataFrame) -> pl.Series:
        first, *others = (column_at(payload, path) for path in self._product.key_paths)
        for other in others:
            first = first.zip_with(first.is_not_null(), other)
        if first.dtype == pl.String:
            return first
        return pl.Series([None if one is None else str(one) for one in first], dtype=pl.String)

    def _times(self, column: pl.Series) -> pl.Series:
        if self._unit is not None:
            up, down = self._unit.numerator, self._unit.denominator
            limits = RANGES["timestamp-micros"]
            within = column.is_between(limits.low * down // up + 1, limits.high * down // up - 1)
            # What is outside is told by reading it alone.
            column = column.set(~within, None) * up // down
        return column.cast(pl.Datetime("us", "UTC"))


def column_at(frame: pl.DataFrame, path: str) -> pl.Series:
    """Return the column at a path of records; null where one of them is."""
    first, *others = path.split(".")
    column = frame.get_column(first)
    for name in others:
        column = column.struct.field(name)
    return column
