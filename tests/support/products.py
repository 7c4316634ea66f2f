"""Products of a test's own: a contract of tests/data on a topic that no other test uses."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path

from pipeline.contract.load import load_product
from pipeline.contract.model import Product

CONTRACTS = Path(__file__).parent.parent / "data" / "contracts"


def own_product(
    name: str,
    folder: Path,
    contracts: Path = CONTRACTS,
    *,
    bare: bool = False,
    tables: Iterable[str] = (),
) -> Product:
    """Copy the contract `name` of `contracts` to `folder`, on a topic of its own, and load it.

    `bare` takes the envelope away: records hold payloads alone. Of the tables derived from it `tables` are
    copied too.
    """
    original = load_product(contracts / name)
    target = folder / name
    shutil.copytree(contracts / name, target)
    for table in tables:
        shutil.copytree(contracts / table, folder / table)
    topic = f"{original.topic.name}-{uuid.uuid4().hex[:8]}"
    for path in target.rglob("*.yaml"):
        text = path.read_text().replace(original.topic.name, topic)
        if bare:
            text = text.replace("envelope: schemas/envelope.avsc", "envelope: none")
        path.write_text(text)
    return load_product(target)
