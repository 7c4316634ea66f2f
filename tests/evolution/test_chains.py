"""Chains of contract versions: after every step, every record ever sent reads back as Avro Java resolves it.

A row holds what the newest version of its time read, under the names of today; a column that came later
is null in it. What the check refuses is refused before a record is read.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipeline.cells import embedded_cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.contract.source.mistakes import ContractError
from tests.decoder.reference import encoded, told
from tests.decoder.schemas import values
from tests.evolution.chains import Names, Schema, broken_version, first_version, next_version
from tests.evolution.engine import NOW_MS, Engine, write_contract
from tests.evolution.identity import by_identity, names_of, without_empty
from tests.evolution.tally import TALLY
from tests.support.avro_java import resolve
from tests.support.avro_plain import decode

MOST_VERSIONS = 5


class Chain(RuleBasedStateMachine):
    """One product, from its first contract to its fifth."""

    def __init__(self) -> None:
        super().__init__()
        self._root = Path(tempfile.mkdtemp())
        self._engine = Engine(
            embedded_cell(self._root / "home", "us", "127.0.0.1:9"), self._root / "p"
        )
        self._names = Names()
        self._versions: list[Schema] = []
        self._products: list[Product] = []
        self._dropped: dict[str, list[Schema]] = {}
        self._expected: dict[int, Any] = {}
        self._changed = False
        self._files = 0

    def teardown(self) -> None:
        TALLY["chains"] += 1
        TALLY[f"chains of {len(self._versions)} versions"] += 1
        shutil.rmtree(self._root)

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self._list(data.draw(first_version(self._names)))
        self._land(data, 1)
        self.go_on_with_another_version(data)

    @precondition(lambda self: len(self._versions) < MOST_VERSIONS)
    @rule(data=st.data())
    def go_on_with_another_version(self, data: st.DataObject) -> None:
        self._list(data.draw(next_version(self._versions[-1], self._dropped, self._names)))
        self._land(data, len(self._versions))

    @precondition(lambda self: len(self._versions) < MOST_VERSIONS)
    @rule(data=st.data())
    def go_on_with_yet_another(self, data: st.DataObject) -> None:
        # A rule of its own, so that versions come as often as all else.
        self.go_on_with_another_version(data)

    @rule(data=st.data())
    def send_more(self, data: st.DataObject) -> None:
        self._land(data, len(self._versions))

    @precondition(lambda self: len(self._versions) > 1)
    @rule(data=st.data())
    def roll_a_deploy_back(self, data: st.DataObject) -> None:
        kept = data.draw(st.integers(1, len(self._versions) - 1))
        TALLY["deploys rolled back"] += 1
        self._land(data, kept)

    @rule(data=st.data())
    def try_what_the_check_refuses(self, data: st.DataObject) -> None:
        schema = data.draw(broken_version(self._versions[-1], self._names))
        if schema is None:
            return
        write_contract(self._engine.folder, [*self._versions, schema])
        with pytest.raises(ContractError):
            load_product(self._engine.folder)
        TALLY["versions that the check refused"] += 1

    @invariant()
    def every_record_reads_back(self) -> None:
        if not self._changed:
            return
        self._changed = False
        self._holds(self._engine.table(self._products[-1]), as_pyiceberg_has=True)

    @precondition(lambda self: self._files > 2)
    @rule()
    def compact_the_table(self) -> None:
        self._files = 0
        self._holds(self._engine.files(self._products[-1]), as_pyiceberg_has=False)
        TALLY["compactions"] += 1

    def _holds(self, table: pa.Table, *, as_pyiceberg_has: bool) -> None:
        names = names_of(self._versions)
        offsets = table.column("_offset").to_pylist()
        columns = {
            name: told(table.column(name).combine_chunks())
            for name in table.column_names
            if not name.startswith("_")
        }
        found = {
            offset: by_identity({name: column[row] for name, column in columns.items()}, names)
            for row, offset in enumerate(offsets)
        }
        assert found.keys() == self._expected.keys()
        for offset, expected in self._expected.items():
            if as_pyiceberg_has:
                found[offset] = without_empty(found[offset])
                expected = without_empty(expected)
            _same(found[offset], expected, f"offset {offset}")
            TALLY["rows read back"] += 1

    def _list(self, schema: Schema) -> None:
        """Add a version to the contract, which the check must allow."""
        self._versions.append(schema)
        write_contract(self._engine.folder, self._versions)
        self._products.append(load_product(self._engine.folder))

    def _land(self, data: st.DataObject, count: int) -> None:
        """Ingest records of any of the first `count` versions by the contract that lists these."""
        listed = self._versions[:count]
        sent = [self._value(data, listed) for _ in range(data.draw(st.integers(1, 3)))]
        offsets, letters = self._engine.land(self._products[count - 1], listed, sent)
        assert letters == []
        reader = listed[-1]
        for offset, (version, body) in zip(offsets, sent, strict=True):
            (read,) = resolve(listed[version - 1], reader, [body])
            assert isinstance(read, bytes), read
            self._expected[offset] = _identified(decode(reader, read), reader)
        self._changed = True
        self._files += 1

    def _value(self, data: st.DataObject, listed: list[Schema]) -> tuple[int, bytes]:
        number = data.draw(st.integers(1, len(listed)))
        schema = listed[number - 1]
        payload = {
            field["name"]: {"id": "k", "at": NOW_MS * 1000}.get(field["fid"])
            or data.draw(values(field["type"]))
            for field in schema["fields"]
        }
        return number, encoded(schema, payload)


def _identified(value: Any, schema: Any) -> Any:
    """Return a decoded value as columns tell it, fields by their identity."""
    if isinstance(schema, list):
        return None if value is None else _identified(value, next(b for b in schema if b != "null"))
    kind = schema if isinstance(schema, str) else schema["type"]
    if not isinstance(kind, str):
        return _identified(value, kind)
    logical = None if isinstance(schema, str) else schema.get("logicalType")
    if logical == "timestamp-millis":
        return value * 1000
    if logical == "decimal":
        return int.from_bytes(value, "big", signed=True)
    if kind in ("float", "double"):
        return repr(float(value))
    if kind == "array":
        return [_identified(one, schema["items"]) for one in value]
    if kind == "map":
        return sorted((key, _identified(one, schema["values"])) for key, one in value.items())
    if kind == "record":
        return {f["fid"]: _identified(value[f["name"]], f["type"]) for f in schema["fields"]}
    return value


def _same(found: Any, expected: Any, place: str) -> None:
    if isinstance(expected, dict) and isinstance(found, dict):
        assert expected.keys() <= found.keys(), place
        for key, value in found.items():
            _same(value, expected.get(key), f"{place} {key}")
    elif isinstance(expected, list) and isinstance(found, list):
        assert len(found) == len(expected), place
        for one, other in zip(found, expected, strict=True):
            _same(one, other, place)
    elif isinstance(expected, tuple) and isinstance(found, tuple):
        assert found[0] == expected[0], place
        _same(found[1], expected[1], f"{place} {found[0]}")
    else:
        assert found == expected, place


TestChains = Chain.TestCase
TestChains.settings = settings(settings.get_profile("evolution"))
