"""What is asked after each batch of kills, when an ingest has finished."""

from __future__ import annotations

from pipeline.ledger.model import Totals
from pipeline.ledger.verify import verify_ledger
from tests.crash.stage import Stage
from tests.support.commands import command_for
from tests.support.judge import holes, judge
from tests.support.lineage_whole import assert_lineage_whole


def assert_exactly_once(stage: Stage) -> Totals:
    """The independent verifier finds nothing, the ledger agrees with its recount, lineage is whole.

    Returns what the ledger says.
    """
    findings = judge(stage.cell, stage.product)
    assert findings.exact, findings
    assert findings.rows
    assert findings.dead_letters
    verification = verify_ledger(stage.cell, stage.product)
    assert verification.balanced, verification.problems
    totals = verification.ledger.totals
    assert totals.duplicates
    found = holes(stage.cell, stage.product)
    assert found.aborted
    assert found.control
    assert (totals.aborted, totals.control) == (found.aborted, found.control)
    assert totals.gaps == found.aborted + found.control
    assert totals.rows + totals.duplicates + totals.dead_letters == findings.readable
    assert_lineage_whole(stage.cell, stage.product)
    stage.tally.judged += 1
    return totals


def assert_the_command_agrees(stage: Stage) -> None:
    """`headwater ledger --verify` says so too."""
    command = command_for(stage.cell, stage.product)
    arguments = ("ledger", stage.product.name, "--cell", stage.cell.name, "--verify")
    result = command.run(*arguments)
    assert result.code == 0, result.err or result.out
