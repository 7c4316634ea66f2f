"""Real services for the suite: started once, shared, stopped at the end. None is ever skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from headwater.stack.broker import KafkaBroker
from headwater.stack.jars import ensure_jars
from headwater.stack.ports import free_port
from pipeline.cells import Cell, embedded_cell, save_cell
from pipeline.settings import load_settings
from tests.support import counts
from tests.support.catalogs import add_option, in_asked_catalog
from tests.support.postgresql import PostgresqlServer
from tests.support.seaweedfs import SeaweedfsServer

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NEEDS_JAVA = {"broker", "spark_jars"}

# Compiling small queries well takes a third of the processor time of Spark's that run them: each JVM of the
# suite lives for too short to have it back.
COMPILING_LITTLE = "-XX:TieredStopAtLevel=1"
os.environ.setdefault("SPARK_SUBMIT_OPTS", f"{COMPILING_LITTLE} -XX:+UseSerialGC")

# How long an example takes tells of the machine and its company, not of the code.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the whole suite."""
    add_option(parser)
    parser.addoption("--comet", action="store_true", help="The session's Spark has Comet.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs Java by its fixtures; modules that ask Avro Java mark themselves.

    The longest file goes first: begun among the last, it would leave the other processes idle at the end.
    """
    items.sort(key=lambda item: item.path.parent.name != "systems")
    for item in items:
        if isinstance(item, pytest.Function) and NEEDS_JAVA & set(item.fixturenames):
            item.add_marker("java")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell what was counted in a process beside others to the one that started them."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["counts"] = counts.plain()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add what was counted in a process that was started."""
    counts.add(getattr(node, "workeroutput", {}).get("counts", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what suites counted."""
    for title, lines in counts.sections():
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A real broker for the whole session; topics of one test are its own by their names."""
    root = tmp_path_factory.mktemp("kafka")
    jars = ensure_jars(load_settings().cache, "kafka", print)
    log, options = root / "kafka.log", [COMPILING_LITTLE]
    broker = KafkaBroker(root, jars, free_port(), free_port(), log, java_options=options)
    process = broker.start()
    yield broker
    process.stop()


@pytest.fixture(scope="session")
def spark_jars(pytestconfig: pytest.Config) -> tuple[Path, ...]:
    """Iceberg's runtime and the catalogs' drivers, fetched if need be.

    Comet, which cells in processes of their own have, is fetched too. The session's Spark has it where
    that is asked: it serves cells in S3, over which there is none.
    """
    cache = load_settings().cache
    comet = ensure_jars(cache, "comet", print)
    return tuple(
        jar for name in ("spark", "postgresql", "s3") for jar in ensure_jars(cache, name, print)
    ) + (comet if pytestconfig.getoption("comet") else ())


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresqlServer]:
    """A real PostgreSQL for the whole session; each test has databases of its own."""
    server = PostgresqlServer(tmp_path_factory.mktemp("postgresql"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedfsServer]:
    """A real S3, and a REST catalog, for the whole session; each test has a bucket of its own."""
    server = SeaweedfsServer(tmp_path_factory.mktemp("seaweedfs"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def spark(
    tmp_path_factory: pytest.TempPathFactory, spark_jars: tuple[Path, ...]
) -> Iterator[SparkSession]:
    """The session's Spark engine. Cells of tests share it: each opens its catalog in own sessions."""
    # Spark takes seconds to import: only for who asks for it.
    from pipeline.spark.session import start_session

    cell = embedded_cell(tmp_path_factory.mktemp("spark"), "engine", "127.0.0.1:9")
    session = start_session(cell, spark_jars)
    yield session
    session.stop()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of a platform of its own."""
    return tmp_path / "home"


@pytest.fixture
def cell(home: Path, broker: KafkaBroker, request: pytest.FixtureRequest) -> Cell:
    """A fresh cell named `us`: its own catalog, warehouse and registry, the session's broker.

    Its catalog is embedded, or in what the test is parametrized with, or the run: one of `CATALOGS`.
    """
    return _fresh_cell(home, broker.bootstrap_servers, request)


@pytest.fixture
def quiet_cell(home: Path, request: pytest.FixtureRequest) -> Cell:
    """A fresh cell named `us` whose Kafka is never asked; parametrized as `cell` is."""
    return _fresh_cell(home, "127.0.0.1:9", request)


def _fresh_cell(home: Path, bootstrap_servers: str, request: pytest.FixtureRequest) -> Cell:
    cell = embedded_cell(home, "us", bootstrap_servers)
    cell = in_asked_catalog(cell, request)
    save_cell(home, cell)
    return cell
