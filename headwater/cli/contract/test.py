"""`headwater contract test`: derived tables' logic on rows that are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from headwater.cli.contract.folders import all_folders, folder_of, product_folder
from headwater.cli.options import json_option
from headwater.cli.progress import progress
from pipeline.errors import ExitCode

if TYPE_CHECKING:
    from pipeline.batch.unit_tests.run import UnitTestResult
    from pipeline.contract.model import Product
    from pipeline.contract.source.mistakes import Mistake
    from pipeline.contract.unit_tests.model import UnitTest


@click.command()
@click.argument("products", nargs=-1, metavar="[PRODUCT]...")
@json_option
def test(products: tuple[str, ...], as_json: bool) -> ExitCode:
    """Run the unit tests of derived tables: their logic on rows given in YAML, and what is to come of it.

    They are the files *.yaml in folders `tests` beside contracts. PRODUCT is a product's name, for all of its
    tables, or that of one table's folder; all of them by default. Needs Java, and neither Kafka nor a cell:
    what is computed stays in memory. Exit codes: 0 all pass, 1 a test does not, or has mistakes, 3 a contract
    has.

    \b
    Examples:
      headwater contract test
      headwater contract test viewing_events
      headwater contract test content_engagement_hourly --json
    """
    from headwater.cli.render.unit_tests import print_summary, print_unit_test
    from pipeline.contract.load import load_product
    from pipeline.contract.unit_tests.read import read_unit_tests

    tests: list[tuple[Product, tuple[UnitTest, ...]]] = []
    mistakes: list[Mistake] = []
    for folder, asked in _asked([folder_of(name) for name in products] or all_folders()).items():
        product = load_product(folder)
        found = read_unit_tests(product)
        of = {one.name for one in product.derived_tables if folder in asked or one.folder in asked}
        tests.append((product, tuple(one for one in found.tests if one.table in of)))
        mistakes += (
            one for one in found.mistakes if folder in asked or one.file.parent.parent in asked
        )
    results = []
    count = sum(len(of_product) for _, of_product in tests)
    with progress("running tests", count, quiet=as_json) as advance:
        for result in _results(tests):
            results.append(result)
            if not as_json:
                print_unit_test(result)
            advance(1)
    print_summary(results, mistakes, as_json=as_json)
    passed = not mistakes and all(one.passed for one in results)
    return ExitCode.OK if passed else ExitCode.CHECK_FAILED


def _asked(folders: Sequence[Path]) -> Mapping[Path, Sequence[Path]]:
    """Return the folders of products, each with those of `folders` that are of it."""
    found: dict[Path, list[Path]] = {}
    for folder in folders:
        found.setdefault(product_folder(folder), []).append(folder)
    return found


def _results(tests: Sequence[tuple[Product, Sequence[UnitTest]]]) -> Iterator[UnitTestResult]:
    if not any(of_product for _, of_product in tests):
        return
    # Spark takes seconds to import and to start: only for who has tests, and once.
    from pipeline.batch.unit_tests.run import UnitTestRunner
    from pipeline.spark.session import start_bare_session

    spark = start_bare_session()
    try:
        for product, of_product in tests:
            runner = UnitTestRunner(spark, product)
            yield from map(runner.run, of_product)
    finally:
        spark.stop()
