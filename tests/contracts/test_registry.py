"""What every schema registry does. A new implementation is one more line of IMPLEMENTATIONS."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pipeline.avro.compatibility import IncompatibleSchemaError
from pipeline.cells import embedded_cell
from pipeline.contract.load import load_product
from pipeline.errors import PoisonError, RetryableError, TerminalError
from pipeline.schemas.http import HttpRegistry
from pipeline.schemas.open import open_registry
from pipeline.schemas.registration import RegistryConflictError, register_product
from pipeline.schemas.registry import (
    InvalidSchemaError,
    Registry,
    RegistryDamagedError,
    RegistryUnavailableError,
    SchemaNotFoundError,
    SchemaRef,
)
from pipeline.schemas.sqlite import SqliteRegistry
from tests.support.registering import register_twice
from tests.support.registry_server import served

ROOT = Path(__file__).resolve().parents[2]

Open = Callable[[], Registry]
"""Opens the registry of one place; every call a client of its own, in any process."""


@contextmanager
def sqlite(folder: Path) -> Iterator[Open]:
    yield partial(SqliteRegistry, folder / "registry.db")


@contextmanager
def http(folder: Path) -> Iterator[Open]:
    with served(folder / "registry.db") as url:
        yield partial(HttpRegistry, {"url": url})


IMPLEMENTATIONS = [sqlite, http]


@pytest.fixture(params=IMPLEMENTATIONS)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    with request.param(tmp_path) as opener:
        yield opener


@pytest.fixture
def registry(reopen: Open) -> Registry:
    return reopen()


def reading(*more: dict[str, Any], name: str = "Reading") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [{"name": "value", "type": "int"}, *more]}


NOTE = {"name": "note", "type": ["null", "string"], "default": None}
UNIT = {"name": "unit", "type": "string"}


def test_a_registered_schema_is_found_by_id_by_version_and_as_the_latest(
    registry: Registry,
) -> None:
    ref = registry.register("a-value", reading())
    assert ref == SchemaRef("a-value", 1, ref.id, reading())
    assert registry.schema(ref.id) == reading()
    assert registry.version("a-value", 1) == ref
    assert registry.latest("a-value") == ref
    assert registry.subjects() == ["a-value"]


def test_versions_count_up_and_the_latest_is_the_newest(registry: Registry) -> None:
    first = registry.register("a-value", reading())
    second = registry.register("a-value", reading(NOTE))
    assert (first.version, second.version) == (1, 2)
    assert first.id != second.id
    assert registry.latest("a-value") == second


def test_registering_again_changes_nothing(registry: Registry) -> None:
    first = registry.register("a-value", reading())
    registry.register("a-value", reading(NOTE))
    again = registry.register("a-value", dict(reversed(list(reading().items()))))
    assert (again.version, again.id) == (first.version, first.id)
    assert registry.latest("a-value").version == 2


def test_equal_schemas_share_an_id_across_subjects(registry: Registry) -> None:
    one, other = registry.register("b-value", reading()), registry.register("a-value", reading())
    assert one.id == other.id
    assert registry.subjects() == ["a-value", "b-value"]


def test_what_is_registered_survives_reopening(reopen: Open) -> None:
    ref = reopen().register("a-value", reading())
    assert reopen().schema(ref.id) == reading()


def test_a_schema_that_cannot_read_earlier_data_is_refused_and_not_kept(
    registry: Registry,
) -> None:
    registry.register("a-value", reading())
    with pytest.raises(IncompatibleSchemaError, match="version 1 /fields/unit") as caught:
        registry.register("a-value", reading(UNIT))
    assert isinstance(caught.value, TerminalError)
    assert registry.latest("a-value").version == 1


def test_every_earlier_version_counts_not_only_the_last(registry: Registry) -> None:
    registry.register("a-value", reading())
    registry.register("a-value", reading(NOTE))
    with pytest.raises(IncompatibleSchemaError, match="version 1 /fields/note"):
        registry.register("a-value", reading({"name": "note", "type": ["null", "string"]}))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "recrod", "name": "R", "fields": []},
        {"type": "record", "name": "R"},
        {"type": "record", "name": "R", "fields": [{"name": "a", "type": "Absent"}]},
        {},
    ],
)
def test_what_is_not_avro_is_refused(registry: Registry, schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidSchemaError):
        registry.register("a-value", schema)
    assert registry.subjects() == []


def test_an_unknown_schema_is_poison_not_a_reason_to_stop(registry: Registry) -> None:
    registry.register("a-value", reading())
    for look_up in (
        lambda: registry.schema(999),
        lambda: registry.version("a-value", 2),
        lambda: registry.version("a-value", 0),
        lambda: registry.version("b-value", 1),
        lambda: registry.latest("b-value"),
    ):
        with pytest.raises(SchemaNotFoundError) as caught:
            look_up()
        assert isinstance(caught.value, PoisonError)


@pytest.mark.slow
def test_processes_that_register_at_once_agree(reopen: Open) -> None:
    context = multiprocessing.get_context("spawn")
    ready, answers = context.Barrier(2), context.Queue()
    processes = [
        context.Process(target=register_twice, args=(reopen, ready, answers)) for _ in range(2)
    ]
    for process in processes:
        process.start()
    one, other = (answers.get(timeout=60) for _ in processes)
    for process in processes:
        process.join()
    assert one == other
    assert sorted(
        version for (subject, _), (version, _) in one.items() if subject == "a-value"
    ) == [*range(1, 21)]
    assert len({id_ for _, id_ in one.values()}) == 20


def test_threads_share_one_registry(registry: Registry) -> None:
    refs: list[SchemaRef] = []
    threads = [
        threading.Thread(target=lambda: refs.append(registry.register("a-value", reading())))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refs) == 8
    assert len({(ref.version, ref.id) for ref in refs}) == 1


def test_sqlite_that_stays_locked_is_unavailable_and_worth_another_try(tmp_path: Path) -> None:
    database = tmp_path / "registry.db"
    registry = SqliteRegistry(database, lock_wait_s=0.1)
    holder = sqlite3.connect(database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(RegistryUnavailableError) as caught:
        registry.register("a-value", reading())
    assert isinstance(caught.value, RetryableError)
    holder.execute("ROLLBACK")
    holder.close()
    assert registry.register("a-value", reading()).version == 1


def test_sqlite_that_is_no_database_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_bytes(b"not a database" * 100)
    with pytest.raises(RegistryDamagedError):
        SqliteRegistry(tmp_path / "registry.db")


def test_a_cells_registry_knows_its_products(tmp_path: Path) -> None:
    registry = open_registry(embedded_cell(tmp_path, "us", "127.0.0.1:1"))
    viewing = load_product(ROOT / "contracts" / "viewing_events")
    departures = load_product(ROOT / "contracts" / "departures")
    strict = load_product(ROOT / "tests" / "data" / "contracts" / "strict_events")
    for product in (viewing, departures, strict):
        assert register_product(registry, product) == register_product(registry, product)
    assert registry.subjects() == [
        "departures_v1-value",
        "strict_events_v1-payload",
        "strict_events_v1-value",
        "viewing_events_v3-payload",
        "viewing_events_v3-value",
    ]
    assert registry.version("strict_events_v1-payload", 1).schema == strict.payload_schemas[0]
    assert registry.latest("strict_events_v1-payload").version == 2
    assert registry.latest("departures_v1-value").schema == departures.payload_schema


def test_a_contract_that_lacks_a_registered_version_is_refused(tmp_path: Path) -> None:
    registry = open_registry(embedded_cell(tmp_path, "us", "127.0.0.1:1"))
    strict = load_product(ROOT / "tests" / "data" / "contracts" / "strict_events")
    register_product(registry, strict)
    forgetful = strict.model_copy(update={"payload_schemas": strict.payload_schemas[1:]})
    with pytest.raises(RegistryConflictError, match="oldest first"):
        register_product(registry, forgetful)


def test_an_older_contract_goes_on_with_its_own_newest_version(tmp_path: Path) -> None:
    registry = open_registry(embedded_cell(tmp_path, "us", "127.0.0.1:1"))
    strict = load_product(ROOT / "tests" / "data" / "contracts" / "strict_events")
    register_product(registry, strict)
    older = strict.model_copy(update={"payload_schemas": strict.payload_schemas[:1]})
    assert register_product(registry, older)["strict_events_v1-payload"].version == 1
    assert registry.latest("strict_events_v1-payload").version == 2


def test_a_contract_of_another_history_registers_nothing(tmp_path: Path) -> None:
    registry = open_registry(embedded_cell(tmp_path, "us", "127.0.0.1:1"))
    strict = load_product(ROOT / "tests" / "data" / "contracts" / "strict_events")
    register_product(registry, strict)
    first, second = strict.payload_schemas
    other = {**second, "doc": "made on another branch"}
    forked = strict.model_copy(update={"payload_schemas": (first, other)})
    with pytest.raises(RegistryConflictError, match="not the registry's version 2"):
        register_product(registry, forked)
    assert registry.latest("strict_events_v1-payload").version == 2
