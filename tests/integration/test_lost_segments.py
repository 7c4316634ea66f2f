"""The contracts of the demo, and a change to their code that loses one segment of a hundred."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from pyspark.sql import SparkSession

from assets.definitions import build
from assets.partitions import to_key
from pipeline.cells import Cell
from pipeline.clock import HOUR
from pipeline.control.alerts import AlertKind, read_alerts
from pipeline.errors import ExitCode
from pipeline.settings import PROJECT
from pipeline.tables.catalog import load_table
from tests.support.commands import Command
from tests.support.location import Event, Location, open_location
from tests.support.products import own_product

CONTRACTS = PROJECT / "contracts"
NAME, SESSIONS, FEATURES = "viewing_events", "viewing_features_raw", "user_preference_features"
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
FIRST, SECOND = NOON, NOON + HOUR
ACCOUNTS = 200
LOST = ".where(\"user_id NOT IN ('second-007', 'second-107')\")"


@pytest.fixture
def location(
    cell: Cell, home: Path, tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Location]:
    product = own_product(NAME, tmp_path / "contracts", CONTRACTS, tables=(SESSIONS, FEATURES))
    with open_location(cell, home, product, tmp_path / "dagster", monkeypatch) as location:
        yield location


def viewing(account: str, at: datetime) -> Event:
    payload = {
        "user_id": account,
        "content_id": "c0001",
        "timestamp": at,
        "watch_duration": 600,
        "device_type": "tv",
        "region": "us-east",
        "profile": "main",
        "completion": 0.5,
        "session_id": None,
    }
    return Event(account, at, payload)


def deployed(location: Location, tail: str) -> Location:
    """Return the location after a change of code: what the feature table's build returns, and `tail`."""
    original = (CONTRACTS / FEATURES / "build.py").read_text()
    wrapper = f"def build(inputs):\n    return _build(inputs){tail}\n"
    code = location.product.folder.parent / FEATURES / "build.py"
    code.write_text(f"{original}\n\n_build = build\n\n\n{wrapper}")
    return replace(location, repository=build("us").get_repository_def())


def code_versions(location: Location, hour: datetime) -> list[str]:
    """Return what was recorded as the code of each build of the features' hour, oldest first."""
    records = location.instance.fetch_materializations(
        dg.AssetRecordsFilter(dg.AssetKey(["us", NAME, FEATURES]), asset_partitions=[to_key(hour)]),
        limit=10,
        ascending=True,
    ).records
    found = [one.asset_materialization for one in records]
    return [str(one.metadata["code version"].value) for one in found if one is not None]


@pytest.mark.timeout(600)
def test_readers_keep_the_last_good_features_when_a_build_loses_one_segment_of_a_hundred(
    location: Location, home: Path
) -> None:
    command = Command(home, location.product.folder.parent)
    served = ("features", "served", NAME, FEATURES, "--cell", "us", "--json")

    def main() -> int | None:
        return load_table(location.cell, f"{NAME}.{FEATURES}").metadata.current_snapshot_id

    def history() -> int | None:
        return load_table(location.cell, f"{NAME}.{FEATURES}_history").metadata.current_snapshot_id

    location.send(
        viewing(f"first-{n:03}", FIRST + n * timedelta(seconds=9)) for n in range(ACCOUNTS)
    )
    assert {table for table, hour in location.drain() if hour == FIRST} >= {SESSIONS, FEATURES}
    good, recorded = main(), history()
    assert good is not None

    location.send(
        viewing(f"second-{n:03}", SECOND + n * timedelta(seconds=9)) for n in range(ACCOUNTS)
    )
    bad = deployed(location, LOST)
    request = bad.ask("hour_closed")
    assert request is not None
    result = bad.run(request.tags)
    failed = {
        event.asset_check_evaluation_data.asset_key.path[-1]
        for event in result.all_events
        if event.event_type_value == "ASSET_CHECK_EVALUATION"
        and not event.asset_check_evaluation_data.passed
    }
    assert failed == {FEATURES}
    assert (main(), history()) == (good, recorded), "what readers have is untouched"

    told = command.run(*served)
    assert told.code == ExitCode.CHECK_FAILED, told.err
    assert (told.json["fallback"], told.json["snapshot_id"]) == (True, good)
    assert told.json["as_of"] == (FIRST + HOUR).isoformat()
    (reason,) = told.json["reasons"]
    assert reason.startswith(f"hour {SECOND:%Y-%m-%dT%H} was not published: its audit failed")
    assert "99.5 %" in reason
    (alert,) = read_alerts(location.cell, NAME)
    assert (alert.kind, alert.hour) == (AlertKind.AUDIT_FAILED, SECOND)

    mended = deployed(bad, "")
    assert mended.run(request.tags).success
    told = command.run(*served)
    assert told.code == ExitCode.OK, told.err
    assert (told.json["fallback"], told.json["as_of"]) == (False, (SECOND + HOUR).isoformat())
    assert len(location.rows(FEATURES)) == 2 * ACCOUNTS
    (old,), (new,) = code_versions(mended, FIRST), code_versions(mended, SECOND)
    assert old != new
