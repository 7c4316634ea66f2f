"""The whole stack, left to itself, seen through a real browser.

Kafka, the Dagster webserver and its daemon are started as a user starts them, and events are produced.
Nothing else is done: sensors start the ingest, close the hours and build them. One of two derived tables
expects what cannot be, so that its audit fails.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pyarrow.compute as pc
import pytest
from playwright.sync_api import Locator, Page, expect

from assets.partitions import to_key
from headwater.stack import stack
from headwater.stack.ports import free_port
from pipeline.cells import Cell, load_cell
from pipeline.clock import HOUR
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.control.publications import read_publications
from pipeline.dead_letters.read import load_letter_tables, read_letters
from pipeline.dead_letters.reasons import letters_by_reason
from pipeline.dead_letters.selection import Selection
from pipeline.ledger.read import read_ledger
from pipeline.settings import load_settings
from pipeline.supervision.heartbeat import Heartbeat, heartbeat_file, read_heartbeat
from pipeline.supervision.locks import ingest_lock, lock_holder
from pipeline.tables.catalog import load_table
from pipeline.tables.commit import write_files
from pipeline.tables.data_files.rewrite import rewrite
from pipeline.tables.layout import product_table
from tests.support.browser import browser_page
from tests.support.dagster_api import DagsterApi, wait_until
from tests.support.load import Filled, TopicWriter

PRODUCT = "viewing_events"
GOOD, BAD = "content_engagement_hourly", "content_engagement_impossible"
KEY = [("hour", "ascending"), ("content_id", "ascending"), ("region", "ascending")]
RECORDS = 600
PATIENCE_S = 360
SMALL_FILES = 80
ENDED = ("SUCCESS", "FAILURE", "CANCELED")

expect.set_options(timeout=30_000)
pytestmark = pytest.mark.timeout(PATIENCE_S + 120)


@dataclass(frozen=True)
class Platform:
    """A running stack that has ingested and built what it was given."""

    cell: Cell
    product: Product
    filled: Filled
    api: DagsterApi
    pictures: Path


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    root = tmp_path_factory.mktemp("ui")
    contracts = _contracts(root / "contracts")
    settings = replace(load_settings(), home=root / "home", contracts=contracts)
    pictures = root / "pictures"
    pictures.mkdir()
    try:
        parts = stack.up(settings, ["us"], print, kafka_port=free_port(), web_port=free_port())
        api = DagsterApi(next(p.address for p in parts if p.name == "dagster-webserver") or "")
        cell = load_cell(settings.home, "us")
        product = load_product(contracts / PRODUCT)
        filled = TopicWriter(cell, product).fill(RECORDS)
        key = ["us", PRODUCT]
        wait_until(
            "both audits done and the ledger balancesd",
            lambda: (
                api.check([*key, GOOD], "audit")
                and api.check([*key, BAD], "audit")
                and api.check([*key, "events"], "ledger_balances")
            ),
            PATIENCE_S,
        )
        _split_files(cell)
        yield Platform(cell, product, filled, api, pictures)
    finally:
        stack.down(settings, print)


@pytest.fixture
def page(platform: Platform) -> Iterator[Page]:
    with browser_page(platform.api.address) as page:
        yield page


def test_the_graph_leads_from_the_topic_over_events_to_derived_tables(
    platform: Platform, page: Page
) -> None:
    page.goto(f"/locations/us/asset-groups/{PRODUCT}/lineage")
    across = {}
    for name in ("topic", "content", "events", "dead_letters", GOOD, BAD, "watermark"):
        node = page.get_by_text(name, exact=True).last
        expect(node).to_be_visible()
        box = node.bounding_box()
        assert box is not None
        across[name] = box["x"]
    assert across["topic"] == across["content"] < across["events"] == across["dead_letters"]
    assert across["events"] < across[GOOD] == across[BAD] == across["watermark"]
    for kind in ("Kafka", "avro", "Iceberg", "Spark"):
        expect(page.get_by_text(kind, exact=True).first).to_be_visible()
    expect(page.get_by_text("Loading...")).to_have_count(0)
    page.screenshot(path=platform.pictures / "graph.png")


def test_a_materialization_shows_counts_offsets_snapshot_and_lag(
    platform: Platform, page: Page
) -> None:
    page.goto(f"/assets/us/{PRODUCT}/events?view=events")
    for name, value in {
        "rows added": platform.filled.events,
        "duplicates": platform.filled.duplicates,
        "dead letters": sum(platform.filled.poison.values()),
        "gaps": 0,
        "lag (records)": 0,
    }.items():
        row = page.get_by_role("row").filter(has_text=name).first
        expect(row).to_contain_text(f"{value}")
    expect(page.get_by_text("snapshot id", exact=True)).to_be_visible()
    ends = page.get_by_role("row").filter(has_text="partition")
    expect(ends.first).to_be_visible()
    page.screenshot(path=platform.pictures / "materialization.png")


def test_a_failed_audit_is_a_failed_blocking_check_with_every_expectation(
    platform: Platform, page: Page
) -> None:
    page.goto(f"/assets/us/{PRODUCT}/{BAD}?view=checks")
    expect(page.get_by_text("This is a blocking asset check.")).to_be_visible()
    expect(page.get_by_text("Failed", exact=True).first).to_be_visible()
    broken = page.get_by_role("row").filter(has_text="broken expectations")
    expect(broken.first).to_contain_text("expect_column_values_to_be_between")
    expect(broken.first).to_contain_text("views")
    page.screenshot(path=platform.pictures / "failed-check.png")
    docs = page.get_by_role("row").filter(has_text="data docs").get_by_role("link").first
    page.goto(docs.get_attribute("href") or "")
    expect(page.get_by_text("Expectation Validation Result").first).to_be_visible()
    expect(page.get_by_text("Status: Failed").first).to_be_visible()


def test_a_table_shows_what_its_columns_come_from(platform: Platform, page: Page) -> None:
    page.goto(f"/assets/us/{PRODUCT}/{GOOD}?view=overview")
    row = page.get_by_role("row").filter(has_text="comes from")
    expect(row.first).to_contain_text("topic.watch_duration")
    typed = page.get_by_role("row").filter(has_text="Number of accounts.").first
    expect(typed).to_contain_text("int64")
    page.get_by_text("columns drawn").first.scroll_into_view_if_needed()
    page.screenshot(path=platform.pictures / "columns.png")


def test_a_published_hour_links_to_its_part_of_the_lineage_page(
    platform: Platform, page: Page
) -> None:
    page.goto(f"/assets/us/{PRODUCT}/{GOOD}?view=events")
    row = (
        page.get_by_role("row")
        .filter(has_text="since the build")
        .or_(page.get_by_role("row").filter(has_text="first build"))
    )
    expect(row.first).to_be_visible()
    link = page.get_by_role("link").filter(has_text="/lineage/").first
    page.goto(link.get_attribute("href") or "")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{PRODUCT}1.0.0 in cell us")
    expect(page.locator(f"[id=table-{GOOD}]")).to_have_attribute("open", "")


def test_a_failed_audit_leaves_main_untouched_and_the_other_table_published(
    platform: Platform,
) -> None:
    bad = load_table(platform.cell, product_table(PRODUCT, BAD))
    good = load_table(platform.cell, product_table(PRODUCT, GOOD))
    assert bad.current_snapshot() is None, "nothing was ever published"
    assert bad.snapshots(), "the staging stays for inspection"
    views = sum(good.scan(selected_fields=("views",)).to_arrow()["views"].to_pylist())
    assert 0 < views <= platform.filled.events
    assert platform.api.check(["us", PRODUCT, GOOD], "audit") == "SUCCEEDED"
    assert platform.api.check(["us", PRODUCT, BAD], "audit") == "FAILED"


def test_a_backlog_of_hours_is_one_run(platform: Platform) -> None:
    runs = platform.api.runs(f"us__{PRODUCT}__hourly")
    first, _ = runs[-1]
    query = """query($run: ID!) { runOrError(runId: $run) {
        ... on Run { tags { key value } } } }"""
    tags = {
        tag["key"]: tag["value"] for tag in platform.api.ask(query, run=first)["runOrError"]["tags"]
    }
    assert int(tags["headwater/hours"]) >= 2
    assert tags["dagster/asset_partition_range_start"] < tags["dagster/asset_partition_range_end"]


def test_tables_are_maintained_by_themselves(platform: Platform) -> None:
    runs = wait_until(
        "a maintenance that has ended",
        lambda: [
            run for run in platform.api.runs(f"us__{PRODUCT}__maintenance") if run[1] in ENDED
        ],
        120,
    )
    assert [status for _, status in runs] == ["SUCCESS"]
    table = load_table(platform.cell, product_table(PRODUCT, GOOD))
    assert len(list(table.scan().plan_files())) < SMALL_FILES


def test_a_backfill_of_a_range_is_one_run_and_changes_no_row(platform: Platform) -> None:
    table = load_table(platform.cell, product_table(PRODUCT, GOOD))
    before = table.scan().to_arrow()
    hours = sorted(set(before["hour"].to_pylist()))
    partitions = [to_key(hours[0] + n * HOUR) for n in range((hours[-1] - hours[0]) // HOUR + 1)]
    assert len(partitions) >= 2
    asked = platform.api.backfill(["us", PRODUCT, GOOD], partitions)
    assert wait_until("the backfill complete", lambda: platform.api.backfilled(asked), 180) == 1
    # Another hour may have closed meanwhile.
    after = table.refresh().scan().to_arrow().filter(pc.field("hour") <= hours[-1])
    # As values: the types of texts in Arrow are those of who wrote the files.
    assert after.sort_by(KEY).to_pylist() == before.sort_by(KEY).to_pylist()
    builds = [one for one in read_publications(platform.cell, PRODUCT) if one.hour == hours[0]]
    of_table = [one for one in builds if one.table == product_table(PRODUCT, GOOD)]
    assert len(of_table) == 2, "the first build, and the backfill's"


def test_an_ingest_is_replaced_that_was_terminated_or_killed(platform: Platform) -> None:
    job, lock = f"us__{PRODUCT}__ingest", ingest_lock(platform.cell, PRODUCT)
    run_id = wait_until("an ingest at work", lambda: lock_holder(lock), 120)
    platform.api.terminate(run_id)
    wait_until("the run canceled", lambda: (run_id, "CANCELED") in platform.api.runs(job), 30)
    TopicWriter(platform.cell, platform.product, seed=2).fill(100)
    successor = wait_until("the next ingest at work", lambda: lock_holder(lock), 120)
    assert successor != run_id
    beat = wait_until(
        "its heartbeat",
        lambda: beat_of(platform.cell, successor),
        60,
    )
    # With it the process that runs are forked from: the server begins another.
    origin = psutil.Process(beat.pid).parent()
    assert origin is not None
    assert "forkserver" in " ".join(origin.cmdline())
    for pid in (origin.pid, beat.pid):
        os.kill(pid, signal.SIGKILL)
    wait_until("another ingest at work", lambda: lock_holder(lock) not in (None, successor), 120)
    assert [run for run, status in platform.api.runs(job) if status == "FAILURE"] == [successor]
    wait_until(
        "all records committed",
        lambda: read_ledger(platform.cell, platform.product).totals.offsets == RECORDS + 100,
        60,
    )
    assert read_ledger(platform.cell, platform.product).balanced


def test_a_review_of_dead_letters_shows_why_there_are_any_and_a_picture(
    platform: Platform, page: Page
) -> None:
    page.goto(f"/assets/us/{PRODUCT}/dead_letter_review")
    page.get_by_role("button", name="Materialize").click()
    page.get_by_text("View", exact=True).click()
    # Not one that the schedule has made before.
    expect(page.get_by_text("RUN_SUCCESS")).to_be_visible(timeout=60_000)
    page.goto(f"/assets/us/{PRODUCT}/dead_letter_review?view=events")
    page.get_by_text("Show Markdown").first.click()
    report = page.get_by_role("dialog")
    reasons = letters_by_reason(platform.cell, platform.product)
    for reason, count in reasons.items():
        row = report.get_by_role("row").filter(has_text=reason).first
        expect(row).to_contain_text(f"{count}")
    picture = report.get_by_role("img", name="by the hour")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 0, "it is served"
    page.screenshot(path=platform.pictures / "review.png")


def test_dead_letters_are_tried_and_replayed_from_the_launchpad(
    platform: Platform, page: Page
) -> None:
    stale = letters_by_reason(platform.cell, platform.product)["stale"]
    tried = launch(platform, page, "dry_run", reasons=["stale"])
    expect(tried.filter(has_text="would be replayed")).to_contain_text(f"{stale}")
    assert fates(platform) == {"open": stale}, "nothing was done"

    told = {"by": "ann", "reason": "a producer's clock was wrong"}
    done = launch(platform, page, "replay", reasons=["stale"], **told)
    expect(done.filter(has_text="records sent")).to_contain_text(f"{stale}")
    page.screenshot(path=platform.pictures / "replay.png")
    wait_until("their events are rows", lambda: fates(platform) == {"landed": stale}, 60)
    assert read_ledger(platform.cell, platform.product).balanced


def launch(platform: Platform, page: Page, what: str, **config: object) -> Locator:
    """Launch a job of dead letters with a config; return the rows of what its run's page shows then."""
    job = f"us__{PRODUCT}__dead_letter_{what}"
    page.goto(f"/locations/us/jobs/{job}/playground")
    page.locator(".CodeMirror").click()
    page.keyboard.press("Control+A")
    # At once: what is typed is indented and closed by the editor.
    page.keyboard.insert_text(
        json.dumps({"ops": {f"us__{PRODUCT}__{what}": {"config": config}}}, indent=1)
    )
    page.get_by_role("button", name="Launch Run").click()
    ended = wait_until(
        f"{what} ended", lambda: [run for run in platform.api.runs(job) if run[1] in ENDED], 60
    )
    assert [status for _, status in ended] == ["SUCCESS"]
    expect(page.get_by_text("ASSET_OBSERVATION")).to_be_visible()
    return page.get_by_role("row")


