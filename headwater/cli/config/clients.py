"""What the clients of systems would refuse, found without connecting to any."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from headwater.cli.config.listing import Setting
from pipeline.cells import Cell, load_cell
from pipeline.config.layer import Fault, Key
from pipeline.errors import HeadwaterError
from pipeline.settings import unreadable_secrets


def platform_faults(home: Path, listed: Mapping[Key, Setting]) -> Iterator[Fault]:
    """Yield what is wrong with settings of no cell that have the right types; `listed` are all settings."""
    from headwater.stack.dagster.storage import storage_uri

    try:
        storage_uri(home)
    except HeadwaterError as error:
        yield _fault(home, listed, ("dagster", "storage_uri"), error)


def client_faults(home: Path, name: str, listed: Mapping[Key, Setting]) -> Iterator[Fault]:
    """Yield what is wrong with a cell whose settings have the right types; `listed` are all settings."""
    cells = ("cells", name)

    fault = partial(_fault, home, listed)

    def refused(key: Key, ask: Callable[[], object]) -> Iterator[Fault]:
        try:
            ask()
        except HeadwaterError as error:
            yield fault((*cells, *key), error)

    by_name = {one.name: key for key, one in listed.items()}
    if missing := unreadable_secrets(home, name):
        yield from (fault(by_name[error.subject], error) for error in missing)
        return
    try:
        cell = load_cell(home, name)
    except HeadwaterError as error:
        yield fault((*cells, "bootstrap_servers"), error)
        return
    of_catalog = ("catalog", "type") if cell.catalog else ("catalog_uri",)
    yield from refused(of_catalog, lambda: _ask_catalog(cell))
    yield from refused(("warehouse",), lambda: _ask_warehouse(cell))
    yield from refused(("state_uri",), lambda: _ask_state(cell))
    for setting in cell.kafka:
        yield from refused(("kafka", setting), partial(_ask_kafka, cell, setting))
    for setting in cell.spark:
        yield from refused(("spark", setting), partial(_ask_spark, cell, setting))
    yield from refused(("openlineage", "transport"), lambda: _ask_openlineage(cell))
    if cell.schema_registry:
        yield from refused(("schema_registry", "url"), lambda: _ask_registry(cell))


def _fault(home: Path, listed: Mapping[Key, Setting], key: Key, error: HeadwaterError) -> Fault:
    one = listed.get(key)
    if one is None or not one.where:
        return Fault(str(home), ".".join(key), error.what, error.remedy)
    where = "environment" if one.where == one.written else one.where
    return Fault(where, one.written, error.what, error.remedy)


def _ask_catalog(cell: Cell) -> None:
    from pipeline.catalogs import postgresql, rest, sqlite

    if not rest.is_rest(cell) and sqlite.database_of(cell) is None:
        postgresql.address(cell.catalog_uri, cell.name)


def _ask_warehouse(cell: Cell) -> None:
    from pipeline.catalogs import s3

    s3.for_pyiceberg(cell)


def _ask_state(cell: Cell) -> None:
    from pipeline.catalogs import postgresql

    if cell.state_uri is not None:
        postgresql.address(cell.state_uri, cell.name, "state_uri")


def _ask_kafka(cell: Cell, name: str) -> None:
    from kafka import KafkaConsumer

    from pipeline.kafka.connect import client_settings

    client_settings(replace(cell, kafka={name: cell.kafka[name]}), KafkaConsumer.DEFAULT_CONFIG)


def _ask_spark(cell: Cell, name: str) -> None:
    from pipeline.spark.settings import REMOTE, spark_settings

    # Beside a Connect server fewer are allowed.
    beside = {REMOTE: cell.spark[REMOTE]} if REMOTE in cell.spark else {}
    spark_settings(replace(cell, spark={name: cell.spark[name], **beside}), ())


def _ask_openlineage(cell: Cell) -> None:
    from pipeline.kafka.connect import client_settings
    from pipeline.lineage.collector import collector_of

    collector = collector_of(cell)
    if collector is not None and collector.transport == "kafka":
        from kafka import KafkaProducer

        client_settings(collector.cluster, KafkaProducer.DEFAULT_CONFIG)


def _ask_registry(cell: Cell) -> None:
    from pipeline.schemas.open import open_registry

    open_registry(cell)
