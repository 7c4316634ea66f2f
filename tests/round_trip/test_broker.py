"""Drawn contracts by the whole path: a topic, an ingest, the ledger, three readers."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from headwater.stack.broker import KafkaBroker
from pipeline.cells import Cell, embedded_cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.ingest.run import ingest
from pipeline.ledger.verify import verify_ledger
from pipeline.schemas.open import open_registry
from pipeline.schemas.registration import register_product
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import dead_letters_table, events_table
from tests.round_trip import readers
from tests.round_trip.contracts import Contract, contracts
from tests.round_trip.records import UNKNOWN_ID, Sent, records, uuids_differ
from tests.round_trip.subject import Landed
from tests.round_trip.tally import TALLY
from tests.round_trip.test_values import folder_of, hold
from tests.support.load import UNREGISTERED, Message, TopicWriter

CONTRACTS, RECORDS = 5, 40


@pytest.fixture(scope="module")
def broker_cell(tmp_path_factory: pytest.TempPathFactory, broker: KafkaBroker) -> Cell:
    return embedded_cell(tmp_path_factory.mktemp("broker_cell"), "us", broker.bootstrap_servers)


@settings(settings.get_profile("round_trip"), max_examples=CONTRACTS)
@given(contracts(), st.data())
def test_what_is_ingested_from_a_topic_is_read_back_as_it_was_sent(
    broker_cell: Cell, spark: SparkSession, contract: Contract, data: st.DataObject
) -> None:
    contract.document["schema"][0]["physicalName"] = f"drawn.{uuid.uuid4().hex}"
    sent = data.draw(records(contract, most=RECORDS))
    assume(uuids_differ(sent))
    with folder_of(broker_cell, contract) as folder:
        product = load_product(folder)
        produce(broker_cell, product, sent)
        report = ingest(broker_cell, product, once=True)
        assert report.offsets == len(sent)
        landed = Landed(
            *(
                load_table(broker_cell, of(product.name))
                for of in (events_table, dead_letters_table)
            )
        )
        hold(landed, contract, [without_place(one) for one in sent], in_spark(spark, broker_cell))
        assert verify_ledger(broker_cell, product).balanced
    TALLY["contracts ingested from a topic"] += 1


def in_spark(spark: SparkSession, cell: Cell) -> readers.InSpark:
    return readers.InSpark(spark, cell)


def produce(cell: Cell, product: Product, sent: list[Sent]) -> None:
    """Write `sent` to the product's topic, under the ids that its schemas have there."""
    writer = TopicWriter(cell, product)
    known = register_product(open_registry(cell), product)[product.value_subject].id
    writer.send(
        Message(0, one.wrote.key, _reframed(one.wrote.value, known), one.wrote.time, ())
        for one in sent
    )


def _reframed(value: bytes | None, known: int) -> bytes | None:
    if value is None:
        return None
    number = UNREGISTERED if int.from_bytes(value[1:5], "big") == UNKNOWN_ID else known
    return value[:1] + number.to_bytes(4, "big") + value[5:]


def without_place(one: Sent) -> Sent:
    """Return `one` without a uuid that may be of the record's place, which the broker gives."""
    row = one.row and {name: value for name, value in one.row.items() if name != "_uuid"}
    return replace(one, row=row)
