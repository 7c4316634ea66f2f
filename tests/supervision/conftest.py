"""How often ingest is killed, and over how long."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=10, help="How many kills, quiet and loaded each.")
    parser.addoption("--kill-seconds", type=float, default=900.0, help="Over how long, each.")
    parser.addoption("--kill-seed", type=int, default=1, help="What the moments are drawn from.")
