"""The engine from records to table, without a broker: what a chain of contracts is tried on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.avro.schema import field_types
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.ingest.commit.tables import IngestTables
from pipeline.ingest.transform.exclude import Exclusions
from pipeline.ingest.transform.process import Processor
from pipeline.ingest.transform.records import DeadLetter
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.record_batches import BatchSlice, parse_batches
from pipeline.kafka.records import Records, records_in
from pipeline.ledger.model import Entry, ledger_summary
from pipeline.maintenance.compact import compact
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.schemas import wire
from pipeline.schemas.registry import Registry
from pipeline.tables.commit import OffsetCommit, commit
from pipeline.tables.data_files.read import read_files
from pipeline.tables.data_files.write import write_hours
from tests.decoder.batches import Wrote, batch
from tests.decoder.registry import Schemas

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
TOPIC = TopicIdentity("cluster", "topic", "topic-id", (0,))
ODCS = {
    "boolean": "boolean",
    "int": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "array": "array",
    "record": "object",
}


def write_contract(
    folder: Path, schemas: Sequence[dict[str, Any]], topic: str = "chain", **said: str
) -> Path:
    """Write the contract of a product without an envelope, whose fields `id` and `at` are key and time.

    `said` is what else its `schemas` say.
    """
    (folder / "schemas").mkdir(parents=True, exist_ok=True)
    names = []
    for number, schema in enumerate(schemas, start=1):
        names.append(f"schemas/payload.v{number}.avsc")
        (folder / names[-1]).write_text(json.dumps(schema, indent=1))
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": f"urn:{folder.name}",
        "name": folder.name,
        "version": f"{len(schemas)}.0.0",
        "status": "active",
        "domain": "tests",
        "description": {"purpose": "try"},
        "team": {"name": "t", "members": [{"username": "t", "role": "owner"}]},
        "customProperties": [
            {
                "property": "headwater",
                "value": {
                    "cells": ["us"],
                    "key": "id",
                    "eventTime": "at",
                    "schemas": {"envelope": "none", "payload": names, **said},
                    "topic": {
                        "partitions": 1,
                        "replication": 1,
                        "history": True,
                        "retention": "forever",
                    },
                    "gates": {"freshness": "10s", "late": "72h"},
                },
            }
        ],
        "schema": [
            {
                "name": folder.name,
                "physicalName": topic,
                "physicalType": "topic",
                "description": "d",
                "properties": [
                    {"name": name, "logicalType": odcs_type(type_), "description": "d"}
                    for name, type_ in field_types(schemas[-1]).items()
                ],
            }
        ],
    }
    (folder / "contract.yaml").write_text(json.dumps(document, indent=1))
    return folder


def odcs_type(schema: Any) -> str:
    """Return the standard's type that describes a field."""
    from pipeline.contract.targets.avro import odcs_types

    return odcs_types(schema)[0]


@dataclass
class Engine:
    """One product's tables in one cell. Offsets go on from call to call."""

    cell: Cell
    folder: Path
    offset: int = 0

    def land(
        self,
        product: Product,
        registered: Sequence[dict[str, Any]],
        values: Sequence[tuple[int, bytes]],
    ) -> tuple[list[int], list[DeadLetter]]:
        """Ingest values of (version, Avro binary); return their offsets, and the dead letters.

        Raises: as the engine.
        """
        framed = [wire.encode(version, body) for version, body in values]
        known = Schemas(dict(enumerate(registered, start=1)), range(1, len(registered) + 1))
        return self.land_values(product, known, framed)

    def land_values(
        self, product: Product, registry: Registry, values: Sequence[bytes]
    ) -> tuple[list[int], list[DeadLetter]]:
        """As `land`, of values as Kafka has them, by a registry that is there."""
        events, _ = IngestTables(self.cell, product).load()
        processor = Processor(product, registry, TOPIC, "run")
        offsets = list(range(self.offset, self.offset + len(values)))
        records = _records(
            [Wrote(at, NOW_MS, b"k", value) for at, value in zip(offsets, values, strict=True)]
        )
        done = processor.process(records, Exclusions(), events, NOW)
        files = write_hours(events, [done.rows])
        end = self.offset + len(values)
        entry = Entry(0, self.offset, end, rows=len(done.rows), dead_letters=len(done.dead_letters))
        commit(events, files, OffsetCommit(TOPIC, {0: 0}, {0: end}, ledger_summary((entry,))))
        self.offset = end
        return offsets, done.dead_letters

    def table(self, product: Product) -> pa.Table:
        """Return the events table as PyIceberg reads it, once it follows the contract."""
        events, _ = IngestTables(self.cell, product).load()
        return events.scan().to_arrow()

    def files(self, product: Product) -> pa.Table:
        """Return the table's rows as they stand in its files, once these are compacted."""
        events, _ = IngestTables(self.cell, product).load()
        compact(events, MaintenancePolicy(min_files=2))
        events.refresh()
        return read_files(events, [task.file for task in events.scan().plan_files()])


def _records(wrote: Sequence[Wrote]) -> Records:
    base, last = wrote[0].offset, wrote[-1].offset
    passed = parse_batches(0, batch(base, last, wrote), base, last + 1, ())
    return records_in([item for item in passed.items if isinstance(item, BatchSlice)])
