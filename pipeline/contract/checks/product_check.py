"""What is found in a contract that can be loaded: mistakes, and what works otherwise than one thinks."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.contract.checks.warnings import warnings
from pipeline.contract.folders import CONTRACT_FILE
from pipeline.contract.model import EVENTS, Product
from pipeline.contract.source.document import Document
from pipeline.contract.source.mistakes import Findings, Mistake
from pipeline.contract.source.reader import ContractReader


def check_product(product: Product) -> Findings:
    """Check what loading does not look at: the SQL of derived tables, and what objectives are about.

    A running ingest takes no notice of what is found here: no table's SQL stops a topic.
    """
    # Parsing SQL takes a while to import: only for who checks.
    from pipeline.contract.checks.sql.check import check_sql

    of_sql = check_sql(product)
    return Findings(
        mistakes=tuple(sorted({*of_sql.mistakes, *_unknown_elements(product)})),
        warnings=tuple(sorted({*of_sql.warnings, *warnings(product)})),
    )


def _unknown_elements(product: Product) -> Iterator[Mistake]:
    """Yield objectives about what the product does not have."""
    tables = [table.name for table in product.derived_tables]
    known = (product.name, product.topic.name, EVENTS, *tables)
    for folder in dict.fromkeys((product.folder, *(one.folder for one in product.derived_tables))):
        reader = ContractReader(Document(folder / CONTRACT_FILE))
        for loc, entry in reader.mappings(("slaProperties",)):
            element = entry.get("element")
            if element is not None and element not in known:
                expected = f"what the product has ({', '.join(known)}); not {element!r}"
                yield reader.document.mistake((*loc, "element"), expected)
