"""What is lost or broken beside the tables is told by name, and never begun anew without a word."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pyiceberg.catalog.sql import SqlCatalog

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import ExitCode
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.ingest.run import ingest
from pipeline.schemas.open import open_registry
from pipeline.tables.catalog import CatalogLostError, load_table, open_catalog
from pipeline.tables.layout import dead_letters_table, events_table
from tests.support.commands import Result, command_for
from tests.support.commands_here import CommandHere
from tests.support.judge import judge
from tests.support.load import TopicWriter


@pytest.fixture
def writer(cell: Cell, strict_product: Product) -> TopicWriter:
    return TopicWriter(cell, strict_product)


@pytest.fixture
def command(
    cell: Cell,
    strict_product: Product,
    writer: TopicWriter,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> CommandHere:
    """The command line over a cell that has ingested the product, twice."""
    for _ in range(2):
        writer.fill(60)
        ingest(cell, strict_product, once=True)
    return CommandHere(monkeypatch, capsys, cell, strict_product)


def catalog_files(cell: Cell) -> list[Path]:
    return list(cell.root.glob("catalog.db*"))


def overwrite(database: Path) -> None:
    """Replace a database by garbage, and the log beside it by nothing: it would hold all pages."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.write_bytes(b"\x00garbage" * 1_000)


def verified(command: CommandHere, product: Product) -> Result:
    return command.run("ledger", product.name, "--cell", "us", "--verify", "--json")


def assert_named(result: Result, *words: str) -> None:
    assert result.code == ExitCode.TERMINAL, result.out + result.err
    assert "Traceback" not in result.err
    for word in words:
        assert word in result.err


def everything(product: Product) -> tuple[tuple[str, ...], ...]:
    name = product.name
    return (
        ("ingest", "run", name, "--cell", "us", "--once"),
        ("ledger", name, "--cell", "us"),
        ("hours", name, "--cell", "us"),
        ("ledger", name, "--cell", "us", "--verify"),
        ("maintain", name, "--cell", "us"),
        ("contract", "plan", name, "--cell", "us"),
        ("contract", "apply", name, "--cell", "us"),
    )


def test_a_catalog_that_is_gone_is_refused_by_name_and_recovered(
    cell: Cell, strict_product: Product, writer: TopicWriter, command: CommandHere
) -> None:
    for file in catalog_files(cell):
        file.unlink()
    for line in everything(strict_product):
        result = command.run(*line)
        assert_named(result, events_table(strict_product.name), "headwater recover --cell us")
        assert catalog_files(cell) == [], "no empty catalog is made"
    plan = command.run("recover", strict_product.name, "--cell", "us", "--explain", "--json")
    assert plan.code == ExitCode.OK, plan.err
    assert catalog_files(cell) == [], "a plan changes nothing"
    recovered = command_for(cell, strict_product).run("recover", "--cell", "us", "--json")
    assert recovered.code == ExitCode.OK, recovered.err
    assert recovered.json == plan.json
    assert {one["action"] for one in recovered.json} == {"register"}
    assert verified(command, strict_product).code == ExitCode.OK
    again = command.run("recover", "--cell", "us", "--json")
    assert {one["action"] for one in again.json} == {"keep"}
    writer.fill(40)
    ingest(cell, strict_product, once=True)
    assert judge(cell, strict_product).exact
    assert verified(command, strict_product).code == ExitCode.OK


def test_a_catalog_that_is_empty_is_refused_wherever_tables_would_be_created(
    cell: Cell, strict_product: Product, command: CommandHere
) -> None:
    for file in catalog_files(cell):
        file.unlink()
    # As another engine leaves it that was started meanwhile.
    SqlCatalog(cell.name, uri=cell.catalog_uri, warehouse=cell.warehouse).close()
    for line in everything(strict_product):
        assert_named(command.run(*line), dead_letters_table(strict_product.name))
    with pytest.raises(CatalogLostError):
        ensure_tables(cell, strict_product)
    assert command.run("recover", "--cell", "us").code == ExitCode.OK
    assert verified(command, strict_product).code == ExitCode.OK


def test_a_catalog_that_is_garbage_is_named_and_recovered_once_it_is_moved_away(
    cell: Cell, strict_product: Product, command: CommandHere
) -> None:
    database = cell.root / "catalog.db"
    overwrite(database)
    for line in (*everything(strict_product), ("recover", "--cell", "us")):
        assert_named(command.run(*line), str(database), "move it away")
    for file in catalog_files(cell):
        file.rename(file.with_name(f"damaged-{file.name}"))
    assert command.run("recover", "--cell", "us").code == ExitCode.OK
    assert verified(command, strict_product).code == ExitCode.OK


