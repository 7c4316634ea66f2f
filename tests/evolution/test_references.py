"""Reference columns come, go and change their types: tables follow, or the contract is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headwater.evolution import apply_product
from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product, Reference
from pipeline.contract.references.data import ReferenceTable, load_reference
from pipeline.contract.targets import iceberg
from pipeline.evolution.apply import EvolutionRefusedError
from pipeline.tables.catalog import load_table
from tests.decoder.reference import encoded
from tests.evolution.engine import NOW_MS, Engine, write_contract

PAYLOAD: dict[str, Any] = {
    "type": "record",
    "name": "P",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    ],
}


class Place:
    """A product with one reference, whose file and columns change."""

    def __init__(self, cell: Cell, folder: Path) -> None:
        self.engine = Engine(cell, folder)
        self._cell = cell

    def with_data(self, text: str, columns: list[str], **said: Any) -> Product:
        folder = write_contract(self.engine.folder, [PAYLOAD])
        (folder / "prices.csv").write_text(text)
        document = json.loads((folder / "contract.yaml").read_text())
        document["customProperties"][0]["value"]["references"] = [
            {
                "name": "prices",
                "source": "file:prices.csv",
                "on": ["id"],
                "columns": columns,
                **said,
            }
        ]
        (folder / "contract.yaml").write_text(json.dumps(document))
        return load_product(folder)

    def land(self, product: Product, key: str) -> None:
        body = encoded(PAYLOAD, {"id": key, "at": NOW_MS * 1000})
        self.engine.land(product, [PAYLOAD], [(1, body)])

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        table = load_table(self._cell, "priced.events").scan().to_arrow()
        rows = sorted(table.to_pylist(), key=lambda row: int(row["_offset"]))
        return [tuple(row[name] for name in columns) for row in rows]


@pytest.fixture
def place(quiet_cell: Cell, tmp_path: Path) -> Place:
    return Place(quiet_cell, tmp_path / "priced")


def test_a_column_comes_and_goes(place: Place) -> None:
    place.land(place.with_data("id,city\na,Ulm\n", ["city"]), "a")
    place.land(place.with_data("id,city,tier\na,Ulm,3\n", ["city", "tier"]), "a")
    place.land(place.with_data("id,city,tier\na,Ulm,4\n", ["tier"]), "a")
    assert place.rows("city", "tier") == [("Ulm", None), ("Ulm", 3), (None, 4)]


def test_data_that_show_another_type_are_refused_until_the_contract_says_it(place: Place) -> None:
    place.land(place.with_data("id,price\na,1.5\nb,2.25\n", ["price"]), "b")
    whole = "id,price\na,1\nb,2\n"
    with pytest.raises(EvolutionRefusedError, match=r"change type price: double -> long: refused"):
        place.land(place.with_data(whole, ["price"]), "b")
    place.land(place.with_data(whole, ["price"], types={"price": "double"}), "b")
    assert place.rows("price") == [(2.25,), (2.0,)]


def test_a_type_that_the_contract_says_is_widened(place: Place) -> None:
    text = "id,count\na,7\n"
    place.land(place.with_data(text, ["count"], types={"count": "int"}), "a")
    large = f"id,count\na,{2**40}\n"
    place.land(place.with_data(large, ["count"]), "a")
    assert place.rows("count") == [(7,), (2**40,)]


def test_to_apply_a_contract_its_data_are_read_once(
    place: Place, quiet_cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = place.with_data("id,city\na,Ulm\n", ["city"])
    read: list[str] = []

    def counted(product: Product, reference: Reference) -> ReferenceTable:
        read.append(reference.name)
        return load_reference(product, reference)

    monkeypatch.setattr(iceberg, "load_reference", counted)
    apply_product(quiet_cell, product, lambda _: None)
    assert read == ["prices"]
