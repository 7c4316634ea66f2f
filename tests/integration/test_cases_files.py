"""Files that went wrong once, through a real broker and ingest: the tables hold what the files say."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headwater.produce.file import produce_file
from headwater.produce.model import Produced
from headwater.produce.rows import SourceFileError
from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.ingest.run import ingest
from pipeline.ledger.verify import verify_ledger
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table
from tests.support.products import own_product

CASES = Path(__file__).parent.parent / "data" / "cases"


@pytest.fixture
def price(tmp_path: Path) -> Product:
    return own_product("price", tmp_path / "contracts", CASES / "decimal_file" / "only")


def loaded(cell: Cell, product: Product, *files: Path) -> tuple[list[Produced], list[Any]]:
    """Send files, ingest, and return what was sent and the table's payload columns by id."""
    sent = [produce_file(cell, product, str(file)) for file in files]
    report = ingest(cell, product, once=True)
    assert (report.rows, report.dead_letters) == (sum(one.total for one in sent), 0)
    assert verify_ledger(cell, product).balanced
    rows = load_table(cell, events_table(product.name)).scan().to_arrow().to_pylist()
    return sent, sorted(
        ({k: v for k, v in row.items() if not k.startswith("_") and k != "at"} for row in rows),
        key=lambda row: str(row["id"]),
    )


def test_a_decimal_of_a_file_is_the_money_it_says(cell: Cell, price: Product) -> None:
    folder = CASES / "decimal_file"
    _, rows = loaded(cell, price, folder / "rows.csv", folder / "rows.jsonl")
    assert rows == [
        {"id": "a", "p": Decimal("12.34")},
        {"id": "b", "p": Decimal("7.00")},
        {"id": "c", "p": Decimal("-0.01")},
        {"id": "k0", "p": Decimal("12.34")},
        {"id": "k1", "p": Decimal("12.34")},
    ]


def test_a_decimal_without_a_column_is_its_default_as_avro_means_it(
    cell: Cell, tmp_path: Path
) -> None:
    folder = CASES / "decimal_file"
    product = own_product("price", tmp_path / "contracts", folder / "default")
    _, rows = loaded(cell, product, folder / "nocolumn.csv")
    # The bytes 01 00 are the unscaled number 256.
    assert rows == [{"id": "a", "p": Decimal("2.56")}]


def test_a_long_text_is_a_row_like_any_other(cell: Cell, tmp_path: Path) -> None:
    product = own_product("longtext", tmp_path / "contracts", CASES / "csv_long" / "only")
    path = tmp_path / "rows.csv"
    times = [f"2026-06-01T10:0{minute}:00Z" for minute in range(3)]
    texts = ["short", "y" * 140_000, "after"]
    lines = [f"{key},{at},{text}" for key, at, text in zip("abc", times, texts, strict=True)]
    path.write_text("\n".join(("id,at,s", *lines)) + "\n")
    _, rows = loaded(cell, product, path)
    assert [row["s"] for row in rows] == texts


def test_a_file_that_breaks_off_says_what_was_sent_of_it(
    cell: Cell, price: Product, tmp_path: Path
) -> None:
    path = tmp_path / "rows.jsonl.gz"
    line = '{"id": "%d", "at": "2026-06-01T10:00:00Z", "p": "%d.01"}\n'
    packed = gzip.compress("".join(line % (n, n) for n in range(20_000)).encode())
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(SourceFileError, match=r"; [0-9,]+ rows were sent, 0 did not fit") as caught:
        produce_file(cell, price, str(path))
    report = ingest(cell, price, once=True)
    assert f"; {report.rows:,} rows were sent" in caught.value.what
    rows = load_table(cell, events_table(price.name)).scan().to_arrow()
    assert sorted(rows["p"].to_pylist()) == [n + Decimal("0.01") for n in range(report.rows)]


