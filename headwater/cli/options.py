"""Options and arguments that commands share, and what they resolve to."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

import click

from headwater.cli.verbose import is_verbose
from pipeline.config.nearest import meant
from pipeline.errors import TerminalError
from pipeline.settings import all_settings, load_settings, wants_colors

if TYPE_CHECKING:
    from pipeline.cells import Cell
    from pipeline.contract.model import Product


def complete_products(_context: object, _parameter: object, begun: str) -> list[str]:
    """Return the products whose names begin so, for the shell."""
    return [name for name in _products(load_settings().contracts) if name.startswith(begun)]


def _complete_cells(_context: object, _parameter: object, begun: str) -> list[str]:
    return [name for name in all_settings().cells if name.startswith(begun)]


product_argument = click.argument("product", metavar="PRODUCT", shell_complete=complete_products)


def _cell(context: click.Context, _parameter: click.Parameter, named: str | None) -> str | None:
    if named is not None or context.resilient_parsing:
        return named
    cells = all_settings().cells
    if len(cells) == 1:
        return cells[0]
    if not cells:
        raise click.UsageError("There is no cell yet: run `headwater up`, or name one with --cell.")
    raise click.UsageError(f"There are several cells: name one of {', '.join(cells)} with --cell.")


cell_option = click.option(
    "--cell",
    callback=_cell,
    help="The cell, e.g. us.  [default: the only one that there is]",
    shell_complete=_complete_cells,
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


class ProductNotFoundError(TerminalError):
    """No contract of that name, or it does not live in the cell."""


def user_name() -> str:
    """Return the name of whoever runs this process, or their number where it has none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def resolve(product: str, cell: str) -> tuple[Product, Cell]:
    """Return the contract's product and the configured cell. From then on the process logs as it is set.

    Raises:
        ProductNotFoundError: there is no such contract, or it does not name the cell.
        ContractError: the contract has mistakes.
        CellNotFoundError, CellInvalidError: the cell is not configured, or not so that it can be used.
        SettingInvalidError: a setting cannot be used.
    """
    from pipeline.cells import load_cell

    loaded = resolve_product(product)
    if cell not in loaded.cells:
        raise ProductNotFoundError(
            f"it does not live in cell {cell}.",
            subject=f"product {product}",
            remedy=f"{meant(cell, loaded.cells)}Its contract names: {', '.join(loaded.cells)}.",
        )
    return loaded, load_cell(load_settings().home, cell)


def resolve_product(product: str) -> Product:
    """Return the contract's product, of whatever cell. From then on the process logs as it is set.

    Raises:
        ProductNotFoundError, ContractError, SettingInvalidError: as `resolve`.
    """
    from pipeline.contract.load import load_product
    from pipeline.logs import set_up_logs

    settings = load_settings()
    level = "DEBUG" if is_verbose() else settings.log_level
    set_up_logs(level, settings.log_format, colors=wants_colors())
    folder = settings.contracts / product
    if not folder.is_dir():
        products = _products(settings.contracts)
        known = f"{', '.join(products) or 'none'} (in {settings.contracts})"
        raise ProductNotFoundError(
            "there is no such data product.",
            subject=f"product {product}",
            remedy=f"{meant(product, products)}Known are: {known}.",
        )
    return load_product(folder)


def all_products() -> list[str]:
    """Return the names of the project's products, those whose contracts cannot be read among them."""
    return _products(load_settings().contracts)


def _products(contracts: Path) -> list[str]:
    """Return the names of products; what cannot be read may be one."""
    from pipeline.contract.folders import contract_folders
    from pipeline.contract.load import ContractError, derived_of

    def is_product(folder: Path) -> bool:
        try:
            return derived_of(folder) is None
        except ContractError:
            return True

    return [folder.name for folder in contract_folders(contracts) if is_product(folder)]
