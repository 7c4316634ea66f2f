"""Finding dead letters: poison of every kind is listed, shown and counted, and nobody's data with it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from headwater.produce.generated import Order, produce_generated
from headwater.produce.model import REASONS, Kind, Produced, Shares
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.dead_letters.discard import discard
from pipeline.dead_letters.look.remedies import explained
from pipeline.dead_letters.replay import replay
from pipeline.dead_letters.selection import Selection
from pipeline.errors import ExitCode
from pipeline.ingest.run import ingest
from pipeline.settings import PROJECT
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table
from tests.support.commands_here import CommandHere
from tests.support.products import own_product

RECORDS = 400
SHARES = Shares(late=0.02, duplicates=0.02, poison=0.2)
ALL = ("--limit", "1000", "--json")


class Letters:
    """The commands over one product that was produced with poison, and ingested."""

    def __init__(self, command: CommandHere, product: Product, produced: Produced) -> None:
        self.product, self.produced = product, produced
        self._command = command

    def run(self, name: str, *arguments: str) -> Any:
        return self._command.run(
            "dead-letters", name, self.product.name, *arguments, "--cell", "us"
        )

    def list(self, *filters: str) -> list[dict[str, Any]]:
        return self.run("list", *filters, *ALL).json["dead_letters"]  # type: ignore[no-any-return]

    def show(self, place: str, *arguments: str) -> dict[str, Any]:
        return self.run("show", place, *arguments, "--json").json  # type: ignore[no-any-return]


@pytest.fixture
def letters(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    cell: Cell,
    tmp_path: Path,
) -> Letters:
    viewing = own_product("viewing_events", tmp_path / "contracts", PROJECT / "contracts")
    produced = produce_generated(cell, viewing, Order(RECORDS, None, 3, SHARES, seed=7))
    ingest(cell, viewing, once=True)
    return Letters(CommandHere(monkeypatch, capsys, cell, viewing), viewing, produced)


def place_of(letter: dict[str, Any]) -> str:
    return f"{letter['partition']}/{letter['offset']}"


def test_poison_of_every_kind_is_found_told_and_masked(cell: Cell, letters: Letters) -> None:
    assert set(letters.produced.poison) == set(REASONS)
    people = load_table(cell, events_table(letters.product.name)).scan().to_arrow()
    accounts = set(people.column("user_id").to_pylist())
    keys = {row["reason"]: place_of(row) for row in letters.list()}

    # Listed: each with its reason, the newest last.
    listed = letters.list()
    assert Counter(row["reason"] for row in listed) == letters.produced.dead_letters
    assert {row["fate"] for row in listed} == {"open"}
    assert {row["producer"] for row in listed} == {"headwater"}
    assert listed == sorted(listed, key=lambda row: row["ingested_at"])
    shown = letters.run("list", "--limit", "3").out
    assert f"the newest 3 of {len(listed):,} dead letters" in shown

    # Counted.
    counts = letters.run("count", "--by", "reason", "--by", "fate", "--json").json
    by_reason = {row["reason"]: row["dead_letters"] for row in counts["reason"]}
    assert by_reason == letters.produced.dead_letters
    assert counts["fate"] == [{"fate": "open", "dead_letters": len(listed)}]

    # Shown: what helps, what can be read, where it broke; and no account in any of it.
    broke = {Kind.TRUNCATED: True, Kind.BAD_MAGIC: True, Kind.WRONG_ENVELOPE: False}
    for kind, reason in REASONS.items():
        told = letters.show(keys[reason])
        assert (told["reason"], told["remedy"]) == (reason, explained(reason).remedy)
        assert (told["fate"], told["steps"]) == ("open", [])
        assert told["snapshot_id"] is not None
        if kind in broke:
            assert (told["broke_at"] is not None) == broke[kind], kind
        assert told["value"] in (None, "(masked)")
        assert told["dump"] == []
        said = letters.run("show", keys[reason]).out
        assert explained(reason).remedy in said
        assert not [account for account in accounts if account in said]
    stale = letters.show(keys["stale"])
    assert stale["whole"]
    assert stale["fields"]["user_id"] == stale["fields"]["profile"] == "(masked)"
    assert stale["fields"]["device_type"] != "(masked)"
    assert stale["key"] == stale["envelope"]["key"] == "(masked)"


def test_who_looks_at_what_is_personal_is_in_the_audit(letters: Letters) -> None:
    (cut, *_) = letters.list("--reason", "undecodable")
    told = letters.show(place_of(cut), "--reveal", "INC-12", "--by", "ann")
    assert told["key"] == told["envelope"].get("key", told["key"]) != "(masked)"
    assert len(bytes.fromhex(told["value"])) == told["value_bytes"] >= told["broke_at"]
    assert sum("[" in line for line in told["dump"]) == 1
    (noted,) = letters.run("actions", "--json").json
    assert (noted["action"], noted["by"], noted["reason"]) == ("reveal", "ann", "INC-12")
    assert noted["selection"] == {
        "partition": cut["partition"],
        "start": cut["offset"],
        "end": cut["offset"] + 1,
    }
    assert "ann" in letters.run("actions").out
    assert letters.run("show", place_of(cut), "--reveal", " ").code == ExitCode.USAGE


def test_what_became_of_a_replayed_one_is_shown_with_the_evidence(
    cell: Cell, letters: Letters
) -> None:
    place = place_of(letters.list("--reason", "stale")[-1])
    replay(cell, letters.product, Selection(reasons=("stale",)), reason="late", by="ann")
    waiting = letters.show(place)
    assert (waiting["fate"], waiting["state"]) == ("sent", "Raw")
    ingest(cell, letters.product, once=True)
    told = letters.show(place)
    assert (told["fate"], told["state"]) == ("landed", "SinkCommitted")
    steps = [(step["state"], step["found"]) for step in told["steps"]]
    assert steps == [("claimed", ""), ("sent", "row of events")]
    sent = told["steps"][-1]
    (begun, _) = letters.run("actions", "--json").json
    assert sent["action_id"] == begun["action_id"]
    assert (
        f"to {sent['partition']}/{sent['offset']}: row of events" in letters.run("show", place).out
    )


def test_filters_choose_and_an_empty_result_is_no_error(cell: Cell, letters: Letters) -> None:
    every = letters.list()
    one = every[0]
    around = ("--partition", str(one["partition"]), "--offsets", f"0..{one['offset'] + 1}")
    assert place_of(one) in [place_of(row) for row in letters.list(*around)]
    assert all(row["offset"] <= one["offset"] for row in letters.list(*around))
    with_id = [row for row in every if row["schema_id"] == 4_000_000_000]
    assert {row["reason"] for row in with_id} == {"unknown_schema"}
    assert letters.list("--schema-id", "4000000000") == with_id
    assert letters.list("--producer", "headwater") == every

    chosen = Selection(reasons=("no_value",))
    discard(cell, letters.product, chosen, reason="tombstones", by="ann")
    gone = letters.list("--fate", "discarded")
    assert {row["reason"] for row in gone} == {"no_value"}
    ((begun, *_),) = [letters.run("actions", "--json").json]
    assert letters.list("--action", begun["action_id"]) == gone
    told = letters.show(place_of(gone[0]))
    assert [step["state"] for step in told["steps"]] == ["discarded"]

    none = letters.run("list", "--until", "2020-01-01")
    assert (none.code, none.out) == (ExitCode.OK, "no dead letters are selected\n")
    assert letters.run("count", "--producer", "nobody").code == ExitCode.OK
    assert "did you mean undecodable?" in letters.run("list", "--reason", "undecodeable").err
    assert letters.run("list", "--offsets", "1..2").code == ExitCode.USAGE
    assert letters.run("show", "0/99999999").code == ExitCode.TERMINAL
