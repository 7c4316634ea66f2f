"""Records made of what a fix returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from pipeline.contract.model import Product
from pipeline.dead_letters.fixes.fix import Broken, Fix, Fixed, broken
from pipeline.dead_letters.opened import Opener
from pipeline.dead_letters.outbox.as_contract import by_current_names
from pipeline.dead_letters.outbox.chunks import raw_records
from pipeline.kafka.identity import TopicIdentity
from pipeline.produce.value_frame import ValueFrame, payload_encoder
from pipeline.rows.convert import RowError, row_converter
from pipeline.schemas.registry import Registry


class Mended(NamedTuple):
    """One dead letter mended, or `why` not; and who it was before, as far as that is known."""

    key: bytes | None = None
    value: bytes | None = None
    uuid: str | None = None
    event_time: int | None = None
    why: str | None = None


class Mender:
    """Mends dead letters of one product by a fix, encoded as the newest schema of the contract."""

    def __init__(
        self, product: Product, registry: Registry, topic: TopicIdentity, fix: Fix
    ) -> None:
        """Register the product's schemas.

        Raises:
            RegistryUnavailableError, IncompatibleSchemaError: as `register_product`.
        """
        self._product = product
        self._fix = fix
        self._opener = Opener(product, registry, topic)
        self._convert = row_converter(product.payload_schema, texts=False)
        self._encode = payload_encoder(product)
        self._frame = ValueFrame(product, registry)

    def mended(self, letters: pa.Table) -> Sequence[Mended]:
        """Return each dead letter mended, or why it is not.

        Raises:
            FixInvalidError: the fix can mend none.
            RegistryUnavailableError: a schema could not be looked up.
        """
        given = [
            broken(record, reason, detail, self._opener.open(record))
            for record, reason, detail in zip(
                raw_records(letters),
                letters.column("reason").to_pylist(),
                letters.column("detail").to_pylist(),
                strict=True,
            )
        ]
        return [
            Mended(why=made) if isinstance(made, str) else self._made(letter, made)
            for letter, made in zip(given, self._fix.apply(given), strict=True)
        ]

    def _made(self, letter: Broken, made: Fixed) -> Mended:
        enveloped = self._product.topic.envelope
        if enveloped and not (made.uuid and made.key and made.event_time is not None):
            return Mended(why="an envelope needs uuid, key and event time, and not all are known")
        if letter.uuid is not None and made.uuid != letter.uuid:
            return Mended(why="the fix changes the uuid")
        try:
            payload = self._convert(by_current_names(made.payload, self._product.payload_schema))
            body = self._encode(payload)
        except (RowError, ValueError, TypeError, KeyError, OverflowError) as error:
            return Mended(why=f"no payload of the contract: {error}"[:300])
        value = self._frame.value(
            body, key=made.key or "", event_time=made.event_time or 0, uuid=made.uuid or ""
        )
        key = (made.key or "").encode() if enveloped else letter.record.key
        return Mended(key, value, letter.uuid, letter.event_time)