def fates(platform: Platform) -> dict[str, int]:
    """Return how many dead letters that were stale have which fate."""
    tables = load_letter_tables(platform.cell, platform.product)
    found = read_letters(tables, Selection(reasons=("stale",)))
    return dict(found.get_column("fate").value_counts().iter_rows())


def beat_of(cell: Cell, run_id: str) -> Heartbeat | None:
    beat = read_heartbeat(heartbeat_file(cell, PRODUCT))
    return beat if beat is not None and beat.run_id == run_id else None


def _split_files(cell: Cell) -> None:
    """Leave a table in as many small files as there are after days, with the same rows."""
    table = load_table(cell, product_table(PRODUCT, GOOD))
    rows, old = table.scan().to_arrow(), [task.file for task in table.scan().plan_files()]
    parts = [*(rows.slice(n, 1) for n in range(SMALL_FILES)), rows.slice(SMALL_FILES)]
    rewrite(table, old, [file for part in parts for file in write_files(table, part)], None)


def _contracts(folder: Path) -> Path:
    """Copy the project's contract and a derived table, and another whose audit cannot be passed."""
    contracts = load_settings().contracts
    shutil.copytree(contracts / PRODUCT, folder / PRODUCT)
    for table in (GOOD, BAD):
        shutil.copytree(contracts / GOOD, folder / table)
    document = folder / BAD / "contract.yaml"
    text = document.read_text().replace(GOOD, BAD)
    document.write_text(text.replace("min_value: 1}", "min_value: 999}", 1))
    return folder
