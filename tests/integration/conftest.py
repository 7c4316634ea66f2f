"""What the integration tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.contract.model import Product
from tests.support.products import own_product


@pytest.fixture
def strict_product(tmp_path: Path) -> Product:
    """The test product with an envelope and the strict freshness gate, on a topic of its own."""
    return own_product("strict_events", tmp_path / "contracts")