def test_a_registry_that_is_garbage_is_named(
    cell: Cell, strict_product: Product, writer: TopicWriter, command: CommandHere
) -> None:
    writer.fill(20)
    kept = cell.registry_db.read_bytes()
    overwrite(cell.registry_db)
    ingested = command.run("ingest", "run", strict_product.name, "--cell", "us", "--once")
    assert_named(ingested, str(cell.registry_db), "backup")
    cell.registry_db.write_bytes(kept)
    ingest(cell, strict_product, once=True)
    assert verified(command, strict_product).code == ExitCode.OK


def test_a_registry_that_is_gone_is_refused_by_name_and_another_one_gives_other_ids(
    cell: Cell, strict_product: Product, writer: TopicWriter, command: CommandHere
) -> None:
    before = open_registry(cell).latest(strict_product.value_subject)
    writer.fill(20)
    kept = cell.registry_db.rename(cell.registry_db.with_name("kept.db"))
    line = ("ingest", "run", strict_product.name, "--cell", "us", "--once")
    assert_named(command.run(*line), str(cell.registry_db), "--new-registry", "backup")
    assert not cell.registry_db.exists(), "no empty registry is made"
    kept.rename(cell.registry_db)
    ingest(cell, strict_product, once=True)
    assert judge(cell, strict_product).exact

    cell.registry_db.unlink()
    assert command.run("recover", "--cell", "us", "--new-registry").code == ExitCode.OK
    after = open_registry(cell).register(strict_product.value_subject, before.schema)
    assert after.id >= 1_000_000 > before.id


KINDS = ["metadata", "manifest list", "manifest", "data file"]


def victim(cell: Cell, product: Product, kind: str) -> Path:
    table = load_table(cell, events_table(product.name))
    snapshot = table.current_snapshot()
    assert snapshot is not None
    match kind:
        case "metadata":
            location = table.metadata_location
        case "manifest list":
            location = snapshot.manifest_list
        case "manifest":
            location = snapshot.manifests(table.io)[-1].manifest_path
        case _:
            location = next(iter(table.scan().plan_files())).file.file_path
    return Path(location.removeprefix("file://"))


def test_a_file_that_is_gone_or_garbage_is_named_and_no_balance_is_claimed(
    cell: Cell, strict_product: Product, command: CommandHere
) -> None:
    for kind in KINDS:
        file = victim(cell, strict_product, kind)
        kept = file.read_bytes()
        for harm in (b"", b"garbage", None):
            if harm is None:
                file.unlink()
            else:
                file.write_bytes(harm)
            result = command.run("ledger", strict_product.name, "--cell", "us")
            assert_named(result, file.name)
            assert "try again" not in result.err
            assert "balances" not in result.out
        file.write_bytes(kept)
    assert verified(command, strict_product).code == ExitCode.OK


def test_bytes_that_changed_are_named_when_they_are_read(
    cell: Cell, strict_product: Product, writer: TopicWriter, command: CommandHere
) -> None:
    file = victim(cell, strict_product, "data file")
    kept = file.read_bytes()
    file.write_bytes(bytes(len(kept)))
    assert_named(verified(command, strict_product), file.name, "damaged")
    writer.fill(60)
    running = command.run("ingest", "run", strict_product.name, "--cell", "us", "--once")
    assert running.code == ExitCode.OK or file.name in running.err
    file.write_bytes(kept)
    ingest(cell, strict_product, once=True)
    assert verified(command, strict_product).code == ExitCode.OK


def test_a_table_that_was_made_anew_beside_the_old_one_is_for_a_person_to_decide(
    cell: Cell, strict_product: Product, command: CommandHere
) -> None:
    warehouse = Path(cell.warehouse.removeprefix("file://"))
    name = strict_product.name
    old = warehouse / name
    for file in catalog_files(cell):
        file.unlink()
    aside = warehouse.with_name("aside")
    shutil.move(old, aside)
    ingest(cell, strict_product, once=True)
    for file in catalog_files(cell):
        file.unlink()
    shutil.copytree(aside, old, dirs_exist_ok=True)
    refused = command.run("recover", "--cell", "us")
    assert refused.code == ExitCode.TERMINAL
    assert "metadata of 2 tables" in refused.out
    assert open_catalog(cell, recovering=True).list_namespaces() == []
