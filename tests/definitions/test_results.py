"""What materializations tell of snapshots, offsets and builds: bounded, and nothing that is not known."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import dagster as dg
import pytest

from assets.keys import Keys
from assets.steps.hour_results import AboutTable, PublishedHour, hours_published
from assets.steps.ingest_results import Told, dead_letters_materialized, events_materialized
from assets.steps.links import lineage_link
from headwater.cli.main import cli
from pipeline.batch.planning.staleness import PlanInputs, fingerprint
from pipeline.batch.provenance import MOST_INPUTS, Provenance, provenance
from pipeline.contract.model import DerivedTable, Read
from pipeline.control.publications import Publication, latest
from pipeline.ingest.progress import Progress
from pipeline.ledger.balance import Balance
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.model import Entry, merge_entries
from pipeline.tables.snapshots import SnapshotFacts
from tests.support.derivations import chained_product
from tests.support.orders import hour

PRODUCT = chained_product(Path("contracts"))
SALES, STREAKS, TASTES = PRODUCT.derived_tables
KEYS = Keys("us", PRODUCT)
AT = datetime(2026, 1, 1, tzinfo=UTC)
FACTS = SnapshotFacts(22, 21, 7, AT, "append", {"headwater.run-id": "r", "other": "x"})

ENTRIES = tuple(Entry(p, 0, 10, rows=9, dead_letters=1) for p in range(10_000))
PROGRESS = Progress(
    commits=1, snapshot_id=1, committed_at=AT, entries=ENTRIES, reasons={}, lag=0,
    offsets=100_000, rows=90_000, dead_letters=10_000,
)  # fmt: skip
LEDGER = Ledger("orders", "us", None, Balance(), (), ())


def publication(table: DerivedTable, number: int, **what: object) -> Publication:
    found = Publication(
        f"orders.{table.name}", hour(number), AT, 11, 21, 22, f"{table.name}-{number}", 5, "1.2.0",
        "run", 2, source_rows=10, inputs="", digest="d", handover="h",
    )  # fmt: skip
    return replace(found, **what)  # type: ignore[arg-type]


def known(*publications: Publication) -> PlanInputs:
    return PlanInputs("us", 11, {hour(n): 10 + n for n in range(50)}, (), latest(publications), AT)


def told(
    one: Publication, table: DerivedTable, made: Provenance | None, *, detailed: bool = True
) -> dict[str, Any]:
    about = AboutTable(table, "code", None, snapshots={22: FACTS}, detailed=detailed)
    (found,) = hours_published(KEYS, about, [PublishedHour(one, made)], {})
    return {
        name: [record.data for record in value.records]
        if isinstance(value, dg.TableMetadataValue)
        else value.value
        for name, value in found.metadata.items()
    }


def test_an_hour_tells_its_snapshot_and_the_builds_that_it_read() -> None:
    before = [publication(STREAKS, n) for n in range(10)]
    made_of = fingerprint(PRODUCT, TASTES, hour(9), latest(before))
    one = publication(TASTES, 9, inputs=made_of)
    found = told(one, TASTES, provenance(PRODUCT, TASTES, one, known(*before), None))
    assert found["rows changed"] == "first build"
    assert "since the build before" not in found
    assert (found["parent snapshot id"], found["sequence number"]) == ("21", 7)
    assert found["run id"] == "run"
    builds = [row["wap id"] for row in found["input hours"]]
    assert builds
    assert builds == [f"{STREAKS.name}-{9 - place}" for place in range(len(builds))]


def test_no_build_is_named_that_the_fingerprint_does_not_prove() -> None:
    one = publication(TASTES, 9, inputs="of others")
    made = provenance(PRODUCT, TASTES, one, known(publication(STREAKS, 9)), None)
    assert not made.builds_known
    assert {row["wap id"] for row in told(one, TASTES, made)["input hours"]} == {""}


def test_what_changed_since_the_build_before_is_told_and_nothing_else() -> None:
    old = publication(SALES, 3, wap_id="first", source_rows=8)
    one = publication(SALES, 3, wap_id="second")
    found = told(one, SALES, provenance(PRODUCT, SALES, one, known(one), old))
    assert found["rows changed"] == "no"
    assert found["since the build before"] == [
        {"what": "source rows", "before": "8", "now": "10"},
        {"what": "wap id", "before": "first", "now": "second"},
    ]
    short = told(one, SALES, provenance(PRODUCT, SALES, one, known(one), old), detailed=False)
    assert set(found) - set(short) == {"input hours", "since the build before"}
    of_format_1 = replace(old, digest=None)
    made = provenance(PRODUCT, SALES, one, known(one), of_format_1)
    assert told(one, SALES, made)["rows changed"] == "unknown"


def test_a_year_of_input_hours_is_named_by_the_newest() -> None:
    long = SALES.model_copy(update={"reads": (Read(table="events", hours=24 * 366),)})
    one = publication(SALES, 40)
    found = told(one, long, provenance(PRODUCT, long, one, known(), None))
    assert len(found["input hours"]) == MOST_INPUTS
    assert found["input hours"][0] == {
        "table": "events", "hour": f"{hour(40):%Y-%m-%dT%H}", "rows": "50", "snapshot id": "11",
        "wap id": "", "published at": "", "run id": "",
    }  # fmt: skip
    assert found["input hours, not shown"] == 24 * 366 - MOST_INPUTS


def test_dead_letters_tell_the_entries_of_some_partitions_and_their_own_snapshot() -> None:
    metadata = dead_letters_materialized(KEYS, PROGRESS, FACTS, Told("code")).metadata
    ranges = metadata["offset ranges"]
    assert isinstance(ranges, dg.TableMetadataValue)
    assert len(ranges.records) == 96
    assert ranges.records[3].data["dead letters"] == 1
    assert metadata["snapshot id"].value == "22"
    assert metadata["run id"].value == "r"
    assert dead_letters_materialized(KEYS, PROGRESS, None, Told("code")).metadata["snapshot id"]


def test_command_lines_that_tell_more_are_commands() -> None:
    one = publication(SALES, 3)
    events = events_materialized(KEYS, PROGRESS, LEDGER, FACTS, Told("code"))
    letters = dead_letters_materialized(KEYS, PROGRESS, FACTS, Told("code"))
    lines = [
        line
        for text in (
            told(one, SALES, None)["look further"],
            *(made.metadata["look further"].value for made in (events, letters)),
        )
        for line in str(text).splitlines()[1:-1]
    ]
    assert len(lines) == 9
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "headwater"
        command: click.Command = cli
        context = click.Context(cli)
        while isinstance(command, click.Group):
            found = command.get_command(context, words.pop(0))
            assert found is not None, line
            command = found
        context = command.make_context(command.name, words)
        assert context.params["cell"] == "us"


def test_links_lead_to_the_part_of_the_page_where_data_docs_are_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = "lineage/orders.html"
    assert lineage_link(KEYS, page, "sales") == {}
    monkeypatch.setenv("HEADWATER_DATA_DOCS", "http://docs.example")
    link = lineage_link(KEYS, page, "sales")["lineage"]
    assert link.value == "http://docs.example/us/lineage/orders.html#table-sales"
    assert lineage_link(KEYS, None, "sales") == {}


def test_entries_of_a_partition_become_one() -> None:
    entries = [Entry(1, 0, 3, rows=3), Entry(0, 5, 6, rows=1), Entry(1, 3, 5, rows=1, duplicates=1)]
    assert merge_entries(entries) == (Entry(0, 5, 6, rows=1), Entry(1, 0, 5, rows=4, duplicates=1))
