"""How many contracts are drawn, one cell for all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from pipeline.cells import Cell, embedded_cell
from pipeline.schemas.open import open_registry

EXAMPLES = 48
PROFILE = "round_trip"
FOLDER = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of `make contract-test`."""
    parser.addoption("--contract-examples", type=int, default=EXAMPLES, help="Contracts to draw.")
    parser.addoption(
        "--contract-shrink", action="store_true", help="Make what fails small: minutes."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Draw as many contracts as asked for: the same ones each time, or those of --hypothesis-seed."""
    phases = [Phase.explicit, Phase.generate]
    if config.getoption("--contract-shrink", default=False):
        phases.append(Phase.shrink)
    settings.register_profile(
        PROFILE,
        phases=phases,
        max_examples=int(config.getoption("--contract-examples", default=EXAMPLES)),
        deadline=None,
        derandomize=config.getoption("hypothesis_seed", default=None) is None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.hookimpl
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give these tests time for as many contracts as are drawn, on a machine that does other things too."""
    seconds = 300 + 5 * int(config.getoption("--contract-examples"))
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.timeout(seconds))


@pytest.fixture(scope="module")
def drawn_cell(tmp_path_factory: pytest.TempPathFactory) -> Cell:
    """A cell named `us` whose Kafka is never asked: the tables of all drawn contracts, one by one."""
    cell = embedded_cell(tmp_path_factory.mktemp("drawn"), "us", "127.0.0.1:9")
    # One that is absent beside tables is refused as lost.
    open_registry(cell)
    return cell
