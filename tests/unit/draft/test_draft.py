"""A drafted contract passes the check, whatever the sample; what it proposes is what was seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.cli.main import cli
from headwater.draft.infer import infer
from headwater.draft.plan import Draft, plan_draft, write_draft
from headwater.draft.sources import NothingToDraftError, Seen, lateness
from pipeline.contract.checks.product_check import check_product
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from tests.support.products import CONTRACTS

ROWS: list[dict[str, Any]] = [
    {
        "order_id": f"order-{n}",
        "customer_id": f"c{n % 7}",
        "contact": {"email": f"{n}@example.org", "since": "2026-01-05"},
        "amount": n / 4,
        "count": n,
        "status": ("new", "paid", "sent")[n % 3],
        "gift": None if n % 5 else True,
        "placed": "2026-01-05T10:01:00.5Z",
        "created_at": 1_767_607_260_250 + n,
        "lines": [{"sku": "a", "n": 1}] * (n % 3),
        "mixed": n if n % 2 else {"a": 1},
        "two words": 1,
    }
    for n in range(100)
]


def drafted(folder: Path, seen: Seen) -> tuple[Draft, Product]:
    draft = plan_draft("orders", "us", seen)
    return draft, load_product(write_draft(folder, draft))


def types(product: Product) -> dict[str, Any]:
    return {field["name"]: field["type"] for field in product.payload_schema["fields"]}


def test_types_key_times_and_what_else_was_seen_are_proposed(tmp_path: Path) -> None:
    draft, product = drafted(tmp_path, Seen("a file", ROWS))
    assert check_product(product).mistakes == ()
    assert (product.key, product.event_time, product.uuid) == (
        "customer_id",
        "created_at",
        "order_id",
    )
    assert product.topic.format == "json"
    found = types(product)
    assert found["amount"] == "double"
    assert found["count"] == "long"
    assert found["created_at"] == {"type": "long", "logicalType": "timestamp-millis"}
    assert found["placed"] == {"type": "long", "logicalType": "timestamp-micros"}
    assert found["gift"] == ["null", "boolean"]
    assert [one["name"] for one in found["contact"]["fields"]] == ["email", "since"]
    assert found["lines"]["items"]["name"] == "Lines"
    assert draft.left_out == {
        "mixed": "it is now integer and now object",
        "two words": "Avro has no such name",
    }
    rules = {(one.column, one.check) for one in product.rules}
    assert ("amount", "greater_than_or_equal_to") in rules
    assert ("status", "isin") in rules
    assert {one.name for one in product.columns if one.personal} == {"customer_id", "contact"}
    text = (tmp_path / "orders" / "contract.yaml").read_text()
    assert "Null in 80% of what was seen." in text
    assert text.count("# guess") >= 10
    assert "# left out: mixed: it is now integer and now object" in text


def test_keys_of_records_tell_which_field_is_the_key(tmp_path: Path) -> None:
    keys = [row["status"].encode() for row in ROWS]
    draft, _ = drafted(tmp_path, Seen("a topic", ROWS, keys=keys))
    assert (draft.choices.key, draft.choices.why["key"]) == (
        "status",
        "the records' keys are its values",
    )


def test_without_a_time_nothing_is_drafted() -> None:
    with pytest.raises(NothingToDraftError, match="no field could be the event time"):
        plan_draft("orders", "us", Seen("a file", [{"order_id": "a"}]))


@pytest.mark.parametrize(
    ("late_ms", "gate"), [(0, 3_600), (3_000_000, 86_400), (86_400_000 * 20, 86_400 * 366)]
)
def test_the_gate_lets_through_twice_what_was_late(late_ms: int, gate: int) -> None:
    assert lateness([1_000.0, 5_000.0], [1_000 + late_ms, 5_000]) == gate


NAMES = st.sampled_from(
    ["id", "ID", "at", "a_b", "aB", "a-b", "_x", "1", "ü", "email", "event_hour", "Orders", "hour"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats(allow_nan=False) | st.text(max_size=3)
    | st.sampled_from(["2026-01-05T10:01:00Z", "2026-01-05", "2026-13-45", "10:01"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=5), min_size=1, max_size=4))
def test_whatever_the_values_the_draft_passes_the_check(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    timed = [{"event_time": "2026-01-05T10:01:00Z", "key_id": "k", **row} for row in rows]
    _, product = drafted(tmp_path_factory.mktemp("contracts"), Seen("a file", timed))
    assert check_product(product).mistakes == ()


def test_a_record_without_values_has_no_fields() -> None:
    assert infer([{}], "R").schema["fields"] == []


def run(folder: Path, *arguments: str) -> Result:
    environment = {
        "HEADWATER_HOME": str(folder / "home"),
        "HEADWATER_CONTRACTS": str(folder / "contracts"),
    }
    return CliRunner().invoke(cli, ["contract", "new", *arguments], env=environment)


def test_the_command_writes_shows_and_never_replaces(tmp_path: Path) -> None:
    sample = tmp_path / "orders.jsonl"
    sample.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    shown = run(tmp_path, "orders", "--from-sample", str(sample), "--explain")
    assert "# orders/contract.yaml" in shown.output
    assert not (tmp_path / "contracts").exists()
    written = run(tmp_path, "orders", "--from-sample", str(sample))
    assert "key customer_id, event time created_at, uuid order_id" in written.output
    assert "left out mixed" in written.output
    assert load_product(tmp_path / "contracts" / "orders").key == "customer_id"
    again = run(tmp_path, "orders", "--from-sample", str(sample))
    assert "there is a contract already" in str(again.exception)


def test_a_csv_has_numbers_and_times_as_texts(tmp_path: Path) -> None:
    sample = tmp_path / "orders.csv"
    sample.write_text(
        "order_id,at,n,price,flag,zip\na,2026-01-05T10:00:00Z,1,1.5,true,01234\nb,2026-01-05T11:00:00Z,,2,false,01235\n"
    )
    run(tmp_path, "orders", "--from-sample", str(sample))
    found = types(load_product(tmp_path / "contracts" / "orders"))
    assert (found["n"], found["price"], found["flag"], found["zip"]) == (
        ["null", "long"],
        "double",
        "boolean",
        "string",
    )


def changes(n: int) -> dict[str, Any]:
    row = {"id": n, "email": f"{n}@example.org", "paid": n % 2 == 0}
    images = {"before": row if n % 3 else None, "after": row if n % 3 != 1 else None}
    return {**images, "op": "cdu"[n % 3], "source": {"db": "shop", "ts_ms": 1_767_607_260_250 + n}}


@pytest.mark.parametrize("wrapped", [False, True])
def test_changes_of_debezium_are_told_by_their_fields(tmp_path: Path, wrapped: bool) -> None:
    rows = [changes(n) for n in range(30)]
    seen = [{"schema": {"type": "struct"}, "payload": one} for one in rows] if wrapped else rows
    _, product = drafted(tmp_path, Seen("a file", seen))
    assert check_product(product).mistakes == ()
    assert product.topic.debezium
    assert (product.key, product.event_time, product.uuid) == ("id", "source.ts_ms", None)
    assert product.key_paths == ("after.id", "before.id")
    assert {one.name for one in product.columns if one.personal} == {"before", "after"}


def test_a_schema_of_changes_in_the_registry_is_one_of_debezium(tmp_path: Path) -> None:
    schema = load_product(CONTRACTS / "debezium_orders").payload_schema
    _, product = drafted(tmp_path, Seen("a subject", [], schema=schema))
    assert product.topic.debezium
    assert (product.key, product.event_time) == ("id", "source.ts_ms")


def test_what_only_looks_like_a_change_is_none(tmp_path: Path) -> None:
    rows = [{**one, "before": "noon"} for one in ROWS]
    _, product = drafted(tmp_path, Seen("a file", rows))
    assert not product.topic.debezium
