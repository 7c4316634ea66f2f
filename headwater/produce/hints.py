"""What a contract says of events that are made up of it."""

from __future__ import annotations

from pipeline.contract.folders import CONTRACT_FILE
from pipeline.contract.model import Product
from pipeline.contract.settings.generate import GenerateSection
from pipeline.contract.settings.product import read_product_settings
from pipeline.contract.source.document import Document
from pipeline.contract.source.reader import ContractReader


def read_hints(product: Product) -> GenerateSection:
    """Return the section `generate` of a product's contract, as the file has it now."""
    settings, _ = read_product_settings(ContractReader(Document(product.folder / CONTRACT_FILE)))
    return settings.generate
