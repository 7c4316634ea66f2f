"""Logs, as whoever runs it sees them: each line of its run, and no value of a record in any."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from headwater.stack.dagster.instance import INSTANCE
from pipeline.cells import Cell
from tests.support.commands import command_for
from tests.support.load import SMALL_POISON, TopicWriter
from tests.support.products import own_product

CANARY = b"canary-7f3a"


def test_lines_are_of_their_run_and_quote_no_record(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = own_product("strict_events", tmp_path / "contracts")
    writer = TopicWriter(cell, product, seed=3)
    fit = writer.events(20)
    text = replace(writer.poison("text"), value=b"not avro: " + CANARY, key=CANARY)
    headers = replace(fit[0], headers=(("note", CANARY),))
    writer.send([*fit, text, headers, *(writer.poison(kind) for kind in SMALL_POISON)])
    monkeypatch.setenv("HEADWATER_LOGGING__LEVEL", "debug")
    monkeypatch.setenv("HEADWATER_LOGGING__FORMAT", "json")
    command = command_for(cell, product)
    said = command.run("ingest", "run", product.name, "--cell", cell.name, "--once")
    assert said.code == 0, said.err
    lines = [json.loads(line) for line in said.err.splitlines() if line.startswith("{")]
    (committed,) = [line for line in lines if line["event"].startswith("committed ")]
    assert (committed["product"], committed["cell"]) == (product.name, cell.name)
    assert committed["run_id"]
    assert sum(end - start for start, end in committed["offsets"].values()) == 22 + len(
        SMALL_POISON
    )
    looked = [
        command.run("ledger", product.name, "--cell", cell.name, "--verify"),
        command.run("ledger", product.name, "--cell", cell.name, "--json"),
        command.run("hours", "list", product.name, "--cell", cell.name),
        command.run("status"),
    ]
    assert [one.code for one in looked[:3]] == [0, 0, 0], [one.err for one in looked]
    for one in (said, *looked):
        assert CANARY.decode() not in one.out + one.err
    # What is beside the tables: state, lineage, heartbeats.
    for file in cell.root.rglob("*"):
        if file.is_file() and file.suffix in {".json", ".jsonl", ".log", ".txt"}:
            assert CANARY not in file.read_bytes(), file


def test_warnings_of_the_engine_are_shown_with_their_run_in_dagster(tmp_path: Path) -> None:
    shutil.copyfile(INSTANCE, tmp_path / "dagster.yaml")

    @dg.asset
    def speaks() -> None:
        logging.getLogger("pipeline.ingest.failures").warning("one is unwritable")

    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        result = dg.materialize([speaks], instance=instance)
        messages = [one.user_message for one in instance.all_logs(result.run_id)]
    assert "one is unwritable" in messages
