"""The contracts that a command line names."""

from __future__ import annotations

from pathlib import Path

from headwater.cli.options import ProductNotFoundError
from pipeline.config.nearest import meant
from pipeline.contract.folders import CONTRACT_FILE, contract_folders
from pipeline.settings import load_settings


def folder_of(name: str) -> Path:
    """Return the folder of the contract of that name, or at that path.

    Raises:
        ProductNotFoundError: there is none.
    """
    contracts = load_settings().contracts
    for folder in (contracts / name, Path(name).absolute()):
        if (folder / CONTRACT_FILE).is_file():
            return folder
    known = [folder.name for folder in all_folders()]
    raise ProductNotFoundError(
        f"no {CONTRACT_FILE} in {contracts / name}.",
        subject=f"contract {name}",
        remedy=f"{meant(name, known)}Known contracts: {', '.join(known) or 'none'}.",
    )


def all_folders() -> list[Path]:
    """Return the folders of all contracts.

    Raises:
        ProductNotFoundError: there is none.
    """
    contracts = load_settings().contracts
    folders = contract_folders(contracts)
    if not folders:
        raise ProductNotFoundError(
            f"no folder with a {CONTRACT_FILE} in it.",
            subject=str(contracts),
            remedy="Write a contract, or point HEADWATER_CONTRACTS elsewhere.",
        )
    return folders


def product_folder(folder: Path) -> Path:
    """Return the folder of the product that the contract in `folder` is of: another's, if it is derived.

    Raises:
        ContractError: it is no YAML mapping, or derived from what is no product beside it.
    """
    from pipeline.contract import load

    return load.product_folder(folder)
