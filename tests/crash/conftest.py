"""How often the crash suite goes round."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.contract.model import Product
from tests.support.products import own_product


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--crash-rounds",
        type=int,
        default=1,
        help="How many times each script of crashes is played, and ten random kills are made.",
    )


@pytest.fixture(scope="session")
def crash_rounds(request: pytest.FixtureRequest) -> int:
    # Known only when this folder is named on the command line; a run of all tests goes round once.
    return int(request.config.getoption("--crash-rounds", default=1))


@pytest.fixture
def strict_product(tmp_path: Path) -> Product:
    """The test product with an envelope and the strict freshness gate, on a topic of its own."""
    return own_product("strict_events", tmp_path / "contracts")
