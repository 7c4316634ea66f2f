"""How many chains of contracts are drawn."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings

EXAMPLES = 38
PROFILE = "evolution"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of `make evolution-test`."""
    parser.addoption("--chains", type=int, default=EXAMPLES, help="Chains of contract versions.")
    parser.addoption("--load-seconds", type=float, default=24, help="How long events flow.")
    parser.addoption("--load-rate", type=int, default=4000, help="Events a second.")


def pytest_configure(config: pytest.Config) -> None:
    """Draw as many chains as asked for: the same ones each time, or those of --hypothesis-seed."""
    settings.register_profile(
        PROFILE,
        max_examples=int(config.getoption("--chains", default=EXAMPLES)),
        stateful_step_count=4,
        deadline=None,
        # A chain that fails is told whole: to shrink one takes minutes.
        phases=[Phase.generate],
        derandomize=config.getoption("hypothesis_seed", default=None) is None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give chains more time than other tests: 60 take minutes, and the more the busier the machine is."""
    if config.getoption("timeout", default=None) is None:
        for item in items:
            if item.path.name == "test_chains.py":
                item.add_marker(pytest.mark.timeout(1200))
