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
    """Copies a product's contract, and those derived from it, and edits them.

    Each old text must be there: it is replaced in the product's own, or else in the first that has it.
    """

    def copy_contract(product: str, *edits: tuple[str, str], parent: str = "copy") -> Path:
        folder = tmp_path / parent / product
        shutil.copytree(SOURCES[product], folder)
        files = [folder / CONTRACT_FILE]
        for beside in sorted(SOURCES[product].parent.glob(f"*/{CONTRACT_FILE}")):
            if derived_of(beside.parent) == product:
                shutil.copytree(beside.parent, folder.parent / beside.parent.name)
                files.append(folder.parent / beside.parent.name / CONTRACT_FILE)
        for old, new in edits:
            file = next((one for one in files if old in one.read_text()), None)
            assert file is not None, f"{old!r} is in none of {files}"
            file.write_text(file.read_text().replace(old, new, 1))
        return folder

    return copy_contract
