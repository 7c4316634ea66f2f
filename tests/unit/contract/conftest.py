from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.contract.load import CONTRACT_FILE, derived_of

ROOT = Path(__file__).resolve().parents[3]
SOURCES = {
    "viewing_events": ROOT / "contracts" / "viewing_events",
    "departures": ROOT / "contracts" / "departures",
    "strict_events": ROOT / "tests" / "data" / "contracts" / "strict_events",
}

Copy = Callable[..., Path]
"""copy(product, (old text, new text), ..., name=...) -> folder of the edited copy."""


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """Copies a product's contract, and those derived from it, and edits the product's own.

    Each old text must be there.
    """

    def copy_contract(product: str, *edits: tuple[str, str], parent: str = "copy") -> Path:
        folder = tmp_path / parent / product
        shutil.copytree(SOURCES[product], folder)
        for beside in SOURCES[product].parent.glob(f"*/{CONTRACT_FILE}"):
            if derived_of(beside.parent) == product:
                shutil.copytree(beside.parent, folder.parent / beside.parent.name)
        file = folder / CONTRACT_FILE
        text = file.read_text()
        for old, new in edits:
            assert old in text, f"{old!r} is not in {file}"
            text = text.replace(old, new, 1)
        file.write_text(text)
        return folder

    return copy_contract
