"""A user's own systems, with TLS, logins and ACLs: one story from the first record to the last kill."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.clock import utc_now
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.run import maintain
from pipeline.tables.catalog import load_table
from pipeline.tables.commit import write_files
from tests.systems import recount
from tests.systems.systems import HOURS, PRODUCT, Systems
from tests.systems.under_dagster import UnderDagster

pytestmark = pytest.mark.timeout(1800)
EAGER = MaintenancePolicy(
    retain=timedelta(0), retain_commits=timedelta(0), retain_last=1, min_files=2,
    orphan_age=timedelta(0),
)  # fmt: skip


def test_the_settings_are_well_and_show_no_secret(systems: Systems) -> None:
    systems.well("config", "check")
    shown = systems.well("config", "show", "--json")
    assert systems.canaries.named_in(shown.out.encode()) == set()


def test_what_is_produced_is_ingested(systems: Systems) -> None:
    systems.send(3_000, poison=True)
    systems.ingest()
    systems.well("doctor", "--cell", "us")


def test_hours_are_closed_built_audited_and_published(systems: Systems) -> None:
    systems.build()
    pages = [path.read_text() for path in systems.command.home.rglob("validations/**/*.html")]
    assert any("readings_hourly" in page for page in pages)


def test_late_data_builds_hours_again(whole: UnderDagster) -> None:
    before = whole.sent.by_hour
    whole.send(200)
    whole.ingest()
    whole.build()
    assert whole.sent.by_hour.keys() == before.keys()


def test_what_a_killed_ingest_left_is_gone_on_with(whole: UnderDagster) -> None:
    whole.kill_ingest()
    whole.ingest()


def test_what_a_killed_build_left_is_built_again(whole: UnderDagster) -> None:
    whole.kill_build()
    whole.build()


def test_maintenance_makes_files_fewer_and_changes_no_row(whole: UnderDagster) -> None:
    cell = whole.cell
    events = load_table(cell, f"{PRODUCT}.events")
    before = recount.events(cell, PRODUCT)
    (orphan,) = write_files(events, events.scan(limit=1).to_arrow())
    tomorrow = utc_now() + timedelta(days=1)
    done = {one.table: one for one in maintain(cell, whole.product, EAGER, lambda: tomorrow)}
    told = done[f"{PRODUCT}.events"]
    assert told.files > told.into
    assert min(told.snapshots, told.orphans) >= 1
    assert not events.io.new_input(orphan.file_path).exists()
    whole.well("maintain", PRODUCT, "--cell", "us")
    assert recount.events(cell, PRODUCT) == before


def test_the_ledger_and_another_library_find_all_that_was_sent_once(systems: Systems) -> None:
    verified = systems.well("ledger", PRODUCT, "--cell", "us", "--verify", "--json").json
    assert verified["totals"]["duplicates"] == systems.sent.duplicates
    sent = [(name, *reading) for name, reading in systems.sent.events.items()]
    assert recount.events(systems.cell, PRODUCT) == sorted(sent, key=repr)
    assert recount.published(systems.cell, PRODUCT) == systems.sent.by_hour
    assert {hour for hour, _ in systems.sent.by_hour} == {*HOURS}
    assert recount.reasons(systems.cell, PRODUCT) == dict(systems.sent.reasons)


def test_no_secret_is_in_a_file_a_log_a_page_an_answer_or_a_command_line(systems: Systems) -> None:
    canaries, home = systems.canaries, systems.command.home
    referred = canaries.files(canaries.folder)
    assert {Path(path).name for path in referred} >= {"kafka", "registry"}, "what is there is found"
    assert canaries.files(home) == {}
    stored = list(systems.stored())
    assert bool(systems.cell.s3) == (len(stored) > 10), "what they keep was looked at"
    assert [names for kept in stored if (names := canaries.named_in(kept))] == []
    assert [names for told in systems.answers() if (names := canaries.named_in(told))] == []
    assert any("headwater.cli.main" in line for line in canaries.processes)
    assert canaries.seen == set()
