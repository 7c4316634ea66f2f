"""What a file says is what the table holds: every type through a real broker and ingest, money included."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from headwater.produce.file import produce_file
from headwater.stack.broker import KafkaBroker
from pipeline.avro.arrow import holds_time
from pipeline.cells import embedded_cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.contract.targets.avro import odcs_types
from pipeline.ingest.run import ingest
from pipeline.ledger.verify import verify_ledger
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table
from tests.support.drawn_files import as_csv, has_no_text, same
from tests.support.drawn_rows import LEAVES, Drawn, array, decimals, fields, record
from tests.support.products import own_product

PRICE = Path(__file__).parent.parent / "data" / "cases" / "decimal_file" / "only"
AT = 1_780_308_000_000_000
examples = count()


@st.composite
def tables(draw: st.DrawFn) -> tuple[Drawn, list[Any]]:
    """Draw a payload with a column of every simple type, money and some of nested ones, and its rows."""
    names = count()
    drawn = fields(lambda: f"N{next(names)}", 2).filter(lambda of: not holds_time(of.arrow))
    nested = draw(st.lists(drawn, min_size=2, max_size=4))
    simple = [of for of in LEAVES.values() if not holds_time(of.arrow)]
    # The standard wants a map's types stated a second time, which a contract may not.
    nested = [array(of) if pa.types.is_map(of.arrow) else of for of in nested]
    money = [decimals(9, 2, None), decimals(38, 10, "Fixed")]
    row = record([LEAVES["string"], LEAVES["timestamp-micros"], *simple, *money, *nested], "Row")
    rows = draw(st.lists(row.values, min_size=2, max_size=5))
    return row, [one | {"f0": str(number), "f1": AT} for number, one in enumerate(rows)]


def product_of(row: Drawn, folder: Path) -> Product:
    """Return a product whose payload is `row`: keyed by `f0`, of the time `f1`."""
    product = own_product("price", folder, PRICE)
    schema = row.schema | {"namespace": "drawn"}
    (product.folder / "schemas" / "payload.v1.avsc").write_text(json.dumps(schema))
    contract = product.folder / "contract.yaml"
    head = contract.read_text().split("    properties:")[0]
    properties = "".join(
        f"      - name: {f['name']}\n        logicalType: {odcs_types(f['type'])[0]}\n"
        for f in row.schema["fields"]
    )
    head = head.replace("key: id", "key: f0").replace("eventTime: at", "eventTime: f1")
    contract.write_text(f"{head}    properties:\n{properties}")
    return load_product(product.folder)


def stored(value: Any) -> Any:
    """Return a table's value with its instants as a wall's times in UTC."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, dict):
        return {key: stored(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [stored(one) for one in value]
    return value


@given(table=tables())
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
def test_the_tables_values_are_the_files(
    broker: KafkaBroker, tmp_path: Path, table: tuple[Drawn, list[Any]]
) -> None:
    row, rows = table
    folder = tmp_path / str(next(examples))
    cell = embedded_cell(folder / "home", "us", broker.bootstrap_servers)
    product = product_of(row, folder)
    files = [folder / f"rows.{suffix}" for suffix in ("jsonl", "csv", "parquet")]
    files[0].write_text("".join(f"{row.text(one)}\n" for one in rows), encoding="utf-8")
    of_csv = [
        one
        for one in rows
        if not any(has_no_text(f["type"], one[f["name"]]) for f in row.schema["fields"])
    ]
    wanted = [*rows, *as_csv(row, of_csv, files[1]), *rows]
    values = pa.Table.from_pylist([row.python(one) for one in rows], pa.schema(list(row.arrow)))
    pq.write_table(values, files[2])
    assert [produce_file(cell, product, str(file)).bad_rows for file in files] == [0, 0, 0]
    report = ingest(cell, product, once=True)
    assert (report.rows, dict(report.reasons)) == (len(wanted), {})
    assert verify_ledger(cell, product).balanced
    found = load_table(cell, events_table(product.name)).scan().to_arrow().sort_by("_offset")
    stands = found.select([f.name for f in row.arrow]).to_pylist()
    for one, told in zip(stands, wanted, strict=True):
        values, said = stored(one), stored(row.python(told))
        assert [(n, values[n], said[n]) for n in said if not same(values[n], said[n])] == []
