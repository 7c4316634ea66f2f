"""How many examples the decoder is held against."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

EXAMPLES = 200
PROFILE = "decoder"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of `make decoder-test`."""
    parser.addoption(
        "--decoder-examples", type=int, default=EXAMPLES, help="Examples of each decoder property."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Draw as many examples as asked for: the same ones each time, or those of --hypothesis-seed."""
    settings.register_profile(
        PROFILE,
        max_examples=int(config.getoption("--decoder-examples", default=EXAMPLES)),
        deadline=None,
        derandomize=config.getoption("hypothesis_seed", default=None) is None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
