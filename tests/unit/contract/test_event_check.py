"""What the check says of formats, framings, and the fields that say what an event is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.contract.load import ContractError, load_product
from tests.support.products import CONTRACTS

DEBEZIUM, PLAIN, JSON = "debezium_orders", "plain_orders", "json_orders"
WRONG = [
    (
        "debezium_orders",
        "key: id",
        "key: number",
        "value.key: a field of the payload's record 'after' (amount",
    ),
    (
        "debezium_orders",
        "key: id",
        "key: amount",
        "a field of type string, int, long, enum; 'amount' is double",
    ),
    (
        "debezium_orders",
        "source.ts_ms",
        "source.at",
        "a field of the payload's record 'source' (connector",
    ),
    (DEBEZIUM, "source.ts_ms", "source.lsn", "timestamp-millis; 'source.lsn' is long"),
    (DEBEZIUM, "source.ts_ms", "after.placed_at", "'after.placed_at' is long"),
    (
        "debezium_orders",
        "envelope: debezium",
        "envelope: none",
        "value.key: a field of the payload (after",
    ),
    (
        "debezium_orders",
        "format: json",
        "format: json\n        framing: none",
        "framing: left out: JSON",
    ),
    (
        "plain_orders",
        "meta.customer",
        "meta",
        "a field of type string, int, long, enum; 'meta' is record",
    ),
    (PLAIN, "meta.id", "meta.customer", "a field of type string; 'meta.customer' is int"),
    (
        "plain_orders",
        "meta.at",
        "amount.at",
        "a field of the payload (amount, meta, note, tags); not 'amount.at'",
    ),
    (
        "plain_orders",
        "singleObject",
        "none",
        "payload: one schema: values without a framing do not say",
    ),
    (
        "plain_orders",
        "envelope: none",
        "envelope: debezium",
        "a change as Debezium sends it: a field 'op' of",
    ),
    (PLAIN, "singleObject", "single", "framing: "),
    (
        "json_orders",
        "envelope: none",
        "envelope: schemas/payload.v1.avsc",
        "an envelope is of no other format",
    ),
]


@pytest.mark.parametrize(("name", "right", "wrong", "told"), WRONG)
def test_what_does_not_go_together_is_told(
    tmp_path: Path, name: str, right: str, wrong: str, told: str
) -> None:
    folder = tmp_path / name
    shutil.copytree(CONTRACTS / name, folder)
    file = folder / "contract.yaml"
    file.write_text(file.read_text().replace(right, wrong))
    with pytest.raises(ContractError) as caught:
        load_product(folder)
    lines = file.read_text().splitlines()
    assert told in str(caught.value)
    mistake = caught.value.mistakes[0]
    assert mistake.line > 1
    assert mistake.file != file or lines[mistake.line - 1].strip()


def test_a_topic_without_schema_ids_has_no_subjects() -> None:
    subjects = {
        name: load_product(CONTRACTS / name).subjects for name in ("plain_orders", "json_orders")
    }
    assert subjects == {"plain_orders": {}, "json_orders": {}}
