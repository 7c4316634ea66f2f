"""Reference data of every type: what tables get of it, and what the check says of what they cannot."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.contract.references.data import ReferenceDataError, load_reference
from pipeline.contract.source.mistakes import ContractError
from pipeline.contract.targets import iceberg
from pipeline.ingest.transform.enrich import Enricher
from pipeline.settings import PROJECT
from tests.support.products import own_product

CASES = PROJECT / "tests" / "data" / "cases"
ZIPPED = CASES / "ref_zeros" / "only"
DATE = {"type": "int", "logicalType": "date"}
MICROS = {"type": "long", "logicalType": "timestamp-micros"}
MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def joined(
    tmp_path: Path,
    data: str | pa.Table,
    *,
    key: Any = "string",
    columns: str = "[city, tier]",
    more: str = "",
) -> Product:
    """Return the product whose field `zip`, of Avro type `key`, is joined to `data`."""
    product = own_product("zipped", tmp_path, ZIPPED)
    schema = product.folder / "schemas" / "payload.v1.avsc"
    parsed = json.loads(schema.read_text())
    parsed["fields"][-1]["type"] = key
    schema.write_text(json.dumps(parsed))
    contract = product.folder / "contract.yaml"
    text = contract.read_text().replace("columns: [city, tier]", f"columns: {columns}{more}")
    kind = key if isinstance(key, str) else key.get("logicalType", key["type"])
    said = {
        "long": "integer",
        "date": "date",
        "decimal": "number",
        "timestamp-micros": "timestamp",
        "double": "number",
        "boolean": "boolean",
        "array": "array",
    }
    head, _, tail = text.rpartition("logicalType: string")
    text = f"{head}logicalType: {said.get(kind, 'string')}{tail}"
    if isinstance(data, str):
        (product.folder / "reference" / "zips.csv").write_text(data)
    else:
        pq.write_table(data, product.folder / "reference" / "zips.parquet")
        text = text.replace("zips.csv", "zips.parquet")
    contract.write_text(text)
    return load_product(product.folder)


def found(product: Product, keys: list[Any], dtype: Any) -> list[dict[str, Any]]:
    batch = pl.DataFrame(
        {"zip": pl.Series(keys, dtype=dtype), "_event_time": [NOON] * len(keys)},
        schema_overrides={"_event_time": pl.Datetime("us", "UTC")},
    )
    return Enricher(product).enrich(batch).drop("zip", "_event_time").to_dicts()


def test_a_key_that_is_a_text_stays_the_text_it_is(tmp_path: Path) -> None:
    data = "zip,city,tier\n00501,Holtsville,1\n501,None,2\nNA,Windhoek,3\n1e5,Exp,4\n,Empty,5\n"
    product = joined(tmp_path, data)
    cities = [
        row["city"] for row in found(product, ["00501", "501", "NA", "1e5", "", None], pl.String)
    ]
    assert cities == ["Holtsville", "None", "Windhoek", "Exp", None, None]


@pytest.mark.parametrize(
    ("key", "texts", "values", "dtype"),
    [
        ("long", ["9007199254740993", "9007199254740992"], [2**53 + 1, 2**53], pl.Int64),
        (MONEY, ["1.5", "2.50"], [Decimal("1.50"), Decimal("2.50")], pl.Decimal(9, 2)),
        (DATE, ["2026-06-01", "20260602"], [date(2026, 6, 1), date(2026, 6, 2)], pl.Date),
        (
            MICROS,
            ["2026-06-01T14:00:00+02:00", "2026-06-01 12:00:00.000001"],
            [NOON, NOON.replace(microsecond=1)],
            pl.Datetime("us", "UTC"),
        ),
        (
            {"type": "enum", "name": "E", "symbols": ["A", "NA"]},
            ["A", "NA"],
            ["A", "NA"],
            pl.String,
        ),
        ("boolean", ["true", "false"], [True, False], pl.Boolean),
        ("double", ["0.1", "1e2"], [0.1, 100.0], pl.Float64),
    ],
)
@pytest.mark.parametrize("begin", ["", "2026-05-01"])
def test_keys_of_every_type_are_joined_exactly(
    tmp_path: Path, key: Any, texts: list[str], values: list[Any], dtype: Any, begin: str
) -> None:
    rows = "".join(f"{text},{number},{begin}\n" for number, text in enumerate(texts))
    more = "\n          validFrom: since"
    product = joined(tmp_path, f"zip,city,since\n{rows}", key=key, columns="[city]", more=more)
    assert [row["city"] for row in found(product, values, dtype)] == [0, 1]


@pytest.mark.parametrize(
    ("data", "line", "problem"),
    [
        ("zip,city,tier\n1,a,1\nx,b,2\n", 3, "'x' is not a number"),
        ('zip,city,tier\n1,"a\nb",1\n1.5,b,2\n', 4, "'1.5' is not a whole number"),
        ("zip,city,tier\n9223372036854775808,a,1\n", 2, "too large"),
        (f"zip,city,tier\n1,{'y' * 140_000},1\nx,b,2\n", 3, "'x' is not a number"),
    ],
)
def test_a_key_that_is_none_is_a_mistake_with_the_files_line(
    tmp_path: Path, data: str, line: int, problem: str
) -> None:
    with pytest.raises(ContractError) as caught:
        joined(tmp_path, data, key="long")
    (mistake,) = caught.value.mistakes
    assert (mistake.file.name, mistake.line, mistake.path) == ("zips.csv", line, "zip")
    assert problem in mistake.expected


def test_a_file_that_went_wrong_after_the_check_is_a_named_error(tmp_path: Path) -> None:
    product = joined(tmp_path, "zip,city,tier\n1,a,1\n", key="long")
    (product.folder / "reference" / "zips.csv").write_text("zip,city,tier\n1,a,1\nx,b,2\n")
    with pytest.raises(ReferenceDataError, match=r"zips\.csv, line 3, zip: 'x' is not a number"):
        load_reference(product, product.references[0])


def test_a_column_has_the_type_that_the_contract_says(tmp_path: Path) -> None:
    more = "\n          types: {tier: {type: bytes, logicalType: decimal, precision: 9, scale: 2}}"
    product = joined(tmp_path, "zip,city,tier\n1,2026-01-01,1.5\n2,b,2\n", more=more)
    assert found(product, ["1", "2"], pl.String) == [
        {"city": "2026-01-01", "tier": Decimal("1.50")},
        {"city": "b", "tier": Decimal("2.00")},
    ]
    assert iceberg.events_schema(product).field("tier").type == pa.decimal128(9, 2)


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ("types: {none: long}", "types.none"),
        ("types: {zip: long}", "types.zip"),
        ("types: {tier: number}", "types.tier"),
        ("types: {tier: {type: int, logicalType: time-millis}}", "types.tier"),
        ("types: {tier: {type: array, items: int}}", "types.tier"),
        ("types: {tier: {type: fixed, size: -1}}", "types.tier"),
        ("types: {tier: {type: enum, symbols: [a, a]}}", "types.tier"),
        ("validFrom: city", "validFrom"),
    ],
)
def test_what_the_contract_says_wrongly_is_a_mistake(tmp_path: Path, more: str, path: str) -> None:
    with pytest.raises(ContractError) as caught:
        joined(tmp_path, "zip,city,tier\n1,a,1\n", more=f"\n          {more}")
    assert any(one.path.endswith(f"references[0].{path}") for one in caught.value.mistakes)


@pytest.mark.parametrize("name", ["ID", "event_hour", "a.b", "_x", "Tier"])
def test_a_column_that_no_table_can_have_is_a_mistake(tmp_path: Path, name: str) -> None:
    with pytest.raises(ContractError) as caught:
        joined(tmp_path, f"zip,tier,{name}\n1,1,1\n", columns=f"[tier, {name}]")
    assert any(one.path.endswith("references[0].columns[1]") for one in caught.value.mistakes)


def test_a_key_with_parts_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        joined(tmp_path, "zip,city,tier\n1,a,1\n", key={"type": "array", "items": "int"})
    assert any("a type without parts" in one.expected for one in caught.value.mistakes)


PARQUET = {
    "decimal": (pa.array([Decimal("1.50")], pa.decimal128(9, 2)), Decimal("1.50")),
    "narrow_decimal": (pa.array([Decimal("1.50")], pa.decimal256(38, 2)), Decimal("1.50")),
    "short": (pa.array([-1], pa.int8()), -1),
    "unsigned": (pa.array([2**32 - 1], pa.uint32()), 2**32 - 1),
    "long_unsigned": (pa.array([2**63 - 1], pa.uint64()), 2**63 - 1),
    "half": (pa.array([1.5], pa.float16()), 1.5),
    "nanos": (pa.array([1_000], pa.timestamp("ns")), datetime(1970, 1, 1, 0, 0, 0, 1)),  # noqa: DTZ001
    "zoned": (pa.array([0], pa.timestamp("ms", "Asia/Tokyo")), datetime(1970, 1, 1, tzinfo=UTC)),
    "category": (pa.array(["a"]).dictionary_encode(), "a"),
    "view": (pa.array(["a"], pa.string_view()), "a"),
    "bytes": (pa.array([b"ab"], pa.binary(2)), b"ab"),
    "date": (pa.array([date(2026, 1, 1)]), date(2026, 1, 1)),
    "list": (pa.array([["a", None]], pa.large_list(pa.large_string())), ["a", None]),
    "struct": (
        pa.array([{"a": 1, "b": "x"}], pa.struct([("a", pa.uint8()), ("b", pa.large_string())])),
        {"a": 1, "b": "x"},
    ),
}


def test_a_parquet_file_keeps_its_types(tmp_path: Path) -> None:
    table = pa.table({"zip": ["1"]} | {name: array for name, (array, _) in PARQUET.items()})
    product = joined(tmp_path, table, columns=f"[{', '.join(PARQUET)}]")
    (row,) = found(product, ["1"], pl.String)
    assert row == {name: value for name, (_, value) in PARQUET.items()}
    types = {field.name: field.type for field in iceberg.events_schema(product)}
    assert types["unsigned"] == pa.int64()
    assert types["zoned"] == pa.timestamp("us", "UTC")
    assert types["list"] == pa.list_(pa.string())


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        (pa.array([1, 1_001], pa.timestamp("ns")), "row 1: city: "),
        (pa.array([0, 2**63], pa.uint64()), "row 2: city: "),
        (pa.array([Decimal(1), Decimal(2)], pa.decimal256(40, 0)), "has no Iceberg type"),
        (pa.array([1, 2], pa.time64("us")), "a time of day"),
        (pa.array([[1], [2]], pa.list_(pa.time64("ns"))), "a time of day"),
        (pa.array([1, 2], pa.duration("us")), "has no Iceberg type"),
        (pa.nulls(2), "has no Iceberg type"),
    ],
)
def test_what_no_table_holds_is_a_mistake(tmp_path: Path, array: pa.Array, problem: str) -> None:
    with pytest.raises(ContractError) as caught:
        joined(tmp_path, pa.table({"zip": ["1", "2"], "city": array}), columns="[city]")
    (mistake,) = caught.value.mistakes
    assert mistake.path.endswith("references[0].columns[0]")
    assert problem in mistake.expected
