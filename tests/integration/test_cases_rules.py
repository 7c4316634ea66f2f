"""Business rules that once ended ingest: each is a mistake with its line, or counts and keeps the row."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from headwater.produce.file import produce_file
from pipeline.cells import Cell
from pipeline.contract.load import CONTRACT_FILE, ContractError, load_product
from pipeline.ingest.run import ingest
from pipeline.ledger.verify import verify_ledger
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table
from tests.support.products import own_product

CASES = Path(__file__).parent.parent / "data" / "cases" / "rules"


@pytest.mark.parametrize(
    ("name", "at", "expected"),
    [
        ("rule_unique", "check: unique_values_eq", "judges a column as a whole"),
        ("rule_lookahead", "arguments:", "look-ahead and look-behind, is not supported"),
        ("rule_badregex", "arguments:", "unclosed group"),
    ],
)
def test_a_rule_that_no_batch_could_be_judged_by_is_a_mistake(
    name: str, at: str, expected: str
) -> None:
    folder = CASES / "only" / name
    with pytest.raises(ContractError) as refused:
        load_product(folder)
    (mistake,) = refused.value.mistakes
    lines = (folder / CONTRACT_FILE).read_text().splitlines()
    assert at in lines[mistake.line - 1]
    assert expected in mistake.expected


def test_what_replaces_it_counts_and_keeps_the_row(tmp_path: Path, cell: Cell) -> None:
    folder = shutil.copytree(CASES / "only" / "rule_unique", tmp_path / "given" / "rule_unique")
    file = folder / CONTRACT_FILE
    text = file.read_text().replace("unique_values_eq", "isin")
    file.write_text(text.replace("{values: [a, b]}", "{allowed_values: [a, b]}"))
    product = own_product("rule_unique", tmp_path / "contracts", tmp_path / "given")
    sent = produce_file(cell, product, str(CASES / "strings.jsonl"))
    assert sent.valid == 2
    report = ingest(cell, product, once=True)
    assert (report.rows, report.invalid) == (2, 1)
    assert report.rules == {"s: isin(['a', 'b'])": 1}
    rows = load_table(cell, events_table(product.name)).scan().to_arrow()
    assert sorted(rows["s"].to_pylist()) == ["a", "zzz"]
    assert verify_ledger(cell, product).balanced
