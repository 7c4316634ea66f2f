from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

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
    """Copies a product's contract and edits its contract.yaml; each old text must be there."""

    def copy_contract(product: str, *edits: tuple[str, str], parent: str = "copy") -> Path:
        folder = tmp_path / parent / product
        shutil.copytree(SOURCES[product], folder)
        file = folder / "contract.yaml"
        text = file.read_text()
        for old, new in edits:
            assert old in text, f"{old!r} is not in {file}"
            text = text.replace(old, new, 1)
        file.write_text(text)
        return folder

    return copy_contract
