"""Which metadata file of a table a recovery chooses, and what it leaves to a person."""

from __future__ import annotations

from dataclasses import replace

from pipeline.recovery.model import FoundMetadata, FoundTable, RecoveryAction, RecoveryStep
from pipeline.recovery.plan import plan_recovery

PLACE = "file:///w/orders/events"


def file(version: int, name: str = "a", **fields: object) -> FoundMetadata:
    location = f"{PLACE}/metadata/{version:05}-{name}.metadata.json"
    made = FoundMetadata(
        location,
        version,
        table_uuid="u",
        table_location=PLACE,
        sequence_number=version,
        updated_ms=version,
        offsets=version * 10,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def events(*files: FoundMetadata, registered: str | None = None) -> FoundTable:
    return FoundTable("orders.events", PLACE, registered, files)


def step(*files: FoundMetadata) -> RecoveryStep:
    (found,) = plan_recovery([events(*files)])
    return found


def test_the_highest_version_is_registered() -> None:
    files = (file(9), file(10), file(11))
    found = step(*files)
    assert (found.action, found.metadata) == (RecoveryAction.REGISTER, files[-1].location)


def test_versions_are_counted_and_not_spelled() -> None:
    files = (file(99_999), file(100_000))
    assert step(*files).metadata == files[-1].location


def test_a_file_that_was_written_in_part_is_passed_over_and_told() -> None:
    files = (file(1), file(2), file(3, problem="it was written in part"))
    found = step(*files)
    assert found.metadata == files[1].location
    assert "version 3 is passed over: it was written in part" in found.reason


def test_of_rivals_the_one_with_fewer_offsets_is_registered() -> None:
    claim, late = file(3, "claim", offsets=20), file(3, "late", offsets=30, updated_ms=99)
    found = step(file(2), claim, late)
    assert found.metadata == claim.location
    assert "of 2 files" in found.reason


def test_of_rivals_the_one_that_something_was_made_from_is_registered() -> None:
    lost, won = file(3, "lost", offsets=20), file(3, "won", offsets=30)
    broken = file(4, base=won.location, problem="a data file is gone")
    assert step(lost, won, broken).metadata == won.location


def test_of_equal_rivals_the_later_one_is_registered() -> None:
    early, late = file(3, "a", updated_ms=5), file(3, "b", updated_ms=6)
    assert step(late, early).metadata == late.location


def test_what_the_catalog_has_stays_whatever_lies_in_the_warehouse() -> None:
    old = file(2)
    (found,) = plan_recovery([events(old, file(7), registered=old.location)])
    assert (found.action, found.metadata, found.version) == (RecoveryAction.KEEP, old.location, 2)


def test_two_tables_in_one_folder_are_for_a_person_to_decide() -> None:
    found = step(file(57), file(3, "b", table_uuid="v"))
    assert found.action is RecoveryAction.REFUSE
    assert "2 tables" in found.reason


def test_a_table_that_was_made_beside_and_never_filled_is_none() -> None:
    assert step(file(57), file(0, "b", table_uuid="v")).action is RecoveryAction.REGISTER


def test_a_warehouse_that_was_copied_is_refused() -> None:
    found = step(file(1, table_location="file:///other/orders/events"))
    assert found.action is RecoveryAction.REFUSE
    assert "file:///other" in found.reason


def test_no_usable_file_is_refused_with_the_newest_ones_fault() -> None:
    found = step(file(1, problem="damaged"), file(2, problem="cut"))
    assert found.action is RecoveryAction.REFUSE
    assert "00002-a.metadata.json: cut" in found.reason


def test_events_older_than_what_the_ledger_has_archived_are_refused() -> None:
    kept = replace(file(4, archived_through=3), table_location="file:///w/orders/ledger", offsets=0)
    ledger = FoundTable("orders.ledger", "file:///w/orders/ledger", None, (kept,))
    cut = (file(2), file(3, problem="cut"))
    refused, other = plan_recovery([events(*cut), ledger])
    assert refused.action is RecoveryAction.REFUSE
    assert "up to commit 3" in refused.reason
    assert other.action is RecoveryAction.REGISTER
    whole, _ = plan_recovery([events(file(2), file(3)), ledger])
    assert whole.action is RecoveryAction.REGISTER
