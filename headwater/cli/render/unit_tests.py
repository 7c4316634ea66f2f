"""What `headwater contract test` prints."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from headwater.cli.render.checked import mistake_document, relative
from headwater.cli.render.values import plain
from pipeline.contract.source.mistakes import Mistake

if TYPE_CHECKING:
    from pipeline.batch.unit_tests.run import UnitTestResult


def print_unit_test(result: UnitTestResult) -> None:
    """Print how a test ended, and row by row what does not agree."""
    test = result.test
    click.echo(f"{'ok    ' if result.passed else 'failed'} {test.table}: {test.name}")
    if result.passed:
        return
    for mistake in result.mistakes:
        click.echo(f"  wrong      {relative(mistake)}")
    if result.error is not None:
        click.echo(f"  error      {result.error}")
    for line, row in result.missing:
        click.echo(f"  missing    {_row(row)}   (line {line})")
    for row in result.unexpected:
        click.echo(f"  unexpected {_row(row)}")
    click.echo(f"  at {relative(test.document.mistake(test.loc, test.description)).rstrip(': ')}")


def print_summary(
    results: Sequence[UnitTestResult], mistakes: Sequence[Mistake], *, as_json: bool
) -> None:
    """Print what is wrong with tests that were not run, and how many passed; as JSON all of it."""
    failed = sum(not one.passed for one in results)
    if as_json:
        document = {
            "ok": not failed and not mistakes,
            "tests": [_document(one) for one in results],
            "mistakes": [mistake_document(one) for one in mistakes],
        }
        click.echo(json.dumps(document, indent=2))
        return
    for mistake in mistakes:
        click.echo(f"wrong  {relative(mistake)}")
    click.echo(f"{len(results)} tests, {failed} failed, {len(mistakes)} mistakes")


def _document(result: UnitTestResult) -> dict[str, Any]:
    test = result.test
    return {
        "table": test.table,
        "name": test.name,
        "file": str(test.document.file),
        "line": test.document.place(test.loc).line,
        "passed": result.passed,
        "missing": [{"line": line, "row": plain(row)} for line, row in result.missing],
        "unexpected": [plain(row) for row in result.unexpected],
        "mistakes": [mistake_document(one) for one in result.mistakes],
        "error": None if result.error is None else str(result.error),
    }


def _row(row: Mapping[str, Any]) -> str:
    inside = ", ".join(
        f"{name}: {json.dumps(plain(value), ensure_ascii=False)}" for name, value in row.items()
    )
    return f"{{{inside}}}"
