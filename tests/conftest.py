"""Real services for the suite: started once, shared, stopped at the end. None is ever skipped."""

from __future__ import annotations

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

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NEEDS_JAVA = {"broker", "spark_jars"}

# How long an example takes tells of the machine and its company, not of the code.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs Java by its fixtures; modules that ask Avro Java mark themselves."""
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
    broker = KafkaBroker(root, jars, free_port(), free_port(), root / "kafka.log")
    process = broker.start()
    yield broker
    process.stop()


@pytest.fixture(scope="session")
def spark_jars() -> tuple[Path, ...]:
    """Iceberg's runtime and the catalog's driver, fetched if need be."""
    return ensure_jars(load_settings().cache, "spark", print)


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
def cell(home: Path, broker: KafkaBroker) -> Cell:
    """A fresh cell named `us`: its own catalog, warehouse and registry, the session's broker."""
    cell = embedded_cell(home, "us", broker.bootstrap_servers)
    save_cell(home, cell)
    return cell


@pytest.fixture
def quiet_cell(home: Path) -> Cell:
    """A fresh cell named `us` whose Kafka is never asked."""
    cell = embedded_cell(home, "us", "127.0.0.1:9")
    save_cell(home, cell)
    return cell
