"""Where contracts lie: a folder each, beside one another."""

from __future__ import annotations

from pathlib import Path

CONTRACT_FILE = "contract.yaml"


def contract_folders(contracts: Path) -> list[Path]:
    """Return the folders of `contracts` that hold a contract, by name; none if there is no such folder."""
    return sorted(file.parent for file in contracts.glob(f"*/{CONTRACT_FILE}"))
