"""`headwater contract`: check contracts, show what they compile into, compare, and bring tables to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from headwater.cli.contract.evolution import apply, plan
from headwater.cli.contract.folders import all_folders, folder_of, product_folder
from headwater.cli.contract.new import new
from headwater.cli.contract.test import test
from headwater.cli.options import json_option
from headwater.cli.progress import progress
from pipeline.contract.source.mistakes import ContractError, Findings
from pipeline.errors import ExitCode
from pipeline.settings import all_settings

if TYPE_CHECKING:
    from pipeline.contract.model import Product


@click.group()
def contract() -> None:
    """Draft contracts, check them, show what they compile into, compare versions, bring tables to them.

    Contracts are the folders of HEADWATER_CONTRACTS (the project's contracts/ by default).
    """


contract.add_command(new)
contract.add_command(test)
contract.add_command(plan)
contract.add_command(apply)


@contract.command()
@click.argument("products", nargs=-1, metavar="[PRODUCT]...")
@json_option
def check(products: tuple[str, ...], as_json: bool) -> int:
    """Check contracts, all of them by default; every mistake is listed with file and line.

    A PRODUCT is a name, or the path of a contract's folder. SQL of derived tables is checked, too, against
    what it reads and what the contract says it gives, and not run. Exits 1 when there are mistakes; warnings
    are of what works, and not as one might think: schemas whose records are decoded one by one, logical types
    that change nothing, aggregates that depend on the order of rows.

    \b
    Examples:
      headwater contract check
      headwater contract check viewing_events --json
      headwater contract check ../drafts/orders
    """
    from headwater.cli.render.checked import Checked, print_checked

    folders = [folder_of(name) for name in products] or all_folders()
    checked = []
    with progress("checking contracts", len(folders), quiet=as_json) as advance:
        for folder in folders:
            product, found = _check(folder)
            others = [other for other in folders if other != folder]
            mistakes, warned = (
                tuple(one for one in each if not any(one.file.is_relative_to(o) for o in others))
                for each in (found.mistakes, found.warnings)
            )
            is_well = product is not None and not mistakes
            checked.append(Checked(folder.name, product if is_well else None, mistakes, warned))
            advance(1)
    print_checked(checked, as_json=as_json)
    return ExitCode.CHECK_FAILED if any(one.mistakes for one in checked) else ExitCode.OK


@contract.command()
@click.argument("product")
@click.option("--explain", is_flag=True, help="Print everything that it compiles into.")
@json_option
def show(product: str, explain: bool, as_json: bool) -> int:
    """Show a contract's product; with --explain, all that it compiles into.

    Of a derived table's contract it is the product that the table is derived of.

    \b
    Examples:
      headwater contract show viewing_events
      headwater contract show viewing_events --explain
      headwater contract show departures --explain --json
    """
    from headwater.cli.render.contract import print_compiled, print_product
    from pipeline.contract.load import load_product

    loaded = load_product(product_folder(folder_of(product)))
    if explain:
        # All that contracts compile into: seconds of imports, which a plain `show` should not cost.
        from pipeline.contract.compile import compile_product

        print_compiled(compile_product(loaded), as_json=as_json)
    else:
        print_product(loaded, as_json=as_json)
    return ExitCode.OK


@contract.command()
@click.argument("old", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("new", type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
def diff(old: Path, new: Path, as_json: bool) -> int:
    """Compare two folders of one contract. Exits 1 when a change breaks readers or writers.

    Derived tables are compared too, of the contracts beside each folder; it may be the folder of one of them.

    \b
    Examples:
      headwater contract diff /tmp/before/viewing_events contracts/viewing_events
    """
    from headwater.cli.render.contract import print_changes
    from pipeline.contract.diff import diff_products
    from pipeline.contract.load import load_product

    changes = diff_products(load_product(product_folder(old)), load_product(product_folder(new)))
    print_changes(changes, as_json=as_json)
    return ExitCode.CHECK_FAILED if any(change.breaking for change in changes) else ExitCode.OK


def _check(folder: Path) -> tuple[Product | None, Findings]:
    """Return the product of the contract in `folder`, or which it is derived from; and what is wrong."""
    from pipeline.contract.checks.cells import unknown_cells
    from pipeline.contract.checks.product_check import check_product
    from pipeline.contract.load import load_product
    from pipeline.contract.unit_tests.read import read_unit_tests

    try:
        product = load_product(product_folder(folder))
    except ContractError as error:
        return None, Findings(error.mistakes)
    found = check_product(product)
    cells = unknown_cells(product, all_settings().cells)
    mistakes = (*found.mistakes, *read_unit_tests(product).mistakes)
    return product, Findings(mistakes, (*cells, *found.warnings))
