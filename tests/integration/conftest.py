"""What the integration tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.cells import Cell
from pipeline.contract.model import Product
from tests.support.hosts import LEASE_S
from tests.support.orders import Orders, orders_product
from tests.support.products import own_product
from tests.support.secured_broker import Secured, secured_broker


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of `make backfill-test` and `make hosts-test`."""
    parser.addoption(
        "--backfill-hours", type=int, help="How many hours are built from the UI at once."
    )
    parser.addoption(
        "--lease-s", type=float, default=LEASE_S, help="How long leases of hosts last, seconds."
    )


@pytest.fixture
def lease_s(pytestconfig: pytest.Config) -> float:
    """How long leases of hosts last."""
    asked: float = pytestconfig.getoption("--lease-s", default=LEASE_S)
    return asked


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A broker that lets nobody in without a login or a certificate, but where it is plain."""
    with secured_broker(tmp_path_factory.mktemp("secured")) as broker:
        yield broker


@pytest.fixture
def strict_product(tmp_path: Path) -> Product:
    """The test product with an envelope and the strict freshness gate, on a topic of its own."""
    return own_product("strict_events", tmp_path / "contracts")


@pytest.fixture
def orders(quiet_cell: Cell) -> Orders:
    """The table `orders.events` of a cell whose Kafka is never asked."""
    return Orders(quiet_cell)


@pytest.fixture
def product(tmp_path: Path) -> Product:
    """The product of `orders`."""
    return orders_product(tmp_path)