BROKEN = [
    (
        b'{"id": "x", "at": "2026-06-01T10:00:00Z", "p": 12.345}',
        "p: '12.345' has more than 2 digits",
    ),
    (b'{"id": "x", "at": "2026-06-01T10:00:00Z", "p": ' + b"9" * 5_000 + b"}", "too many digits"),
    (b'{"id": "x", "at": "2026-06-01T10:00:00Z", "p": 1e999999999}', "too large"),
    (
        b'{"id": "x", "at": "2026-06-01T10:00:00Z", "p": 1234567890123456789.5}',
        "more than 20 digits",
    ),
    (b'{"id": "x", "at": "2026-06-01T10:00:00Z", "p": true}', "p: True is not a number"),
    (b'{"id": "x", "at": "2026-06-01T10:00:00Z", "p": NaN}', "p: 'NaN' is not a number"),
    (
        b'{"id": "x", "at": "2026-06-01T10:00:00Z", "p": 1, "q": ' + b"[" * 100_000,
        "nested too deeply",
    ),
    (b'{"id": "x", "at": "2026-06-01T10:00:00Z", "p": 1, "p": 2}', "'p' is there twice"),
    (b'{"id": "caf\xe9", "at": "2026-06-01T10:00:00Z", "p": 1}', "not UTF-8 at character 12"),
    (b'{"id": "\\ud800", "at": "2026-06-01T10:00:00Z", "p": 1}', "id: "),
    (b'{"id": "x", "at": "2026-06-01T10:00:00.1234567Z", "p": 1}', "at: finer than microseconds"),
    (b'{"id": "x", "at": "9026-06-01T10:00:00Z", "p": 1}', "at: more than an hour ahead"),
    (b'{"id": "x", "at": "1926-06-01T10:00:00Z", "p": 1}', "at: before 1970"),
    (
        b'{"id": "' + b"x" * 9_000_000 + b'", "at": "2026-06-01T10:00:00Z", "p": 1}',
        "bytes, more than",
    ),
    (b'{"id": "x", "at": "2026-06-01T10:00:00Z"}', "p: no value"),
    (b"\x00\x00", "not JSON"),
]


def test_a_row_that_cannot_be_sent_costs_itself_and_is_told(
    cell: Cell, price: Product, tmp_path: Path
) -> None:
    good = b'{"id": "g%02d", "at": "2026-06-01T10:00:00Z", "p": "0.%02d"}\n'
    lines = [line + b"\n" + good % (n, n) for n, (line, _) in enumerate(BROKEN)]
    files = [tmp_path / "first.jsonl", tmp_path / "second.jsonl"]
    for file, part in zip(files, (lines[:10], lines[10:]), strict=True):
        file.write_bytes(b"\xef\xbb\xbf" + b"".join(part))
    sent, rows = loaded(cell, price, *files)
    told = [bad for one in sent for bad in one.first_bad_rows]
    assert len(told) == len(BROKEN)
    for number, (bad, (_, problem)) in enumerate(zip(told, BROKEN, strict=True)):
        assert bad.line == 2 * (number % 10) + 1
        assert problem in bad.problem
        assert len(bad.problem) < 200
    assert rows == [{"id": f"g{n:02d}", "p": Decimal(n).scaleb(-2)} for n in range(len(BROKEN))]


def test_a_reference_key_with_leading_zeros_finds_its_row(cell: Cell, tmp_path: Path) -> None:
    folder = CASES / "ref_zeros"
    product = own_product("zipped", tmp_path / "contracts", folder / "only")
    _, rows = loaded(cell, product, folder / "rows.jsonl")
    assert rows == [
        {"id": "k0", "zip": "00501", "city": "Holtsville", "tier": 1},
        {"id": "k1", "zip": "10001", "city": "New York", "tier": 2},
    ]


def test_reference_data_of_a_parquet_file_is_in_the_table_as_it_is(
    cell: Cell, tmp_path: Path
) -> None:
    folder = CASES / "ref_zeros"
    product = own_product("zipped", tmp_path / "contracts", folder / "only")
    columns = {
        "fee": pa.array([Decimal("12.30"), None], pa.decimal128(9, 2)),
        "since": pa.array([1_000, None], pa.timestamp("ns", "Asia/Tokyo")),
        "people": pa.array([2**40, None], pa.uint64()),
        "kind": pa.array(["village", None]).dictionary_encode(),
        "seal": pa.array([b"\x00\xff", None], pa.binary(2)),
        "roads": pa.array([["a", None], None], pa.large_list(pa.large_string())),
        "place": pa.array([{"lat": 1.5}, None], pa.struct([("lat", pa.float16())])),
        "names": pa.array([[("en", 1)], None], pa.map_(pa.string(), pa.uint8())),
    }
    table = pa.table({"zip": ["00501", "10001"], **columns})
    pq.write_table(table, product.folder / "reference" / "zips.parquet")
    contract = product.folder / "contract.yaml"
    text = contract.read_text().replace("zips.csv", "zips.parquet")
    contract.write_text(text.replace("[city, tier]", f"[{', '.join(columns)}]"))
    _, rows = loaded(cell, load_product(product.folder), folder / "rows.jsonl")
    assert rows == [
        {
            "id": "k0",
            "zip": "00501",
            "fee": Decimal("12.30"),
            "since": datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
            "people": 2**40,
            "kind": "village",
            "seal": b"\x00\xff",
            "roads": ["a", None],
            "place": {"lat": 1.5},
            "names": [("en", 1)],
        },
        {"id": "k1", "zip": "10001", **dict.fromkeys(columns)},
    ]
