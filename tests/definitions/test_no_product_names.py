"""The code knows no product: what it does for one, it does for every contract."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from pipeline.contract.load import load_products
from pipeline.contract.model import Product
from pipeline.settings import PROJECT, load_settings

FOLDERS = ("pipeline", "resources", "quality", "assets")
PRODUCTS = load_products(load_settings().contracts)


def _names(product: Product) -> Iterator[str]:
    yield product.name
    yield product.topic.name
    for derived_table in product.derived_tables:
        yield derived_table.name


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.name)
def test_no_engine_file_names_a_product_its_topic_or_its_tables(product: Product) -> None:
    pattern = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in _names(product)))
    found = [
        f"{path.relative_to(PROJECT)}:{number}"
        for folder in FOLDERS
        for path in sorted((PROJECT / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []
